package modular

import "math/big"

const maxWindow = 7

// expPacks is Exp: sliding windows over the bits of e, the same for all lanes.
func (v *Vector) expPacks(e *big.Int) *Vector {
	switch {
	case e.BitLen() == 1:
		return v
	case e.Sign() == 0:
		return v.ring.ones(v.n)
	}
	window := slidingWindow(e.BitLen())
	steps := slide(e, window)
	return v.ring.fillPacks(v.n, heavy, 2+1<<(window-1), func(w *worker, out []uint64, at int) {
		odd := w.take(1 << (window - 1)) // pack k: the power 2k+1
		x, z := w.take(1), w.take(1)
		w.load(x, v.residues(at, at+len(out)/w.digits))
		copy(w.pack(odd, 0), x)
		w.e.sqr(x, x, &w.ops)
		for k := 1; k < 1<<(window-1); k++ {
			w.mul(w.pack(odd, k), w.pack(odd, k-1), x)
		}
		copy(z, w.pack(odd, steps[0].digit>>1))
		w.sqr(z, steps[0].squarings)
		for _, s := range steps[1:] {
			w.mul(z, z, w.pack(odd, s.digit>>1))
			w.sqr(z, s.squarings)
		}
		w.store(out, z)
	})
}

// ones returns a vector of n times 1.
func (r *Ring) ones(n int) *Vector {
	v := r.empty(n)
	for i := range n {
		copy(v.residue(i), r.kernel.neutral)
	}
	return v
}

// step is a multiplication by an odd power and the squarings after it.
type step struct{ digit, squarings int }

// slide cuts e > 0 into odd digits below 2^window, from the highest.
func slide(e *big.Int, window int) []step {
	var steps []step
	for i := e.BitLen() - 1; i >= 0; {
		if e.Bit(i) == 0 {
			steps[len(steps)-1].squarings++
			i--
			continue
		}
		low := max(0, i-window+1)
		for e.Bit(low) == 0 {
			low++
		}
		digit := 0
		for j := i; j >= low; j-- {
			digit = digit<<1 | int(e.Bit(j))
		}
		if len(steps) > 0 {
			steps[len(steps)-1].squarings += i - low + 1
		}
		steps = append(steps, step{digit: digit})
		i = low - 1
	}
	return steps
}

// slidingWindow returns the window that costs the fewest multiplications: a table of odd powers, and a multiplication for
// every window+1 bits on average.
func slidingWindow(bitLen int) int {
	best, least := 1, bitLen
	for w := 1; w <= maxWindow; w++ {
		if cost := 1<<(w-1) + bitLen/(w+1); cost < least {
			best, least = w, cost
		}
	}
	return best
}

// fixedWindow returns the window that costs the least: a table of all powers, and for every digit a multiplication and a
// masked selection.
func fixedWindow(e *engine, bitLen, digits int) int {
	best, least := 1, float64(2*bitLen)
	for w := 1; w <= maxWindow; w++ {
		cost := float64(int(1)<<w) + float64(ceilDiv(bitLen, w))*(1+e.selection(1<<w, digits))
		if cost < least {
			best, least = w, cost
		}
	}
	return best
}

// secrets holds a secret exponent a lane.
type secrets struct {
	bits  int // of the longest, by a public bound
	words int // of one
	value []uint64
}

func newSecrets(lanes, bitLen int) *secrets {
	words := max(1, ceilDiv(bitLen, 64))
	return &secrets{bits: bitLen, words: words, value: make([]uint64, lanes*words)}
}

// set gives lane l the exponent e.
func (x *secrets) set(l int, e *big.Int) { wordsOf(x.value[l*x.words:(l+1)*x.words], e) }

// digit returns the bits from..from+window-1 of the exponent of lane l. Its time and addresses depend on from alone.
func (x *secrets) digit(l, from, window int) uint64 {
	return digitAt(x.value[l*x.words:(l+1)*x.words], from) & (1<<window - 1)
}

// expSecretPacks is ExpSecret.
func (v *Vector) expSecretPacks(e *big.Int, bitLen int) *Vector {
	c := v.ring.kernel
	if bitLen == 0 {
		return v.ring.ones(v.n)
	}
	x := newSecrets(c.e.lanes, bitLen)
	for l := range c.e.lanes {
		x.set(l, e)
	}
	window := fixedWindow(c.e, bitLen, c.digits)
	return v.ring.fillPacks(v.n, heavy, secretPacks(window)+1, func(w *worker, out []uint64, at int) {
		z := w.take(1)
		w.load(z, v.residues(at, at+len(out)/w.digits))
		w.expSecret(z, x, window)
		w.store(out, z)
	})
}

// secretPacks is the number of packs that expSecret takes.
func secretPacks(window int) int { return 1<<window + 1 }

// expSecret raises z to the exponents x of more than 0 bits by fixed windows: no branch and no address depends on them.
func (w *worker) expSecret(z []uint64, x *secrets, window int) {
	powers := w.take(1 << window)
	factor := w.take(1)
	copy(w.pack(powers, 0), w.one)
	copy(w.pack(powers, 1), z)
	for k := 2; k < 1<<window; k++ {
		if k%2 == 0 {
			w.e.sqr(w.pack(powers, k), w.pack(powers, k/2), &w.ops)
		} else {
			w.mul(w.pack(powers, k), w.pack(powers, k-1), w.pack(powers, 1))
		}
	}
	pick := func(z []uint64, digit int) {
		for l := range w.index {
			w.index[l] = x.digit(l, digit*window, window)
		}
		w.e.choose(z, powers, w.index)
	}
	last := ceilDiv(x.bits, window) - 1
	pick(z, last)
	for digit := last - 1; digit >= 0; digit-- {
		w.sqr(z, window)
		pick(factor, digit)
		w.mul(z, z, factor)
	}
}

// hornerPacks is Horner: as many runs as there are lanes side by side. Runs too short go on with 1.
func (v *Vector) hornerPacks(group, shift int) *Vector {
	return v.ring.fillPacks(ceilDiv(v.n, group), heavy, 2, func(w *worker, out []uint64, at int) {
		x, z := w.take(1), w.take(1)
		copy(z, w.one)
		for i := min(group, v.n-at*group) - 1; i >= 0; i-- {
			for l := range w.e.lanes {
				w.from[l] = w.neutral
				if k := (at+l)*group + i; at+l < ceilDiv(v.n, group) && k < v.n {
					w.from[l] = v.residue(k)
				}
			}
			w.gather(x)
			w.mul(z, z, x)
			if i > 0 {
				w.sqr(z, shift)
			}
		}
		w.store(out, z)
	})
}
