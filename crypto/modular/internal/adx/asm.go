//go:build amd64 && !purego

package adx

import "golang.org/x/sys/cpu"

// Available says whether this build has the assembly and this processor its instructions.
func Available() bool { return cpu.X86.HasBMI2 && cpu.X86.HasADX }

// multiply sets t to x·y, of 2n digits, with 2n words of working memory.
func multiply(t, x, y, work []uint64) {
	if Available() {
		multiplyADX(t, x, y, work)
	} else {
		multiplyReference(t, x, y)
	}
}

// square sets t to x², of 2n digits, with 2n words of working memory.
func square(t, x, work []uint64) {
	if Available() {
		squareADX(t, x, work)
	} else {
		multiplyReference(t, x, x)
	}
}

// reduce sets z to t/R mod m and below R; it overwrites t.
func reduce(z, t, m []uint64, k0 uint64) {
	if Available() {
		reduceADX(z, t, m, k0)
	} else {
		reduceReference(z, t, m, k0)
	}
}

// pick sets z to an entry of the table, or to zero if it has not so many; it reads all of them.
func pick(z, table []uint64, index uint64) {
	if Available() {
		selectADX(z, table, len(table)/len(z), index)
	} else {
		pickReference(z, table, index)
	}
}
