package modular

import (
	"math/bits"
	"slices"
)

// summer computes weighted sums over a kernel.
type summer struct {
	*worker
	v     *Vector
	sums  Sums
	terms [maxLanes][]laneTerm // that have a weight other than 0
	order []laneTerm           // memory of sorted
	ends  []int                // memory of sortByDigit
}

// laneTerm is one factor of the residue at index.
type laneTerm struct {
	index  uint32
	weight uint64
}

// collectTerms makes the terms of lane l those of a segment.
func (s *summer) collectTerms(l int, g segment) {
	s.terms[l] = slices.Grow(s.terms[l][:0], g.to-g.from)
	for i := g.from; i < g.to; i++ {
		if weight := s.sums.Weights[i]; weight != 0 {
			s.terms[l] = append(s.terms[l], laneTerm{s.sums.Index[i], weight})
		}
	}
}

// maxTableBits bounds the table of a group: beyond it pays for no weights of 64 bits.
const maxTableBits = 6

// joint is a way to compute segments side by side. Their terms are cut into groups of nearly the same size, and the weights
// into digits of window bits; one table serves a group, with the products for all combinations of its terms' digits.
type joint struct {
	terms, longest int // the most terms of a segment, and the bits of the longest weight
	groups, window int
}

// newJoint returns the way that costs the fewest multiplications, for at least one term.
func newJoint(terms, longest int) joint {
	var best joint
	least := 0
	for size := 1; size <= maxTableBits; size++ {
		for window := 1; window*size <= maxTableBits; window++ {
			j := joint{terms, longest, ceilDiv(terms, size), window}
			if cost := j.cost(); least == 0 || cost < least {
				best, least = j, cost
			}
		}
	}
	return best
}

// cost counts multiplications: a table for every group, a factor from every table for every digit, and the squarings
// between digits. The very first factor is free.
func (j joint) cost() int {
	table := func(n int) int { return 1<<(n*j.window) - 1 - n }
	size, larger := j.terms/j.groups, j.terms%j.groups
	digits := ceilDiv(j.longest, j.window)
	return larger*table(size+1) + (j.groups-larger)*table(size) + j.groups*digits - 1 + (digits-1)*j.window
}

// start is the first term of a group.
func (j joint) start(group int) int { return j.terms * group / j.groups }

// tableBits is the bits of an index into a table.
func (j joint) tableBits() int { return j.window * ceilDiv(j.terms, j.groups) }

// place is where a table lies among those of all lanes.
func (j joint) place(lane, group int) int { return (lane*j.groups + group) << j.tableBits() }

// sideBySide computes up to a pack of segments, one a lane (Straus, "Addition chains of vectors", 1964, with tables of
// several terms each: all lanes go through the same steps, so there is nothing to gain from sliding windows).
func (s *summer) sideBySide(parts *Vector, segments []segment, members []int) {
	terms, longest := 0, 0
	for l := range s.e.lanes {
		s.terms[l] = s.terms[l][:0]
		if l < len(members) {
			s.collectTerms(l, segments[members[l]])
		}
		terms = max(terms, len(s.terms[l]))
		for _, t := range s.terms[l] {
			longest = max(longest, bits.Len64(t.weight))
		}
	}
	result := s.one
	if terms > 0 {
		result = s.interleave(newJoint(terms, longest))
	}
	for l, k := range members {
		s.to[l] = parts.residue(k)
	}
	s.scatter(result, len(members))
}

// interleave returns the products of the terms of all lanes.
func (s *summer) interleave(j joint) []uint64 {
	s.reserve(j.groups<<j.tableBits() + 1<<j.tableBits() + 2)
	table := s.jointTable(j)
	z, factor := s.take(1), s.take(1)
	some := false // z is a product already
	for at := (ceilDiv(j.longest, j.window) - 1) * j.window; at >= 0; at -= j.window {
		if some {
			s.sqr(z, j.window)
		}
		for group := range j.groups {
			if !s.jointFactors(table, j, group, at) {
				continue
			}
			if some {
				s.mul(z, z, s.gathered(factor))
			} else {
				s.gather(z)
				some = true
			}
		}
	}
	return z
}

// jointTable returns the tables, as residues.
func (s *summer) jointTable(j joint) []uint64 {
	table := s.take(j.groups << j.tableBits())
	mark := s.taken
	entries := s.take(1 << j.tableBits())
	entry := func(i int) []uint64 { return s.pack(entries, i) }
	copy(entry(0), s.one)
	for group := range j.groups {
		start, end := j.start(group), j.start(group+1)
		for i := start; i < end; i++ {
			for l := range s.e.lanes {
				s.from[l] = s.neutral
				if i < len(s.terms[l]) {
					s.from[l] = s.v.residue(int(s.terms[l][i].index))
				}
			}
			unit := 1 << ((i - start) * j.window)
			s.gather(entry(unit))
			for digit := unit; digit < unit<<j.window; digit += unit {
				if digit > unit {
					s.mul(entry(digit), entry(digit-unit), entry(unit))
				}
				for low := 1; low < unit; low++ {
					s.mul(entry(digit|low), entry(digit), entry(low))
				}
			}
		}
		for i := range 1 << ((end - start) * j.window) {
			for l := range s.e.lanes {
				s.to[l] = s.residue(table, j.place(l, group)+i)
			}
			s.scatter(entry(i), s.e.lanes)
		}
	}
	s.taken = mark
	return table
}

// jointFactors sets from to the factors that the digits at bit at select from the tables of a group, or returns false if
// all are 1.
func (s *summer) jointFactors(table []uint64, j joint, group, at int) bool {
	start, end := j.start(group), j.start(group+1)
	var all uint64
	for l := range s.e.lanes {
		var digits uint64
		list := s.terms[l]
		for i := start; i < min(end, len(list)); i++ {
			digits |= list[i].weight >> at & (1<<j.window - 1) << ((i - start) * j.window)
		}
		all |= digits
		s.from[l] = s.residue(table, j.place(l, group)+int(digits))
	}
	return all != 0
}
