//go:build !amd64 || purego

package adx

// Available says whether this build has the assembly and this processor its instructions: it has none.
func Available() bool { return false }

func multiply(t, x, y, _ []uint64) { multiplyReference(t, x, y) }

func square(t, x, _ []uint64) { multiplyReference(t, x, x) }

func reduce(z, t, m []uint64, k0 uint64) { reduceReference(z, t, m, k0) }

func pick(z, table []uint64, index uint64) { pickReference(z, table, index) }
