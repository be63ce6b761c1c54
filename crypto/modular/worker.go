package modular

import (
	"math/big"
	"unsafe"
)

// aligned returns zeroed words that begin at a line of the cache.
func aligned(words int) []uint64 {
	const line = 64
	memory := make([]uint64, words+line/8)
	skip := (line - int(uintptr(unsafe.Pointer(unsafe.SliceData(memory)))%line)) % line / 8
	return memory[skip : skip+words : skip+words]
}

// worker multiplies packs for one goroutine at a time. Its methods allocate nothing, except what they return.
type worker struct {
	*context
	ops    operands
	memory []uint64 // handed out by take
	taken  int      // words of it
	from   [maxLanes][]uint64
	to     [maxLanes][]uint64
	index  []uint64 // one a lane
	value  []uint64 // one residue outside
	secret *secrets // of one lane
}

func (c *context) newWorker() *worker {
	w := &worker{context: c, index: make([]uint64, c.e.lanes), value: make([]uint64, c.words)}
	w.ops = operands{c.m, c.k0, aligned(c.e.scratch(c.digits))}
	return w
}

// worker returns an idle worker with memory for that many packs.
func (c *context) worker(packs int) *worker {
	w, ok := c.pool.Get().(*worker)
	if !ok {
		w = c.newWorker()
	}
	w.reserve(packs)
	return w
}

// reserve empties the working memory and makes room for that many packs.
func (w *worker) reserve(packs int) {
	if len(w.memory) < packs*w.size {
		w.memory = aligned(packs * w.size)
	}
	w.taken = 0
}

// take returns unspecified memory of that many packs, until taken falls below it again.
func (w *worker) take(packs int) []uint64 {
	from := w.taken
	w.taken += packs * w.size
	return w.memory[from:w.taken:w.taken]
}

// secrets returns memory for one exponent.
func (w *worker) secrets(bits int) *secrets {
	if w.secret == nil || w.secret.bits != bits {
		w.secret = newSecrets(1, bits)
	}
	return w.secret
}

// pack returns pack i of consecutive ones.
func (w *worker) pack(table []uint64, i int) []uint64 { return table[i*w.size:][:w.size:w.size] }

func (w *worker) mul(z, x, y []uint64) { w.e.mul(z, x, y, &w.ops) }

// sqr squares z that many times.
func (w *worker) sqr(z []uint64, times int) {
	for range times {
		w.e.sqr(z, z, &w.ops)
	}
}

// gather fills the lanes of z with the residues w.from.
func (w *worker) gather(z []uint64) {
	if w.e.lanes == 1 {
		copy(z, w.from[0])
		return
	}
	n := w.digits
	a, b, c, d := w.from[0][:n], w.from[1][:n], w.from[2][:n], w.from[3][:n]
	e, f, g, h := w.from[4][:n], w.from[5][:n], w.from[6][:n], w.from[7][:n]
	for i := range n {
		row := (*[maxLanes]uint64)(z[i*maxLanes:])
		row[0], row[1], row[2], row[3] = a[i], b[i], c[i], d[i]
		row[4], row[5], row[6], row[7] = e[i], f[i], g[i], h[i]
	}
}

// gathered returns the residues from as a pack: with one lane themselves, otherwise in z.
func (w *worker) gathered(z []uint64) []uint64 {
	if w.e.lanes == 1 {
		return w.from[0]
	}
	w.gather(z)
	return z
}

// residue returns residue i of consecutive ones.
func (w *worker) residue(residues []uint64, i int) []uint64 {
	return residues[i*w.digits:][:w.digits:w.digits]
}

// scatter writes the first lanes of z to the residues w.to.
func (w *worker) scatter(z []uint64, lanes int) {
	for l, out := range w.to[:lanes] {
		for d := range w.digits {
			out[d] = z[d*w.e.lanes+l]
		}
	}
}

// load fills z with up to a pack of consecutive residues; lanes too many repeat the last one.
func (w *worker) load(z, residues []uint64) {
	last := len(residues)/w.digits - 1
	for l := range w.e.lanes {
		w.from[l] = w.residue(residues, min(l, last))
	}
	w.gather(z)
}

// store writes the first lanes of z to consecutive residues.
func (w *worker) store(residues, z []uint64) {
	count := len(residues) / w.digits
	for l := range count {
		w.to[l] = w.residue(residues, l)
	}
	w.scatter(z, count)
}

// enter takes numbers below m, one a lane, into Montgomery form.
func (w *worker) enter(z []uint64) { w.mul(z, z, w.square) }

// leave takes residues out of Montgomery form, to [0, m). The product by 1 is at most m.
func (w *worker) leave(z []uint64) {
	w.mul(z, z, w.unit)
	w.subtractModulus(z)
}

// number returns lane l of a pack that has left Montgomery form.
func (w *worker) number(z []uint64, l int) *big.Int {
	w.lane(w.value, z, l)
	return setWords(new(big.Int), w.value)
}

// collect multiplies all lanes of each of up to a pack of packs together, and returns the products in the first lanes of
// packs[0]; the packs are used up. Every step halves the lanes that are left of each and lays two packs together.
func (w *worker) collect(packs [][]uint64) []uint64 {
	lanes := w.e.lanes
	x, y := w.take(1), w.take(1)
	for have, each := 1, lanes; each > 1; have, each = 2*have, each/2 { // packs of have products in each lanes
		half := each / 2
		for k := 0; k < len(packs); k += 2 {
			p, q := packs[k], packs[min(k+1, len(packs)-1)]
			for d := 0; d < w.size; d += lanes {
				for i := range have {
					for j := range half {
						to, from := d+i*half+j, d+i*each+j
						x[to], x[to+lanes/2] = p[from], q[from]
						y[to], y[to+lanes/2] = p[from+half], q[from+half]
					}
				}
			}
			w.mul(p, x, y)
			packs[k/2] = p
		}
		packs = packs[:ceilDiv(len(packs), 2)]
	}
	w.taken -= 2 * w.size
	return packs[0]
}
