//go:build amd64 && !purego

package ifma

import "golang.org/x/sys/cpu"

// Available says whether this build has the assembly, this processor its instructions and the operating system their registers.
func Available() bool { return cpu.X86.HasAVX512F && cpu.X86.HasAVX512IFMA }

// multiply sets t to x·y, in 2n columns.
func multiply(t, x, y []uint64) {
	if Available() {
		mulIFMA(t, x, y)
	} else {
		multiplyReference(t, x, y)
	}
}

// square sets t to x², in 2n columns.
func square(t, x []uint64) {
	if Available() {
		sqrIFMA(t, x)
	} else {
		squareReference(t, x)
	}
}

// reduce sets z to t/R mod m, below 2m; it overwrites t.
func reduce(z, t, m []uint64, k0 *[Lanes]uint64) {
	if Available() {
		reduceIFMA(z, t, m, k0)
	} else {
		reduceReference(z, t, m, k0)
	}
}

// pick sets the lanes of z to those of entries of the table, or to zero if it has not so many; it reads all of them.
func pick(z, table []uint64, index *[Lanes]uint64) {
	if Available() {
		selectIFMA(z, table, index)
	} else {
		pickReference(z, table, index)
	}
}
