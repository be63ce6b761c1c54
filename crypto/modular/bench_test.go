package modular

import (
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"testing"
	"time"
)

// The metric x_mathbig is how many times faster than plain math/big on one core the same result is, measured within the
// same run. It counts the cores that the package uses; -cpu 1 shows the algorithms alone. Sub-benchmarks are for the path
// that the program takes and, as "fallback", for that of math/big.

// compare runs fast as the benchmark and reports its speed relative to that of slow. The two take turns, so that both
// see the same load of the machine.
func compare(b *testing.B, slow, fast func()) {
	b.Helper()
	relate(b, "x_mathbig", slow, fast)
}

func relate(b *testing.B, unit string, slow, fast func()) {
	b.Helper()
	var reference time.Duration
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		slow()
		reference += time.Since(start)
		b.StartTimer()
		fast()
	}
	b.ReportMetric(float64(reference)/float64(b.Elapsed()), unit)
}

// eachUse runs a benchmark on the path that the program takes, and on that of math/big.
func eachUse(b *testing.B, run func(b *testing.B, e *engine)) {
	if e := selected(); e != nil {
		b.Run(e.name, func(b *testing.B) { run(b, e) })
	}
	b.Run("fallback", func(b *testing.B) { run(b, nil) })
}

// Eight exponentiations, with exponents of half the bits, each with a modulus of its own.
func BenchmarkExpBatch(b *testing.B) {
	for _, bits := range []int{2048, 3072, 4096, 6144} {
		b.Run(fmt.Sprintf("bits=%d", bits), func(b *testing.B) {
			eachUse(b, func(b *testing.B, e *engine) {
				s := newSource(1)
				var mods []*big.Int
				for range 8 {
					mods = append(mods, s.modulus(bits))
				}
				bases, exps := s.numbers(8, bits-1), s.numbers(8, bits/2)
				compare(b, func() {
					for i := range bases {
						refExp(bases[i], exps[i], mods[i])
					}
				}, func() { expBatch(e, bases, exps, mods) })
			})
		})
	}
}

// Eight powers of 4 as key generation tests moduli: x_other is the ratio to eight powers of other bases.
func BenchmarkPowersOfFour(b *testing.B) {
	e := selected()
	if e == nil || e.shift == nil {
		return // there is no other way for 4
	}
	for _, bits := range []int{2048, 3072} {
		b.Run(fmt.Sprintf("bits=%d", bits), func(b *testing.B) {
			s := newSource(1)
			var mods []*big.Int
			for range 8 {
				mods = append(mods, s.modulus(bits))
			}
			others, exps := s.numbers(8, bits-1), s.numbers(8, bits/2)
			fours := slices.Repeat([]*big.Int{big.NewInt(4)}, 8)
			relate(b, "x_other", func() { expBatch(e, others, exps, mods) }, func() { expBatch(e, fours, exps, mods) })
		})
	}
}

// Eight exponentiations by one secret exponent of half the bits.
func BenchmarkExpSecret(b *testing.B) {
	for _, bits := range []int{2048, 3072, 4096, 6144} {
		b.Run(fmt.Sprintf("bits=%d", bits), func(b *testing.B) {
			eachUse(b, func(b *testing.B, e *engine) {
				s := newSource(1)
				v, x := s.vector(newRing(s.modulus(bits), e), 8), s.number(bits/2)
				xs := v.Ints()
				compare(b, func() {
					for _, base := range xs {
						refExp(base, x, v.ring.m)
					}
				}, func() { v.ExpSecret(x, bits/2) })
			})
		})
	}
}

// Element-wise products against Mul and Mod.
func BenchmarkMul(b *testing.B) {
	eachUse(b, func(b *testing.B, e *engine) {
		s := newSource(8)
		v := s.vector(newRing(s.modulus(4096), e), 256)
		xs := v.Ints()
		compare(b, func() {
			for _, x := range xs {
				refMul(x, x, v.ring.m)
			}
		}, func() { v.Mul(v) })
	})
}

func BenchmarkFixedBase(b *testing.B) {
	for _, n := range []int{1, 16} {
		b.Run(fmt.Sprintf("exponents=%d", n), func(b *testing.B) {
			eachUse(b, func(b *testing.B, e *engine) {
				s := newSource(2)
				r, base, exps := newRing(s.modulus(4096), e), s.number(4096), s.numbers(n, 1024)
				f := r.FixedBase(base, 1024)
				compare(b, func() {
					for _, e := range exps {
						refExp(base, e, r.m)
					}
				}, func() { f.Exp(exps) })
			})
		})
	}
}

