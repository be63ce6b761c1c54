package modular

import (
	"math/big"
	"slices"
	"testing"
	"time"
)

// The metric x_mathbig is how many times faster than plain math/big on one core the same result is, measured within the
// same run. It counts the cores that the package uses; -cpu 1 shows the algorithms alone.

// compare runs fast as the benchmark and reports its speed relative to that of slow. The two take turns, so that both
// see the same load of the machine.
func compare(b *testing.B, slow, fast func()) {
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
	b.ReportMetric(float64(reference)/float64(b.Elapsed()), "x_mathbig")
}

func BenchmarkExpBatch(b *testing.B) {
	s := newSource(1)
	var bases, exps, mods []*big.Int
	for range 16 {
		bases, exps, mods = append(bases, s.number(2048)), append(exps, s.number(1024)), append(mods, s.ring(2048).m)
	}
	compare(b, func() {
		for i := range bases {
			refExp(bases[i], exps[i], mods[i])
		}
	}, func() { ExpBatch(bases, exps, mods) })
}

func BenchmarkFixedBase(b *testing.B) {
	s := newSource(2)
	r, base, exps := s.ring(4096), s.number(4096), s.numbers(16, 1024)
	f := r.FixedBase(base, 1024)
	compare(b, func() {
		for _, e := range exps {
			refExp(base, e, r.m)
		}
	}, func() { f.Exp(exps) })
}

func BenchmarkFixedBaseTable(b *testing.B) {
	s := newSource(3)
	r, base := s.ring(4096), s.number(4096)
	for b.Loop() {
		r.FixedBase(base, 1024)
	}
}

func BenchmarkMultiExp(b *testing.B) {
	for _, c := range []struct {
		name        string
		rows, terms int
	}{{"terms=10", 16, 10}, {"terms=100", 2, 100}, {"terms=2000", 1, 2000}} {
		b.Run(c.name, func(b *testing.B) {
			s := newSource(4)
			v := s.vector(s.ring(4096), 100)
			lengths := make([]int, c.rows)
			for i := range lengths {
				lengths[i] = c.terms
			}
			sums := s.sums(v.Len(), 40, lengths...)
			xs := v.Ints()
			compare(b, func() { refMultiExp(xs, sums, v.ring.m) }, func() { v.MultiExp(sums) })
		})
	}
}

func BenchmarkHorner(b *testing.B) {
	for _, c := range []struct {
		name  string
		shift int
	}{{"shift=100", 100}, {"shift=400", 400}} {
		b.Run(c.name, func(b *testing.B) {
			s := newSource(5)
			v := s.vector(s.ring(4096), 16)
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
	}
}

func BenchmarkInverse(b *testing.B) {
	s := newSource(6)
	m := new(big.Int).Lsh(big.NewInt(1), 4253) // 2^4253 - 1 is prime: every residue but 0 has an inverse
	v := s.vector(NewRing(m.Sub(m, big.NewInt(1))), 64)
	if _, err := v.Inverse(); err != nil {
		b.Fatal(err)
	}
	compare(b, func() {
		for _, x := range v.elems {
			new(big.Int).ModInverse(x, v.ring.m)
		}
	}, func() { _, _ = v.Inverse() })
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
			m := s.ring(c.bits).m
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
