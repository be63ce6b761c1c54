package modular

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"sync/atomic"
)

// Ring is the ring of integers modulo an odd m > 1. It never changes and is safe for concurrent use. Moduli of 64 to 8192
// bits are computed with by the kernels of [Path], all others by math/big.
type Ring struct {
	m       *big.Int
	width   int
	kernel  *context // nil on the path of math/big
	modulus []uint64 // m in words, least first; nil on the path of math/big
}

// NewRing returns the ring of integers mod m. It panics if m is even or below 3. It keeps no reference to m.
func NewRing(m *big.Int) *Ring {
	require(oddModulus(m), "modulus must be odd and at least 3")
	return newRing(m, selected())
}

// newRing is NewRing on the path of an engine, nil for math/big.
func newRing(m *big.Int, e *engine) *Ring {
	r := &Ring{m: new(big.Int).Set(m), width: (m.BitLen() + 7) / 8}
	if e.takes(m.BitLen()) {
		r.kernel = ringContext(e, m)
		r.modulus = wordsOf(make([]uint64, r.kernel.words), m)
	}
	return r
}

// Modulus returns a copy of m.
func (r *Ring) Modulus() *big.Int { return new(big.Int).Set(r.m) }

// Width is the number of bytes of one residue in the fixed-width encoding: the byte length of m.
func (r *Ring) Width() int { return r.width }

func (r *Ring) same(q *Ring) bool { return r == q || r.m.Cmp(q.m) == 0 && r.engine() == q.engine() }

// engine returns nil on the path of math/big.
func (r *Ring) engine() *engine {
	if r.kernel == nil {
		return nil
	}
	return r.kernel.e
}

// fill makes a vector of n residues over math/big; work sets elems[from:to], each to a value that nobody else will modify.
func (r *Ring) fill(n, grain int, work func(s *scratch, elems []*big.Int, from, to int)) *Vector {
	elems := make([]*big.Int, n)
	batch(n, grain, func(s *scratch, from, to int) { work(s, elems, from, to) })
	return &Vector{ring: r, n: n, elems: elems}
}

// Vector returns the values reduced mod m, negative ones to their residue in [0, m). The values may be of any size. It
// panics on a nil value.
func (r *Ring) Vector(values []*big.Int) *Vector {
	requireAll(values, present, "value %d is nil")
	if r.kernel != nil {
		return r.enter(values)
	}
	return r.fill(len(values), cheap, func(s *scratch, elems []*big.Int, from, to int) {
		for i := from; i < to; i++ {
			elems[i] = s.reduce(values[i], r.m)
		}
	})
}

// enter is Vector over a kernel.
func (r *Ring) enter(values []*big.Int) *Vector {
	return r.fillPacks(len(values), cheapPacks, 1, func(w *worker, out []uint64, at int) {
		z := w.take(1)
		var s scratch
		for l := range w.e.lanes {
			w.setBase(z, l, values[min(at+l, len(values)-1)], r.m, &s)
		}
		w.enter(z)
		w.store(out, z)
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
// [ErrRange] for the first residue that is not below m. The running time may depend on the residues. It keeps no reference
// to the blob.
func (r *Ring) Decode(blob []byte) (*Vector, error) {
	if len(blob)%r.width != 0 {
		return nil, fmt.Errorf("modular: decode %d bytes with residues of %d: %w", len(blob), r.width, ErrLength)
	}
	if r.kernel != nil {
		return r.decodePacks(blob)
	}
	elems := make([]*big.Int, 0, len(blob)/r.width)
	for ; len(blob) > 0; blob = blob[r.width:] {
		x := new(big.Int).SetBytes(blob[:r.width])
		if x.Cmp(r.m) >= 0 {
			return nil, &ElementError{Index: len(elems), Err: ErrRange}
		}
		elems = append(elems, x)
	}
	return &Vector{ring: r, n: len(elems), elems: elems}, nil
}

// decodePacks is Decode over a kernel.
func (r *Ring) decodePacks(blob []byte) (*Vector, error) {
	n := len(blob) / r.width
	var bad atomic.Int64 // the first position that is not below m
	bad.Store(int64(n))
	v := r.fillPacks(n, cheapPacks, 1, func(w *worker, out []uint64, at int) {
		z := w.take(1)
		for l := range w.e.lanes {
			i := min(at+l, n-1)
			setBytes(w.value, blob[i*r.width:][:r.width])
			if !below(w.value, r.modulus) {
				lower(&bad, int64(i))
			}
			w.setLane(z, l, w.value)
		}
		w.enter(z)
		w.store(out, z)
	})
	if i := int(bad.Load()); i < n {
		return nil, &ElementError{Index: i, Err: ErrRange}
	}
	return v, nil
}

// lower sets x to the lesser of x and value.
func lower(x *atomic.Int64, value int64) {
	for old := x.Load(); value < old; old = x.Load() {
		if x.CompareAndSwap(old, value) {
			return
		}
	}
}

// setBytes fills words, least first, with a big-endian number of no more bytes.
func setBytes(words []uint64, bytes []byte) {
	clear(words)
	for k := 0; len(bytes) > 0; k++ {
		last := max(0, len(bytes)-8)
		if len(bytes) >= 8 {
			words[k] = binary.BigEndian.Uint64(bytes[last:])
		} else {
			for _, b := range bytes {
				words[k] = words[k]<<8 | uint64(b)
			}
		}
		bytes = bytes[:last]
	}
}

// putBytes is the inverse of setBytes.
func putBytes(bytes []byte, words []uint64) {
	for k := 0; len(bytes) > 0; k++ {
		last := max(0, len(bytes)-8)
		if len(bytes) >= 8 {
			binary.BigEndian.PutUint64(bytes[last:], words[k])
		} else {
			for i := range bytes {
				bytes[i] = byte(words[k] >> (8 * (len(bytes) - 1 - i)))
			}
		}
		bytes = bytes[:last]
	}
}

// below says whether x < y, two numbers of as many words, least first.
func below(x, y []uint64) bool {
	for i := len(x) - 1; i >= 0; i-- {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}