func BenchmarkFixedBaseTable(b *testing.B) {
	eachUse(b, func(b *testing.B, e *engine) {
		s := newSource(3)
		r, base := newRing(s.modulus(4096), e), s.number(4096)
		for b.Loop() {
			r.FixedBase(base, 1024)
		}
	})
}

func BenchmarkMultiExp(b *testing.B) {
	for _, c := range []struct {
		name        string
		rows, terms int
	}{{"terms=1", 16, 1}, {"terms=10", 16, 10}, {"terms=100", 8, 100}, {"terms=2000", 1, 2000}} {
		b.Run(c.name, func(b *testing.B) {
			eachUse(b, func(b *testing.B, e *engine) {
				s := newSource(4)
				v := s.vector(newRing(s.modulus(4096), e), 100)
				sums := s.sums(v.Len(), 40, slices.Repeat([]int{c.terms}, c.rows)...)
				xs := v.Ints()
				compare(b, func() { refMultiExp(xs, sums, v.ring.m) }, func() { v.MultiExp(sums) })
			})
		})
	}
}

func BenchmarkHorner(b *testing.B) {
	for _, c := range []struct {
		name  string
		shift int
	}{{"shift=100", 100}, {"shift=400", 400}} {
		b.Run(c.name, func(b *testing.B) {
			eachUse(b, func(b *testing.B, e *engine) {
				s := newSource(5)
				v := s.vector(newRing(s.modulus(4096), e), 16)
				xs := v.Ints()
				step := new(big.Int).Lsh(big.NewInt(1), uint(c.shift))
				compare(b, func() { // Horner's rule, too: the ratio is that of the arithmetic alone
					for run := range slices.Chunk(xs, 4) {
						packed := run[3]
						for i := 2; i >= 0; i-- {
							packed = refMul(refExp(packed, step, v.ring.m), run[i], v.ring.m)
						}
					}
				}, func() { v.Horner(4, c.shift) })
			})
		})
	}
}

func BenchmarkInverse(b *testing.B) {
	eachUse(b, func(b *testing.B, e *engine) {
		s := newSource(6)
		m := new(big.Int).Lsh(big.NewInt(1), 4253) // 2^4253 - 1 is prime: every residue but 0 has an inverse
		v := s.vector(newRing(m.Sub(m, big.NewInt(1)), e), 64)
		if _, err := v.Inverse(); err != nil {
			b.Fatal(err)
		}
		xs := v.Ints()
		compare(b, func() {
			for _, x := range xs {
				new(big.Int).ModInverse(x, m)
			}
		}, func() { _, _ = v.Inverse() })
	})
}

// In and out of the form, against a product of the same elements.
func BenchmarkConversion(b *testing.B) {
	eachUse(b, func(b *testing.B, e *engine) {
		s := newSource(9)
		v := s.vector(newRing(s.modulus(4096), e), 256)
		blob := v.Append(nil)
		relate(b, "x_product", func() { v.Mul(v) }, func() {
			w, err := v.ring.Decode(blob)
			if err != nil {
				b.Fatal(err)
			}
			w.Append(blob[:0])
		})
	})
}

// Two cores against one.
func BenchmarkCores(b *testing.B) {
	eachUse(b, func(b *testing.B, e *engine) {
		s := newSource(10)
		v, x := s.vector(newRing(s.modulus(2048), e), 32), s.number(512)
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
		relate(b, "x_onecore", func() {
			runtime.GOMAXPROCS(1)
			v.ExpSecret(x, 512)
			runtime.GOMAXPROCS(2)
		}, func() { v.ExpSecret(x, 512) })
	})
}

// Power of two as squarings or as one exponentiation: the limits of squaringsFaster.
func BenchmarkPowerOfTwo(b *testing.B) {
	for _, c := range []struct {
		name        string
		bits, shift int
	}{
		{"bits=512/shift=64", 512, 64},
		{"bits=512/shift=128", 512, 128},
		{"bits=2048/shift=64", 2048, 64},
		{"bits=2048/shift=256", 2048, 256},
		{"bits=4096/shift=128", 4096, 128},
		{"bits=4096/shift=400", 4096, 400},
		{"bits=6144/shift=400", 6144, 400},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newSource(7)
			m := s.modulus(c.bits)
			x, e := s.number(c.bits-1), new(big.Int).Lsh(big.NewInt(1), uint(c.shift))
			var w scratch
			compare(b, func() { refExp(x, e, m) }, func() {
				w.taken = 0
				p := w.newProduct()
				p.times(&w, x, m)
				p.square(&w, c.shift, m)
			})
		})
	}
}
