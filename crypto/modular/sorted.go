package modular

import (
	"math/bits"
	"slices"
)

// maxSortedWindow bounds the digits of long rows: beyond it pays for no row that fits into memory.
const maxSortedWindow = 16

// sortedWindow returns the best window for a long row over all lanes, and its cost in multiplications.
func (r rowSize) sortedWindow(lanes int) (window, cost int) {
	for w := 1; w <= maxSortedWindow; w++ {
		each := ceilDiv(r.terms, lanes) + 1<<w/lanes + 2
		if lanes > 1 {
			each += 2 * w
		}
		if c := ceilDiv(r.longest, w)*each + r.longest; window == 0 || c < cost {
			window, cost = w, c
		}
	}
	return window, cost
}

// long says whether a row is computed faster over all lanes than side by side with others.
func (r rowSize) long(lanes int) bool {
	if r.terms < 16 {
		return false
	}
	_, sorted := r.sortedWindow(lanes)
	return sorted*lanes < newJoint(r.terms, r.longest).cost()
}

// run is what one lane does with its share of the terms, sorted by falling digit: it multiplies the bases up, and whenever
// the digit falls by one it multiplies sum by what it has.
type run struct {
	from, to int    // in the sorted order
	digit    uint64 // at which the lane is
	running  []uint64
	sum      []uint64
}

// sorted computes one long segment over all lanes. For every digit position, from the highest, the terms are sorted by
// digit and dealt to the lanes in runs; from running and sum follows the product of base^digit (Pippenger, "On the evaluation
// of powers and related problems", 1976, without buckets: sorted terms need none).
func (s *summer) sorted(out []uint64, g segment) {
	s.collectTerms(0, g)
	terms := s.terms[0]
	var size rowSize
	for _, t := range terms {
		size.add(t.weight)
	}
	window, _ := size.sortedWindow(s.e.lanes)
	lanes := s.e.lanes
	s.reserve(6)
	z, state := s.take(1), s.take(2)
	copy(z, s.one)
	var runs [maxLanes]run
	for l := range lanes {
		runs[l].running, runs[l].sum = s.residue(state, l), s.residue(state, lanes+l)
	}
	s.order = slices.Grow(s.order[:0], len(terms))[:len(terms)]
	s.ends = slices.Grow(s.ends[:0], 1<<window)[:1<<window]
	for position := (ceilDiv(size.longest, window) - 1) * window; position >= 0; position -= window {
		if position+window < size.longest {
			s.sqr(z, window)
		}
		live := sortByDigit(s.order, terms, s.ends, position)
		if len(live) == 0 {
			continue
		}
		dealRuns(runs[:lanes], live, s.neutral)
		s.advance(runs[:lanes], live)
		s.finish(z, runs[:lanes])
	}
	s.to[0] = out
	s.scatter(s.collect([][]uint64{z}), 1)
}

// sortByDigit puts the terms whose digit at a position is not 0 into order, by falling digit, and replaces their weights by
// the digits. ends is memory for as many numbers as there are digits.
func sortByDigit(order, terms []laneTerm, ends []int, position int) []laneTerm {
	clear(ends)
	mask := uint64(len(ends) - 1)
	for _, t := range terms {
		ends[t.weight>>position&mask]++
	}
	for d := len(ends) - 2; d >= 0; d-- {
		ends[d] += ends[d+1]
	}
	live := ends[0]
	if len(ends) > 1 {
		live = ends[1]
	}
	for i := len(terms) - 1; i >= 0; i-- {
		if d := terms[i].weight >> position & mask; d != 0 {
			ends[d]--
			order[ends[d]] = laneTerm{terms[i].index, d}
		}
	}
	return order[:live]
}

// dealRuns cuts the sorted terms into runs that take as many multiplications each, as nearly as that goes.
func dealRuns(runs []run, terms []laneTerm, neutral []uint64) {
	total := len(terms) + int(terms[0].weight-terms[len(terms)-1].weight)
	next := 0
	for l := range runs {
		r := &runs[l]
		r.from = next
		for next < len(terms) && (next+int(terms[0].weight-terms[next].weight))*len(runs) < (l+1)*max(1, total) {
			next++
		}
		if l == len(runs)-1 {
			next = len(terms)
		}
		r.to, r.digit = next, 0
		copy(r.running, neutral)
		copy(r.sum, neutral)
		if r.from < r.to { // the first factor is free
			r.digit = terms[r.from].weight
		}
	}
}

// advance takes all lanes through their runs, a multiplication each at a time.
func (s *summer) advance(runs []run, terms []laneTerm) {
	for l := range runs {
		if r := &runs[l]; r.from < r.to {
			copy(r.running, s.v.residue(int(terms[r.from].index)))
			r.from++
		}
	}
	x, y, idle := s.take(1), s.take(1), s.take(1)
	for l := range runs {
		copy(s.residue(idle, l), s.neutral)
	}
	for {
		busy := false
		for l := range runs {
			r := &runs[l]
			switch {
			case r.from == r.to:
				s.to[l], s.from[l] = s.residue(idle, l), s.neutral
				continue
			case r.digit > terms[r.from].weight:
				s.to[l], s.from[l] = r.sum, r.running
				r.digit--
			default:
				s.to[l], s.from[l] = r.running, s.v.residue(int(terms[r.from].index))
				r.from++
			}
			busy = true
		}
		if !busy {
			break
		}
		s.multiplyInto(x, y)
	}
	s.taken -= 3 * s.size
}

// multiplyInto multiplies the residues to by those of from; x and y are memory for it.
func (w *worker) multiplyInto(x, y []uint64) {
	if w.e.lanes == 1 {
		w.mul(w.to[0], w.to[0], w.from[0])
		return
	}
	w.gather(y)
	w.from = w.to
	w.gather(x)
	w.mul(x, x, y)
	w.scatter(x, w.e.lanes)
}

// finish multiplies every lane of z by sum·running^digit.
func (s *summer) finish(z []uint64, runs []run) {
	power, factor := s.take(1), s.take(1)
	for l := range runs {
		s.from[l] = runs[l].sum
	}
	s.gather(factor)
	s.mul(z, z, factor)
	var all uint64
	for l := range runs {
		all |= runs[l].digit
	}
	copy(power, s.one)
	for bit := bits.Len64(all) - 1; bit >= 0; bit-- {
		if bit < bits.Len64(all)-1 {
			s.sqr(power, 1)
		}
		for l := range runs {
			s.from[l] = s.neutral
			if runs[l].digit>>bit&1 == 1 {
				s.from[l] = runs[l].running
			}
		}
		s.gather(factor)
		s.mul(power, power, factor)
	}
	s.mul(z, z, power)
	s.taken -= 2 * s.size
}
