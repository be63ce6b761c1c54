package adx

import (
	"fmt"
	"math/big"
	"testing"
	"time"
)

// exponentiate returns base^exponent mod m, the digits of the exponent lowest first, by fixed windows of five bits and masked selects.
func exponentiate(m modulus, base, exponent *big.Int, bits int) *big.Int {
	const window = 5
	n, mod := len(m.m), number(m.m)
	form := func(x *big.Int) []uint64 {
		x = new(big.Int).Lsh(x, uint(DigitBits*n))
		return digits(x.Mod(x, mod), n)
	}
	t, table := make([]uint64, Scratch(n)), make([]uint64, n<<window)
	copy(table, form(big.NewInt(1)))
	copy(table[n:], form(base))
	for e := 2; e < 1<<window; e++ {
		Mul(table[e*n:][:n], table[(e-1)*n:][:n], table[n:2*n], m.m, m.k0, t)
	}
	z, factor := make([]uint64, n), make([]uint64, n)
	copy(z, table[:n])
	for i := (bits + window - 1) / window * window; i > 0; i -= window {
		var index [Lanes]uint64
		for b := range window {
			Sqr(z, z, m.m, m.k0, t)
			index[0] |= uint64(exponent.Bit(i-window+b)) << b
		}
		Select(factor, table, &index)
		Mul(z, z, factor, m.m, m.k0, t)
	}
	Mul(z, z, digits(big.NewInt(1), n), m.m, m.k0, t)
	return new(big.Int).Mod(number(z), mod)
}

func TestExponentiation(t *testing.T) {
	s := newSource(5)
	for _, n := range []int{1, 7, 8, 9, 16, 31, 32, 33, 64} {
		for _, m := range s.moduli(n) {
			base, exponent := number(s.digits(n)), number(s.digits(min(n, 4)))
			base.Mod(base, number(m.m))
			want := new(big.Int).Exp(base, exponent, number(m.m))
			if got := exponentiate(m, base, exponent, exponent.BitLen()); got.Cmp(want) != 0 {
				t.Errorf("%d digits: %x^%x mod %x: got %x, want %x", n, base, exponent, m.m, got, want)
			}
		}
	}
}

// race runs two ways in turn and reports how much faster the second one is, best time against best time.
func race(b *testing.B, calls int, theirs, ours func()) {
	b.Helper()
	timed := func(call func()) time.Duration {
		start := time.Now()
		for range calls {
			call()
		}
		return time.Since(start)
	}
	first, second := timed(theirs), timed(ours)
	for b.Loop() {
		first, second = min(first, timed(theirs)), min(second, timed(ours))
	}
	b.ReportMetric(float64(first)/float64(second), "x_mathbig")
	b.ReportMetric(float64(second.Nanoseconds())/float64(calls), "ours_ns")
}

func BenchmarkExp(b *testing.B) {
	s := newSource(6)
	for _, n := range []int{32, 48, 64, 96} {
		b.Run(fmt.Sprint(n*DigitBits), func(b *testing.B) {
			m := s.modulus(n)
			mod, base, exponent := number(m.m), number(s.uniform(n)), number(s.uniform(16))
			exponent.SetBit(exponent, 1023, 1)
			race(b, 1, func() { new(big.Int).Exp(base, exponent, mod) }, func() { exponentiate(m, base, exponent, 1024) })
		})
	}
}

func BenchmarkMul(b *testing.B) {
	s := newSource(7)
	for _, n := range []int{32, 48, 64, 96} {
		b.Run(fmt.Sprint(n*DigitBits), func(b *testing.B) {
			m := s.modulus(n)
			x, y, z, t := s.uniform(n), s.uniform(n), make([]uint64, n), make([]uint64, Scratch(n))
			mod, a, c, product, quotient := number(m.m), number(x), number(y), new(big.Int), new(big.Int)
			race(b, 100,
				func() { quotient.QuoRem(product.Mul(a, c), mod, product) },
				func() { Mul(z, x, y, m.m, m.k0, t) })
		})
	}
}
