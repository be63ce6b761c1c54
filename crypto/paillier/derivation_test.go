package paillier_test

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"testing"

	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

// The whole of steps 1 to 8: the shares are an integer sharing of Δ⁴·φ·β, θ is its residue, and nothing exceeds its bound.
func TestSharesAreOfTheSecretKey(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {4, 1}, {5, 2}, {7, 3}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			s := newSession(t, c.n, c.t)
			if !s.p.ProbablyPrime(20) || !s.q.ProbablyPrime(20) || s.p.Cmp(s.q) == 0 {
				t.Fatalf("N = %v·%v is not the product of two primes", s.p, s.q)
			}
			d := s.secretKey()
			if theta := new(big.Int).Mod(d, s.N); s.key.Theta.Cmp(theta) != 0 {
				t.Errorf("θ = %v, want Δ⁴·φ·β mod N = %v", s.key.Theta, theta)
			}
			delta := s.sharing().Delta()
			for points := range shamir.Subsets(c.n, c.t+1) {
				got := new(big.Int)
				for k, l := range s.sharing().Lagrange(points) {
					got.Add(got, new(big.Int).Mul(l, s.shares[points[k]-1]))
				}
				if got.Cmp(new(big.Int).Mul(delta, d)) != 0 {
					t.Errorf("the shares at %v are not those of Δ⁴·φ·β", points)
				}
			}
			for i, x := range s.shares {
				if x.CmpAbs(s.KeyShareBound()) > 0 || x.BitLen() > s.key.ShareBits() {
					t.Errorf("the key share of party %d is beyond its bound", i+1)
				}
			}
		})
	}
}

func TestPhiSumsToPhi(t *testing.T) {
	n, p, q := findModulus(t, stream("phi"), 3)
	d := paillier.Derivation{Parties: 3, Threshold: 1, Kappa: testKappa, N: n}
	total := new(big.Int)
	for i := range p {
		phi := d.Phi(i+1, p[i], q[i])
		if phi.CmpAbs(n) > 0 {
			t.Errorf("|φ_%d| exceeds N", i+1)
		}
		total.Add(total, phi)
	}
	want := new(big.Int).Mul(new(big.Int).Sub(sum(p), one), new(big.Int).Sub(sum(q), one))
	if total.Cmp(want) != 0 {
		t.Errorf("Σφ_i = %v, want φ(N) = %v", total, want)
	}
	mustPanic(t, "party 0", func() { d.Phi(0, one, one) })
	mustPanic(t, "party 4", func() { d.Phi(4, one, one) })
}

// repeater is the stream that says the same bytes again and again.
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

// largest is the stream of the largest coefficients for secrets of this bound.
func largest(d paillier.Derivation, bound *big.Int) io.Reader {
	delta := new(big.Int).MulRange(1, int64(d.Parties))
	mask := delta.Mul(delta, delta)
	mask.Mul(mask, bound)
	mask.Lsh(mask, uint(d.Kappa))
	return &repeater{data: mask.Sub(mask, one).Bytes()}
}

// anyDerivation has a modulus of the right residue that is no biprime, which the arithmetic does not mind.
func anyDerivation(bits, parties, threshold int) paillier.Derivation {
	n := new(big.Int).Lsh(one, uint(bits-1))
	n.Sub(n, new(big.Int).Mod(n, new(big.Int).MulRange(1, 31)))
	n.Add(n, new(big.Int).MulRange(1, 31)).Add(n, one)
	return paillier.Derivation{Parties: parties, Threshold: threshold, Kappa: testKappa, N: n}
}

