package modular

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// sizes are bit lengths of moduli: the smallest, both sides of a word, and those the system works with.
var sizes = []int{2, 3, 8, 9, 63, 64, 65, 127, 128, 256, 512, 1024, 2048, 4096}

// engines are all paths: math/big, and both kernels, by the instructions where the machine has them and by their references
// in Go where it does not.
func engines() []*engine { return []*engine{nil, adxEngine(), ifmaEngine()} }

// eachPath runs a test on every path.
func eachPath(t *testing.T, test func(t *testing.T, e *engine)) {
	t.Helper()
	for _, e := range engines() {
		t.Run(pathOf(e), func(t *testing.T) { test(t, e) })
	}
}

// drawRing returns the ring of a modulus on any path.
func drawRing(t *rapid.T, m *big.Int) *Ring {
	return newRing(m, drawEngine(t))
}

// drawEngine draws a path.
func drawEngine(t *rapid.T) *engine { return rapid.SampledFrom(engines()).Draw(t, "path") }

// oddAbove returns x·2^bits + 1.
func oddAbove(x int64, bits uint) *big.Int {
	m := new(big.Int).Lsh(big.NewInt(x), bits)
	return m.SetBit(m, 0, 1)
}

// numbers draws non-negative integers of at most the given bit length, the extremes often.
func numbers(bits int) *rapid.Generator[*big.Int] {
	words := rapid.SliceOfN(rapid.Uint64(), ceilDiv(bits, 64), ceilDiv(bits, 64))
	return rapid.Custom(func(t *rapid.T) *big.Int {
		x, top := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(bits))
		switch rapid.IntRange(0, 7).Draw(t, "kind") {
		case 0:
			return x.SetInt64(int64(rapid.IntRange(0, 2).Draw(t, "small"))).Mod(x, top)
		case 1:
			return x.Sub(top, big.NewInt(1))
		}
		for _, w := range words.Draw(t, "words") {
			x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(w))
		}
		return x.Mod(x, top)
	})
}

// moduli draws odd integers above 1 of a size of the list, at most the given number of bits.
func moduli(bits int) *rapid.Generator[*big.Int] {
	fitting := slices.DeleteFunc(slices.Clone(sizes), func(n int) bool { return n > bits })
	return rapid.Custom(func(t *rapid.T) *big.Int {
		n := rapid.SampledFrom(fitting).Draw(t, "bits")
		m := numbers(n).Draw(t, "modulus")
		m.SetBit(m, 0, 1)
		return m.SetBit(m, n-1, 1)
	})
}

// residues draws up to max elements of [0, m), m-1 among them often.
func residues(m *big.Int, max int) *rapid.Generator[[]*big.Int] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *big.Int {
		if rapid.IntRange(0, 7).Draw(t, "last") == 0 {
			return new(big.Int).Sub(m, big.NewInt(1))
		}
		x := numbers(m.BitLen()).Draw(t, "residue")
		return x.Mod(x, m)
	}), 0, max)
}

// unchanged fails the test if the numbers are not the same at its end as now: nothing here may modify its arguments.
func unchanged(t *testing.T, lists ...[]*big.Int) (check func()) {
	t.Helper()
	before := make([][]*big.Int, len(lists))
	for i, list := range lists {
		before[i] = copies(list)
	}
	return func() {
		t.Helper()
		for i, list := range lists {
			if !equal(list, before[i]) {
				t.Errorf("argument %d was modified", i)
			}
		}
	}
}

func copies(xs []*big.Int) []*big.Int {
	out := make([]*big.Int, len(xs))
	for i, x := range xs {
		out[i] = new(big.Int).Set(x)
	}
	return out
}

func equal(a, b []*big.Int) bool {
	return slices.EqualFunc(a, b, func(x, y *big.Int) bool { return x.Cmp(y) == 0 })
}

// wantInts compares a vector with expected values and checks that it is in its canonical form.
func wantInts(t fataler, what string, got *Vector, want []*big.Int) {
	t.Helper()
	if !equal(got.Ints(), want) {
		t.Fatalf("%s mod %v:\n got %v\nwant %v", what, got.Ring().Modulus(), got.Ints(), want)
	}
	if got.Len() != len(want) {
		t.Fatalf("%s: %d residues, want %d", what, got.Len(), len(want))
	}
	again, err := got.Ring().Decode(got.Append(nil))
	if err != nil || !equal(again.Ints(), want) {
		t.Fatalf("%s: result is not canonical: %v", what, err)
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// wantPanic checks that a call panics with a message of this package.
func wantPanic(t *testing.T, name string, call func()) {
	t.Helper()
	defer func() {
		t.Helper()
		text, ok := recover().(string)
		if !ok || len(text) < 9 || text[:8] != "modular:" {
			t.Errorf("%s: want a panic that begins with modular:, got %q", name, text)
		}
	}()
	call()
}

// source is a reproducible generator for the tests that need large numbers rather than clever ones.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

// number returns a uniform integer of at most the given bit length.
func (s source) number(bits int) *big.Int {
	x := new(big.Int)
	for n := 0; n < bits; n += 64 {
		x.Lsh(x, 64).Or(x, new(big.Int).SetUint64(s.Uint64()))
	}
	return x.Rsh(x, uint(x.BitLen()-min(bits, x.BitLen())))
}

func (s source) numbers(n, bits int) []*big.Int {
	out := make([]*big.Int, n)
	for i := range out {
		out[i] = s.number(bits)
	}
	return out
}

// modulus returns an odd number of exactly the given bit length.
func (s source) modulus(bits int) *big.Int {
	m := s.number(bits)
	return m.SetBit(m.SetBit(m, 0, 1), bits-1, 1)
}

// ring returns a ring of a modulus of exactly the given bit length, on the path that the program takes.
func (s source) ring(bits int) *Ring { return NewRing(s.modulus(bits)) }

func (s source) vector(r *Ring, n int) *Vector { return r.Vector(s.numbers(n, r.m.BitLen())) }

// sums returns rows of the given lengths with weights of at most weightBits over n elements.
func (s source) sums(n, weightBits int, lengths ...int) Sums {
	sums := Sums{Offsets: []int{0}}
	for _, length := range lengths {
		for range length {
			sums.Index = append(sums.Index, uint32(s.IntN(n)))
			sums.Weights = append(sums.Weights, s.Uint64()>>(64-weightBits))
		}
		sums.Offsets = append(sums.Offsets, len(sums.Index))
	}
	return sums
}
