package modular

import "math/big"

// newLaneComb returns the shape of a comb whose blocks lie side by side in the lanes of packs: block b is lane b mod lanes
// of pack b/lanes, and a multiplication advances by one column in every lane. Among the shapes whose table fits into the
// engine's tableSize it is the one that costs the least for an exponentiation: for each place and each pack of blocks a
// multiplication and a masked selection among all digits, and the squarings. Large digits save multiplications and cost
// selections: with 1,024-bit exponents mod 4,096 bits, digits of 4 to 7 bits are best, over math/big 9 bits and more.
//
// Lanes that share an exponentiation need a table of every block once. With an exponent a lane instead, every entry would
// have to be there for all lanes: eight times the memory, for an eighth less work.
func newLaneComb(e *engine, bits, digits int) comb {
	bits = max(1, bits)
	best, least := comb{rows: 1, columns: bits, depth: ceilDiv(bits, e.lanes)}, 0.0
	for rows := 1; rows <= maxCombRows; rows++ {
		columns := ceilDiv(bits, rows)
		for depth := 1; depth <= ceilDiv(columns, e.lanes); depth++ {
			c := comb{rows: rows, columns: columns, depth: depth}
			stacks := ceilDiv(ceilDiv(columns, depth), e.lanes)
			if stacks<<rows*digits*e.lanes*8 > e.tableSize {
				continue
			}
			cost := float64(stacks*depth)*(1+e.selection(1<<rows, digits)) + float64(depth-1)
			if least == 0 || cost < least {
				best, least = c, cost
			}
		}
	}
	best.blocks = ceilDiv(ceilDiv(best.columns, best.depth), e.lanes) * e.lanes
	return best
}

// combPacks is FixedBase. The blocks are rounded up to whole packs; those too many have entries of 1 or go unused.
//
//	pack stack<<rows | digit, lane l = table[stack·lanes + l][digit]
func (r *Ring) combPacks(base *big.Int, bits int) *FixedBase {
	k := r.kernel
	f := &FixedBase{ring: r, bits: bits, shape: newLaneComb(k.e, bits, k.digits)}
	c := f.shape
	stacks := c.blocks / k.e.lanes
	f.packs = aligned(stacks << c.rows * k.size)
	f.singlePacks(base)
	for row := 1; row < c.rows; row++ { // every digit whose highest bit is row, from the smaller ones
		high := 1 << row
		spread(stacks*(high-1), cheapPacks, func() (func(from, to int), func()) {
			w := k.worker(0)
			return func(from, to int) {
				for i := from; i < to; i++ {
					stack, low := i/(high-1)<<c.rows, i%(high-1)+1
					w.mul(w.pack(f.packs, stack|high|low), w.pack(f.packs, stack|low), w.pack(f.packs, stack|high))
				}
			}, func() { k.pool.Put(w) }
		})
	}
	return f
}

// singlePacks sets the entries of the digit 0 and of those with one bit.
func (f *FixedBase) singlePacks(base *big.Int) {
	c, k := f.shape, f.ring.kernel
	w := k.worker(1)
	defer k.pool.Put(w)
	for stack := range c.blocks / k.e.lanes {
		copy(w.pack(f.packs, stack<<c.rows), w.one)
	}
	power, done := w.take(1), 0 // base^(2^done)
	w.load(power, f.ring.Vector([]*big.Int{base}).words)
	for row := range c.rows {
		for block := range c.blocks {
			next := row*c.columns + block*c.depth
			if block*c.depth < c.columns { // otherwise any value does: the digit is always 0
				w.sqr(power, next-done)
				done = next
			}
			l, entry := block%k.e.lanes, w.pack(f.packs, block/k.e.lanes<<c.rows|1<<row)
			for d := l; d < k.size; d += k.e.lanes {
				entry[d] = power[d]
			}
		}
	}
}

// expPacks is FixedBase.Exp: the lanes share one exponentiation, and as many as there are lanes share their last steps.
func (f *FixedBase) expPacks(exps []*big.Int) *Vector {
	k := f.ring.kernel
	return f.ring.fillPacks(len(exps), heavy, k.e.lanes+3, func(w *worker, out []uint64, at int) {
		var results [maxLanes][]uint64
		count := len(out) / w.digits
		secret := w.secrets(f.bits)
		for i := range count {
			secret.set(0, exps[at+i])
			results[i] = w.take(1)
			f.exponentiate(w, results[i], secret)
		}
		w.store(out, w.collect(results[:count]))
	})
}

// exponentiate sets z to a pack whose lanes multiply to the power. No branch and no address depends on the exponent.
func (f *FixedBase) exponentiate(w *worker, z []uint64, e *secrets) {
	c, lanes := f.shape, w.e.lanes
	factor := w.take(1)
	target := z // of the first selection
	for place := c.depth - 1; place >= 0; place-- {
		if place < c.depth-1 {
			w.sqr(z, 1)
		}
		for stack := range c.blocks / lanes {
			for l := range lanes {
				w.index[l] = e.column(c, (stack*lanes+l)*c.depth+place)
			}
			w.e.choose(target, f.packs[stack<<c.rows*w.size:][:w.size<<c.rows], w.index)
			if stack == 0 && place == c.depth-1 {
				target = factor
				continue
			}
			w.mul(z, z, factor)
		}
	}
	w.taken -= w.size
}

// column reads the bits of the exponent of lane 0 down one column, 0 if there is none.
func (x *secrets) column(c comb, column int) uint64 {
	var digit uint64
	if column >= c.columns {
		return 0
	}
	for row := range c.rows {
		if bit := row*c.columns + column; bit < x.bits {
			digit |= x.value[bit/64] >> (bit % 64) & 1 << row
		}
	}
	return digit
}
