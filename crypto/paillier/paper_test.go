package paillier_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"riskprop/crypto/biprime"
	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

// One test for each sentence of the protocol, section 1, steps 6 to 8, and section 2, step 4, that the tests beside this
// file do not have: key_test.go has "any t+1 parties can decrypt" for every subset of n = 3, 4, 5, 7, derivation_test.go "the
// S_i are a degree-t integer sharing of d = Δ⁴·φ·β" and "θ = d mod N", leak_test.go the whole of step 7.

// whole gives all of a number to party 1 of n.
func whole(x int64, n int) []*big.Int {
	pieces := zeros(n)
	pieces[0].SetInt64(x)
	return pieces
}

// Section 1, step 8: "Check gcd(θ, N) = 1: since φ(N) ≡ -(p+q-1) (mod N) it is also [BF97]'s gcd(N, p+q-1) step. If it fails,
// discard N". For all products of two numbers ≡ 3 (mod 4) up to 150 that the derivation takes, prime or not: Theta discards N
// if and only if N has a factor in common with p+q-1, or with the sum β, whose chance is 1/p + 1/q.
func TestThetaDiscardsExactlyWhatTheGcdFinds(t *testing.T) {
	discarded, kept := 0, 0
	for p := int64(7); p < 150; p += 4 {
		for q := p; q < 150; q += 4 {
			n := big.NewInt(p * q)
			if p%3 == 0 || q%3 == 0 {
				continue
			}
			d := paillier.Derivation{Parties: 3, Threshold: 1, Kappa: 40, N: n}
			a := derive(d, whole(p, 3), whole(q, 3), stream)
			theta, err := d.Theta(residues(a.shares, n))
			factor := new(big.Int).GCD(nil, nil, n, big.NewInt(p+q-1)).Cmp(one) != 0
			noUnit := new(big.Int).GCD(nil, nil, n, a.beta).Cmp(one) != 0
			if errors.Is(err, paillier.ErrDiscard) != (factor || noUnit) || (err != nil && !errors.Is(err, paillier.ErrDiscard)) {
				t.Errorf("%d·%d, gcd with p+q-1: %v, with β: %v; Theta says %v, %v", p, q, factor, noUnit, theta, err)
			}
			if err != nil {
				discarded++
				continue
			}
			kept++
			want := new(big.Int).Mul(big.NewInt(1296*(p-1)*(q-1)), a.beta) // Δ⁴ = 6⁴
			if theta.Cmp(want.Mod(want, n)) != 0 {
				t.Errorf("%d·%d: θ = %v, want Δ⁴·(p-1)(q-1)·β = %v", p, q, theta, want)
			}
		}
	}
	if discarded < 50 || kept < 50 {
		t.Errorf("%d discarded, %d kept: the test says nothing", discarded, kept)
	}
}

// The same for composites that pass the biprimality test with every base, so that nothing else would stop them
// (TestLiarsAreThoseThatTheGcdFinds of package biprime finds them): whatever β is, Theta discards them.
func TestThetaDiscardsTheLiars(t *testing.T) {
	for _, c := range []struct{ p, q int64 }{{343, 491}, {1331, 2663}, {1331, 7019}, {12167, 17987}} {
		n := big.NewInt(c.p * c.q)
		p, q := whole(c.p, 3), whole(c.q, 3)
		for index := range biprime.Tests(testKappa) {
			if !isBiprime(n, biprime.Bases([]byte("liars"), []*big.Int{n}, index)[0], p, q) {
				t.Fatalf("%d·%d fails the test: it is no liar", c.p, c.q)
			}
		}
		d := paillier.Derivation{Parties: 3, Threshold: 1, Kappa: testKappa, N: n}
		for trial := range 20 {
			w := drawWorld(d, stream("liars", trial))
			a := derive(d, p, q, w.stream(t, d))
			if theta, err := d.Theta(residues(a.shares, n)); !errors.Is(err, paillier.ErrDiscard) {
				t.Errorf("%d·%d: θ = %v, %v", c.p, c.q, theta, err)
			}
		}
	}
}

// Section 1, result: "ANY t+1 parties can decrypt; t colluding ones cannot." Combine takes t+1 partial decryptions, so t
// parties have to make one up for another. They try all they have: no share, a share of 1, their own shares under another
// number, public exponents, and the residue modulo N of the missing share, which step 8 published. For n = 3, 5, 7, every
// coalition of t and every party whose part they make up.
func TestNoThresholdPartiesDecrypt(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {5, 2}, {7, 3}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			s := newSession(t, c.n, c.t)
			r := stream("no threshold", c.n)
			secret := []*big.Int{sample.Below(r, s.N)}
			ciphertext := s.key.RerandomizeFull(r, s.key.Embed(secret))
			for coalition := range shamir.Subsets(c.n, c.t) {
				own := s.partials(coalition, ciphertext)
				for _, missing := range honest(c.n, coalition) {
					points := append(slices.Clone(coalition), missing)
					for name, made := range s.madeUp(coalition, missing, ciphertext) {
						got, err := s.key.Combine(points, append(slices.Clone(own), made))
						if err == nil && got[0].Cmp(secret[0]) == 0 {
							t.Errorf("parties %v decrypt with %s in the place of party %d", coalition, name, missing)
						}
					}
					// What they lack is exactly that: with the true part they decrypt.
					got, err := s.key.Combine(points, append(slices.Clone(own), s.partials([]int{missing}, ciphertext)...))
					if err != nil || got[0].Cmp(secret[0]) != 0 {
						t.Errorf("parties %v decrypt to %v, %v", points, got, err)
					}
				}
			}
		})
	}
}

