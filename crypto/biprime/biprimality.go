package biprime

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/big"

	"riskprop/crypto/modular"
	"riskprop/crypto/sample"
)

// Trial is trial division by all odd primes of a range. It is public, read only and safe for concurrent use.
type Trial struct{ divisors *modular.Divisors }

// NewTrial returns the trial division by the odd primes in (b1, b2]: about 6·b2 bytes. An empty range divides nothing.
func NewTrial(b1, b2 int) *Trial { return &Trial{modular.NewDivisors(primes(max(b1, 2), b2))} }

// Survivors reports for every n whether none of the primes divides it. The ns must be positive.
func (t *Trial) Survivors(ns []*big.Int) []bool { return t.divisors.Coprime(ns) }

// ScreenBase is the base of the first test, which nearly all moduli fail that trial division has left. It is the same for all,
// so it need not be searched for: (4/n) = 1 for every odd n. Its test says no more than a Fermat test to the base 2, as 4 is a
// square. That is enough to throw a modulus away, and not to keep it: what passes goes on to Bases.
func ScreenBase() *big.Int { return big.NewInt(4) }

// Bases returns the index-th base for every n: an integer g in [2, n) with Jacobi symbol (g/n) = 1, hashed from the seed, which
// is the transcript up to the point where the ns were public, from n and the index. The base of an n does not depend on the others
// of the batch: it is the first g = 2 + sample.Below(n-2) with symbol 1 in the stream
//
//	sample.Hash("riskprop/biprime base", seed, n big-endian, index as 64 bits big-endian).
//
// The ns must be odd and above 3; index must not be negative.
func Bases(seed []byte, ns []*big.Int, index int) []*big.Int {
	streams := make([]io.Reader, len(ns))
	open := make([]int, len(ns))
	for k, n := range ns {
		if n.Cmp(big.NewInt(3)) <= 0 || n.Bit(0) == 0 {
			panic(fmt.Sprintf("biprime: the modulus %v is not odd and above 3", n))
		}
		streams[k] = baseStream(seed, n, index)
		open[k] = k
	}
	bases := make([]*big.Int, len(ns))
	for len(open) > 0 {
		drawn, mods := make([]*big.Int, len(open)), make([]*big.Int, len(open))
		for i, k := range open {
			bases[k] = drawBase(streams[k], ns[k])
			drawn[i], mods[i] = bases[k], ns[k]
		}
		var still []int
		for i, symbol := range modular.JacobiBatch(drawn, mods) {
			if symbol != 1 {
				still = append(still, open[i])
			}
		}
		open = still
	}
	return bases
}

func baseStream(seed []byte, n *big.Int, index int) io.Reader {
	if index < 0 {
		panic("biprime: the index of a base must not be negative")
	}
	return sample.Hash("riskprop/biprime base", seed, n.Bytes(), binary.BigEndian.AppendUint64(nil, uint64(index)))
}

// drawBase returns the next integer of the stream in [2, n).
func drawBase(stream io.Reader, n *big.Int) *big.Int {
	two := big.NewInt(2)
	g := sample.Below(stream, new(big.Int).Sub(n, two))
	return g.Add(g, two)
}

// Exponent returns party i's exponent in the test of n, from its pieces p and q: (n+1-p-q)/4 for i = 1 and (p+q)/4 for the others
// [BF97]. Parties are counted from 1. It is secret. Panics if 4 does not divide it, or if it is negative: the pieces are not of
// the form, or not those of n.
func Exponent(i int, n, p, q *big.Int) *big.Int {
	e := new(big.Int).Add(p, q)
	if i == 1 {
		e.Sub(n, e)
		e.Add(e, big.NewInt(1))
	}
	if e.Sign() < 0 || e.Bit(0) != 0 || e.Bit(1) != 0 {
		panic(fmt.Sprintf("biprime: the pieces of party %d do not belong to this modulus", i))
	}
	return e.Rsh(e, 2)
}

// Passes reports whether v_1 ≡ ±∏_{i>1} v_i (mod n), where v[i-1] = v_i = g^Exponent(i) mod n is party i's power of a base with
// Jacobi symbol 1 [BF97]. It holds for every base if p and q are different primes ≡ 3 (mod 4). Values that are not
// units never pass. Panics with less than two values.
func Passes(n *big.Int, v []*big.Int) bool {
	if len(v) < 2 {
		panic("biprime: the test needs the powers of at least two parties")
	}
	rest := big.NewInt(1)
	for _, x := range v[1:] {
		rest.Mod(rest.Mul(rest, x), n)
	}
	first := new(big.Int).Mod(v[0], n)
	if first.Cmp(rest) != 0 && new(big.Int).Add(first, rest).Cmp(n) != 0 {
		return false
	}
	return new(big.Int).GCD(nil, nil, first, n).Cmp(big.NewInt(1)) == 0
}

// Tests returns how many independent bases keep the probability that a wrong modulus passes them all at or below 2^-kappa. A modulus
// with gcd(N, p+q-1) = 1 that is not the product of two different primes passes at most one base in four [2024/2072]; that gcd is
// checked when the decryption key is derived.
func Tests(kappa int) int { return (max(kappa, 0) + 1) / 2 }
