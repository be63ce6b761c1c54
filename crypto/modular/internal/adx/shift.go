package adx

import (
	"fmt"
	"math/bits"
)

// MaxShift is the largest shift that Shift takes.
const MaxShift = 62

// Shift sets z to x·2^(shift-64) mod m and below R, for a shift from 0 to MaxShift. All have the same number of digits, 1 to MaxDigits; m is
// odd and k0 is -m⁻¹ mod 2^64. z may be x. Neither branches nor addresses depend on the values or the shift. It is Montgomery's
// reduction by one digit of the shifted x: with 2^64 in the place of 4^32, a multiplication by a power of 4 costs a
// row of products in the place of a square of them. Shift panics if a length or the shift is wrong.
func Shift(z, x, m []uint64, k0 *[Lanes]uint64, shift uint64) {
	n := len(z)
	if n < 1 || n > MaxDigits || len(x) != n || len(m) != n || shift > MaxShift {
		panic(fmt.Sprintf("adx: shift by %d of %d digits to %d with a modulus of %d: want 0 to %d, and the same number, 1 to %d", shift, len(x), n, len(m), MaxShift, MaxDigits))
	}
	x, m = x[:n], m[:n]
	back := 63 - shift
	low := x[0] << shift
	q := low * k0[0]
	high, word := bits.Mul64(q, m[0])
	_, carry := bits.Add64(word, low, 0)
	above := x[0] >> 1 >> back
	for i := 1; i < n; i++ { // x·2^shift + q·m, without its lowest digit, which is 0
		digit := x[i]
		up, word := bits.Mul64(q, m[i])
		word, c := bits.Add64(word, high, 0)
		sum, c2 := bits.Add64(word, digit<<shift|above, carry)
		high, carry, above = up+c, c2, digit>>1>>back
		z[i-1] = sum
	}
	var over uint64
	z[n-1], over = bits.Add64(above, high, carry)
	mask, borrow := -over, uint64(0) // below R/4 + m: at most one m too much
	for i := range n {
		z[i], borrow = bits.Sub64(z[i], m[i]&mask, borrow)
	}
}