// madeUp returns what a coalition can put in the place of a partial decryption of another party.
func (s *session) madeUp(coalition []int, missing int, ciphertext *modular.Vector) map[string]*modular.Vector {
	residue := s.published()[missing-1]
	list := map[string]*modular.Vector{
		"no share":              s.key.Embed([]*big.Int{new(big.Int)}),
		"a share of 1":          ciphertext,
		"θ":                     ciphertext.Exp(s.key.Theta),
		"N":                     ciphertext.Exp(s.N),
		"S mod N":               ciphertext.Exp(residue),
		"S mod N, one N more":   ciphertext.Exp(new(big.Int).Add(residue, s.N)),
		"the value of θ's line": ciphertext.Exp(new(big.Int).Mod(new(big.Int).Mul(s.key.Theta, s.sharing().Delta()), s.N)),
	}
	sum := new(big.Int)
	for _, c := range coalition {
		list[fmt.Sprintf("the share of party %d", c)] = s.key.PartialDecrypt(s.shares[c-1], ciphertext)
		sum.Add(sum, s.shares[c-1])
	}
	if sum.BitLen() <= s.key.ShareBits() {
		list["the sum of their shares"] = s.key.PartialDecrypt(sum, ciphertext)
	}
	return list
}

// Section "Security model": "at most t of n collude". The shares S_c of t parties and the published S_i mod N are those of
// other keys, too: for every d' ≡ d (mod Δ·N) the polynomial S(x) + (d'-d)·∏ (1 - x/c) goes through the same S_c and the same
// S_i mod N, shares d', and has integer coefficients, as Δ divides d'-d and clears the denominators.
func TestSharesOfTFitEveryKey(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {5, 2}, {7, 3}} {
		s := newSession(t, c.n, c.t)
		delta := s.sharing().Delta()
		difference := new(big.Int).Mul(s.N, sample.Bits(stream("another key", c.n), 600)) // d'-d over Δ
		for coalition := range shamir.Subsets(c.n, c.t) {
			shares := make([]*big.Int, c.n)
			for i := range shares {
				shares[i] = new(big.Int).Mul(difference, vanishingAt(c.n, coalition, i+1))
				shares[i].Add(shares[i], s.shares[i])
			}
			for _, i := range coalition {
				if shares[i-1].Cmp(s.shares[i-1]) != 0 {
					t.Errorf("party %d of %v sees another key share", i, coalition)
				}
			}
			if !equal(residues(shares, s.N), s.published()) {
				t.Errorf("%v: the public sees other values", coalition)
			}
			want := new(big.Int).Mul(difference, delta)
			want.Add(want, s.secretKey()).Mul(want, delta)
			for points := range shamir.Subsets(c.n, c.t+1) {
				got := new(big.Int)
				for k, l := range s.sharing().Lagrange(points) {
					got.Add(got, new(big.Int).Mul(l, shares[points[k]-1]))
				}
				if got.Cmp(want) != 0 {
					t.Errorf("%v: the shares of %v are not those of another key", coalition, points)
				}
			}
		}
	}
}

// Section 2, step 4: "c^D = ∏ (c^S_j)^(Δ·λ_j), m = L(c^D)·(Δ·θ)^-1 mod N, L(x) = (x-1)/N", for D = Δ·d [TNO19, section 5]. The right
// side is computed with the secret key, in one power.
func TestDecryptionIsTheFormulaOfTheText(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {5, 2}} {
		s := newSession(t, c.n, c.t)
		r := stream("formula", c.n)
		ms := s.messages(r)
		v := s.key.Rerandomize(r, s.key.Embed(ms))
		square := new(big.Int).Mul(s.N, s.N)
		exponent := new(big.Int).Mul(s.secretKey(), s.sharing().Delta())
		unscale := new(big.Int).Mul(s.sharing().Delta(), s.key.Theta)
		unscale.ModInverse(unscale, s.N)
		for i := range ms {
			x := new(big.Int).Exp(v.At(i), exponent, square)
			l, rest := new(big.Int).QuoRem(x.Sub(x, one), s.N, new(big.Int))
			if l.Mul(l, unscale).Mod(l, s.N); rest.Sign() != 0 || l.Cmp(ms[i]) != 0 {
				t.Errorf("%d parties: L(c^D)·(Δθ)^-1 = %v, rest %v, want %v", c.n, l, rest, ms[i])
			}
		}
		if got := s.decrypt(t, v); !equal(got, ms) {
			t.Errorf("%d parties decrypt to %v, want %v", c.n, got, ms)
		}
	}
}
