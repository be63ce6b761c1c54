// Package biprime finds the modulus N = p·q that nobody can factor: it knows all about candidates for p and q that can be
// known from additive pieces of them. It follows [BF97] (Boneh, Franklin, Efficient generation of shared RSA keys) with the
// distributed sieve of [MWB99] (Malkin, Wu, Boneh, Experimenting with shared generation of RSA keys).
//
// A candidate p is the sum of one piece a party (Form.Piece). The pieces are made so that p has exactly half the key's bits,
// p ≡ -1 modulo 4 and modulo every odd prime up to the number of parties, and p has no prime factor up to B1; a party learns
// nothing else about p. The parties multiply two candidates with Shamir sharings over the field Form.Field, which is not done
// here, and learn N = p·q. From then on N is public: everybody checks its form (Form.CheckModulus), divides it by the primes from
// B1 to B2 (Trial), and what survives is tested for being the product of two primes (ScreenBase, Bases, Exponent, Passes, Tests).
//
// All functions are pure and treat all candidates of a batch alike, so every party finds the same survivors. Pieces and
// exponents are secret. Everything else is public, the number of a party included.
package biprime

import (
	"errors"
	"fmt"
	"io"
	"math/big"

	"riskprop/crypto/modular"
	"riskprop/crypto/sample"
)

const (
	minBits    = 256
	maxBits    = 8192
	minParties = 3
	maxParties = 31

	// margin is how many bits of freedom a candidate keeps beyond its residue modulo M·m0.
	margin = 96
)

// ErrForm marks a modulus that cannot be the product of two candidates: somebody's pieces or shares were wrong.
var ErrForm = errors.New("not the product of two candidates of this form")

// Form is the arithmetic form of candidates for one key size and number of parties. All fields are public knowledge and to be
// read only; a Form is safe for concurrent use.
//
// A candidate p lies in [isqrt(2^(Bits-1))+1, 2^(Bits/2)), so that the product of two has exactly Bits bits.
type Form struct {
	Bits    int // of N; p and q have half as many
	Parties int

	M0 *big.Int // 4·∏ odd primes <= Parties: p ≡ q ≡ -1 and N ≡ 1 (mod M0)
	M  *big.Int // ∏ primes in (Parties, B1]: no prime factor of it divides p or q; the sieve shares units of Z_M
	B1 int      // the largest prime of M, chosen as large as M·M0 < 2^(Bits/2-96) allows

	Step  *big.Int // M·M0: pieces with the same residue differ by multiples of it
	Field *big.Int // the first prime above 2^(Bits+1): the field in which N is computed; pieces and products fit into it

	sieve   *modular.Divisors // the primes of M
	choices *big.Int          // multiples of Step that a piece is drawn from
	start   *big.Int          // the first multiple of Step above the smallest candidate: where the first party's range starts
	inverse *big.Int          // M^-1 mod M0
}

// NewForm returns the form of candidates for moduli of `bits` bits among n parties. bits must be even and in 256..8192, n in
// 3..31; a small key leaves no room for the residues of many parties, which is an error too. The field's prime is looked up for
// the usual sizes and searched for otherwise, which takes minutes beyond 4096 bits.
func NewForm(bits, n int) (*Form, error) {
	if bits < minBits || bits > maxBits || bits%2 != 0 {
		return nil, fmt.Errorf("key of %d bits: choose an even number from %d to %d", bits, minBits, maxBits)
	}
	if n < minParties || n > maxParties {
		return nil, fmt.Errorf("%d parties: choose from %d to %d", n, minParties, maxParties)
	}
	f := &Form{Bits: bits, Parties: n, M0: big.NewInt(4), M: big.NewInt(1)}
	if !f.choosePrimes() {
		return nil, fmt.Errorf("key of %d bits: too small for %d parties, choose a larger key", bits, n)
	}
	f.Step = new(big.Int).Mul(f.M, f.M0)
	f.inverse = new(big.Int).ModInverse(f.M, f.M0)
	f.Field = fieldPrime(bits)
	f.chooseRanges()
	return f, nil
}

// choosePrimes sets M0, M and B1. It reports false if not a single prime fits into M.
func (f *Form) choosePrimes() bool {
	limit := new(big.Int).Lsh(big.NewInt(1), uint(f.Bits/2-margin))
	product := big.NewInt(4)
	var sieved []int
	// The primes up to Bits have a product of about e^Bits, so the limit ends the loop.
	for _, prime := range primes(2, f.Bits) {
		factor := big.NewInt(int64(prime))
		product.Mul(product, factor)
		if product.Cmp(limit) >= 0 {
			break
		}
		if prime <= f.Parties {
			f.M0.Mul(f.M0, factor)
		} else {
			f.M.Mul(f.M, factor)
			f.B1 = prime
			sieved = append(sieved, prime)
		}
	}
	f.sieve = modular.NewDivisors(sieved)
	return f.B1 > 0
}

