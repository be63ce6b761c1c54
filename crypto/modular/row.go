package modular

import (
	"math/big"
	"math/bits"
)

// term is one factor base^weight of a row.
type term struct {
	base   *big.Int // in [0, m)
	weight uint64
}

// multiExp returns the product of s.terms mod m, in memory of its own.
func (s *scratch) multiExp(m *big.Int) *big.Int {
	s.taken = 0
	var size rowSize
	live := s.terms[:0]
	for _, t := range s.terms {
		if t.weight != 0 {
			live = append(live, t)
			size.add(t.weight)
		}
	}
	s.terms = live
	how := size.plan()
	if how.buckets {
		return s.bucketed(how.window, size.longest, m)
	}
	return s.straus(how.window, size.longest, m)
}

// rowSize is what the cost of a row depends on.
type rowSize struct {
	terms   int // with a weight other than 0
	longest int // bits of the longest weight
	total   int // bits of all weights
}

func (r *rowSize) add(weight uint64) {
	n := bits.Len64(weight)
	r.terms++
	r.total += n
	r.longest = max(r.longest, n)
}

// plan says how to compute a row: the window in bits, and buckets rather than tables.
type plan struct {
	window  int
	buckets bool
}

// Windows beyond these pay for no row that fits into memory.
const (
	maxTableWindow  = 6
	maxBucketWindow = 16
)

// plan returns the cheapest way by the number of multiplications.
func (r rowSize) plan() plan {
	best, cost := plan{window: 1}, r.tableCost(1)
	for w := 2; w <= maxTableWindow; w++ {
		if c := r.tableCost(w); c < cost {
			best, cost = plan{window: w}, c
		}
	}
	for w := 2; w <= maxBucketWindow; w++ {
		if c := r.bucketCost(w); c < cost {
			best, cost = plan{window: w, buckets: true}, c
		}
	}
	return best
}

// tableCost: a squaring a bit, the odd powers below 2^w of every base, and a multiplication for every window. A sliding
// window covers w+1 bits on average; without a table, every second bit needs a multiplication.
func (r rowSize) tableCost(w int) int {
	cost := r.longest + r.total/(w+1)
	if w > 1 {
		cost += r.terms << (w - 1)
	}
	return cost
}

// bucketCost: a squaring a bit, a multiplication for every digit other than 0 (half a digit a term is lost to rounding),
// and for every digit position a multiplication for each bucket. That there are two passes over the buckets and that the
// first factor of a bucket is free cancel out.
func (r rowSize) bucketCost(w int) int {
	digits := r.total/w + r.terms/2
	return r.longest + digits - digits>>w + ceilDiv(r.longest, w)<<w
}

// straus interleaves the sliding windows of all terms over one chain of squarings (Straus, "Addition chains of vectors",
// 1964). longest is the bit length of the longest weight.
func (s *scratch) straus(window, longest int, m *big.Int) *big.Int {
	for i := range longest {
		s.at[i] = s.at[i][:0]
	}
	for _, t := range s.terms {
		s.windows(t, window, m)
	}
	p := s.newProduct()
	for i := longest - 1; i >= 0; i-- {
		p.square(s, 1, m)
		for _, x := range s.at[i] {
			p.times(s, x, m)
		}
	}
	return p.result()
}

// windows splits the weight of t into odd digits below 2^window and enters the power of the base for each at its position.
func (s *scratch) windows(t term, window int, m *big.Int) {
	var powers [1 << (maxTableWindow - 1)]*big.Int // powers[d] = base^(2d+1), as far as known
	powers[0] = t.base
	known := 1
	var square *big.Int
	for rest := t.weight; rest != 0; {
		position := bits.TrailingZeros64(rest)
		digit := rest >> position & (1<<window - 1)
		for ; known <= int(digit>>1); known++ {
			if square == nil {
				square = s.take()
				s.mul(square, t.base, t.base, m)
			}
			powers[known] = s.take()
			s.mul(powers[known], powers[known-1], square, m)
		}
		s.at[position] = append(s.at[position], powers[digit>>1])
		rest -= digit << position
	}
}

// bucketed sorts, for every digit position, the bases into buckets by their digit, and multiplies the buckets up so that
// bucket d enters d times (Pippenger, "On the evaluation of powers and related problems", 1976). longest is the bit length
// of the longest weight.
func (s *scratch) bucketed(window, longest int, m *big.Int) *big.Int {
	p := s.newProduct()
	running, sum := s.newProduct(), s.newProduct()
	buckets := make([]product, 1<<window)
	for d := range buckets {
		buckets[d] = s.newProduct()
	}
	for position := (ceilDiv(longest, window) - 1) * window; position >= 0; position -= window {
		for d := range buckets {
			buckets[d].some = false
		}
		for _, t := range s.terms {
			if d := t.weight >> position & (1<<window - 1); d != 0 {
				buckets[d].times(s, t.base, m)
			}
		}
		running.some, sum.some = false, false
		for d := len(buckets) - 1; d > 0; d-- { // running = the product of the buckets from d up
			if buckets[d].some {
				running.times(s, buckets[d].value, m)
			}
			if running.some {
				sum.times(s, running.value, m)
			}
		}
		p.square(s, window, m)
		if sum.some {
			p.times(s, sum.value, m)
		}
	}
	return p.result()
}
