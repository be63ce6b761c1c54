package modular

import (
	"math"
	"math/big"
	"testing"
	"time"
)

// welch collects two samples for Welch's t-test, with running means and variances (Welford).
type welch struct{ n, mean, squares [2]float64 }

func (w *welch) add(class int, x float64) {
	w.n[class]++
	delta := x - w.mean[class]
	w.mean[class] += delta / w.n[class]
	w.squares[class] += delta * (x - w.mean[class])
}

// t is the difference of the means in units of its standard deviation.
func (w *welch) t() float64 {
	variance := 0.0
	for c := range w.n {
		if w.n[c] < 2 {
			return 0
		}
		variance += w.squares[c] / (w.n[c] - 1) / w.n[c]
	}
	if variance == 0 {
		return 0
	}
	return (w.mean[0] - w.mean[1]) / math.Sqrt(variance)
}

// BenchmarkConstantTime times exponentiations by one fixed exponent and by random ones in random order, and reports Welch's t
// (Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", DATE 2017): an absolute value that grows with the
// number of runs beyond 5 or so says that the time depends on the exponent. It judges nothing by itself; the path of
// math/big is there to see what a dependence looks like.
func BenchmarkConstantTime(b *testing.B) {
	const bits = 256
	fixed := oddAbove(1, bits-1) // two ones among zeroes
	for name, start := range map[string]func(e *engine) func(x *big.Int){
		"ExpSecret": func(e *engine) func(x *big.Int) {
			s := newSource(30)
			v := s.vector(newRing(s.modulus(1024), e), 1)
			return func(x *big.Int) { v.ExpSecret(x, bits) }
		},
		"FixedBase": func(e *engine) func(x *big.Int) {
			s := newSource(31)
			f := newRing(s.modulus(1024), e).FixedBase(s.number(1024), bits)
			return func(x *big.Int) { f.Exp([]*big.Int{x}) }
		},
		"ExpBatch": func(e *engine) func(x *big.Int) {
			s := newSource(32)
			m, base := []*big.Int{s.modulus(1024)}, s.numbers(1, 1023)
			return func(x *big.Int) { expBatch(e, base, []*big.Int{x}, m) }
		},
	} {
		b.Run(name, func(b *testing.B) {
			eachUse(b, func(b *testing.B, e *engine) {
				s, compute := newSource(33), start(e)
				var w welch
				var times []float64
				for b.Loop() {
					class, x := int(s.Uint64()&1), s.number(bits)
					x.SetBit(x, bits-1, 1)
					if class == 0 {
						x.Set(fixed)
					}
					began := time.Now()
					compute(x)
					took := float64(time.Since(began))
					// What took far longer than usual was interrupted: it says nothing, and drowns the rest.
					if times = append(times, took); took < 2*median(times) {
						w.add(class, took)
					}
				}
				b.ReportMetric(w.t(), "t")
			})
		})
	}
}

// median is roughly the middle of the first numbers.
func median(xs []float64) float64 {
	xs = xs[:min(len(xs), 101)]
	for _, x := range xs {
		below := 0
		for _, y := range xs {
			if y < x {
				below++
			}
		}
		if below*2 >= len(xs)-2 && below*2 <= len(xs)+2 {
			return x
		}
	}
	return math.Inf(1)
}
