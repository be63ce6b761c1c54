package adx

import (
	"math/big"
	"slices"
	"testing"

	"riskprop/crypto/modular/internal/kerneltest"
)

// Shift is a multiplication by 2^(shift-64), for moduli and values of every kind, also where z is x.
func TestShift(t *testing.T) {
	s := newSource(5)
	for _, n := range []int{1, 2, 3, 8, 9, 32, 33, MaxDigits} {
		for _, m := range s.moduli(n) {
			for _, x := range append(s.values(m), slices.Repeat([]uint64{^uint64(0)}, n)) {
				for _, shift := range []uint64{0, 1, 2, 30, 61, 62} {
					a, b, z := kerneltest.Guard(x), kerneltest.Guard(m.m), kerneltest.Guard(x)
					Shift(z.Words, a.Words, b.Words, m.k0, shift)
					left := new(big.Int).Lsh(number(z.Words), 64)
					left.Sub(left, new(big.Int).Lsh(number(x), uint(shift)))
					if left.Mod(left, number(m.m)).Sign() != 0 {
						t.Fatalf("%d digits, shift %d: got %x for\nx %x\nm %x", n, shift, z.Words, x, m.m)
					}
					if !z.Intact() || !a.Intact() || !b.Intact() || !slices.Equal(a.Words, x) || !slices.Equal(b.Words, m.m) {
						t.Fatalf("%d digits: wrote beside the result", n)
					}
					Shift(a.Words, a.Words, b.Words, m.k0, shift)
					if !slices.Equal(a.Words, z.Words) {
						t.Fatalf("%d digits: another result in place", n)
					}
				}
			}
		}
	}
}
