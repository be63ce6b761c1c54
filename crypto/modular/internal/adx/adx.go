// Package adx is Montgomery arithmetic on one residue at a time.
package adx

import "math/bits"

const (
	Lanes     = 1
	DigitBits = 64
	MaxDigits = 128
)

// Available says whether this build and this machine have the instructions.
func Available() bool { return false }

// Digits returns the digits of a residue for moduli of up to that many bits.
func Digits(bits int) int { return (bits + 63) / 64 }

// Scratch returns the words of working memory that Mul and Sqr need for n digits.
func Scratch(n int) int { return 2*n + 2 }

// Mul sets z to x·y/R mod m.
func Mul(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) { mulGeneric(z, x, y, m, k0, t) }

// Sqr sets z to x²/R mod m.
func Sqr(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64) { mulGeneric(z, x, x, m, k0, t) }

// Select sets z to entry index[0] of the table, reading all of it.
func Select(z, table []uint64, index *[Lanes]uint64) {
	clear(z)
	for e := range uint64(len(table) / len(z)) {
		same := -((((e ^ index[0]) - 1) &^ (e ^ index[0])) >> 63)
		for d, w := range table[e*uint64(len(z)):][:len(z)] {
			z[d] |= w & same
		}
	}
}

func mulGeneric(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) {
	n := len(z)
	t = t[:n+2]
	clear(t)
	for i := range n {
		row(t, x, y[i])
		row(t, m, t[0]*k0[0])
		copy(t, t[1:])
		t[n+1] = 0
	}
	var borrow uint64
	keep := -t[n] // subtract m if the value has reached R
	for j := range n {
		z[j], borrow = bits.Sub64(t[j], m[j]&keep, borrow)
	}
}

func row(t, x []uint64, d uint64) {
	var carry uint64
	for j, w := range x {
		hi, lo := bits.Mul64(w, d)
		var c uint64
		lo, c = bits.Add64(lo, t[j], 0)
		hi += c
		t[j], c = bits.Add64(lo, carry, 0)
		carry = hi + c
	}
	n := len(x)
	var c uint64
	t[n], c = bits.Add64(t[n], carry, 0)
	t[n+1] += c
}
