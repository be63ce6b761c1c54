package modular

import (
	"math/big"
	"math/bits"
	"sync"
)

// context is a modulus as an engine needs it, in every lane the same or in every lane another. R is 2^(digitBits·digits).
// A residue x is kept as x·R mod m, Montgomery form (Montgomery, "Modular multiplication without trial division", 1985);
// which of the numbers congruent to it, the engine decides.
type context struct {
	e      *engine
	digits int      // of a residue
	size   int      // words of a pack
	words  int      // 64-bit words of a residue outside
	m      []uint64 // the modulus, a pack
	k0     []uint64 // -1/m mod 2^digitBits, one word a lane
	square []uint64 // R² mod m, a pack: takes a number into the form
	one    []uint64 // R mod m, a pack: 1 in the form
	unit   []uint64 // 1, a pack: takes a number out of the form
	// Of a ring's context alone, whose lanes are all the same:
	neutral []uint64 // 1 as a residue in the form
	pool    sync.Pool
}

// newContext returns a context without a modulus, for moduli of up to that many bits.
func newContext(e *engine, bitLen int) *context {
	c := &context{e: e, digits: e.digits(bitLen), words: ceilDiv(bitLen, 64)}
	c.size = c.digits * e.lanes
	memory := aligned(4*c.size + e.lanes)
	for _, pack := range []*[]uint64{&c.m, &c.square, &c.one, &c.unit} {
		*pack, memory = memory[:c.size:c.size], memory[c.size:]
	}
	c.k0 = memory
	for l := range e.lanes {
		c.unit[l] = 1
	}
	return c
}

// setModulus gives lane l the modulus m, except for the value of one, which follows from that of square.
func (c *context) setModulus(s *scratch, l int, m *big.Int) {
	values := make([]uint64, 0, 2*(maxKernelBits/64))
	c.setLane(c.m, l, wordsOf(values[:c.words], m))
	c.k0[l] = negativeInverse(c.m[l]) & c.mask()
	s.product.SetInt64(1)
	s.product.Lsh(&s.product, uint(2*c.e.digitBits*c.digits))
	z := s.take()
	s.quotient.QuoRem(&s.product, m, z)
	c.setLane(c.square, l, wordsOf(values[:c.words], z))
	s.taken--
}

// setOne computes one from square.
func (c *context) setOne(t []uint64) {
	c.e.mul(c.one, c.square, c.unit, &operands{c.m, c.k0, t})
}

// ringContext returns the context of one modulus in all lanes.
func ringContext(e *engine, m *big.Int) *context {
	c := newContext(e, m.BitLen())
	var s scratch
	c.setModulus(&s, 0, m)
	for l := 1; l < e.lanes; l++ {
		for d := range c.digits {
			c.m[d*e.lanes+l], c.square[d*e.lanes+l] = c.m[d*e.lanes], c.square[d*e.lanes]
		}
		c.k0[l] = c.k0[0]
	}
	c.setOne(aligned(e.scratch(c.digits)))
	c.neutral = make([]uint64, c.digits)
	for d := range c.digits {
		c.neutral[d] = c.one[d*e.lanes]
	}
	return c
}

func (c *context) mask() uint64 { return 1<<c.e.digitBits - 1 } // all ones for digits of 64 bits

// negativeInverse returns -1/m mod 2^64 for an odd m, by Newton's iteration: every step doubles the correct bits.
func negativeInverse(m uint64) uint64 {
	inverse := m // three bits
	for range 5 {
		inverse *= 2 - m*inverse
	}
	return -inverse
}

// setLane writes a number of 64-bit words, least first, to the digits of a lane.
func (c *context) setLane(pack []uint64, l int, words []uint64) {
	mask, lanes := c.mask(), c.e.lanes
	for d := range c.digits {
		pack[d*lanes+l] = digitAt(words, d*c.e.digitBits) & mask
	}
}

// digitAt returns the 64 bits from one on of a number in words, least first.
func digitAt(words []uint64, bit int) uint64 {
	k, shift := bit/64, bit%64
	var digit uint64
	if k < len(words) {
		digit = words[k] >> shift
	}
	if k+1 < len(words) {
		digit |= words[k+1] << (64 - shift)
	}
	return digit
}

// lane reads the digits of a lane into 64-bit words, least first; the number must fit.
func (c *context) lane(words, pack []uint64, l int) {
	k, have := 0, 0
	var word uint64
	for d := range c.digits {
		digit := pack[d*c.e.lanes+l]
		word |= digit << have
		have += c.e.digitBits
		if have >= 64 {
			if k < len(words) {
				words[k] = word
				k++
			}
			have -= 64
			word = digit >> (c.e.digitBits - have)
		}
	}
	if k < len(words) {
		words[k] = word
	}
}

// subtractModulus replaces every lane that is at least m, but below 2m, by its difference to m. No branch and no address
// depends on the values.
func (c *context) subtractModulus(pack []uint64) {
	mask, lanes := c.mask(), c.e.lanes
	var borrow, keep [maxLanes]uint64
	for i, x := range pack {
		_, borrow[i%lanes] = bits.Sub64(x, c.m[i], borrow[i%lanes])
	}
	for l := range lanes {
		keep[l], borrow[l] = borrow[l]-1, 0
	}
	for i, x := range pack {
		var z uint64
		z, borrow[i%lanes] = bits.Sub64(x, c.m[i]&keep[i%lanes], borrow[i%lanes])
		pack[i] = z & mask
	}
}

// wordsOf fills words with x >= 0, least word first; x must fit.
func wordsOf(words []uint64, x *big.Int) []uint64 {
	clear(words)
	for i, w := range x.Bits() {
		bit := i * bits.UintSize
		words[bit/64] |= uint64(w) << (bit % 64)
	}
	return words
}

// setWords sets z to the number of words, least word first, in memory of its own.
func setWords(z *big.Int, words []uint64) *big.Int {
	out := make([]big.Word, len(words)*64/bits.UintSize)
	for i := range out {
		bit := i * bits.UintSize
		out[i] = big.Word(words[bit/64] >> (bit % 64))
	}
	return z.SetBits(out)
}
