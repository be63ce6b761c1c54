// Package shamir splits secrets among n parties so that t+1 of them can use them together and t know nothing.
//
// Party j, counted from 1, holds the value at j of a polynomial of degree t whose value at 0 is the secret. There are two
// kinds. Over Z_m (Share, Lagrange, Combine, Consistent) the coefficients are uniform and secrecy is perfect; m may be
// composite, as long as all its prime factors exceed n, so that differences of points are units. Over the integers (type
// Integer) nothing is reduced, because the group order the secret will be used with is unknown; the coefficients are drawn
// from a range so large that t shares hide the secret statistically, and denominators are cleared with Δ = n!.
//
// Sums of shares are shares of the sum. Products of two shares lie on a polynomial of twice the degree.
//
// The number of parties and the points are public. Misuse of them is a bug and panics ("shamir: ...").
package shamir

import (
	"fmt"
	"io"
	"math/big"

	"riskprop/crypto/sample"
)

// Share splits secret with a polynomial of degree t over Z_m and returns the shares of the points 1..n, each in [0, m).
// secret is reduced mod m. The coefficients of x, x², ..., x^t are read from r in this order with sample.Below(r, m).
// Panics unless 0 <= t < n and m > 0.
func Share(r io.Reader, secret *big.Int, t, n int, m *big.Int) []*big.Int {
	if t < 0 || t >= n || m.Sign() <= 0 {
		panic(fmt.Sprintf("shamir: cannot share with degree %d among %d parties modulo %v", t, n, m))
	}
	coefficients := make([]*big.Int, t+1)
	coefficients[0] = new(big.Int).Mod(secret, m)
	for k := 1; k <= t; k++ {
		coefficients[k] = sample.Below(r, m)
	}
	shares := make([]*big.Int, n)
	for j := range shares {
		y := evaluate(coefficients, j+1)
		shares[j] = y.Mod(y, m)
	}
	return shares
}

// Lagrange returns the coefficients λ_j mod m, in the order of points, with f(0) = Σ λ_j·f(j) for every polynomial f over Z_m
// of degree below len(points). Panics if a point is not positive or appears twice, or if a difference of two points is not a
// unit of Z_m.
func Lagrange(points []int, m *big.Int) []*big.Int {
	checkPoints(points)
	return lagrangeAt(0, points, m)
}

// Combine returns f(0) in [0, m) for the polynomial f over Z_m of degree below len(points) that has the value shares[k] at
// points[k]. Panics like Lagrange, and if there are not as many shares as points.
func Combine(points []int, shares []*big.Int, m *big.Int) *big.Int {
	checkShares(points, shares)
	return dot(Lagrange(points, m), shares, m)
}

// Consistent reports whether one polynomial over Z_m of at most the given degree has the value shares[k] (mod m) at points[k]
// for every k; degree+1 points or fewer are always consistent. Panics like Combine, and if degree is negative.
func Consistent(points []int, shares []*big.Int, degree int, m *big.Int) bool {
	checkPoints(points)
	checkShares(points, shares)
	if degree < 0 {
		panic("shamir: the degree must not be negative")
	}
	for k := degree + 1; k < len(points); k++ {
		want := dot(lagrangeAt(points[k], points[:degree+1], m), shares, m)
		if want.Cmp(new(big.Int).Mod(shares[k], m)) != 0 {
			return false
		}
	}
	return true
}

// evaluate returns Σ coefficients[k]·x^k over the integers, by Horner's rule.
func evaluate(coefficients []*big.Int, x int) *big.Int {
	y, at := new(big.Int), big.NewInt(int64(x))
	for k := len(coefficients) - 1; k >= 0; k-- {
		y.Mul(y, at)
		y.Add(y, coefficients[k])
	}
	return y
}

// dot returns Σ coefficients[k]·shares[k] mod m over all coefficients.
func dot(coefficients, shares []*big.Int, m *big.Int) *big.Int {
	sum, term := new(big.Int), new(big.Int)
	for k, c := range coefficients {
		sum.Add(sum, term.Mul(c, shares[k]))
	}
	return sum.Mod(sum, m)
}

// lagrangeAt returns the Lagrange coefficients mod m for the value at x.
func lagrangeAt(x int, points []int, m *big.Int) []*big.Int {
	coefficients := make([]*big.Int, len(points))
	for k := range points {
		numerator, denominator := fraction(x, points, k)
		inverse := new(big.Int).ModInverse(denominator, m)
		if inverse == nil {
			panic(fmt.Sprintf("shamir: the differences of the points %v are not units of the modulus", points))
		}
		coefficients[k] = inverse.Mod(inverse.Mul(inverse, numerator), m)
	}
	return coefficients
}

// fraction returns numerator and denominator of the k-th Lagrange coefficient for the value at x:
// ∏ (x - j) and ∏ (points[k] - j) over the other points j.
func fraction(x int, points []int, k int) (numerator, denominator *big.Int) {
	numerator, denominator = big.NewInt(1), big.NewInt(1)
	for i, j := range points {
		if i != k {
			numerator.Mul(numerator, big.NewInt(int64(x-j)))
			denominator.Mul(denominator, big.NewInt(int64(points[k]-j)))
		}
	}
	return numerator, denominator
}

func checkPoints(points []int) {
	for k, p := range points {
		if p < 1 {
			panic(fmt.Sprintf("shamir: point %d is not positive", p))
		}
		for _, q := range points[:k] {
			if p == q {
				panic(fmt.Sprintf("shamir: point %d appears twice", p))
			}
		}
	}
}

func checkShares(points []int, shares []*big.Int) {
	if len(points) != len(shares) {
		panic(fmt.Sprintf("shamir: %d shares for %d points", len(shares), len(points)))
	}
}
