package modular

import (
	"math/big"
	"math/bits"
)

const (
	tableBytes   = 8 << 20 // at most this much memory for one table
	tableUses    = 1024    // the number of exponentiations over which building the table should have paid
	maxCombRows  = 12
	maxSquarings = 63
	wordBytes    = bits.UintSize / 8
	intBytes     = 4 * wordBytes // the header of a big.Int
)

// FixedBase raises one base to many exponents by a comb (Lim and Lee, "More flexible exponentiation with
// precomputation", CRYPTO '94). It never changes and is safe for concurrent use. Its table takes at most about 8 MiB, on the
// paths of the kernels as much as a core's own cache holds: at most 1 MiB.
//
// An exponent is cut into rows of columns bits, rows·columns >= bits, written below each other. Reading down a column
// gives a digit of rows bits, and the table holds, for one column out of every depth, the product for each digit:
//
//	table[block][digit] = ∏_{i : bit i of digit is set} base^(2^(i·columns + block·depth))
//
// All columns at the same place in their block are multiplied together, then depth-1 squarings join the places.
type FixedBase struct {
	ring  *Ring
	bits  int
	shape comb
	table []big.Int // over math/big: entry block<<rows | digit
	packs []uint64  // over a kernel: see combPacks
}

// comb is the shape of a table.
type comb struct {
	rows    int // bits of a digit
	columns int // bits of a row
	depth   int // columns of a block
	blocks  int
}

// newComb returns the shape, among those that fit into tableBytes, that costs the fewest multiplications for the table
// and tableUses exponentiations together.
func newComb(bits, modulusBytes int) comb {
	bits = max(1, bits)
	best, least := comb{rows: 1, columns: bits, depth: bits, blocks: 1}, 0
	for rows := 1; rows <= maxCombRows; rows++ {
		columns := ceilDiv(bits, rows)
		for depth := 1; depth <= min(columns, maxSquarings+1); depth++ {
			c := comb{rows: rows, columns: columns, depth: depth, blocks: ceilDiv(columns, depth)}
			if c.entries()*(modulusBytes+intBytes) > tableBytes {
				continue
			}
			if cost := c.entries() + tableUses*(c.columns+c.depth-2); least == 0 || cost < least {
				best, least = c, cost
			}
		}
	}
	return best
}

func (c comb) entries() int { return c.blocks << c.rows }

// FixedBase returns the precomputation for powers of base with exponents below 2^bits: some thousand multiplications,
// to be done once a key. It panics if bits is negative. The base may be any integer; it is reduced mod m. The time depends
// on the base over math/big.
func (r *Ring) FixedBase(base *big.Int, bits int) *FixedBase {
	require(base != nil && bits >= 0, "fixed base with exponents of %d bits", bits)
	if r.kernel != nil {
		return r.combPacks(base, bits)
	}
	words := len(r.m.Bits())
	f := &FixedBase{ring: r, bits: bits, shape: newComb(bits, words*wordBytes)}
	c := f.shape
	f.table = make([]big.Int, c.entries())
	backing := make([]big.Word, len(f.table)*words)
	store := func(i int, x *big.Int) {
		memory := backing[i*words : (i+1)*words]
		f.table[i].SetBits(memory[:copy(memory, x.Bits())])
	}
	f.single(base, store)
	for row := 1; row < c.rows; row++ { // every digit whose highest bit is row, from the smaller ones
		high := 1 << row
		batch(c.blocks*(high-1), cheap, func(s *scratch, from, to int) {
			s.taken = 0
			z := s.take()
			for k := from; k < to; k++ {
				block, low := k/(high-1)<<c.rows, k%(high-1)+1
				s.mul(z, &f.table[block|low], &f.table[block|high], r.m)
				store(block|high|low, z)
			}
		})
	}
	return f
}

// single stores the entries of the digits with one bit, all of them powers base^(2^k), in the order of k.
func (f *FixedBase) single(base *big.Int, store func(int, *big.Int)) {
	c, m := f.shape, f.ring.m
	var s scratch
	power, k := s.reduce(base, m), 0
	for row := range c.rows {
		for block := range c.blocks {
			for ; k < row*c.columns+block*c.depth; k++ {
				s.mul(power, power, power, m)
			}
			store(block<<c.rows|1<<row, power)
		}
	}
}

// Exp returns base^exps[i] mod m for secret exponents 0 <= exps[i] < 2^bits. It panics if one is outside. On the paths of
// the kernels, time and memory accesses depend on the number of exponents alone: entries are selected by reading all those
// of a block. Over math/big it is not constant-time.
func (f *FixedBase) Exp(exps []*big.Int) *Vector {
	for i, e := range exps {
		require(nonNegative(e) && e.BitLen() <= f.bits, "exponent %d is not in [0, 2^%d)", i, f.bits)
	}
	if f.ring.kernel != nil {
		return f.expPacks(exps)
	}
	return f.ring.fill(len(exps), heavy, func(s *scratch, elems []*big.Int, from, to int) {
		for i := from; i < to; i++ {
			elems[i] = f.exp(s, exps[i])
		}
	})
}

func (f *FixedBase) exp(s *scratch, e *big.Int) *big.Int {
	c, m := f.shape, f.ring.m
	s.taken = 0
	p := s.newProduct()
	for place := c.depth - 1; place >= 0; place-- {
		p.square(s, 1, m)
		for block := range c.blocks {
			column := block*c.depth + place
			if column >= c.columns {
				continue
			}
			if digit := f.digit(e, column); digit != 0 {
				p.times(s, &f.table[block<<c.rows|digit], m)
			}
		}
	}
	return p.result()
}

// digit reads the bits of e down one column.
func (f *FixedBase) digit(e *big.Int, column int) int {
	digit := 0
	for row := range f.shape.rows {
		digit |= int(e.Bit(row*f.shape.columns+column)) << row
	}
	return digit
}
