package modular

import (
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// trace is what an engine was asked to do: one entry a call, that names the operation, where the operands lie relative to
// each other and how long they are. What depends on secrets must not show in it.
type trace struct {
	sync.Mutex
	calls    []string
	products int
}

// traced returns an engine that also writes a trace.
func traced(e *engine) (*engine, *trace) {
	log, copied := new(trace), *e
	add := func(products int, format string, args ...any) {
		log.Lock()
		defer log.Unlock()
		log.products += products
		log.calls = append(log.calls, fmt.Sprintf(format, args...))
	}
	mul, sqr, choose := e.mul, e.sqr, e.choose
	copied.mul = func(z, x, y []uint64, o *operands) {
		add(1, "mul %d %t %t", len(z), &z[0] == &x[0], &z[0] == &y[0])
		mul(z, x, y, o)
	}
	copied.sqr = func(z, x []uint64, o *operands) {
		add(1, "sqr %d %t", len(z), &z[0] == &x[0])
		sqr(z, x, o)
	}
	copied.choose = func(z, table, index []uint64) {
		add(0, "choose %d of %d", len(z), len(table))
		choose(z, table, index)
	}
	return &copied, log
}

// run returns the calls of one computation.
func (t *trace) run(compute func()) []string {
	t.calls, t.products = nil, 0
	compute()
	return t.calls
}

// kernels are the engines other than math/big.
func kernels() []*engine { return engines()[1:] }

// What the kernels are asked to do for secret exponents of one bound is the same for all of them.
func TestSecretExponentsDoNotShowInTheCalls(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that the calls have an order
	s := newSource(17)
	m, base := s.modulus(512), s.number(512)
	const bits = 200
	secret := []*big.Int{new(big.Int), big.NewInt(1), oddAbove(1, bits-1), new(big.Int).Sub(oddAbove(1, bits), big.NewInt(2)), s.number(bits)}
	for _, plain := range kernels() {
		e, log := traced(plain)
		r := newRing(m, e)
		v, f := r.Vector(s.numbers(3, 512)), r.FixedBase(base, bits)
		bound := oddAbove(1, bits-1) // one exponent of full length makes the bound known
		for name, compute := range map[string]func(x *big.Int){
			"ExpSecret": func(x *big.Int) { v.ExpSecret(x, bits).Append(nil) },
			"FixedBase": func(x *big.Int) { f.Exp([]*big.Int{x, x}).Append(nil) },
			"ExpBatch":  func(x *big.Int) { expBatch(e, []*big.Int{base, base}, []*big.Int{x, bound}, []*big.Int{m}) },
		} {
			want := log.run(func() { compute(secret[0]) })
			for _, x := range secret[1:] {
				if got := log.run(func() { compute(x) }); !slices.Equal(got, want) {
					t.Errorf("%s, %s: exponent %x takes %d calls, 0 takes %d, or other ones", e.name, name, x, len(got), len(want))
				}
			}
		}
	}
}

// A row of 10 terms with weights of 40 bits needs, with eight rows side by side, at most 1.15 of the products that the plan
// for one row over math/big counts; and both plans count what is really done.
func TestProductsOfWeightedSums(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that no row is cut for another core
	s := newSource(18)
	m := s.modulus(256)
	for _, plain := range kernels() {
		for _, c := range []struct {
			rows, terms int
			ratio       float64 // of products a row, to those of the plan over math/big
		}{{8, 10, 1.15}, {16, 10, 1.15}, {8, 1, 1.15}, {8, 2, 1.15}, {8, 3, 1.15}, {8, 5, 1.15}, {8, 30, 1.15}, {1, 1000, 1.25}, {1, 10000, 1.15}} {
			e, log := traced(plain)
			v := s.vector(newRing(m, e), 300)
			sums := s.sums(v.Len(), 40, slices.Repeat([]int{c.terms}, c.rows)...)
			var scalar, planned float64
			for k := range c.rows {
				size := sums.size(k*c.terms, (k+1)*c.terms)
				scalar += float64(size.cost()) / float64(e.lanes)
				if size.long(e.lanes) {
					_, cost := size.sortedWindow(e.lanes)
					planned += float64(cost)
				} else {
					planned += float64(newJoint(c.terms, 40).cost()) / float64(e.lanes)
				}
			}
			log.run(func() { v.MultiExp(sums) })
			took := float64(log.products)
			t.Logf("%s: %d rows of %d: %d products, planned %.0f, by the plan of math/big %.0f", e.name, c.rows, c.terms, log.products, planned, scalar)
			if took > c.ratio*scalar || took > 1.1*planned+8 || planned > 1.25*took+8 {
				t.Errorf("%s: %d rows of %d take %.0f products, planned %.0f, by the plan of math/big %.0f", e.name, c.rows, c.terms, took, planned, scalar)
			}
		}
	}
}

// cost is that of the best plan.
func (r rowSize) cost() int {
	if p := r.plan(); p.buckets {
		return r.bucketCost(p.window)
	} else {
		return r.tableCost(p.window)
	}
}

// The shapes count the products of a fixed base, too: table, one exponentiation, eight of them.
func TestProductsOfFixedBase(t *testing.T) {
	s := newSource(19)
	for _, plain := range kernels() {
		e, log := traced(plain)
		r := newRing(s.modulus(1024), e)
		f := r.FixedBase(s.number(1024), 512)
		c := f.shape
		each := c.blocks/e.lanes*c.depth + c.depth - 2
		for n, shared := range map[int]int{1: bitsOf(e.lanes), 8: e.lanes - 1} {
			log.run(func() { f.Exp(s.numbers(n, 512)) })
			if e.lanes == 1 {
				shared = 0
			}
			if want := n*each + shared; log.products != want {
				t.Errorf("%s: %d exponentiations take %d products, want %d", e.name, n, log.products, want)
			}
		}
		if memory := 8 * len(f.packs); memory > e.tableSize || memory < e.tableSize/4 {
			t.Errorf("%s: a table of %d bytes, want up to %d", e.name, memory, e.tableSize)
		}
	}
}

// bitsOf is the number of times that n can be halved.
func bitsOf(n int) int { return big.NewInt(int64(n)).BitLen() - 1 }
