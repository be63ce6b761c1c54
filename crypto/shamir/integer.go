package shamir

import (
	"fmt"
	"io"
	"math/big"

	"riskprop/crypto/sample"
)

// Limits of an integer sharing.
const (
	MaxParties = 31  // more would make Δ = n! dominate every share
	MinKappa   = 40  // bits of statistical security; below, the masking means little
	MaxKappa   = 256 // above, shares grow for nothing
)

// Integer is a sharing over the integers among N parties with threshold T: T+1 shares determine the secret, T hide it up to a
// statistical distance of 2^-Kappa [TNO19]. A secret with |secret| <= bound is shared by
//
//	f(x) = Δ·secret + Σ_{k=1..T} a_k·x^k,   a_k uniform in [0, 2^Kappa·Δ²·bound),   Δ = N!
//
// The T shares at the points C are those of another secret s' too when a_k moves by ±(secret-s')·Δ·e_k, with e_k the k-th
// elementary symmetric function of the reciprocals of C. As Σ e_k <= T, that moves the coefficients by at most 2T·Δ·bound in all:
// no more than a 2^-Kappa-th part of their range.
//
// The methods panic if Validate fails.
type Integer struct{ N, T, Kappa int }

// Validate checks 1 <= T < N <= MaxParties and MinKappa <= Kappa <= MaxKappa.
func (s Integer) Validate() error {
	switch {
	case s.N > MaxParties:
		return fmt.Errorf("%d parties: at most %d can share a secret", s.N, MaxParties)
	case s.T < 1 || s.T >= s.N:
		return fmt.Errorf("threshold %d: choose one from 1 to %d, below the number of parties", s.T, s.N-1)
	case s.Kappa < MinKappa || s.Kappa > MaxKappa:
		return fmt.Errorf("statistical security of %d bits: choose from %d to %d", s.Kappa, MinKappa, MaxKappa)
	}
	return nil
}

// Delta returns Δ = N!, which clears the denominators of all Lagrange coefficients for points in 1..N.
func (s Integer) Delta() *big.Int {
	s.mustBeValid()
	return new(big.Int).MulRange(1, int64(s.N))
}

// Share returns the shares f(1), ..., f(N) of secret. Their sum over several dealers is a sharing of Δ times the sum of the
// secrets. The coefficients of x, ..., x^T are read from r in this order with sample.Below. Panics unless |secret| <= bound and
// bound > 0.
func (s Integer) Share(r io.Reader, secret, bound *big.Int) []*big.Int {
	if bound.Sign() <= 0 || secret.CmpAbs(bound) > 0 {
		panic("shamir: the secret exceeds its bound")
	}
	mask := s.maskRange(bound)
	coefficients := make([]*big.Int, s.T+1)
	coefficients[0] = new(big.Int).Mul(s.Delta(), secret)
	for k := 1; k <= s.T; k++ {
		coefficients[k] = sample.Below(r, mask)
	}
	shares := make([]*big.Int, s.N)
	for j := range shares {
		shares[j] = evaluate(coefficients, j+1)
	}
	return shares
}

// ShareBound returns the public B with |x| <= B for every share x that Share makes with this bound:
// B = Δ·bound + Σ_{k=1..T} (2^Kappa·Δ²·bound - 1)·N^k. The bound is attained.
func (s Integer) ShareBound(bound *big.Int) *big.Int {
	largest := s.maskRange(bound)
	largest.Sub(largest, big.NewInt(1))
	coefficients := make([]*big.Int, s.T+1)
	coefficients[0] = new(big.Int).Mul(s.Delta(), bound)
	for k := 1; k <= s.T; k++ {
		coefficients[k] = largest
	}
	return evaluate(coefficients, s.N)
}

// Lagrange returns the integers Δ·λ_j, in the order of points, with Δ·f(0) = Σ Δ·λ_j·f(j) for every polynomial f of degree below
// len(points). They may be negative; they sum to Δ. Panics if a point is not in 1..N or appears twice.
func (s Integer) Lagrange(points []int) []*big.Int {
	checkPoints(points)
	delta := s.Delta()
	coefficients := make([]*big.Int, len(points))
	for k, p := range points {
		if p > s.N {
			panic(fmt.Sprintf("shamir: point %d is beyond the %d parties", p, s.N))
		}
		numerator, denominator := fraction(0, points, k)
		quotient, remainder := numerator.QuoRem(numerator.Mul(numerator, delta), denominator, new(big.Int))
		if remainder.Sign() != 0 {
			panic("shamir: Δ does not clear a denominator")
		}
		coefficients[k] = quotient
	}
	return coefficients
}

// maskRange returns 2^Kappa·Δ²·bound.
func (s Integer) maskRange(bound *big.Int) *big.Int {
	delta := s.Delta()
	mask := delta.Mul(delta, delta)
	mask.Mul(mask, bound)
	return mask.Lsh(mask, uint(s.Kappa))
}

func (s Integer) mustBeValid() {
	if err := s.Validate(); err != nil {
		panic("shamir: " + err.Error())
	}
}
