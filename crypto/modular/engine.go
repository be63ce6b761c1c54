package modular

import (
	"riskprop/crypto/modular/internal/adx"
	"riskprop/crypto/modular/internal/ifma"
)

// maxLanes is the most residues that an engine multiplies at once.
const maxLanes = ifma.Lanes

// Moduli outside these sizes are left to math/big on every path.
const (
	minKernelBits = 64
	maxKernelBits = 8192
)

// engine is one kind of kernel and what the algorithms above must know of it. The algorithms are the same for all: they
// work on packs, one residue a lane, digit d of lane l in word d·lanes+l.
type engine struct {
	name      string
	lanes     int // residues of a pack: 1 or 8
	digitBits int
	// selectCost relates a masked selection to a multiplication: the former reads every digit of every entry, the latter takes
	// a time that grows with the square of the digits, so it is the ratio of both for one entry, times the digits.
	selectCost float64
	tableSize  int                                        // bytes of a table that is read whole, again and again: what a core's own cache holds
	digits     func(bits int) int                         // of a residue
	scratch    func(digits int) int                       // words of operands.t
	mul        func(z, x, y []uint64, o *operands)        // z = x·y/R
	sqr        func(z, x []uint64, o *operands)           // z = x²/R
	choose     func(z, table, index []uint64)             // lane l of z = that of entry index[l]; reads the whole table
	shift      func(z []uint64, bits uint64, o *operands) // z = z·2^(bits-64), bits up to 62; nil where the engine has no such thing
}

// operands are what every product takes beside its factors.
type operands struct {
	m  []uint64 // a pack
	k0 []uint64 // one word a lane: -1/m mod 2^digitBits
	t  []uint64 // working memory
}

// ifmaEngine multiplies eight residues at once. Values are below 2m. selectCost is by the count of instructions.
func ifmaEngine() *engine {
	return &engine{
		name: "ifma", lanes: ifma.Lanes, digitBits: ifma.DigitBits, selectCost: 0.7, tableSize: 1 << 20,
		digits: ifma.Digits, scratch: ifma.Scratch,
		mul:    func(z, x, y []uint64, o *operands) { ifma.Mul(z, x, y, o.m, (*[ifma.Lanes]uint64)(o.k0), o.t) },
		sqr:    func(z, x []uint64, o *operands) { ifma.Sqr(z, x, o.m, (*[ifma.Lanes]uint64)(o.k0), o.t) },
		choose: func(z, table, index []uint64) { ifma.Select(z, table, (*[ifma.Lanes]uint64)(index)) },
	}
}

// adxEngine multiplies one residue. Values are below R. selectCost was measured for 16 to 96 digits: 0.12 to 0.19.
func adxEngine() *engine {
	return &engine{
		name: "adx", lanes: adx.Lanes, digitBits: adx.DigitBits, selectCost: 0.2, tableSize: 1 << 20,
		digits: adx.Digits, scratch: adx.Scratch,
		mul:    func(z, x, y []uint64, o *operands) { adx.Mul(z, x, y, o.m, (*[adx.Lanes]uint64)(o.k0), o.t) },
		sqr:    func(z, x []uint64, o *operands) { adx.Sqr(z, x, o.m, (*[adx.Lanes]uint64)(o.k0), o.t) },
		choose: func(z, table, index []uint64) { adx.Select(z, table, (*[adx.Lanes]uint64)(index)) },
		shift:  func(z []uint64, bits uint64, o *operands) { adx.Shift(z, z, o.m, (*[adx.Lanes]uint64)(o.k0), bits) },
	}
}

// takes says whether the engine does arithmetic with moduli of that many bits. A nil engine takes none.
func (e *engine) takes(bits int) bool {
	return e != nil && minKernelBits <= bits && bits <= maxKernelBits
}

// selection is the cost of a masked selection among entries of n digits, in multiplications.
func (e *engine) selection(entries, n int) float64 {
	return e.selectCost * float64(entries) / float64(n)
}
