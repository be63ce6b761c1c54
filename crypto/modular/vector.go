package modular

import (
	"math/big"
	"slices"
)

// Vector is a sequence of residues of one [Ring]. It cannot be changed from outside. On the paths of the kernels residues
// stay in Montgomery form, in one piece of memory: as many bits as the modulus, rounded up to 64, on the path adx, and to
// 520, as digits of 52 bits in words of 64, on the path ifma (640 bytes mod 4,096 bits).
type Vector struct {
	ring  *Ring
	n     int
	elems []*big.Int // over math/big, in [0, m); never modified once here, so they may be in many vectors
	words []uint64   // over a kernel: n residues in Montgomery form, one after the other; never modified once here
}

// Ring returns the ring of the residues.
func (v *Vector) Ring() *Ring { return v.ring }

// Len returns the number of residues.
func (v *Vector) Len() int { return v.n }

// residue returns the digits of residue i.
func (v *Vector) residue(i int) []uint64 {
	n := v.ring.kernel.digits
	return v.words[i*n : (i+1)*n : (i+1)*n]
}

// residues returns the digits of the residues from..to-1.
func (v *Vector) residues(from, to int) []uint64 {
	n := v.ring.kernel.digits
	return v.words[from*n : to*n : to*n]
}

// At returns a copy of residue i, in [0, m). It panics if there is none. [Vector.Ints] is faster for all of them. It is
// constant-time as [Vector.Append] is.
func (v *Vector) At(i int) *big.Int {
	require(0 <= i && i < v.n, "index %d outside a vector of %d", i, v.n)
	return v.Slice(i, i+1).Ints()[0]
}

// Ints returns copies of all residues, each in [0, m). It is constant-time as [Vector.Append] is, up to the lengths of the
// results.
func (v *Vector) Ints() []*big.Int {
	out := make([]*big.Int, v.n)
	if v.ring.kernel == nil {
		for i, x := range v.elems {
			out[i] = new(big.Int).Set(x)
		}
		return out
	}
	v.leave(func(w *worker, z []uint64, l, i int) { out[i] = w.number(z, l) })
	return out
}

// Append appends the residues to dst, each as [Ring.Width] big-endian bytes, and returns the extended slice as append does.
// [Ring.Decode] is the exact inverse. On the paths of the kernels neither time nor memory accesses depend on the values.
func (v *Vector) Append(dst []byte) []byte {
	start, width := len(dst), v.ring.width
	dst = slices.Grow(dst, width*v.n)[:start+width*v.n]
	element := func(i int) []byte { return dst[start+i*width:][:width] }
	if v.ring.kernel == nil {
		for i, x := range v.elems {
			x.FillBytes(element(i))
		}
		return dst
	}
	v.leave(func(w *worker, z []uint64, l, i int) {
		w.lane(w.value, z, l)
		putBytes(element(i), w.value)
	})
	return dst
}

// leave takes all residues out of Montgomery form, a pack at a time: take gets residue i in lane l of z.
func (v *Vector) leave(take func(w *worker, z []uint64, l, i int)) {
	c := v.ring.kernel
	c.spread(v.n, cheapPacks, 1, func(w *worker, from, to int) {
		z := w.take(1)
		w.load(z, v.residues(from, to))
		w.leave(z)
		for i := from; i < to; i++ {
			take(w, z, i-from, i)
		}
	})
}

// Slice returns residues from..to-1, which it shares with v. It panics unless 0 <= from <= to <= v.Len().
func (v *Vector) Slice(from, to int) *Vector {
	require(0 <= from && from <= to && to <= v.n, "slice %d:%d of a vector of %d", from, to, v.n)
	if v.ring.kernel != nil {
		return &Vector{ring: v.ring, n: to - from, words: v.residues(from, to)}
	}
	return &Vector{ring: v.ring, n: to - from, elems: v.elems[from:to:to]}
}

// Select returns the residues at the given positions, in that order; a position may occur more than once. It panics if one
// is outside.
func (v *Vector) Select(index []int) *Vector {
	out := v.ring.empty(len(index))
	for k, i := range index {
		require(0 <= i && i < v.n, "index %d outside a vector of %d", i, v.n)
		if v.ring.kernel != nil {
			copy(out.residue(k), v.residue(i))
		} else {
			out.elems[k] = v.elems[i]
		}
	}
	return out
}

// Concat returns the residues of one or more vectors of the same ring, one vector after the other. It panics if there is
// none, or if they are of different rings.
func Concat(vs ...*Vector) *Vector {
	require(len(vs) > 0, "concat needs at least one vector")
	n := 0
	for _, v := range vs {
		require(v.ring.same(vs[0].ring), "concat of vectors of different rings")
		n += v.n
	}
	out, at := vs[0].ring.empty(n), 0
	for _, v := range vs {
		out.set(at, v)
		at += v.n
	}
	return out
}

// empty returns a vector of n residues that are still to be set.
func (r *Ring) empty(n int) *Vector {
	if r.kernel != nil {
		return &Vector{ring: r, n: n, words: make([]uint64, n*r.kernel.digits)}
	}
	return &Vector{ring: r, n: n, elems: make([]*big.Int, n)}
}

// set makes the residues of w those of v from a position on.
func (v *Vector) set(at int, w *Vector) {
	if v.ring.kernel != nil {
		copy(v.residues(at, at+w.n), w.words)
		return
	}
	copy(v.elems[at:], w.elems)
}
