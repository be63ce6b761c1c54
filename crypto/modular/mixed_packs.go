package modular

import (
	"cmp"
	"math/big"
	"slices"
)

// class is the elements of a batch whose moduli take as many digits: they fit into the lanes of a pack together.
type class struct {
	digits  int
	modBits int   // of the longest modulus
	expBits int   // of the longest exponent
	members []int // positions in the batch, rising
}

// classify sorts the elements 0..n-1 of a batch into classes, those with the most digits first. The engine does not take
// the rest.
func classify(e *engine, n int, exps, mods []*big.Int) (rest []int, classes []*class) {
	byDigits := make(map[int]*class)
	for i := range n {
		bitLen := pick(mods, i).BitLen()
		if !e.takes(bitLen) {
			rest = append(rest, i)
			continue
		}
		digits := e.digits(bitLen)
		c, known := byDigits[digits]
		if !known {
			c = &class{digits: digits}
			byDigits[digits] = c
			classes = append(classes, c)
		}
		c.members = append(c.members, i)
		c.modBits = max(c.modBits, bitLen)
		c.expBits = max(c.expBits, pick(exps, i).BitLen())
	}
	slices.SortFunc(classes, func(a, b *class) int { return cmp.Compare(b.digits, a.digits) })
	return rest, classes
}

// exp computes out[i] for all members; element returns what belongs to it.
func (c *class) exp(e *engine, out []*big.Int, element func(i int) (base, exp, mod *big.Int)) {
	if c.expBits == 0 {
		for _, i := range c.members {
			out[i] = big.NewInt(1)
		}
		return
	}
	window := fixedWindow(e, c.expBits, c.digits)
	spread(ceilDiv(len(c.members), e.lanes), heavy, func() (func(from, to int), func()) {
		w := newContext(e, c.modBits).newWorker()
		w.reserve(1 + secretPacks(window))
		secret := newSecrets(e.lanes, c.expBits)
		var s scratch
		return func(from, to int) {
			for p := from; p < to; p++ {
				members := c.members[p*e.lanes : min(len(c.members), (p+1)*e.lanes)]
				w.taken = 0
				z := w.take(1)
				for l := range e.lanes {
					base, exp, mod := element(members[min(l, len(members)-1)])
					w.setModulus(&s, l, mod)
					w.setBase(z, l, base, mod, &s)
					secret.set(l, exp)
				}
				w.setOne(w.ops.t)
				w.enter(z)
				w.expSecret(z, secret, window)
				w.leave(z)
				for l, i := range members {
					out[i] = w.number(z, l)
				}
			}
		}, func() {}
	})
}

// setBase gives lane l of z the number x, reduced mod m.
func (w *worker) setBase(z []uint64, l int, x, m *big.Int, s *scratch) {
	if x.Sign() < 0 || x.Cmp(m) >= 0 {
		x = s.product.Mod(x, m)
	}
	w.setLane(z, l, wordsOf(w.value, x))
}
