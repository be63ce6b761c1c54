//go:build amd64 && !purego

package adx

// halved says whether operands of n digits are taken in halves, after Karatsuba: three products of halves instead of the four that
// one product consists of. Measured: at 64 digits that saves a sixth of a product and a twentieth of a square, below it does not
// pay. The halves should be whole blocks of eight digits.
func halved(n int) bool { return n >= 64 && n%16 == 0 }

// multiplyADX sets t to x·y, of 2n digits, with 2n words of working memory.
func multiplyADX(t, x, y, work []uint64) {
	n := len(x)
	if !halved(n) {
		mulADX(t, x, y)
		return
	}
	h := n / 2
	// (x₀-x₁)·(y₀-y₁), with its sign apart, is x₀·y₀ + x₁·y₁ less the products of digits of different halves.
	middle, work := work[:n], work[n:]
	sign := differenceADX(t[:h], x[:h], x[h:]) ^ differenceADX(t[h:n], y[:h], y[h:])
	multiplyADX(middle, t[:h], t[h:n], work)
	multiplyADX(t[:n], x[:h], y[:h], work)
	multiplyADX(t[n:], x[h:], y[h:], work)
	joinADX(t, middle, ^sign)
}

// squareADX sets t to x², of 2n digits, with 2n words of working memory.
func squareADX(t, x, work []uint64) {
	n := len(x)
	if !halved(n) {
		sqrADX(t, x)
		return
	}
	h := n / 2
	middle, work := work[:n], work[n:]
	differenceADX(t[:h], x[:h], x[h:])
	squareADX(middle, t[:h], work)
	squareADX(t[:n], x[:h], work)
	squareADX(t[n:], x[h:], work)
	joinADX(t, middle, ^uint64(0))
}
