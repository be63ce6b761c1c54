package paillier_test

import (
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"riskprop/crypto/biprime"
	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

const (
	testBits  = 256
	testKappa = 80
)

// session is a key derivation of all parties in one place, in the clear, so that tests know what nobody may.
type session struct {
	paillier.Derivation
	key    *paillier.Key
	shares []*big.Int // S_i of party i+1
	p, q   *big.Int
	beta   *big.Int // Σβ_i
}

var one = big.NewInt(1)

func stream(label string, parts ...int) io.Reader {
	return sample.Hash("paillier test", []byte(label), fmt.Append(nil, parts))
}

func sum(xs []*big.Int) *big.Int {
	total := new(big.Int)
	for _, x := range xs {
		total.Add(total, x)
	}
	return total
}

// candidate returns every party's piece of one candidate for a prime.
func candidate(f *biprime.Form, r io.Reader) []*big.Int {
	pieces, rest := make([]*big.Int, f.Parties), sample.Unit(r, f.M)
	for i := range pieces[1:] {
		b := sample.Below(r, f.M)
		rest.Sub(rest, b)
		pieces[i+1] = f.Piece(i+2, b, r)
	}
	pieces[0] = f.Piece(1, rest.Mod(rest, f.M), r)
	return pieces
}

// isBiprime runs the parties' test of n with one base.
func isBiprime(n, base *big.Int, p, q []*big.Int) bool {
	bases, exps := make([]*big.Int, len(p)), make([]*big.Int, len(p))
	for i := range p {
		bases[i], exps[i] = base, biprime.Exponent(i+1, n, p[i], q[i])
	}
	return biprime.Passes(n, modular.ExpBatch(bases, exps, []*big.Int{n}))
}

// findModulus searches a modulus as the protocol does, steps 1 to 5, and returns every party's pieces of the primes.
func findModulus(t testing.TB, r io.Reader, parties int) (n *big.Int, p, q []*big.Int) {
	t.Helper()
	f, err := biprime.NewForm(testBits, parties)
	if err != nil {
		t.Fatal(err)
	}
	trial := biprime.NewTrial(f.B1, 1000)
	for range 100000 {
		p, q = candidate(f, r), candidate(f, r)
		n = new(big.Int).Mul(sum(p), sum(q))
		if err := f.CheckModulus(n); err != nil {
			t.Fatal(err)
		}
		passed := trial.Survivors([]*big.Int{n})[0]
		for index := 0; passed && index <= biprime.Tests(testKappa); index++ {
			passed = isBiprime(n, biprime.Bases([]byte("seed"), []*big.Int{n}, index)[0], p, q)
		}
		if passed {
			return n, p, q
		}
	}
	t.Fatal("no modulus among 100,000 candidates")
	return nil, nil, nil
}

// newSession derives a key among all parties, steps 6 to 8.
func newSession(t testing.TB, parties, threshold int) *session {
	t.Helper()
	n, p, q := findModulus(t, stream("modulus", parties, threshold), parties)
	d := paillier.Derivation{Parties: parties, Threshold: threshold, Kappa: testKappa, N: n}
	a := derive(d, p, q, stream)
	s := &session{Derivation: d, shares: a.shares, p: sum(p), q: sum(q), beta: a.beta}
	theta, err := s.Theta(s.published())
	if err != nil {
		t.Fatal(err)
	}
	y := sample.Unit(stream("y", parties), n)
	s.key, err = paillier.NewKey(paillier.Params{N: n, Theta: theta, HS: paillier.RandomizerBase(y, n),
		Parties: parties, Threshold: threshold, Kappa: testKappa})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// arithmetic is what all parties compute in steps 6 to 8, seen from above.
type arithmetic struct {
	beta       *big.Int     // Σβ_i
	phi, betas []*big.Int   // f_φ(j) and f_β(j): what party j adds up
	secrets    [][]*big.Int // what dealer i deals in step 6: shares of φ_i, then of β_i
	reshares   [][]*big.Int // what multiplier j deals in step 7
	shares     []*big.Int   // S_i
}

// derive runs steps 6 and 7 with the parties' pieces of p and q. The parties draw from the streams "secrets" and "reshare"
// with their numbers, from 0.
func derive(d paillier.Derivation, p, q []*big.Int, stream func(label string, parts ...int) io.Reader) *arithmetic {
	a := &arithmetic{new(big.Int), zeros(d.Parties), zeros(d.Parties), nil, nil, zeros(d.Parties)}
	for i := range d.Parties {
		phiShares, betaShares := d.ShareSecrets(stream("secrets", i), d.Phi(i+1, p[i], q[i]))
		addTo(a.phi, phiShares)
		addTo(a.betas, betaShares)
		a.secrets = append(a.secrets, append(phiShares, betaShares...))
		a.beta.Add(a.beta, sample.Below(stream("secrets", i), d.N)) // β_i is the first thing read
	}
	for j := range 2*d.Threshold + 1 {
		a.reshares = append(a.reshares, d.Reshare(stream("reshare", j), j+1, a.phi[j], a.betas[j]))
		addTo(a.shares, a.reshares[j])
	}
	return a
}

// published returns S_i mod N.
func (s *session) published() []*big.Int { return residues(s.shares, s.N) }

func residues(xs []*big.Int, n *big.Int) []*big.Int {
	out := make([]*big.Int, len(xs))
	for i, x := range xs {
		out[i] = new(big.Int).Mod(x, n)
	}
	return out
}

// partials returns the partial decryptions of the parties at the points.
func (s *session) partials(points []int, v *modular.Vector) []*modular.Vector {
	out := make([]*modular.Vector, len(points))
	for i, point := range points {
		out[i] = s.key.PartialDecrypt(s.shares[point-1], v)
	}
	return out
}

// decrypt has the first threshold+1 parties decrypt.
func (s *session) decrypt(t testing.TB, v *modular.Vector) []*big.Int {
	t.Helper()
	points := shamir.Points(s.Threshold + 1)
	ms, err := s.key.Combine(points, s.partials(points, v))
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

// sharing returns the integer sharing of the session.
func (s *session) sharing() shamir.Integer {
	return shamir.Integer{N: s.Parties, T: s.Threshold, Kappa: s.Kappa}
}

// secretKey returns Δ⁴·φ(N)·β.
func (s *session) secretKey() *big.Int {
	d := new(big.Int).Mul(new(big.Int).Sub(s.p, one), new(big.Int).Sub(s.q, one))
	d.Mul(d, s.beta)
	return d.Mul(d, new(big.Int).Exp(s.sharing().Delta(), big.NewInt(4), nil))
}

func zeros(n int) []*big.Int {
	out := make([]*big.Int, n)
	for i := range out {
		out[i] = new(big.Int)
	}
	return out
}

func addTo(sums, terms []*big.Int) {
	for i, x := range terms {
		sums[i].Add(sums[i], x)
	}
}

// messages returns the extremes and some random plaintexts.
func (s *session) messages(r io.Reader) []*big.Int {
	ms := []*big.Int{new(big.Int), big.NewInt(1), new(big.Int).Sub(s.N, one)}
	for range 3 {
		ms = append(ms, sample.Below(r, s.N))
	}
	return ms
}

func equal(xs, ys []*big.Int) bool {
	if len(xs) != len(ys) {
		return false
	}
	for i := range xs {
		if xs[i].Cmp(ys[i]) != 0 {
			return false
		}
	}
	return true
}

func mustPanic(t *testing.T, name string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "paillier: ") {
			t.Errorf("%s: recovered %q, want a panic of this package", name, text)
		}
	}()
	f()
}
