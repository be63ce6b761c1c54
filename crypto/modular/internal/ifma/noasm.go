//go:build !amd64 || purego

package ifma

// Available says whether this build has the assembly, this processor its instructions and the operating system their registers: it
// has no assembly.
func Available() bool { return false }

func multiply(t, x, y []uint64) { multiplyReference(t, x, y) }

func square(t, x []uint64) { squareReference(t, x) }

func reduce(z, t, m []uint64, k0 *[Lanes]uint64) { reduceReference(z, t, m, k0) }

func pick(z, table []uint64, index *[Lanes]uint64) { pickReference(z, table, index) }
