package modular

import (
	"math/big"
	"slices"
)

// Vector is a sequence of residues of one [Ring]. It cannot be changed from outside; vectors made of others by
// [Vector.Slice], [Vector.Select] and [Concat] share memory with them.
type Vector struct {
	ring  *Ring
	elems []*big.Int // in [0, m); never modified once here, so they may be in many vectors
}

// Ring returns the ring of the residues.
func (v *Vector) Ring() *Ring { return v.ring }

// Len returns the number of residues.
func (v *Vector) Len() int { return len(v.elems) }

// At returns a copy of residue i, in [0, m).
func (v *Vector) At(i int) *big.Int {
	require(0 <= i && i < len(v.elems), "index %d outside a vector of %d", i, len(v.elems))
	return new(big.Int).Set(v.elems[i])
}

// Ints returns copies of all residues, each in [0, m).
func (v *Vector) Ints() []*big.Int {
	out := make([]*big.Int, len(v.elems))
	for i, x := range v.elems {
		out[i] = new(big.Int).Set(x)
	}
	return out
}

// Append appends the residues to dst, each as [Ring.Width] big-endian bytes. [Ring.Decode] is the exact inverse.
func (v *Vector) Append(dst []byte) []byte {
	start, width := len(dst), v.ring.width
	dst = slices.Grow(dst, width*len(v.elems))[:start+width*len(v.elems)]
	for i, x := range v.elems {
		x.FillBytes(dst[start+i*width:][:width])
	}
	return dst
}

// Slice returns residues from..to-1.
func (v *Vector) Slice(from, to int) *Vector {
	require(0 <= from && from <= to && to <= len(v.elems), "slice %d:%d of a vector of %d", from, to, len(v.elems))
	return &Vector{ring: v.ring, elems: v.elems[from:to:to]}
}

// Select returns the residues at the given positions, in that order; a position may occur more than once.
func (v *Vector) Select(index []int) *Vector {
	elems := make([]*big.Int, len(index))
	for k, i := range index {
		require(0 <= i && i < len(v.elems), "index %d outside a vector of %d", i, len(v.elems))
		elems[k] = v.elems[i]
	}
	return &Vector{ring: v.ring, elems: elems}
}

// Concat returns the residues of one or more vectors of the same ring, one vector after the other.
func Concat(vs ...*Vector) *Vector {
	require(len(vs) > 0, "concat needs at least one vector")
	n := 0
	for _, v := range vs {
		require(v.ring.same(vs[0].ring), "concat of vectors of different rings")
		n += len(v.elems)
	}
	elems := make([]*big.Int, 0, n)
	for _, v := range vs {
		elems = append(elems, v.elems...)
	}
	return &Vector{ring: vs[0].ring, elems: elems}
}
