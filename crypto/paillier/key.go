// Package paillier is Paillier's additively homomorphic encryption with a modulus N that nobody can factor and a decryption
// key of which every party holds a share: any threshold+1 parties decrypt together, threshold of them learn nothing. It follows
// [TNO19] (Veugen, Attema, Spini, An implementation of the Paillier crypto system with threshold decryption without a trusted
// dealer); the fast re-randomisation is that of [DJN10] (Damgård, Jurik, Nielsen).
//
// A ciphertext of m in Z_N is (1+N)^m·r^N mod N², r a unit. The product of ciphertexts encrypts the sum of the plaintexts, a power
// a multiple. Ciphertexts come in batches, as vectors of Key.Ring; the arithmetic on them is package modular's.
//
// Policy.
//   - Every batch that somebody else sent passes Key.Check before it is used.
//   - Nothing that was computed is sent before Key.Rerandomize: Embed and products of ciphertexts carry no randomness of their own.
//   - Key shares are integers that are never reduced, and partial decryptions are made with a public bound on their bits.
//   - A partial decryption is useful to everybody: it goes to the owner of the plaintext alone.
//
// The randomness h_s^α of Rerandomize rests on the assumption that it cannot be told from a random N-th residue r^N with
// Jacobi symbol (r/N) = 1: the decisional composite residuosity that Paillier's encryption needs anyway, and that exponents of half
// the bits of N behave like full-size ones [DJN10]. That paper also wants gcd(p-1, q-1) = 2, which is not enforced here, as
// nobody knows p and q. The gcd has no odd prime factor up to the number of parties, since p ≡ q ≡ -1 modulo those; a larger
// factor ℓ, of chance about 1/ℓ², makes h generate a group smaller by about ℓ, which is as hard to notice as N is to factor.
// RerandomizeFull needs none of this and costs more.
//
// Derivation holds the integer arithmetic that leads from the pieces of p and q to the shares of the key.
package paillier

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"

	"riskprop/crypto/modular"
	"riskprop/crypto/sample"
)

// Params are the public key.
type Params struct {
	N         *big.Int // the modulus
	Theta     *big.Int // θ = Δ⁴·φ(N)·β mod N, from Derivation.Theta
	HS        *big.Int // h_s, the base of the randomness, from RandomizerBase
	Parties   int      // n
	Threshold int      // t: t parties learn nothing, t+1 decrypt
	Kappa     int      // bits of statistical security of the sharings
}

// Validate checks what can be checked of a public key: the ranges, n >= 2t+1 and n >= 3, N ≡ 1 (mod 4) without a prime factor
// up to n, and that θ and h_s are units.
func (p Params) Validate() error {
	if err := p.derivation().Validate(); err != nil {
		return err
	}
	if p.Theta == nil || !isUnit(p.Theta, p.N, p.N) {
		return errors.New("paillier key: theta must be a unit in [1, N)")
	}
	if p.HS == nil || !isUnit(p.HS, p.N, new(big.Int).Mul(p.N, p.N)) {
		return errors.New("paillier key: h_s must be a unit in [1, N²)")
	}
	return nil
}

func (p Params) derivation() Derivation {
	return Derivation{Parties: p.Parties, Threshold: p.Threshold, Kappa: p.Kappa, N: p.N}
}

// isUnit reports whether x lies in [1, below) and is coprime to n.
func isUnit(x, n, below *big.Int) bool {
	return x.Sign() > 0 && x.Cmp(below) < 0 && new(big.Int).GCD(nil, nil, x, n).Cmp(big.NewInt(1)) == 0
}

// Key is a public key with what is computed from it once. It is read only and safe for concurrent use.
type Key struct {
	Params

	ring       *modular.Ring             // modulo N²
	randomizer func() *modular.FixedBase // powers of h_s, computed when first needed
	shareBits  int
	unscale    *big.Int // (Δ·θ)^-1 mod N
}

