package adx

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"riskprop/crypto/modular/internal/kerneltest"
)

// implementation is one way to do what the package exports.
type implementation struct {
	name string
	mul  func(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64)
	sqr  func(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64)
	pick func(z, table []uint64, index *[Lanes]uint64)
}

// implementations are the exported functions, which run the assembly where they can, and the reference in Go.
func implementations(t testing.TB) []implementation {
	t.Helper()
	t.Logf("the exported functions run the assembly: %v", Available())
	reference := func(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) {
		t = t[:2*len(z)]
		multiplyReference(t, x, y)
		reduceReference(z, t, m, k0[0])
	}
	return []implementation{
		{"exported", Mul, Sqr, Select},
		{"reference", reference,
			func(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64) { reference(z, x, x, m, k0, t) },
			func(z, table []uint64, index *[Lanes]uint64) { pickReference(z, table, index[0]) }},
	}
}

// dirty is working memory whose content should not matter.
func dirty(n int) kerneltest.Guarded { return kerneltest.Dirty(Scratch(n)) }

// modulus is an odd number of so many digits and what the kernels need to know of it.
type modulus struct {
	m  []uint64
	k0 *[Lanes]uint64
}

func newModulus(m []uint64) modulus {
	inverse := m[0] // right in three bits, and in twice as many each time
	for range 5 {
		inverse *= 2 - m[0]*inverse
	}
	return modulus{m, &[Lanes]uint64{-inverse}}
}

// product returns x·y/R mod m as an implementation computes it, with guards around all that it writes and arguments that it must leave alone.
func (m modulus) product(mul implementation, x, y []uint64) ([]uint64, error) {
	n := len(m.m)
	z, t := kerneltest.Guard(slices.Repeat([]uint64{0x5555555555555555}, n)), dirty(n)
	a, b, c := kerneltest.Guard(x), kerneltest.Guard(y), kerneltest.Guard(m.m)
	mul.mul(z.Words, a.Words, b.Words, c.Words, m.k0, t.Words)
	switch {
	case !z.Intact() || !t.Intact() || !a.Intact() || !b.Intact() || !c.Intact():
		return nil, fmt.Errorf("%s, %d digits: wrote beside the operands", mul.name, n)
	case !slices.Equal(a.Words, x) || !slices.Equal(b.Words, y) || !slices.Equal(c.Words, m.m):
		return nil, fmt.Errorf("%s, %d digits: modified an argument", mul.name, n)
	}
	return z.Words, nil
}

// square is product(x, x) by the implementation's square.
func (m modulus) square(mul implementation, x []uint64) ([]uint64, error) {
	mul.mul = func(z, x, _, m []uint64, k0 *[Lanes]uint64, t []uint64) { mul.sqr(z, x, m, k0, t) }
	return m.product(mul, x, x)
}

// check says what is wrong with z as x·y/R mod m, by math/big.
func (m modulus) check(z, x, y []uint64) error {
	mod := number(m.m)
	left := new(big.Int).Lsh(number(z), uint(DigitBits*len(z)))
	right := new(big.Int).Mul(number(x), number(y))
	if left.Sub(left, right).Mod(left, mod).Sign() != 0 {
		return fmt.Errorf("%d digits: got %x for x·y/R with\nx %x\ny %x\nm %x", len(z), z, x, y, m.m)
	}
	return nil
}

// number returns the value of digits.
func number(digits []uint64) *big.Int {
	raw := make([]byte, 8*len(digits))
	for i, d := range digits {
		for b := range 8 {
			raw[len(raw)-1-8*i-b] = byte(d >> (8 * b))
		}
	}
	return new(big.Int).SetBytes(raw)
}

// digits returns x in n digits.
func digits(x *big.Int, n int) []uint64 {
	out, raw := make([]uint64, n), x.FillBytes(make([]byte, 8*n))
	for i := range out {
		for b := range 8 {
			out[i] |= uint64(raw[len(raw)-1-8*i-b]) << (8 * b)
		}
	}
	return out
}

// source makes reproducible digits: random ones, and often those that carries love.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

func (s source) digits(n int) []uint64 {
	out := make([]uint64, n)
	extremes := s.IntN(2) == 0
	for i := range out {
		if out[i] = s.Uint64(); extremes {
			out[i] = [...]uint64{0, 1, ^uint64(0), ^uint64(0) - 1, 1 << 63, out[i]}[s.IntN(6)]
		}
	}
	return out
}

// uniform returns n random digits.
func (s source) uniform(n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = s.Uint64()
	}
	return out
}

// modulus returns an ordinary modulus of n digits.
func (s source) modulus(n int) modulus {
	m := s.uniform(n)
	m[0], m[n-1] = m[0]|1, m[n-1]|1<<63
	return newModulus(m)
}

// moduli are those of n digits that are most likely to go wrong, and some that are not.
func (s source) moduli(n int) []modulus {
	ones := slices.Repeat([]uint64{^uint64(0)}, n)
	sparse := make([]uint64, n)
	sparse[n-1] = 1 << 63
	sparse[0] |= 1
	shorter := s.digits(n) // the top digit is zero
	shorter[n-1] = 0
	out := [][]uint64{ones, sparse, digits(big.NewInt(1), n), digits(big.NewInt(3), n), shorter, s.digits(n), s.digits(n)}
	moduli := make([]modulus, len(out))
	for i, m := range out {
		m[0] |= 1
		moduli[i] = newModulus(m)
	}
	return moduli
}

// values are operands for a modulus: 0, 1, m-1, m, R-1 and others.
func (s source) values(m modulus) [][]uint64 {
	n := len(m.m)
	last := slices.Clone(m.m)
	last[0]--
	return [][]uint64{make([]uint64, n), digits(big.NewInt(1), n), last, m.m, slices.Repeat([]uint64{^uint64(0)}, n), s.digits(n)}
}
