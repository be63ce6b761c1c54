package modular

import (
	"fmt"
	"math/big"
)

// Ring is the ring of integers modulo an odd m > 1. It never changes and is safe for concurrent use.
type Ring struct {
	m     *big.Int
	width int
}

// NewRing returns the ring of integers mod m. It panics if m is even or below 3.
func NewRing(m *big.Int) *Ring {
	require(oddModulus(m), "modulus must be odd and at least 3")
	return &Ring{m: new(big.Int).Set(m), width: (m.BitLen() + 7) / 8}
}

// Modulus returns a copy of m.
func (r *Ring) Modulus() *big.Int { return new(big.Int).Set(r.m) }

// Width is the number of bytes of one residue in the fixed-width encoding: the byte length of m.
func (r *Ring) Width() int { return r.width }

func (r *Ring) same(q *Ring) bool { return r == q || r.m.Cmp(q.m) == 0 }

// fill makes a vector of n residues; work sets elems[from:to], each to a value that nobody else will modify.
func (r *Ring) fill(n, grain int, work func(s *scratch, elems []*big.Int, from, to int)) *Vector {
	elems := make([]*big.Int, n)
	batch(n, grain, func(s *scratch, from, to int) { work(s, elems, from, to) })
	return &Vector{ring: r, elems: elems}
}

// Vector returns the values reduced mod m, negative ones to their residue in [0, m). It panics on a nil value.
func (r *Ring) Vector(values []*big.Int) *Vector {
	requireAll(values, present, "value %d is nil")
	return r.fill(len(values), cheap, func(s *scratch, elems []*big.Int, from, to int) {
		for i := from; i < to; i++ {
			elems[i] = s.reduce(values[i], r.m)
		}
	})
}

// reduce returns x mod m in [0, m), in memory of its own.
func (s *scratch) reduce(x, m *big.Int) *big.Int {
	if x.Sign() >= 0 && x.Cmp(m) < 0 {
		return new(big.Int).Set(x)
	}
	return new(big.Int).Set(s.product.Mod(x, m))
}

// Decode reads residues in the fixed-width big-endian form that [Vector.Append] writes: exactly one encoding for each
// vector. The error is [ErrLength] if the blob is not a multiple of [Ring.Width] bytes, and an [ElementError] around
// [ErrRange] for the first residue that is not below m.
func (r *Ring) Decode(blob []byte) (*Vector, error) {
	if len(blob)%r.width != 0 {
		return nil, fmt.Errorf("modular: decode %d bytes with residues of %d: %w", len(blob), r.width, ErrLength)
	}
	elems := make([]*big.Int, 0, len(blob)/r.width)
	for ; len(blob) > 0; blob = blob[r.width:] {
		x := new(big.Int).SetBytes(blob[:r.width])
		if x.Cmp(r.m) >= 0 {
			return nil, &ElementError{Index: len(elems), Err: ErrRange}
		}
		elems = append(elems, x)
	}
	return &Vector{ring: r, elems: elems}, nil
}
