// Package ifma is Montgomery arithmetic on eight residues at once.
package ifma

const (
	Lanes     = 8
	DigitBits = 52
	MaxDigits = 160
)

// Available says whether this build and this machine have the instructions.
func Available() bool { return false }

// Digits returns the digits of a residue for moduli of up to that many bits.
func Digits(bits int) int { return 10 * ((bits + 2 + 519) / 520) }

// Scratch returns the words of working memory that Mul and Sqr need for n digits.
func Scratch(n int) int { return 2 * n * Lanes }

// Mul sets z to x·y/R mod m, lane by lane.
func Mul(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) { mulGeneric(z, x, y, m, k0, t) }

// Sqr sets z to x²/R mod m, lane by lane.
func Sqr(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64) { mulGeneric(z, x, x, m, k0, t) }

// Select sets lane l of z to lane l of entry index[l] of the table, reading all of it.
func Select(z, table []uint64, index *[Lanes]uint64) { selectGeneric(z, table, index) }
