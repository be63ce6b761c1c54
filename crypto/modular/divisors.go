package modular

import (
	"math/big"
	"math/bits"
)

const (
	dividendBlock = 16 // words of a number that are reduced together
	divisorBits   = 59 // of a modulus at most: (dividendBlock+2)·2^59 < 2^64, so that no sum overflows
)

// Divisors is trial division by a list of odd primes. It is read only and safe for concurrent use.
//
// A number is reduced modulo products of several primes that fill a word, with a table of the powers of 2^64: a sum of
// words times words, and no division. The products are taken in the order of the list and a number is done with at the
// first prime that divides it, so the small primes, which divide most, belong first.
type Divisors struct {
	moduli []divisor
	primes []divisible
}

// divisor is a product m of consecutive primes.
type divisor struct {
	powers   [dividendBlock]uint64 // 2^(64·j) mod m
	next     uint64                // 2^(64·(dividendBlock+1)) mod m: what a block counts in the one below it, reduced as it is
	m        uint64
	inverse  uint64 // of m modulo 2^64
	from, to int    // its primes
}

// divisible tells multiples of an odd p: x·p^-1 mod 2^64 is at most (2^64-1)/p for them and above it for all others.
type divisible struct{ inverse, limit uint64 }

// NewDivisors makes the tables for primes below 2^58, about 70 bytes a prime. It panics if a number is even or below 3;
// that they are primes is not needed.
func NewDivisors(primes []int) *Divisors {
	d := &Divisors{}
	for from := 0; from < len(primes); {
		m, to := uint64(1), from
		for ; to < len(primes) && bits.Len64(m)+bits.Len(uint(primes[to])) <= divisorBits; to++ {
			p := uint64(primes[to])
			require(primes[to] >= 3 && p%2 == 1, "divisor %d is not odd and at least 3", primes[to])
			m *= p
			d.primes = append(d.primes, divisible{inverseOfWord(p), ^uint64(0) / p})
		}
		require(to > from, "divisor %d is not below 2^58", primes[from])
		d.moduli = append(d.moduli, newDivisor(m, from, to))
		from = to
	}
	return d
}

func newDivisor(m uint64, from, to int) divisor {
	one := divisor{m: m, inverse: inverseOfWord(m), from: from, to: to}
	power := uint64(1) % m
	for j := range one.powers {
		one.powers[j] = power
		power = bits.Rem64(power, 0, m)
	}
	one.next = bits.Rem64(power, 0, m)
	return one
}

// inverseOfWord is the inverse of an odd number modulo 2^64, by Newton's iteration: x is right modulo 8, and every step
// doubles the bits that are.
func inverseOfWord(odd uint64) uint64 {
	x := odd
	for range 5 {
		x *= 2 - odd*x
	}
	return x
}

// Coprime says for each of ns whether none of the divisors divides it. The ns must be positive; anything else panics. It
// takes variable time; for a number that is divided by none, the time depends on its length alone.
func (d *Divisors) Coprime(ns []*big.Int) []bool {
	requireAll(ns, positive, "number %d must be positive")
	out := make([]bool, len(ns))
	batch(len(ns), cheap, func(_ *scratch, from, to int) { d.divide(out[from:to], ns[from:to]) })
	return out
}

// divide takes every modulus to all numbers that are left, so that the tables are read once.
func (d *Divisors) divide(out []bool, ns []*big.Int) {
	type dividend struct {
		index int
		words []uint64
	}
	left := make([]dividend, len(ns))
	for i, n := range ns {
		blocks := ceilDiv(n.BitLen(), 64*dividendBlock)
		left[i] = dividend{i, wordsOf(make([]uint64, blocks*dividendBlock), n)}
		out[i] = true
	}
	for k := range d.moduli {
		m, kept := &d.moduli[k], left[:0]
		for _, one := range left {
			if d.divides(m, m.reduce(one.words)) {
				out[one.index] = false
			} else {
				kept = append(kept, one)
			}
		}
		left = kept
	}
}

// reduce returns a number below 2^64 that is words·2^-64 modulo m: as far as divisors go, the same.
func (d *divisor) reduce(words []uint64) uint64 {
	var r uint64
	for at := len(words) - dividendBlock; at >= 0; at -= dividendBlock {
		block := (*[dividendBlock]uint64)(words[at:])
		high, low := bits.Mul64(r, d.next)
		var high2, low2, carry uint64 // a second sum, which does not wait for the first
		for j := 0; j < dividendBlock; j += 2 {
			h, l := bits.Mul64(block[j], d.powers[j])
			low, carry = bits.Add64(low, l, 0)
			high, _ = bits.Add64(high, h, carry)
			h, l = bits.Mul64(block[j+1], d.powers[j+1])
			low2, carry = bits.Add64(low2, l, 0)
			high2, _ = bits.Add64(high2, h, carry)
		}
		low, carry = bits.Add64(low, low2, 0)
		high, _ = bits.Add64(high, high2, carry)
		quotient, _ := bits.Mul64(low*d.inverse, d.m) // its low word is low, so the difference is high minus this
		r = high - quotient + d.m
	}
	return r
}

// divides says whether one of the primes of m divides r.
func (d *Divisors) divides(m *divisor, r uint64) bool {
	for _, p := range d.primes[m.from:m.to] {
		if r*p.inverse <= p.limit {
			return true
		}
	}
	return false
}
