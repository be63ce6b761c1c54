package modular

import (
	"cmp"
	"runtime"
	"slices"
)

// job is what one goroutine computes at once over a kernel: either up to a pack of segments side by side, or one long
// segment over all lanes.
type job struct {
	segments []int // positions in the list of segments
	long     bool
}

// multiExpPacks is MultiExp: rows are cut into segments, the segments are computed, and the parts of a row multiplied.
func (v *Vector) multiExpPacks(s Sums) *Vector {
	lanes := v.ring.kernel.e.lanes
	segments, sizes := s.laneSegments(lanes, runtime.GOMAXPROCS(0))
	jobs := planJobs(sizes, lanes)
	parts := v.ring.empty(len(segments))
	c := v.ring.kernel
	spread(len(jobs), heavy, func() (func(from, to int), func()) {
		w := c.worker(0)
		sum := &summer{worker: w, v: v, sums: s}
		return func(from, to int) {
			for _, j := range jobs[from:to] {
				if j.long {
					sum.sorted(parts.residue(j.segments[0]), segments[j.segments[0]])
					continue
				}
				sum.sideBySide(parts, segments, j.segments)
			}
		}, func() { c.pool.Put(w) }
	})
	if len(segments) == s.Rows() {
		return parts
	}
	return parts.joinPacks(segments, s.Rows())
}

// laneSegments cuts rows into segments, and returns the size of each. A row is cut if it alone would keep a core busy; and
// those rows that would not fill a pack are cut so that they do.
func (s Sums) laneSegments(lanes, cores int) ([]segment, []rowSize) {
	pieces := make([]int, s.Rows()) // of each row
	limit := max(minSegment, ceilDiv(len(s.Index), cores))
	short := make([]int, 0, s.Rows()) // rows that are computed side by side, one a lane
	for k := range pieces {
		n := s.Offsets[k+1] - s.Offsets[k]
		pieces[k] = max(1, ceilDiv(n, limit))
		if n > 0 && !s.size(s.Offsets[k], s.Offsets[k+1]).long(lanes) {
			short = append(short, k)
		}
	}
	slices.SortStableFunc(short, func(a, b int) int {
		return cmp.Compare(s.Offsets[b+1]-s.Offsets[b], s.Offsets[a+1]-s.Offsets[a])
	})
	rest := short[len(short)/lanes*lanes:]
	for _, k := range rest {
		pieces[k] = min(lanes/len(rest), s.Offsets[k+1]-s.Offsets[k])
	}
	segments := make([]segment, 0, s.Rows()+lanes)
	sizes := make([]rowSize, 0, s.Rows()+lanes)
	for k, p := range pieces {
		from, n := s.Offsets[k], s.Offsets[k+1]-s.Offsets[k]
		for i := range p {
			segments = append(segments, segment{k, from + n*i/p, from + n*(i+1)/p})
			sizes = append(sizes, s.size(from+n*i/p, from+n*(i+1)/p))
		}
	}
	return segments, sizes
}

// size returns the size of a run of terms.
func (s Sums) size(from, to int) rowSize {
	var size rowSize
	for _, weight := range s.Weights[from:to] {
		if weight != 0 {
			size.add(weight)
		}
	}
	return size
}

// planJobs puts segments of like sizes side by side, the largest first.
func planJobs(sizes []rowSize, lanes int) []job {
	order := make([]int, len(sizes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(sizes[b].terms, sizes[a].terms), cmp.Compare(sizes[b].longest, sizes[a].longest))
	})
	jobs := make([]job, 0, len(sizes))
	for len(order) > 0 {
		n := 1
		long := sizes[order[0]].long(lanes)
		for !long && n < min(lanes, len(order)) {
			n++
		}
		jobs = append(jobs, job{order[:n], long})
		order = order[n:]
	}
	return jobs
}

// joinPacks multiplies the parts that belong to the same row, as many rows side by side as there are lanes.
func (v *Vector) joinPacks(segments []segment, rows int) *Vector {
	first := make([]int, rows+1) // of the parts of each row
	for _, s := range segments {
		first[s.row+1]++
	}
	for k := range rows {
		first[k+1] += first[k]
	}
	return v.ring.fillPacks(rows, cheapPacks, 2, func(w *worker, out []uint64, at int) {
		x, z := w.take(1), w.take(1)
		copy(z, w.one)
		for i, more := 0, true; more; i++ {
			more = false
			for l := range w.e.lanes {
				w.from[l] = w.neutral
				if row := at + l; row < rows && first[row]+i < first[row+1] {
					w.from[l], more = v.residue(first[row]+i), true
				}
			}
			w.gather(x)
			if i == 0 {
				copy(z, x)
			} else if more {
				w.mul(z, z, x)
			}
		}
		w.store(out, z)
	})
}
