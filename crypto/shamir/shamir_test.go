package shamir_test

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

// rational interpolates at 0 over the rationals: the simple second implementation.
func rational(points []int, shares []*big.Int) *big.Rat {
	sum := new(big.Rat)
	for k, p := range points {
		term := new(big.Rat).SetInt(shares[k])
		for i, q := range points {
			if i != k {
				term.Mul(term, big.NewRat(int64(q), int64(q-p)))
			}
		}
		sum.Add(sum, term)
	}
	return sum
}

// pick returns the elements of all at the points, counted from 1.
func pick(all []*big.Int, points []int) []*big.Int {
	picked := make([]*big.Int, len(points))
	for k, p := range points {
		picked[k] = all[p-1]
	}
	return picked
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "shamir: ") {
			t.Errorf("recovered %q, want a panic of this package", text)
		}
	}()
	f()
}

// moduli have no prime factor up to 31: primes, a prime power, composites.
var moduli = []string{"37", "1369", "2147483647", "1517", "170141183460469231731687303715884105727", "79228162514264337593543950397"}

func drawModulus(t *rapid.T) *big.Int {
	m, _ := new(big.Int).SetString(rapid.SampledFrom(moduli).Draw(t, "modulus"), 10)
	return m
}

func TestModuliFitTheirPurpose(t *testing.T) {
	for _, text := range moduli {
		m, ok := new(big.Int).SetString(text, 10)
		if !ok || new(big.Int).GCD(nil, nil, m, new(big.Int).MulRange(1, 31)).Cmp(big.NewInt(1)) != 0 {
			t.Errorf("%s has a factor up to 31", text)
		}
	}
}

func TestAnySubsetCombines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModulus(t)
		n := rapid.IntRange(1, 9).Draw(t, "n")
		degree := rapid.IntRange(0, n-1).Draw(t, "t")
		secret := big.NewInt(rapid.Int64().Draw(t, "secret"))
		shares := shamir.Share(sample.Hash("test", secret.Bytes()), secret, degree, n, m)
		points := rapid.Permutation(shamir.Points(n)).Draw(t, "order")[:rapid.IntRange(degree+1, n).Draw(t, "size")]
		for j, s := range shares {
			if s.Sign() < 0 || s.Cmp(m) >= 0 {
				t.Fatalf("share %d is %v, not in [0, %v)", j+1, s, m)
			}
		}
		want := new(big.Int).Mod(secret, m)
		if got := shamir.Combine(points, pick(shares, points), m); got.Cmp(want) != 0 {
			t.Fatalf("points %v combine to %v, want %v", points, got, want)
		}
		if !shamir.Consistent(points, pick(shares, points), degree, m) {
			t.Fatalf("shares at %v are inconsistent", points)
		}
	})
}

func TestShareReadsItsCoefficientsInOrder(t *testing.T) {
	// f(x) = 5 + 2x + 3x² mod 101
	got := shamir.Share(bytes.NewReader([]byte{2, 3}), big.NewInt(5), 2, 4, big.NewInt(101))
	if text := fmt.Sprint(got); text != "[10 21 38 61]" {
		t.Errorf("shares %s, want [10 21 38 61]", text)
	}
}

// Shamir's theorem, exhaustively in a small field: whatever the secret, t shares take every value equally often.
func TestThresholdSharesHideTheSecret(t *testing.T) {
	const m, n, degree = 5, 3, 2
	for points := range shamir.Subsets(n, degree) {
		for secret := range int64(m) {
			counts := map[string]int{}
			for a := range byte(m) {
				for b := range byte(m) {
					shares := shamir.Share(bytes.NewReader([]byte{a, b}), big.NewInt(secret), degree, n, big.NewInt(m))
					counts[fmt.Sprint(pick(shares, points))]++
				}
			}
			if len(counts) != m*m {
				t.Errorf("secret %d: the shares at %v take %d of %d values", secret, points, len(counts), m*m)
			}
		}
	}
}

func TestProductsLieOnTwiceTheDegree(t *testing.T) {
	m := big.NewInt(2147483647)
	const n, degree = 7, 3
	r := sample.Hash("product")
	x := shamir.Share(r, big.NewInt(1234), degree, n, m)
	y := shamir.Share(r, big.NewInt(4321), degree, n, m)
	products := make([]*big.Int, n)
	for j := range products {
		products[j] = new(big.Int).Mul(x[j], y[j])
	}
	if got := shamir.Combine(shamir.Points(2*degree+1), products, m); got.Int64() != 1234*4321 {
		t.Errorf("the products combine to %v, want %d", got, 1234*4321)
	}
	if shamir.Consistent(shamir.Points(n), products, degree, m) {
		t.Error("products of shares are consistent with the degree of the factors")
	}
}

func TestLagrangeAgainstRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawModulus(t)
		points := rapid.Permutation(shamir.Points(31)).Draw(t, "order")[:rapid.IntRange(1, 31).Draw(t, "size")]
		for k, c := range shamir.Lagrange(points, m) {
			ones := make([]*big.Int, len(points))
			for i := range ones {
				ones[i] = new(big.Int)
			}
			ones[k] = big.NewInt(1)
			want := rational(points, ones)
			inverse := new(big.Int).ModInverse(want.Denom(), m)
			if inverse.Mod(inverse.Mul(inverse, want.Num()), m).Cmp(c) != 0 {
				t.Fatalf("λ of %d among %v is %v mod %v, want %v", points[k], points, c, m, want)
			}
		}
	})
}

func TestConsistentFindsOneWrongShare(t *testing.T) {
	m := big.NewInt(1517)
	const n, degree = 5, 2
	shares := shamir.Share(sample.Hash("wrong"), big.NewInt(99), degree, n, m)
	if !shamir.Consistent(shamir.Points(n), shares, degree, m) {
		t.Error("honest shares are inconsistent")
	}
	for j := range shares {
		wrong := append([]*big.Int(nil), shares...)
		wrong[j] = new(big.Int).Add(shares[j], big.NewInt(1))
		if shamir.Consistent(shamir.Points(n), wrong, degree, m) {
			t.Errorf("a wrong share of party %d goes unnoticed", j+1)
		}
		wrong[j] = new(big.Int).Sub(shares[j], m)
		if !shamir.Consistent(shamir.Points(n), wrong, degree, m) {
			t.Errorf("the share of party %d less the modulus is not the same share", j+1)
		}
		if !shamir.Consistent(shamir.Points(degree+1), wrong[:degree+1], degree, m) {
			t.Error("degree+1 shares do not fit a polynomial")
		}
	}
	if !shamir.Consistent(nil, nil, 0, m) {
		t.Error("no shares are inconsistent")
	}
}

func TestMisusePanics(t *testing.T) {
	m, one := big.NewInt(101), big.NewInt(1)
	two := []*big.Int{one, one}
	for name, f := range map[string]func(){
		"degree too large":    func() { shamir.Share(zeros{}, one, 3, 3, m) },
		"degree negative":     func() { shamir.Share(zeros{}, one, -1, 3, m) },
		"modulus zero":        func() { shamir.Share(zeros{}, one, 1, 3, new(big.Int)) },
		"point zero":          func() { shamir.Lagrange([]int{1, 0}, m) },
		"point negative":      func() { shamir.Lagrange([]int{-1}, m) },
		"point twice":         func() { shamir.Lagrange([]int{2, 1, 2}, m) },
		"difference no unit":  func() { shamir.Lagrange([]int{1, 4}, big.NewInt(9)) },
		"too few shares":      func() { shamir.Combine([]int{1, 2, 3}, two, m) },
		"consistent, twice":   func() { shamir.Consistent([]int{1, 1}, two, 0, m) },
		"consistent, shares":  func() { shamir.Consistent([]int{1}, two, 0, m) },
		"consistent, degree":  func() { shamir.Consistent([]int{1, 2}, two, -1, m) },
		"secret beyond bound": func() { integer.Share(zeros{}, big.NewInt(-5), big.NewInt(4)) },
		"bound zero":          func() { integer.Share(zeros{}, new(big.Int), new(big.Int)) },
		"point beyond n":      func() { integer.Lagrange([]int{1, 6}) },
		"integer point twice": func() { integer.Lagrange([]int{1, 1}) },
		"invalid":             func() { shamir.Integer{N: 3, T: 3, Kappa: 80}.Delta() },
	} {
		t.Run(name, func(t *testing.T) { mustPanic(t, f) })
	}
}

// zeros is the stream of the smallest draws.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// repeat is the stream that says the same bytes again and again.
func repeat(x *big.Int) io.Reader { return &repeater{data: x.Bytes()} }

type repeater struct {
	data []byte
	at   int
}

func (r *repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.data[r.at%len(r.data)]
		r.at++
	}
	return len(p), nil
}
