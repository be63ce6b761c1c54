// Package naive is the encrypted computation written down as the papers have it, with math/big and nothing else: the measure for
// what the rest of this project makes of it. A ciphertext has a random factor r^N of its own, every edge of the network costs an
// exponentiation, every account is decrypted by itself. There are no tables, no simultaneous exponentiations, no packing and no
// second processor; and no protection against anybody who watches how long it takes.
//
// It computes the right thing: with the key of a session and its parties' shares the sums come out that the session has.
// The formulas are those of [TNO19] (Veugen, Attema, Spini, eprint 2019/1136) and of package paillier.
package naive

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// ErrPartials marks partial decryptions that are not all of one ciphertext, or made with a wrong share.
var ErrPartials = errors.New("the partial decryptions do not fit together")

// Key is the public key. Safe for concurrent use.
type Key struct {
	n, square *big.Int
	unscale   *big.Int // (Δ·θ)^-1 mod N
	factorial *big.Int // Δ = n!, for n parties
}

// NewKey returns the key with the modulus n and θ, shared by so many parties. It fails if a party's factor in Δ, or θ, is no unit.
func NewKey(n, theta *big.Int, parties int) (*Key, error) {
	k := &Key{n: n, square: new(big.Int).Mul(n, n), factorial: new(big.Int).MulRange(1, int64(parties))}
	k.unscale = new(big.Int).Mul(k.factorial, theta)
	if k.unscale = new(big.Int).ModInverse(k.unscale, n); k.unscale == nil {
		return nil, errors.New("naive: theta or the number of parties shares a factor with the modulus")
	}
	return k, nil
}

// Encrypt returns (1+N)^m·r^N mod N² for a random r, which it reads from a reader that never fails.
func (k *Key) Encrypt(random io.Reader, m *big.Int) *big.Int {
	c := new(big.Int).Mul(m, k.n)
	return k.Rerandomize(random, c.Add(c, big.NewInt(1)))
}

// Rerandomize returns c·r^N mod N² for a random r.
func (k *Key) Rerandomize(random io.Reader, c *big.Int) *big.Int {
	r, err := rand.Int(random, k.n)
	if err != nil {
		panic("naive: " + err.Error())
	}
	r.Exp(r, k.n, k.square) // that r is no unit has no chance
	return r.Mod(r.Mul(r, c), k.square)
}

// WeightedSum returns ∏ c_j^w_j mod N²: the ciphertext of Σ w_j·m_j. There are as many weights as ciphertexts.
func (k *Key) WeightedSum(ciphertexts []*big.Int, weights []uint64) *big.Int {
	sum, power, weight := big.NewInt(1), new(big.Int), new(big.Int)
	for j, c := range ciphertexts {
		power.Exp(c, weight.SetUint64(weights[j]), k.square)
		sum.Mod(sum.Mul(sum, power), k.square)
	}
	return sum
}

// Partial returns c^share mod N²: one party's part in the decryption.
func (k *Key) Partial(c, share *big.Int) *big.Int { return new(big.Int).Exp(c, share, k.square) }

// Combine returns the plaintext, in [0, N), from what parties 1, 2, … have made of a ciphertext, as many as decrypt together:
//
//	m = L(∏ partial_j^(Δ·λ_j))·(Δ·θ)^-1 mod N,   L(x) = (x-1)/N.
//
// The error wraps ErrPartials.
func (k *Key) Combine(partials []*big.Int) (*big.Int, error) {
	x := big.NewInt(1)
	for j, partial := range partials {
		power := new(big.Int).Exp(partial, k.lagrange(j+1, len(partials)), k.square)
		if power == nil {
			return nil, fmt.Errorf("%w: that of party %d is no unit", ErrPartials, j+1)
		}
		x.Mod(x.Mul(x, power), k.square)
	}
	m, rest := new(big.Int).QuoRem(x.Sub(x, big.NewInt(1)), k.n, new(big.Int))
	if rest.Sign() != 0 {
		return nil, ErrPartials
	}
	return m.Mod(m.Mul(m, k.unscale), k.n), nil
}

// lagrange returns Δ·λ_j, the integer Δ·∏ i/(i-j) over the other parties i of 1..count.
func (k *Key) lagrange(j, count int) *big.Int {
	value, divisor := new(big.Int).Set(k.factorial), big.NewInt(1)
	for i := 1; i <= count; i++ {
		if i != j {
			value.Mul(value, big.NewInt(int64(i)))
			divisor.Mul(divisor, big.NewInt(int64(i-j)))
		}
	}
	return value.Quo(value, divisor)
}
