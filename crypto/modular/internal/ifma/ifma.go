// Package ifma is Montgomery arithmetic on eight residues at once, one in each 64-bit lane of a vector register, by the instructions
// VPMADD52LUQ and VPMADD52HUQ (AVX512-IFMA) of amd64 processors since about 2019.
//
// A pack is eight residues, each for a modulus of its own. It is n·Lanes words: digit d of lane l, of 52 bits and the lowest first, is
// word d·Lanes+l. n is a multiple of 10, the number of digits that the kernels keep in registers, and R = 2^(52n) is more than
// four times any modulus. So values need only be below 2m, and products of such values are again below 2m, without any subtraction.
//
// Products are sums of columns of 64 bits, to which halves of products of digits are added without carries. No column gets more
// than 4n halves below 2^52, which are less than 2^61.4 for the largest n; carries are done once, at the end.
//
// No branch and no address depends on the values of digits or of an index of [Select], so that the time a call takes says nothing
// about them; the number of digits and the number of entries of a table are public. Memory need not be aligned, but is faster
// where it is aligned to 64 bytes. Where build or processor lack the instructions the same functions run in Go, slowly: see [Available].
//
// Source: Gueron and Krasnov, "Accelerating big integer arithmetic using Intel IFMA extensions" (ARITH 2016); Montgomery, "Modular
// multiplication without trial division" (1985); Walter, "Montgomery exponentiation needs no final subtractions" (1999).
package ifma

import "fmt"

const (
	Lanes     = 8   // residues of a pack
	DigitBits = 52  // bits of a digit
	MaxDigits = 160 // digits of the largest modulus: enough for 8,192 bits
)

// block is the number of digits that the kernels work on at a time.
const block = 10

// Digits returns the number of digits of residues for moduli of up to that many bits, at least one: a multiple of 10.
func Digits(bits int) int {
	const blockBits = block * DigitBits
	return block * ((bits + 2 + blockBits - 1) / blockBits)
}

// Scratch returns the words of working memory that Mul and Sqr need for n digits.
func Scratch(n int) int { return 2 * n * Lanes }

// Mul sets every lane of z to x·y/R mod m, below 2m. All are packs of the same number of digits, a multiple of 10 from 10 to
// MaxDigits. Every lane of m is odd and below R/4; k0 is -m⁻¹ mod 2^52. The lanes of x and y are below 2m and their digits below 2^52;
// so are those of z. z may be x or y or both, but overlaps neither otherwise, and x may be y. t is working memory of at least
// Scratch(n) words that shares nothing with the others; its content does not matter before and means nothing after. Mul panics if a
// length is wrong.
func Mul(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) {
	t = checked(t, len(z), len(x), len(y), len(m))
	multiply(t, x, y)
	reduce(z, t, m, k0)
}

// Sqr sets every lane of z to x²/R mod m, as Mul(z, x, x, m, k0, t) does and with the same rules, by about three quarters of the
// multiplications.
func Sqr(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64) {
	t = checked(t, len(z), len(x), len(x), len(m))
	square(t, x)
	reduce(z, t, m, k0)
}

// Select sets lane l of z to lane l of entry index[l] of the table, and to zero if there is no such entry. The entries are packs of as
// many digits as z, one after another. Select reads all of the table, whatever the index, and panics if z is not a pack as described
// at Mul, or the table is empty or not a number of whole entries. z is not a part of the table.
func Select(z, table []uint64, index *[Lanes]uint64) {
	if !packed(len(z)) || len(table) == 0 || len(table)%len(z) != 0 {
		panic(fmt.Sprintf("ifma: a table of %d words with entries of %d: want whole entries, at least one, %s", len(table), len(z), wanted))
	}
	pick(z, table, index)
}

// wanted says what packs are.
const wanted = "of 80, 160, ... 1280 words"

func packed(words int) bool {
	return words > 0 && words <= MaxDigits*Lanes && words%(block*Lanes) == 0
}

// checked returns the working memory that is needed for packs of so many words.
func checked(t []uint64, z, x, y, m int) []uint64 {
	if !packed(z) || x != z || y != z || m != z {
		panic(fmt.Sprintf("ifma: operands of %d, %d and %d words with a modulus of %d: want the same number, %s", z, x, y, m, wanted))
	}
	if len(t) < 2*z {
		panic(fmt.Sprintf("ifma: %d words of working memory, want at least %d", len(t), 2*z))
	}
	return t[:2*z]
}
