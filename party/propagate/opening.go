package propagate

import (
	"math/bits"
	"slices"

	"riskprop/crypto/modular"
)

// opening is what all parties know of how far everybody's packed scores have been decrypted partially, never changed.
//
// An owner needs t partial decryptions of each of its ciphertexts beside its own [TNO19]. So its list is cut into n-1 blocks
// of almost one size, and block b falls to the t members that follow the owner's b+1st neighbour in the roster, wrapped around.
// Where one of them is gone, the next in the same order stands in. Everybody decrypts t/(n-1) of everybody else's ciphertexts,
// and all know who owes what.
type opening struct {
	*agreement
	packed []*modular.Vector // by owner
	made   [][]uint32        // by owner and block: the members that have decrypted it partially; bit i for member i
	absent uint32            // members that are gone
}

// newOpening has nothing decrypted yet.
func newOpening(a *agreement, packed []*modular.Vector) *opening {
	o := &opening{agreement: a, packed: packed, made: make([][]uint32, a.n)}
	for owner := range o.made {
		o.made[owner] = make([]uint32, a.n-1)
	}
	return o
}

// block is the part of an owner's list that block b covers: from up to, but without, to.
func (o *opening) block(owner, b int) (from, to int) {
	length := o.packed[owner].Len()
	return b * length / (o.n - 1), (b + 1) * length / (o.n - 1)
}

// due is the set of the members that owe their partial decryptions of a block.
func (o *opening) due(owner, b int) uint32 {
	var set uint32
	made := o.made[owner][b]
	for k := range o.n - 1 {
		if bits.OnesCount32(made|set) >= o.Key.Threshold {
			break
		}
		member := (owner + 1 + (b+k)%(o.n-1)) % o.n
		set |= 1 << member &^ (made | o.absent)
	}
	return set
}

// filled lists the blocks of an owner that are not empty and meet a condition.
func (o *opening) filled(owner int, meets func(b int) bool) []int {
	var list []int
	for b := range o.n - 1 {
		if from, to := o.block(owner, b); from < to && meets(b) {
			list = append(list, b)
		}
	}
	return list
}

// blocks lists the blocks of an owner that a member owes.
func (o *opening) blocks(owner, member int) []int {
	return o.filled(owner, func(b int) bool { return o.due(owner, b)>>member&1 == 1 })
}

// count is the number of ciphertexts in some blocks of an owner.
func (o *opening) count(owner int, blocks []int) int {
	sum := 0
	for _, b := range blocks {
		from, to := o.block(owner, b)
		sum += to - from
	}
	return sum
}

// inBlocks are the ciphertexts in some blocks of an owner, in order.
func (o *opening) inBlocks(owner int, blocks []int) *modular.Vector {
	pieces := []*modular.Vector{o.packed[owner].Slice(0, 0)}
	for _, b := range blocks {
		pieces = append(pieces, o.packed[owner].Slice(o.block(owner, b)))
	}
	return modular.Concat(pieces...)
}

// after is the opening once everybody but the members in a set has made what was due.
func (o *opening) after(absent uint32) *opening {
	next := *o
	next.absent, next.made = absent, make([][]uint32, o.n)
	for owner, made := range o.made {
		next.made[owner] = slices.Clone(made)
		for b := range made {
			next.made[owner][b] |= o.due(owner, b) &^ absent
		}
	}
	return &next
}

// complete tells whether nobody owes anything.
func (o *opening) complete() bool {
	for owner := range o.n {
		if o.filled(owner, func(b int) bool { return o.due(owner, b) != 0 }) != nil {
			return false
		}
	}
	return true
}
