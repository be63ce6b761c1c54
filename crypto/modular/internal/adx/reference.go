package adx

import "math/bits"

// multiplyReference sets t to x·y, one row of products for each digit of y.
func multiplyReference(t, x, y []uint64) {
	clear(t)
	for i, d := range y {
		t[i+len(x)] = addRow(t[i:i+len(x)], x, d)
	}
}

// reduceReference sets z to t/R mod m and below R, and overwrites t: it adds the multiple of m that makes t a multiple of R, one
// digit of the quotient at a time.
func reduceReference(z, t, m []uint64, k0 uint64) {
	n := len(m)
	var carry uint64
	for i := range n {
		high := addRow(t[i:i+n], m, t[i]*k0)
		t[i+n], carry = bits.Add64(t[i+n], high, carry)
	}
	var borrow uint64
	for i, d := range m {
		z[i], borrow = bits.Sub64(t[n+i], d&-carry, borrow)
	}
}

// addRow adds x·d to t, which has as many digits as x, and returns the carry.
func addRow(t, x []uint64, d uint64) (carry uint64) {
	for i, w := range x {
		high, low := bits.Mul64(w, d)
		var c uint64
		low, c = bits.Add64(low, carry, 0)
		high += c
		t[i], c = bits.Add64(t[i], low, 0)
		carry = high + c
	}
	return carry
}

// pickReference sets z to an entry of the table, or to zero if it has not so many; it reads all of them.
func pickReference(z, table []uint64, index uint64) {
	clear(z)
	for e := range uint64(len(table) / len(z)) {
		differ := e ^ index
		same := -((differ - 1) &^ differ >> 63)
		for d, w := range table[e*uint64(len(z)):][:len(z)] {
			z[d] |= w & same
		}
	}
}
