package paillier

import (
	"errors"
	"fmt"
	"math/big"

	"riskprop/crypto/modular"
)

// ErrPartials marks partial decryptions that do not fit together: one of them was made with a wrong share or of another
// ciphertext.
var ErrPartials = errors.New("the partial decryptions do not fit together")

// ShareBits returns the public bound on the bits of |S_i|, the absolute value of a party's share of the decryption key. It depends
// on the size of N and on the sharing's parameters alone.
func (k *Key) ShareBits() int { return k.shareBits }

// PartialDecrypt returns c^share mod N² for every ciphertext c of v, which passed Check: one party's part in the decryption. The
// time depends on ShareBits and on the sign of share, not otherwise on its value, as far as modular.Vector.ExpSecret keeps that. A
// share is negative only with a probability below 2^-Kappa. Panics if share has more than ShareBits bits or a negative
// share meets a value that is not a unit.
func (k *Key) PartialDecrypt(share *big.Int, v *modular.Vector) *modular.Vector {
	if share.BitLen() > k.shareBits {
		panic(fmt.Sprintf("paillier: a key share of %d bits exceeds the bound of %d", share.BitLen(), k.shareBits))
	}
	if share.Sign() < 0 {
		inverse, err := v.Inverse()
		if err != nil {
			panic(fmt.Sprintf("paillier: unchecked ciphertexts: %v", err))
		}
		v = inverse
	}
	return v.ExpSecret(new(big.Int).Abs(share), k.shareBits)
}

// Combine returns the plaintexts, each in [0, N), from the partial decryptions of Threshold+1 parties: partials[i] is what party
// points[i] made of the whole batch. With D = Σ Δ·λ_j·S_j a multiple of φ(N), and L(x) = (x-1)/N,
//
//	m = L(∏ (c^S_j)^(Δ·λ_j))·(Δ·θ)^-1 mod N     [TNO19].
//
// The error wraps a *modular.ElementError with the index of an element where x-1 is not divisible by N (ErrPartials) or a partial
// decryption is not a unit (modular.ErrNotUnit). That finds a wrong share; it does not find a party that deliberately multiplies its part by a power of 1+N, which
// moves the plaintext. Panics unless points are Threshold+1 different parties and partials as many batches of one length.
func (k *Key) Combine(points []int, partials []*modular.Vector) ([]*big.Int, error) {
	k.checkPartials(points, partials)
	x, err := k.interpolate(points, partials)
	if err != nil {
		return nil, err
	}
	plaintexts := make([]*big.Int, x.Len())
	one, remainder := big.NewInt(1), new(big.Int)
	for i := range plaintexts {
		m := new(big.Int).Sub(x.At(i), one)
		m.QuoRem(m, k.N, remainder)
		if remainder.Sign() != 0 {
			return nil, fmt.Errorf("combine partial decryptions: %w", &modular.ElementError{Index: i, Err: ErrPartials})
		}
		plaintexts[i] = m.Mod(m.Mul(m, k.unscale), k.N)
	}
	return plaintexts, nil
}

// interpolate returns ∏ partials[i]^(Δ·λ_i). The powers with negative exponents are collected and inverted together.
func (k *Key) interpolate(points []int, partials []*modular.Vector) (*modular.Vector, error) {
	var numerator, denominator *modular.Vector
	for i, exponent := range k.derivation().sharing().Lagrange(points) {
		power := partials[i].Exp(new(big.Int).Abs(exponent))
		if exponent.Sign() > 0 {
			numerator = times(numerator, power)
		} else {
			denominator = times(denominator, power)
		}
	}
	// Σ λ = 1 and neighbouring points have opposite signs: two or more points have both.
	inverse, err := denominator.Inverse()
	if err != nil {
		return nil, fmt.Errorf("combine partial decryptions: %w", err)
	}
	return numerator.Mul(inverse), nil
}

// times returns v·w, where nil stands for ones.
func times(v, w *modular.Vector) *modular.Vector {
	if v == nil {
		return w
	}
	return v.Mul(w)
}

func (k *Key) checkPartials(points []int, partials []*modular.Vector) {
	if len(points) != k.Threshold+1 || len(partials) != len(points) {
		panic(fmt.Sprintf("paillier: %d points and %d partial decryptions, need %d of each",
			len(points), len(partials), k.Threshold+1))
	}
	for _, p := range partials {
		if p.Len() != partials[0].Len() {
			panic(fmt.Sprintf("paillier: partial decryptions of %d and of %d ciphertexts", partials[0].Len(), p.Len()))
		}
	}
}
