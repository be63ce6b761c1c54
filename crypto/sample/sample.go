// Package sample turns streams of random bytes into the integers the protocol needs, and makes such streams.
//
// Policy. Every sampler takes an io.Reader, so that a party that is restarted with the same stream says the same bytes
// again. That makes the number of bytes a sampler consumes, and what it makes of them, part of its contract: it is stated
// for every function and must not change within a protocol version. A reader given to this package never fails; one that
// does, or ends, is a bug of its maker, and the sampler panics ("sample: ...") rather than go on with less randomness.
//
// Two streams are made here. Stream is the generator: AES-256 in counter mode under a key that serves once. Hash is the
// public stream of a transcript: everybody who knows the transcript derives the same one, and nobody can steer it.
//
// Rejection makes the running time depend on the rejected draws, which are independent of the one that is returned.
package sample

import (
	"fmt"
	"io"
	"math/big"
)

// Below returns a uniform integer in [0, bound).
//
// With b the bit length of bound-1, every attempt reads ceil(b/8) bytes, most significant first, and clears the surplus top
// bits; a value that is not below bound is rejected and the next attempt starts. Hence bound = 1 reads nothing and a power
// of two never rejects; on average fewer than two attempts are made. Panics unless bound > 0.
func Below(r io.Reader, bound *big.Int) *big.Int {
	if bound.Sign() <= 0 {
		panic("sample: the bound of Below must be positive")
	}
	last := new(big.Int).Sub(bound, big.NewInt(1))
	buf := make([]byte, (last.BitLen()+7)/8)
	for {
		x := draw(r, buf, last.BitLen())
		if x.Cmp(bound) < 0 {
			return x
		}
	}
}

// Bits returns a uniform integer in [0, 2^bits). It reads ceil(bits/8) bytes, most significant first, and clears the surplus
// top bits: the same as Below with 2^bits. Panics if bits is negative.
func Bits(r io.Reader, bits int) *big.Int {
	if bits < 0 {
		panic("sample: the number of bits must not be negative")
	}
	return draw(r, make([]byte, (bits+7)/8), bits)
}

// Unit returns a uniform element of Z_m^*, in [0, m). It repeats Below(r, m) until the value is coprime to m. Panics unless
// m > 0. For m = 1 the only element, 0, is a unit.
func Unit(r io.Reader, m *big.Int) *big.Int {
	one, gcd := big.NewInt(1), new(big.Int)
	for {
		x := Below(r, m)
		if gcd.GCD(nil, nil, x, m).Cmp(one) == 0 {
			return x
		}
	}
}

// draw fills buf, which has ceil(bits/8) bytes, from r and returns its lowest `bits` bits.
func draw(r io.Reader, buf []byte, bits int) *big.Int {
	if _, err := io.ReadFull(r, buf); err != nil {
		panic(fmt.Sprintf("sample: the random stream failed: %v", err))
	}
	if surplus := bits % 8; surplus != 0 {
		buf[0] &= 1<<surplus - 1
	}
	return new(big.Int).SetBytes(buf)
}
