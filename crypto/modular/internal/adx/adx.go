// Package adx is Montgomery arithmetic on one residue at a time, with 64-bit digits, by the instructions MULX, ADCX and ADOX of
// amd64 processors since about 2015.
//
// A residue for a modulus of n digits is n words, the lowest first, and R = 2^(64n). Any n words are a residue: values need only be
// below R, and so are results, not necessarily below the modulus. Products are made in full and reduced afterwards, blocks of eight
// digits at a time; what n leaves modulo eight costs more for each digit, so multiples of eight are the best sizes, and of sixteen
// from 64 digits on, where products are made of halves.
//
// No branch and no address depends on the values of digits, so that the time a call takes says nothing about them (on processors
// whose 64-bit multiplication takes the same time for all operands); the number of digits is public. Memory aligned to 64 bytes
// is a little faster. Where build or processor lack the instructions the same functions run in Go, slowly: see [Available].
//
// Source: the product-scanning blocks with two carry chains are those of Intel's "New Instructions Supporting Large Integer
// Arithmetic" (2012); Montgomery, "Modular multiplication without trial division" (1985); Karatsuba and
// Ofman, "Multiplication of multidigit numbers on automata" (1962).
package adx

import "fmt"

const (
	Lanes     = 1   // residues that one call works on
	DigitBits = 64  // bits of a digit
	MaxDigits = 128 // digits of the largest modulus, of 8,192 bits
)

// Digits returns the number of digits of a residue for a modulus of that many bits.
func Digits(bits int) int { return (bits + DigitBits - 1) / DigitBits }

// Scratch returns the words of working memory that Mul and Sqr need for n digits.
func Scratch(n int) int { return 4 * n }

// Mul sets z to x·y/R mod m and below R. All have the same number of digits, 1 to MaxDigits; m is odd and k0 is -m⁻¹ mod 2^64. z may
// be x or y or both, but overlaps neither otherwise, and x may be y. t is working memory of at least Scratch(n) words that shares
// nothing with the others; its content does not matter before and means nothing after. Mul panics if a length is wrong.
func Mul(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) {
	columns, work := memory(t, len(z), len(x), len(y), len(m))
	multiply(columns, x, y, work)
	reduce(z, columns, m, k0[0])
}

// Sqr sets z to x²/R mod m and below R, as Mul(z, x, x, m, k0, t) does and with the same rules, in about three quarters of the time.
func Sqr(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64) {
	columns, work := memory(t, len(z), len(x), len(x), len(m))
	square(columns, x, work)
	reduce(z, columns, m, k0[0])
}

// memory checks the numbers of digits and returns the two halves of the working memory.
func memory(t []uint64, z, x, y, m int) (columns, work []uint64) {
	if z < 1 || z > MaxDigits || x != z || y != z || m != z {
		panic(fmt.Sprintf("adx: operands of %d, %d and %d digits with a modulus of %d: want the same number, 1 to %d", z, x, y, m, MaxDigits))
	}
	if len(t) < Scratch(z) {
		panic(fmt.Sprintf("adx: %d words of working memory, want at least %d", len(t), Scratch(z)))
	}
	return t[:2*z], t[2*z : Scratch(z)]
}

// Select sets z to entry index[0] of the table, whose entries of len(z) words lie one after another, and to zero if there is no such
// entry. It reads all of the table, whatever the index. Select panics if z or the table is empty or the table is not a number of
// whole entries; z is not a part of the table.
func Select(z, table []uint64, index *[Lanes]uint64) {
	if len(z) == 0 || len(table) == 0 || len(table)%len(z) != 0 {
		panic(fmt.Sprintf("adx: a table of %d words with entries of %d: want whole entries, at least one", len(table), len(z)))
	}
	pick(z, table, index[0])
}