// chooseRanges sets the ranges of the pieces. With lo the smallest candidate and W = (2^(Bits/2) - lo)/Parties, a piece other
// than the first is below W, and the first lies in (lo, lo+W). So the sum lies in (lo, 2^(Bits/2)).
func (f *Form) chooseRanges() {
	one := big.NewInt(1)
	lo := f.smallest()
	width := new(big.Int).Lsh(one, uint(f.Bits/2))
	width.Sub(width, lo)
	width.Quo(width, big.NewInt(int64(f.Parties)))

	// A residue, below Step, plus a multiple of Step of at most (choices-1)·Step <= W - 2·Step stays below W - Step. Rounding
	// lo up to a multiple of Step takes the other Step from the first party's range.
	f.choices = new(big.Int).Quo(width, f.Step)
	f.choices.Sub(f.choices, one)

	f.start = new(big.Int).Quo(lo, f.Step)
	f.start.Add(f.start, one)
	f.start.Mul(f.start, f.Step)
}

// smallest returns the smallest candidate, isqrt(2^(Bits-1))+1: its square exceeds 2^(Bits-1).
func (f *Form) smallest() *big.Int {
	lo := new(big.Int).Lsh(big.NewInt(1), uint(f.Bits-1))
	lo.Sqrt(lo)
	return lo.Add(lo, big.NewInt(1))
}

// Units returns count uniform units of Z_M: those that sample.Unit would return one after the other. It draws more than it needs
// from r, which must serve nothing else.
func (f *Form) Units(r io.Reader, count int) []*big.Int {
	units := make([]*big.Int, 0, count)
	for len(units) < count {
		drawn := make([]*big.Int, 4*(count-len(units))) // about a quarter of the residues are units
		for i := range drawn {
			// In place of 0 stands M, which is no unit either.
			if drawn[i] = sample.Below(r, f.M); drawn[i].Sign() == 0 {
				drawn[i].Set(f.M)
			}
		}
		for i, unit := range f.sieve.Coprime(drawn) {
			if unit && len(units) < count {
				units = append(units, drawn[i])
			}
		}
	}
	return units
}

// FieldWidth returns the number of bytes of an element of the field.
func (f *Form) FieldWidth() int { return (f.Field.BitLen() + 7) / 8 }

// Piece returns party i's piece of a candidate, from its additive share b of the candidate's residue: a number ≡ b (mod M), and
// ≡ -1 (i = 1) or ≡ 0 (i > 1) modulo M0, plus a uniform multiple of Step that is read from r with sample.Below. Pieces are never
// negative. Parties are counted from 1. Panics unless 0 <= b < M and 1 <= i <= Parties.
func (f *Form) Piece(i int, b *big.Int, r io.Reader) *big.Int {
	if i < 1 || i > f.Parties {
		panic(fmt.Sprintf("biprime: there is no party %d among %d", i, f.Parties))
	}
	if b.Sign() < 0 || b.Cmp(f.M) >= 0 {
		panic("biprime: the share of the residue is not reduced modulo M")
	}
	// Chinese remainders: b + M·((want - b)·M^-1 mod M0) is below Step.
	piece := new(big.Int).Neg(b)
	if i == 1 {
		piece.Sub(piece, big.NewInt(1))
	}
	piece.Mul(piece, f.inverse)
	piece.Mod(piece, f.M0)
	piece.Mul(piece, f.M)
	piece.Add(piece, b)
	if i == 1 {
		piece.Add(piece, f.start)
	}
	multiple := sample.Below(r, f.choices)
	return piece.Add(piece, multiple.Mul(multiple, f.Step))
}

// CheckModulus checks what every product of two candidates satisfies: exactly Bits bits, and n ≡ 1 (mod M0). The error wraps
// ErrForm.
func (f *Form) CheckModulus(n *big.Int) error {
	if n.Sign() <= 0 || n.BitLen() != f.Bits {
		return fmt.Errorf("modulus of %d bits instead of %d: %w", n.BitLen(), f.Bits, ErrForm)
	}
	if residue := new(big.Int).Mod(n, f.M0); residue.Cmp(big.NewInt(1)) != 0 {
		return fmt.Errorf("modulus is %v modulo %v instead of 1: %w", residue, f.M0, ErrForm)
	}
	return nil
}
