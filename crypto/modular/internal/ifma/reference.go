package ifma

import "math/bits"

// The assembly computes the same columns, in another order.

const digitMask = 1<<DigitBits - 1

// vector is what one vector register holds: a digit or a column of every lane.
type vector = [Lanes]uint64

// at returns digit or column d of a pack.
func at(pack []uint64, d int) *vector { return (*vector)(pack[d*Lanes:]) }

// addProduct adds the low halves of the products of two digits, the 52 lowest bits, to the column low and the high halves to high.
func addProduct(low, high, x, y *vector) {
	left, right := *x, *y
	for l := range Lanes {
		hi, lo := bits.Mul64(left[l]&digitMask, right[l]&digitMask)
		low[l] += lo & digitMask
		high[l] += hi<<(64-DigitBits) | lo>>DigitBits
	}
}

// multiplyReference sets t to x·y, in 2n columns.
func multiplyReference(t, x, y []uint64) {
	clear(t)
	n := len(x) / Lanes
	for i := range n {
		for j := range n {
			addProduct(at(t, i+j), at(t, i+j+1), at(x, i), at(y, j))
		}
	}
}

// squareReference sets t to x², in 2n columns: the products of different digits once, then doubled, then the squares.
func squareReference(t, x []uint64) {
	clear(t)
	n := len(x) / Lanes
	for i := range n {
		for j := i + 1; j < n; j++ {
			addProduct(at(t, i+j), at(t, i+j+1), at(x, i), at(x, j))
		}
	}
	for i := range t {
		t[i] *= 2
	}
	for i := range n {
		addProduct(at(t, 2*i), at(t, 2*i+1), at(x, i), at(x, i))
	}
}

// reduceReference sets z to t/R mod m, below 2m, and overwrites t: it adds the multiple of m that makes t a multiple of R, one digit of
// the quotient at a time, and carries once at the end.
func reduceReference(z, t, m []uint64, k0 *[Lanes]uint64) {
	n := len(m) / Lanes
	for i := range n {
		lowest, next := at(t, i), at(t, i+1)
		var q, unused vector
		addProduct(&q, &unused, lowest, k0)
		for l := range Lanes {
			next[l] += (lowest[l] + digitMask) >> DigitBits // with q·m the low bits become zero, and carry unless they are zero already
		}
		addProduct(&unused, next, &q, at(m, 0))
		for j := 1; j < n; j++ {
			addProduct(at(t, i+j), at(t, i+j+1), &q, at(m, j))
		}
	}
	var carry vector
	for d := range n {
		column, digit := at(t, n+d), at(z, d)
		for l := range Lanes {
			sum := column[l] + carry[l]
			digit[l], carry[l] = sum&digitMask, sum>>DigitBits
		}
	}
}

// pickReference sets the lanes of z to those of entries of the table, or to zero if it has not so many; it reads all of them.
func pickReference(z, table []uint64, index *[Lanes]uint64) {
	clear(z)
	for e := range uint64(len(table) / len(z)) {
		entry := table[e*uint64(len(z)):][:len(z)]
		var chosen vector
		for l, want := range index {
			differ := e ^ want
			chosen[l] = -((differ - 1) &^ differ >> 63)
		}
		for i, w := range entry {
			z[i] |= w & chosen[i%Lanes]
		}
	}
}
