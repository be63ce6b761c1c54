package modular

import (
	"bytes"
	"fmt"
	"math/big"
	"runtime"
	"sync"
	"testing"
)

func TestBatchCoversEveryElementOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 15, 16, 17, 100, 1000} {
		for _, grain := range []int{1, 16, 2000} {
			seen := make([]int, n) // ranges do not overlap, or the race detector says so
			batch(n, grain, func(_ *scratch, from, to int) {
				for i := from; i < to; i++ {
					seen[i]++
				}
			})
			for i, times := range seen {
				if times != 1 {
					t.Errorf("%d elements, grain %d: element %d was done %d times", n, grain, i, times)
				}
			}
		}
	}
}

func TestSmallBatchStaysOnTheCallersGoroutine(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic of a batch of one did not arrive")
		}
	}()
	batch(1, heavy, func(*scratch, int, int) { panic("on the caller's goroutine") })
}

// everything runs all operations on the same inputs, with exponents of as many bits as f takes, and returns all results as text.
func everything(v *Vector, f *FixedBase, exps []*big.Int, sums Sums) []byte {
	out := v.Mul(v).Append(nil)
	inverse, err := v.Inverse()
	if err == nil {
		out = inverse.Append(out)
	}
	out = fmt.Append(out, err, v.Product(), v.NonUnit())
	for _, w := range []*Vector{v.Exp(exps[0]), v.ExpSecret(exps[1], f.bits), v.Horner(3, f.bits/2), v.MultiExp(sums), f.Exp(exps)} {
		out = w.Append(out)
	}
	m := []*big.Int{v.Ring().Modulus()}
	out = fmt.Append(out, expBatch(v.ring.engine(), exps, exps[:1], m), JacobiBatch(exps, m), NewDivisors([]int{3, 5, 7}).Coprime(m))
	return v.Ring().FixedBase(v.At(0), f.bits/3).Exp([]*big.Int{big.NewInt(3)}).Append(out)
}

func TestResultsDoNotDependOnTheNumberOfCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	eachPath(t, testNumberOfCores)
}

func testNumberOfCores(t *testing.T, e *engine) {
	runtime.GOMAXPROCS(1)
	s := newSource(10)
	r := newRing(s.modulus(256), e)
	v, exps, sums := s.vector(r, 600), s.numbers(50, 128), s.sums(600, 40, 2100, 0, 10, 300)
	want := everything(v, r.FixedBase(v.At(3), 128), exps, sums)
	for _, cores := range []int{2, 16} {
		runtime.GOMAXPROCS(cores)
		if got := everything(v, r.FixedBase(v.At(3), 128), exps, sums); !bytes.Equal(got, want) {
			t.Errorf("%d cores give other results than one", cores)
		}
	}
}

func TestConcurrentUse(t *testing.T) { eachPath(t, testConcurrentUse) }

func testConcurrentUse(t *testing.T, e *engine) {
	s := newSource(11)
	r := newRing(s.modulus(128), e)
	v, exps, sums := s.vector(r, 40), s.numbers(10, 128), s.sums(40, 40, 100, 3)
	f := r.FixedBase(v.At(3), 128)
	want := everything(v, f, exps, sums)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if !bytes.Equal(everything(v, f, exps, sums), want) {
				t.Error("concurrent use changes results")
			}
		})
	}
	group.Wait()
}
