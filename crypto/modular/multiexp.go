package modular

import (
	"fmt"
	"math/big"
	"runtime"
)

// Sums describes weighted sums over the n elements of a vector, in compressed rows: row k consists of the terms i with
// Offsets[k] <= i < Offsets[k+1], and term i is element Index[i] with weight Weights[i]. An element may occur in many rows
// and more than once in a row. The zero Sums has no rows.
type Sums struct {
	Offsets []int    // rows+1 of them, starting with 0, never falling, ending with the number of terms
	Index   []uint32 // one a term, below n
	Weights []uint64 // one a term
}

// Rows returns the number of rows.
func (s Sums) Rows() int { return max(0, len(s.Offsets)-1) }

// Validate checks that the rows are well formed and refer to elements below n only.
func (s Sums) Validate(n int) error {
	if len(s.Index) != len(s.Weights) {
		return fmt.Errorf("modular: %d indices for %d weights", len(s.Index), len(s.Weights))
	}
	last := 0
	for k, o := range s.Offsets {
		if o < last || k == 0 && o != 0 {
			return fmt.Errorf("modular: offset %d is %d, must not be below the one before and start with 0", k, o)
		}
		last = o
	}
	if last != len(s.Index) {
		return fmt.Errorf("modular: rows end at term %d of %d", last, len(s.Index))
	}
	for i, x := range s.Index {
		if uint64(x) >= uint64(n) {
			return fmt.Errorf("modular: term %d refers to element %d of %d", i, x, n)
		}
	}
	return nil
}

// MultiExp returns one residue a row of s:
//
//	out[k] = ∏_{Offsets[k] <= i < Offsets[k+1]} v[Index[i]]^Weights[i]
//
// An empty row gives 1. It panics if s is not valid for v. On all paths, the running time and the memory accessed depend on
// the weights and on the lengths of rows: weights are either public or known to the caller alone, who is the only one to
// see this computation.
func (v *Vector) MultiExp(s Sums) *Vector {
	if err := s.Validate(v.n); err != nil {
		panic(err.Error())
	}
	if v.ring.kernel != nil {
		return v.multiExpPacks(s)
	}
	segments := s.segments(max(minSegment, ceilDiv(len(s.Index), runtime.GOMAXPROCS(0))))
	parts := v.ring.fill(len(segments), heavy, func(w *scratch, elems []*big.Int, from, to int) {
		for k := from; k < to; k++ {
			w.terms = w.terms[:0]
			for i := segments[k].from; i < segments[k].to; i++ {
				w.terms = append(w.terms, term{v.elems[s.Index[i]], s.Weights[i]})
			}
			elems[k] = w.multiExp(v.ring.m)
		}
	})
	if len(segments) == s.Rows() {
		return parts
	}
	return parts.join(segments, s.Rows())
}

// minSegment is the least number of terms worth a squaring chain and buckets of their own.
const minSegment = 1024

// segment is a run of terms of one row.
type segment struct{ row, from, to int }

// segments splits rows of more than limit terms into equal runs, so that a few long rows keep all cores busy.
func (s Sums) segments(limit int) []segment {
	out := make([]segment, 0, s.Rows())
	for k := range s.Rows() {
		from, n := s.Offsets[k], s.Offsets[k+1]-s.Offsets[k]
		pieces := max(1, ceilDiv(n, limit))
		for p := range pieces {
			out = append(out, segment{k, from + n*p/pieces, from + n*(p+1)/pieces})
		}
	}
	return out
}

// join multiplies the parts that belong to the same row.
func (v *Vector) join(segments []segment, rows int) *Vector {
	out := v.ring.empty(rows)
	var s scratch
	for k := 0; k < len(segments); {
		row := segments[k].row
		s.taken = 0
		p := s.newProduct()
		for ; k < len(segments) && segments[k].row == row; k++ {
			p.times(&s, v.elems[k], v.ring.m)
		}
		out.elems[row] = p.result()
	}
	return out
}