func TestBoundsHoldAtTheExtremes(t *testing.T) {
	for _, d := range []paillier.Derivation{anyDerivation(256, 3, 1), anyDerivation(256, 5, 2), anyDerivation(256, 31, 15)} {
		sharing := shamir.Integer{N: d.Parties, T: d.Threshold, Kappa: d.Kappa}
		for _, phi := range []*big.Int{d.N, new(big.Int).Neg(d.N)} {
			// β = 0 and then the smallest coefficients; the largest ones are those of package shamir's own test.
			phiShares, betaShares := d.ShareSecrets(&repeater{data: []byte{0}}, phi)
			for j := range phiShares {
				if phiShares[j].CmpAbs(d.ShareBound()) > 0 || betaShares[j].Sign() != 0 {
					t.Errorf("%d parties: a share of step 6 is beyond its bound", d.Parties)
				}
			}
		}
		if got := sharing.Share(largest(d, d.N), d.N, d.N)[d.Parties-1]; got.Cmp(d.ShareBound()) != 0 {
			t.Errorf("%d parties: ShareBound is %v, the largest share %v", d.Parties, d.ShareBound(), got)
		}
		checkReshareBounds(t, d)
	}
}

// productBound returns the bound of what is shared in step 7: the largest |L_j| times the square of the largest sum.
func productBound(d paillier.Derivation) *big.Int {
	largest := new(big.Int)
	for _, l := range (shamir.Integer{N: d.Parties, T: d.Threshold, Kappa: d.Kappa}).Lagrange(shamir.Points(2*d.Threshold + 1)) {
		if l.CmpAbs(largest) > 0 {
			largest.Abs(l)
		}
	}
	sum := new(big.Int).Mul(d.ShareBound(), big.NewInt(int64(d.Parties)))
	return largest.Mul(largest, sum.Mul(sum, sum))
}

func checkReshareBounds(t *testing.T, d paillier.Derivation) {
	t.Helper()
	sumBound := new(big.Int).Mul(d.ShareBound(), big.NewInt(int64(d.Parties)))
	points := shamir.Points(2*d.Threshold + 1)
	secretBound := productBound(d)

	total, attained := new(big.Int), false
	for _, j := range points {
		for _, x := range []*big.Int{sumBound, new(big.Int).Neg(sumBound)} {
			shares := d.Reshare(largest(d, secretBound), j, sumBound, x)
			for _, y := range shares {
				if y.CmpAbs(d.ReshareBound()) > 0 {
					t.Errorf("%d parties: a share of step 7 is beyond its bound", d.Parties)
				}
			}
			attained = attained || shares[d.Parties-1].Cmp(d.ReshareBound()) == 0
		}
		total.Add(total, d.ReshareBound())
	}
	if !attained {
		t.Errorf("%d parties: the bound of step 7 is not attained", d.Parties)
	}
	if total.Cmp(d.KeyShareBound()) != 0 {
		t.Errorf("%d parties: KeyShareBound is %v, want %v", d.Parties, d.KeyShareBound(), total)
	}
}

// Bounds are public: they depend on the modulus, the parties and kappa, and at 2,048 bits a key share has about 4,400 bits.
func TestSizeOfKeyShares(t *testing.T) {
	if bits := anyDerivation(2048, 3, 1).KeyShareBound().BitLen(); bits < 4350 || bits > 4450 {
		t.Errorf("key shares of %d bits", bits)
	}
}

func TestReshareMisusePanics(t *testing.T) {
	d := anyDerivation(256, 5, 1)
	tooMuch := new(big.Int).Mul(d.ShareBound(), big.NewInt(5))
	tooMuch.Add(tooMuch, one)
	r := stream("misuse")
	mustPanic(t, "party beyond 2t+1", func() { d.Reshare(r, 4, one, one) })
	mustPanic(t, "party 0", func() { d.Reshare(r, 0, one, one) })
	mustPanic(t, "sum beyond its bound", func() { d.Reshare(r, 1, tooMuch, one) })
	mustPanic(t, "negative sum beyond its bound", func() { d.Reshare(r, 1, one, tooMuch.Neg(tooMuch)) })
	mustPanic(t, "too few shares", func() { _, _ = d.Theta(zeros(4)) })
	d.Threshold = 3
	mustPanic(t, "invalid", func() { d.ShareBound() })
}

