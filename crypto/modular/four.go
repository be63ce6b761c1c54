package modular

import "math/big"

// Powers of 4 need no table and hardly a multiplication, where the engine can shift: an exponent e of K digits to the base 32 is taken
// as Σ (d_k - 32)·32^k + d_K·32^K with digits d_k of e + 32·(32^K - 1)/31, and 4^(d-32) = 2^(2d-64) is a shift by 2d bits and a
// reduction by one digit of 64. So the exponentiation is its squarings, and a row of products for every five of them.
const (
	fourWindow = 5
	fourOffset = 1 << fourWindow
)

// isFour tells whether all bases are 4.
func isFour(bases []*big.Int) bool {
	for _, b := range bases {
		if !b.IsInt64() || b.Int64() != 4 {
			return false
		}
	}
	return true
}

// fourOffsets returns the number of digits of exponents of at most bitLen bits, but for the last, and 32·(32^K - 1)/31.
func fourOffsets(bitLen int) (digits int, offsets *big.Int) {
	digits = ceilDiv(bitLen, fourWindow)
	offsets = new(big.Int)
	for k := range digits {
		offsets.SetBit(offsets, fourWindow*k+fourWindow, 1)
	}
	return digits, offsets
}

// expFour computes out[i] = 4^exp mod mod for all members. Neither branches nor addresses depend on the exponents, but for their sum with
// the offsets, which math/big makes.
func (c *class) expFour(e *engine, out []*big.Int, element func(i int) (base, exp, mod *big.Int)) {
	digits, offsets := fourOffsets(c.expBits)
	spread(len(c.members), heavy, func() (func(from, to int), func()) {
		w := newContext(e, c.modBits).newWorker()
		w.reserve(1)
		secret := newSecrets(1, fourWindow*(digits+1))
		var s scratch
		sum, start := new(big.Int), new(big.Int).Lsh(big.NewInt(1), 2*fourOffset)
		return func(from, to int) {
			for _, i := range c.members[from:to] {
				_, exp, mod := element(i)
				w.taken = 0
				z := w.take(1)
				w.setModulus(&s, 0, mod)
				w.setBase(z, 0, start, mod, &s)
				w.enter(z) // 4^32
				secret.set(0, sum.Add(exp, offsets))
				e.shift(z, 2*secret.digit(0, fourWindow*digits, fourWindow), &w.ops)
				for k := digits - 1; k >= 0; k-- {
					w.sqr(z, fourWindow)
					e.shift(z, 2*secret.digit(0, fourWindow*k, fourWindow), &w.ops)
				}
				w.leave(z)
				out[i] = w.number(z, 0)
			}
		}, func() {}
	})
}
