// Package kerneltest is what the tests of the kernels have in common, whatever a pack looks like.
package kerneltest

import (
	"slices"
	"testing"
)

// Guarded is memory between guards, which must stay as they are.
type Guarded struct{ all, Words []uint64 }

const guards = 16

// Guard returns a copy of words between guards.
func Guard(words []uint64) Guarded {
	all := make([]uint64, len(words)+2*guards)
	for i := range all {
		all[i] = guardAt(i)
	}
	g := Guarded{all, all[guards : guards+len(words) : guards+len(words)]}
	copy(g.Words, words)
	return g
}

// Dirty is working memory of that many words, whose content should not matter.
func Dirty(words int) Guarded { return Guard(slices.Repeat([]uint64{^uint64(0)}, words)) }

// Intact tells whether nothing was written beside the words.
func (g Guarded) Intact() bool {
	for i, w := range g.all {
		if (i < guards || i >= guards+len(g.Words)) && w != guardAt(i) {
			return false
		}
	}
	return true
}

func guardAt(i int) uint64 { return 0xdeadbeefcafe0000 + uint64(i) }

// Kernel is a product and a square by one modulus; t is working memory of that many words.
type Kernel struct {
	Mul     func(z, x, y, t []uint64)
	Sqr     func(z, x, t []uint64)
	Scratch int
}

// Aliases checks that a result that takes the place of an operand is the same: that of x and y is product, that of x with itself square.
func (k Kernel) Aliases(t testing.TB, what string, x, y, product, square []uint64) {
	t.Helper()
	for _, c := range []struct {
		name string
		want []uint64
		call func(x, y, t []uint64) (z []uint64)
	}{
		{"z is x", product, func(x, y, t []uint64) []uint64 { k.Mul(x, x, y, t); return x }},
		{"z is y", product, func(x, y, t []uint64) []uint64 { k.Mul(y, x, y, t); return y }},
		{"x is y", square, func(x, y, t []uint64) []uint64 { k.Mul(y, x, x, t); return y }},
		{"all the same", square, func(x, _, t []uint64) []uint64 { k.Mul(x, x, x, t); return x }},
		{"square in place", square, func(x, _, t []uint64) []uint64 { k.Sqr(x, x, t); return x }},
	} {
		a, b, working := Guard(x), Guard(y), Dirty(k.Scratch)
		got := c.call(a.Words, b.Words, working.Words)
		if !slices.Equal(got, c.want) || !a.Intact() || !b.Intact() || !working.Intact() {
			t.Errorf("%s, %s: got %x, want %x", what, c.name, got, c.want)
		}
	}
}
