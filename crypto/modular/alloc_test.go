package modular

import (
	"runtime"
	"slices"
	"testing"
)

// Over a kernel, the number of allocations does not grow with that of the elements, but where the result is a list of
// numbers of their own.
func TestAllocationsDoNotGrowWithTheBatch(t *testing.T) {
	s := newSource(20)
	m := s.modulus(192)
	for _, e := range kernels() {
		r := newRing(m, e)
		f := r.FixedBase(s.number(192), 64)
		count := func(n int) map[string]float64 {
			xs := s.numbers(n, 191)
			for _, x := range xs {
				x.SetBit(x, 0, 1)
			}
			v, exps, index := r.Vector(xs), s.numbers(n, 64), make([]int, n)
			sums := s.sums(n, 40, slices.Repeat([]int{3}, n)...)
			long := s.sums(n, 40, slices.Repeat([]int{150}, max(2, n/64))...)
			blob := v.Append(nil)
			secret := s.number(64)
			return map[string]float64{
				"Mul":          testing.AllocsPerRun(2, func() { v.Mul(v) }),
				"Exp":          testing.AllocsPerRun(2, func() { v.Exp(exps[0]) }),
				"ExpSecret":    testing.AllocsPerRun(2, func() { v.ExpSecret(secret, 64) }),
				"FixedBase":    testing.AllocsPerRun(2, func() { f.Exp(exps) }),
				"Horner":       testing.AllocsPerRun(2, func() { v.Horner(4, 9) }),
				"MultiExp":     testing.AllocsPerRun(2, func() { v.MultiExp(sums) }),
				"of long rows": testing.AllocsPerRun(2, func() { v.MultiExp(long) }),
				"Append":       testing.AllocsPerRun(2, func() { v.Append(blob[:0]) }),
				"Decode":       testing.AllocsPerRun(2, func() { _, _ = r.Decode(blob) }),
				"Vector":       testing.AllocsPerRun(2, func() { r.Vector(xs) }),
				"Select":       testing.AllocsPerRun(2, func() { v.Select(index) }),
				"Concat":       testing.AllocsPerRun(2, func() { Concat(v, v) }),
			}
		}
		small, large := count(16), count(512)
		for name, n := range small {
			t.Logf("%s: %s: %.0f allocations for 16 elements, %.0f for 512", e.name, name, n, large[name])
			if large[name] > n+16 { // far less than one for each of 496 elements or 62 packs
				t.Errorf("%s: %s: %.0f allocations for 16 elements, %.0f for 512", e.name, name, n, large[name])
			}
		}
	}
}

// A vector takes the memory of its digits and nothing else worth mentioning.
func TestVectorsAreFlat(t *testing.T) {
	s := newSource(21)
	const n = 2000
	for _, c := range []struct {
		e     *engine
		bytes int // of a residue mod 4096 bits
	}{{adxEngine(), 512}, {ifmaEngine(), 640}} {
		r := newRing(s.modulus(4096), c.e)
		blob := make([]byte, n*r.Width())
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		v, err := r.Decode(blob)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err != nil || v.Len() != n {
			t.Fatal(err)
		}
		if each := int(after.HeapAlloc-before.HeapAlloc) / n; each > c.bytes+c.bytes/4 {
			t.Errorf("%s: %d bytes a residue, want about %d", c.e.name, each, c.bytes)
		}
		runtime.KeepAlive(v)
		runtime.KeepAlive(blob)
	}
}
