package modular

import "math/big"

func (v *Vector) mulPacks(u *Vector) *Vector {
	return v.ring.fillPacks(v.n, cheapPacks, 2, func(w *worker, out []uint64, at int) {
		x, y := w.take(1), w.take(1)
		to := at + len(out)/w.digits
		w.load(x, v.residues(at, to))
		w.load(y, u.residues(at, to))
		w.mul(x, x, y)
		w.store(out, x)
	})
}

// productPacks multiplies runs of productBlock packs together.
func (v *Vector) productPacks() *Vector {
	c := v.ring.kernel
	run := productBlock * c.e.lanes
	out := v.ring.empty(ceilDiv(v.n, run))
	spread(out.n, heavy, func() (func(from, to int), func()) {
		w := c.worker(4)
		return func(from, to int) {
			for b := from; b < to; b++ {
				w.taken = 0
				w.product(out.residue(b), v.residues(b*run, min(v.n, (b+1)*run)))
			}
		}, func() { c.pool.Put(w) }
	})
	return out
}

// product sets out to the product of one or more residues.
func (w *worker) product(out, residues []uint64) {
	p, x := w.take(1), w.take(1)
	copy(p, w.one)
	whole := w.size // words of a full pack of residues
	first := len(residues) % whole
	w.partial(p, residues[:first])
	for residues = residues[first:]; len(residues) > 0; residues = residues[whole:] {
		w.load(x, residues[:whole])
		w.mul(p, p, x)
	}
	w.store(out, w.collect([][]uint64{p}))
}

// partial sets the first lanes of z to the residues.
func (w *worker) partial(z, residues []uint64) {
	for i, x := range residues {
		z[i%w.digits*w.e.lanes+i/w.digits] = x
	}
}

// inversePacks inverts blocks of that many packs, and says which blocks have an element without an inverse.
func (v *Vector) inversePacks(packs int) (*Vector, []bool) {
	c := v.ring.kernel
	block := packs * c.e.lanes
	out := v.ring.empty(v.n)
	failed := make([]bool, ceilDiv(v.n, block))
	spread(len(failed), heavy, func() (func(from, to int), func()) {
		w := c.worker(packs + inverseScratch)
		return func(from, to int) {
			for b := from; b < to; b++ {
				w.taken = 0
				lo, hi := b*block, min(v.n, (b+1)*block)
				failed[b] = !w.invert(out.residues(lo, hi), v.residues(lo, hi), v.ring.m)
			}
		}, func() { c.pool.Put(w) }
	})
	return out, failed
}

// inverseScratch is the number of packs that invert takes beside the prefixes.
const inverseScratch = 7

// invert sets out to the inverses of one or more residues, or returns false if one of them has none. Every lane multiplies
// up its own residues, and the lanes share the inversion.
func (w *worker) invert(out, in []uint64, m *big.Int) bool {
	count := ceilDiv(len(in), w.size)
	run := func(residues []uint64, k int) []uint64 { return residues[k*w.size : min(len(residues), (k+1)*w.size)] }
	prefix, x, inverse := w.take(count), w.take(1), w.take(1) // pack k of prefix: the product of the packs 0..k
	w.load(w.pack(prefix, 0), run(in, 0))
	for k := 1; k < count; k++ {
		w.load(x, run(in, k))
		w.mul(w.pack(prefix, k), w.pack(prefix, k-1), x)
	}
	if !w.invertLanes(inverse, w.pack(prefix, count-1), m) {
		return false
	}
	for k := count - 1; k > 0; k-- { // inverse = 1/(the product of the packs 0..k)
		z := w.pack(prefix, k)
		w.mul(z, inverse, w.pack(prefix, k-1))
		w.store(run(out, k), z)
		w.load(x, run(in, k))
		w.mul(inverse, inverse, x)
	}
	w.store(run(out, 0), inverse)
	return true
}

// invertLanes sets the lanes of z to the inverses of those of x, or returns false if one of them has none. Lane by lane,
// others[l] is the product of all lanes but l, and total, the same in all lanes, that of all.
func (w *worker) invertLanes(z, x []uint64, m *big.Int) bool {
	others, total, mate := w.take(1), w.take(1), w.take(1)
	copy(total, x)
	copy(others, w.one)
	for distance := 1; distance < w.e.lanes; distance *= 2 {
		for i := range mate {
			mate[i] = total[i^distance]
		}
		w.mul(others, others, mate)
		w.mul(total, total, mate)
	}
	w.leave(total)
	inverse := w.number(total, 0)
	if inverse.ModInverse(inverse, m) == nil {
		return false
	}
	wordsOf(w.value, inverse)
	for l := range w.e.lanes {
		w.setLane(z, l, w.value)
	}
	w.enter(z)
	w.mul(z, z, others)
	return true
}
