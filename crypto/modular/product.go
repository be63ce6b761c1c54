package modular

import (
	"math/big"
	"runtime"
)

// Grains: the least number of elements worth a chunk of their own.
const (
	heavy      = 1  // an exponentiation
	cheap      = 16 // about one multiplication or less
	cheapPacks = 4  // the same for packs
)

const (
	productBlock = 32  // residues that one step of Product multiplies together
	inverseBlock = 256 // residues that share one inversion, whose cost is that of 10 to 15 multiplications
	inversePacks = 128 // the same for packs, whose multiplications are cheaper
)

// Mul returns the element-wise product. It panics unless both vectors have the same length and ring. v and w may be the
// same. On the paths of the kernels it is constant-time.
func (v *Vector) Mul(w *Vector) *Vector {
	require(v.ring.same(w.ring), "product of vectors of different rings")
	require(v.n == w.n, "product of vectors of %d and %d elements", v.n, w.n)
	if v.ring.kernel != nil {
		return v.mulPacks(w)
	}
	m := v.ring.m
	return v.ring.fill(v.n, cheap, func(s *scratch, elems []*big.Int, from, to int) {
		z := s.take()
		for i := from; i < to; i++ {
			s.mul(z, v.elems[i], w.elems[i], m)
			elems[i] = new(big.Int).Set(z)
		}
		s.taken = 0
	})
}

// Product returns the product of all residues mod m, in [0, m), 1 if there are none. On the paths of the kernels it is
// constant-time.
func (v *Vector) Product() *big.Int {
	level := v
	for level.n > 1 {
		if v.ring.kernel != nil {
			level = level.productPacks()
		} else {
			level = level.productBlocks()
		}
	}
	if level.n == 0 {
		return big.NewInt(1)
	}
	return level.At(0)
}

// productBlocks multiplies runs of productBlock residues together.
func (v *Vector) productBlocks() *Vector {
	return v.ring.fill(ceilDiv(v.n, productBlock), heavy, func(s *scratch, elems []*big.Int, from, to int) {
		for b := from; b < to; b++ {
			s.taken = 0
			p := s.newProduct()
			for _, x := range v.elems[b*productBlock : min(v.n, (b+1)*productBlock)] {
				p.times(s, x, v.ring.m)
			}
			elems[b] = p.result()
		}
	})
}

// NonUnit returns the position of the first residue that shares a factor with m (0 does), or -1 if all are units. When
// all are units, which is the case to be fast in, it costs one product and one gcd. It is not constant-time on any path.
func (v *Vector) NonUnit() int {
	if v.productIsUnit() {
		return -1
	}
	first := v
	index := 0
	for first.n > 1 { // the first non-unit of v is in first, which begins at index
		half := first.n / 2
		if left := first.Slice(0, half); !left.productIsUnit() {
			first = left
		} else {
			first, index = first.Slice(half, first.n), index+half
		}
	}
	return index
}

func (v *Vector) productIsUnit() bool { return coprime(v.Product(), v.ring.m) }

// coprime says whether gcd(x, m) = 1, for x >= 0 and m > 0.
func coprime(x, m *big.Int) bool {
	gcd := new(big.Int).GCD(nil, nil, x, m)
	return gcd.IsInt64() && gcd.Int64() == 1
}

// Inverse returns the element-wise inverse. The error is an [ElementError] around [ErrNotUnit] for the first residue that
// has none. Blocks of residues share one inversion (Montgomery's trick): about three multiplications an element. It is not
// constant-time on any path.
func (v *Vector) Inverse() (*Vector, error) {
	var out *Vector
	var failed []bool // one a block
	block := max(1, ceilDiv(v.n, runtime.GOMAXPROCS(0)))
	if c := v.ring.kernel; c != nil {
		packs := min(inversePacks, ceilDiv(block, c.e.lanes))
		block = packs * c.e.lanes
		out, failed = v.inversePacks(packs)
	} else {
		block = min(inverseBlock, block)
		out, failed = v.inverseBlocks(block)
	}
	for b, bad := range failed {
		if bad {
			lo := b * block
			return nil, &ElementError{Index: lo + v.Slice(lo, min(v.n, lo+block)).NonUnit(), Err: ErrNotUnit}
		}
	}
	return out, nil
}

// inverseBlocks inverts block by block over math/big, and says which blocks have an element without an inverse.
func (v *Vector) inverseBlocks(block int) (*Vector, []bool) {
	out := v.ring.empty(v.n)
	failed := make([]bool, ceilDiv(v.n, block))
	batch(len(failed), heavy, func(s *scratch, from, to int) {
		for b := from; b < to; b++ {
			lo, hi := b*block, min(v.n, (b+1)*block)
			failed[b] = !s.invert(out.elems[lo:hi], v.elems[lo:hi], v.ring.m)
		}
	})
	return out, failed
}

// invert sets out[i] = 1/in[i] mod m for a non-empty block, or returns false if one of them has no inverse.
func (s *scratch) invert(out, in []*big.Int, m *big.Int) bool {
	s.taken = 0
	prefix := make([]*big.Int, len(in)) // prefix[i] = in[0]·...·in[i]
	p := s.newProduct()
	for i, x := range in {
		p.times(s, x, m)
		prefix[i] = p.result()
	}
	inverse, z := new(big.Int), s.take() // inverse = 1/prefix[i]
	if inverse.ModInverse(p.value, m) == nil {
		return false
	}
	for i := len(in) - 1; i > 0; i-- {
		s.mul(z, inverse, prefix[i-1], m)
		out[i] = new(big.Int).Set(z)
		s.mul(inverse, inverse, in[i], m)
	}
	out[0] = new(big.Int).Set(inverse)
	return true
}