func TestThetaFindsWrongShares(t *testing.T) {
	d := anyDerivation(256, 5, 2)
	shares := shamir.Share(stream("theta"), big.NewInt(4711), d.Threshold, d.Parties, d.N)
	if theta, err := d.Theta(shares); err != nil || theta.Int64() != 4711 {
		t.Fatalf("Theta = %v, %v", theta, err)
	}
	for i := range shares {
		honest := shares[i]
		shares[i] = new(big.Int).Add(honest, one)
		if _, err := d.Theta(shares); !errors.Is(err, paillier.ErrInconsistent) {
			t.Errorf("a wrong share of party %d: %v", i+1, err)
		}
		shares[i] = honest
	}
}

func TestThetaDiscardsModuliThatShareAFactor(t *testing.T) {
	p, q := big.NewInt(1000003), big.NewInt(1000039) // both ≡ 3 (mod 4)
	d := paillier.Derivation{Parties: 3, Threshold: 1, Kappa: testKappa, N: new(big.Int).Mul(p, q)}
	for _, c := range []struct {
		theta *big.Int
		want  error
	}{
		{big.NewInt(6), nil}, {new(big.Int), paillier.ErrDiscard}, {p, paillier.ErrDiscard}, {q, paillier.ErrDiscard},
	} {
		theta, err := d.Theta(shamir.Share(stream("discard"), c.theta, 1, 3, d.N))
		if !errors.Is(err, c.want) || (err == nil && theta.Cmp(c.theta) != 0) {
			t.Errorf("Theta = %v, %v, want %v, %v", theta, err, c.theta, c.want)
		}
	}
}

func TestDerivationValidate(t *testing.T) {
	good := anyDerivation(256, 5, 2)
	for _, c := range []struct {
		name   string
		change func(d *paillier.Derivation)
		good   bool
	}{
		{"good", func(*paillier.Derivation) {}, true},
		{"smaller threshold", func(d *paillier.Derivation) { d.Threshold = 1 }, true},
		{"threshold 0", func(d *paillier.Derivation) { d.Threshold = 0 }, false},
		{"threshold too large for products", func(d *paillier.Derivation) { d.Threshold = 3 }, false},
		{"two parties", func(d *paillier.Derivation) { d.Parties, d.Threshold = 2, 1 }, false},
		{"32 parties", func(d *paillier.Derivation) { d.Parties = 32 }, false},
		{"kappa too small", func(d *paillier.Derivation) { d.Kappa = 39 }, false},
		{"no modulus", func(d *paillier.Derivation) { d.N = nil }, false},
		{"modulus 1", func(d *paillier.Derivation) { d.N = one }, false},
		{"negative modulus", func(d *paillier.Derivation) { d.N = big.NewInt(-7) }, false},
		{"even modulus", func(d *paillier.Derivation) { d.N = big.NewInt(154) }, false},
		{"modulus 3 mod 4", func(d *paillier.Derivation) { d.N = big.NewInt(11 * 13) }, false},
		{"modulus divisible by 5", func(d *paillier.Derivation) { d.N = big.NewInt(5 * 13) }, false},
		{"modulus divisible by 7", func(d *paillier.Derivation) { d.N = big.NewInt(7 * 11) }, true},
	} {
		d := good
		c.change(&d)
		if err := d.Validate(); (err == nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// ShareSecrets reads β, then the coefficients for phi, then those for β.
func TestShareSecretsReadsInOrder(t *testing.T) {
	d := anyDerivation(256, 5, 2)
	sharing := shamir.Integer{N: 5, T: 2, Kappa: testKappa}
	phi := big.NewInt(-99)
	phiShares, betaShares := d.ShareSecrets(stream("order"), phi)
	r := stream("order")
	beta := sample.Below(r, d.N)
	if !equal(phiShares, sharing.Share(r, phi, d.N)) || !equal(betaShares, sharing.Share(r, beta, d.N)) {
		t.Error("the order of reading differs from the documentation")
	}
}