// NewKey returns the key with these parameters, of which it keeps copies. It fails if Validate does.
func NewKey(p Params) (*Key, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p.N, p.Theta, p.HS = new(big.Int).Set(p.N), new(big.Int).Set(p.Theta), new(big.Int).Set(p.HS)
	unscale := p.derivation().sharing().Delta()
	unscale.Mul(unscale, p.Theta)
	k := &Key{
		Params:    p,
		ring:      modular.NewRing(new(big.Int).Mul(p.N, p.N)),
		shareBits: p.derivation().KeyShareBound().BitLen(),
		unscale:   unscale.ModInverse(unscale, p.N),
	}
	k.randomizer = sync.OnceValue(func() *modular.FixedBase { return k.ring.FixedBase(k.HS, k.randomizerBits()) })
	return k, nil
}

// Ring returns the ring of the ciphertexts, modulo N².
func (k *Key) Ring() *modular.Ring { return k.ring }

// Embed returns (1+N)^m = 1 + m·N mod N² for every m, which is reduced mod N. These are ciphertexts WITHOUT randomness: everybody
// reads them. They are never to be sent before they were re-randomised.
func (k *Key) Embed(ms []*big.Int) *modular.Vector {
	values := make([]*big.Int, len(ms))
	for i, m := range ms {
		values[i] = new(big.Int).Mul(m, k.N)
		values[i].Add(values[i], big.NewInt(1))
	}
	return k.ring.Vector(values)
}

// Rerandomize multiplies every ciphertext with fresh randomness h_s^α, where α is uniform of half the bits of N, rounded up
// [DJN10]. It reads the α from r in the order of the ciphertexts, with sample.Bits.
func (k *Key) Rerandomize(r io.Reader, v *modular.Vector) *modular.Vector {
	return k.RerandomizeEach(func(int) io.Reader { return r }, v)
}

// RerandomizeEach is Rerandomize with a stream for every ciphertext, by its index: so one can be randomised again, alike and
// without those before it.
func (k *Key) RerandomizeEach(stream func(i int) io.Reader, v *modular.Vector) *modular.Vector {
	exponents := make([]*big.Int, v.Len())
	for i := range exponents {
		exponents[i] = sample.Bits(stream(i), k.randomizerBits())
	}
	return v.Mul(k.randomizer().Exp(exponents))
}

// RerandomizeFull multiplies every ciphertext with ρ^N for a uniform unit ρ of Z_N, as in Paillier's original encryption. It reads the
// ρ from r in the order of the ciphertexts, with sample.Unit.
func (k *Key) RerandomizeFull(r io.Reader, v *modular.Vector) *modular.Vector {
	return k.RerandomizeFullEach(func(int) io.Reader { return r }, v)
}

// RerandomizeFullEach is RerandomizeFull with a stream for every ciphertext, by its index.
func (k *Key) RerandomizeFullEach(stream func(i int) io.Reader, v *modular.Vector) *modular.Vector {
	units := make([]*big.Int, v.Len())
	for i := range units {
		units[i] = sample.Unit(stream(i), k.N)
	}
	return v.Mul(k.ring.Vector(units).Exp(k.N))
}

// Check returns nil if every value is a unit modulo N: if each is the ciphertext of something. Otherwise the error wraps a
// *modular.ElementError that has the index of the first one that is not, with modular.ErrNotUnit. The usual one is zero.
func (k *Key) Check(v *modular.Vector) error {
	if index := v.NonUnit(); index >= 0 {
		return fmt.Errorf("check ciphertexts: %w", &modular.ElementError{Index: index, Err: modular.ErrNotUnit})
	}
	return nil
}

func (k *Key) randomizerBits() int { return (k.N.BitLen() + 1) / 2 }

// RandomizerBase returns h_s = (-y² mod n)^n mod n² [DJN10], for a y in Z_n^* that is hashed from the transcript, so that nobody
// knows more about it. n must be odd.
func RandomizerBase(y, n *big.Int) *big.Int {
	h := new(big.Int).Mul(y, y)
	h.Mod(h.Neg(h), n)
	ring := modular.NewRing(new(big.Int).Mul(n, n))
	return ring.Vector([]*big.Int{h}).Exp(n).At(0)
}
