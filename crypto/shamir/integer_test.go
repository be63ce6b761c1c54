package shamir_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

var integer = shamir.Integer{N: 5, T: 2, Kappa: 80}

func drawInteger(t *rapid.T) shamir.Integer {
	n := rapid.IntRange(2, 9).Draw(t, "n")
	return shamir.Integer{N: n, T: rapid.IntRange(1, n-1).Draw(t, "t"), Kappa: rapid.IntRange(40, 256).Draw(t, "kappa")}
}

func TestIntegerSharesCombine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawInteger(t)
		bound := new(big.Int).Lsh(big.NewInt(1), uint(rapid.IntRange(63, 700).Draw(t, "bound")))
		secret := big.NewInt(rapid.Int64().Draw(t, "secret"))
		shares := s.Share(sample.Hash("test", bound.Bytes()), secret, bound)
		points := rapid.Permutation(shamir.Points(s.N)).Draw(t, "order")[:rapid.IntRange(s.T+1, s.N).Draw(t, "size")]

		want := new(big.Int).Mul(s.Delta(), secret)
		if got := rational(points, pick(shares, points)); !got.IsInt() || got.Num().Cmp(want) != 0 {
			t.Fatalf("points %v interpolate to %v, want Δ·secret = %v", points, got, want)
		}
		sum := new(big.Int)
		for k, l := range s.Lagrange(points) {
			sum.Add(sum, new(big.Int).Mul(l, shares[points[k]-1]))
		}
		if want.Mul(want, s.Delta()); sum.Cmp(want) != 0 {
			t.Fatalf("Lagrange at %v gives %v, want Δ²·secret = %v", points, sum, want)
		}
		limit := s.ShareBound(bound)
		for j, x := range shares {
			if x.CmpAbs(limit) > 0 {
				t.Fatalf("share %d is beyond its bound", j+1)
			}
		}
	})
}

func TestIntegerLagrangeSumsToDelta(t *testing.T) {
	for n := 2; n <= 7; n++ {
		s := shamir.Integer{N: n, T: 1, Kappa: 80}
		for size := 1; size <= n; size++ {
			for points := range shamir.Subsets(n, size) {
				sum := new(big.Int)
				for _, l := range s.Lagrange(points) {
					sum.Add(sum, l)
				}
				if sum.Cmp(s.Delta()) != 0 {
					t.Errorf("n = %d: the coefficients for %v sum to %v, want %v", n, points, sum, s.Delta())
				}
			}
		}
	}
}

// The documented bound is the largest share, of the last party with the largest draws; the smallest share is -Δ·bound.
func TestShareBoundIsAttained(t *testing.T) {
	for _, s := range []shamir.Integer{{N: 2, T: 1, Kappa: 40}, {N: 3, T: 1, Kappa: 80}, {N: 5, T: 2, Kappa: 80}, {N: 31, T: 15, Kappa: 80}} {
		bound := new(big.Int).Lsh(big.NewInt(3), 300)
		mask := new(big.Int).Mul(s.Delta(), s.Delta())
		mask.Mul(mask, bound).Lsh(mask, uint(s.Kappa))
		largest := repeat(mask.Sub(mask, big.NewInt(1)))

		shares := s.Share(largest, bound, bound)
		if got, want := shares[s.N-1], s.ShareBound(bound); got.Cmp(want) != 0 {
			t.Errorf("%+v: the largest share is %v, want %v", s, got, want)
		}
		lowest := s.Share(zeros{}, new(big.Int).Neg(bound), bound)
		want := new(big.Int).Mul(s.Delta(), bound)
		for j, x := range lowest {
			if x.Sign() >= 0 || x.CmpAbs(want) != 0 {
				t.Errorf("%+v: the smallest share of party %d is %v, want -%v", s, j+1, x, want)
			}
		}
	}
}

// The sentence about secrecy in the documentation of Integer: Σ e_k <= T over the reciprocals of any T points, so that the
// coefficients move by at most 2T·Δ·bound, which is at most a 2^-Kappa-th part of 2^Kappa·Δ²·bound.
func TestMaskingOutweighsEveryOtherSecret(t *testing.T) {
	for n := 2; n <= 8; n++ {
		for threshold := 1; threshold < n; threshold++ {
			for points := range shamir.Subsets(n, threshold) {
				sum := big.NewRat(1, 1) // ∏ (1 + 1/c) = 1 + Σ e_k
				for _, c := range points {
					sum.Mul(sum, big.NewRat(int64(c+1), int64(c)))
				}
				if sum.Cmp(big.NewRat(int64(threshold+1), 1)) > 0 {
					t.Errorf("the points %v move the coefficients by %v", points, sum)
				}
			}
			if delta := new(big.Int).MulRange(1, int64(n)); delta.Cmp(big.NewInt(int64(2*threshold))) < 0 {
				t.Errorf("n = %d, t = %d: Δ is below 2t", n, threshold)
			}
		}
	}
}

// Shares of one secret must be there for another one too: the other polynomial that agrees at T points is a legal one.
func TestThresholdIntegerSharesFitOtherSecrets(t *testing.T) {
	bound := big.NewInt(1 << 40)
	shares := integer.Share(sample.Hash("hide"), big.NewInt(17), bound)
	for points := range shamir.Subsets(integer.N, integer.T) {
		// f(x) + Δ·(s'-s)·∏(1 - x/c) has integer coefficients, agrees at the points c and shares s'.
		other := big.NewRat(-12345678-17, 1)
		other.Mul(other, new(big.Rat).SetInt(integer.Delta()))
		moved := func(x int64) *big.Rat {
			y := new(big.Rat).Set(other)
			for _, c := range points {
				y.Mul(y, big.NewRat(int64(c)-x, int64(c)))
			}
			return y
		}
		all := make([]*big.Int, integer.N)
		for j := range all {
			d := moved(int64(j + 1))
			if !d.IsInt() {
				t.Fatalf("the polynomial through %v is not an integer one", points)
			}
			all[j] = new(big.Int).Add(shares[j], d.Num())
		}
		for _, p := range points {
			if all[p-1].Cmp(shares[p-1]) != 0 {
				t.Errorf("party %d can tell the secrets apart", p)
			}
		}
		want := new(big.Int).Mul(integer.Delta(), big.NewInt(-12345678))
		if got := rational(shamir.Points(integer.N), all); got.Num().Cmp(want) != 0 || !got.IsInt() {
			t.Errorf("the other polynomial shares %v, want %v", got, want)
		}
	}
}

func TestIntegerValidate(t *testing.T) {
	for _, c := range []struct {
		s    shamir.Integer
		good bool
	}{
		{shamir.Integer{N: 3, T: 1, Kappa: 80}, true},
		{shamir.Integer{N: 2, T: 1, Kappa: 40}, true},
		{shamir.Integer{N: 31, T: 30, Kappa: 256}, true},
		{shamir.Integer{N: 32, T: 1, Kappa: 80}, false},
		{shamir.Integer{N: 3, T: 3, Kappa: 80}, false},
		{shamir.Integer{N: 3, T: 0, Kappa: 80}, false},
		{shamir.Integer{N: 0, T: 0, Kappa: 80}, false},
		{shamir.Integer{N: 3, T: 1, Kappa: 39}, false},
		{shamir.Integer{N: 3, T: 1, Kappa: 257}, false},
	} {
		if err := c.s.Validate(); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.s, err)
		}
	}
}
