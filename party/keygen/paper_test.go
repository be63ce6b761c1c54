package keygen_test

import (
	"fmt"
	"math/big"
	"sync"
	"testing"

	"riskprop/crypto/biprime"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// One test for each sentence of the protocol, section 1, about what the parties have together: whole sessions are run and
// looked at from above. t = 1 has no degree reduction, t = 2 one, t = 3 a level of two; with n = 4 one party does not multiply.

// whole is a session seen from above.
type whole struct {
	*keygen.Watched
	n, t int
	form *biprime.Form
	done []*keygen.Done
}

// sessions are run once, when first needed.
var sessions = sync.OnceValues(func() ([]*whole, error) {
	var list []*whole
	for _, size := range [][3]int{{3, 1, 600}, {4, 1, 32}, {5, 2, 32}, {7, 3, 32}} {
		w, err := watch(size[0], size[1], size[2])
		if err != nil {
			return nil, fmt.Errorf("%v: %w", size, err)
		}
		list = append(list, w)
	}
	return list, nil
})

func everySession(t *testing.T, check func(t *testing.T, w *whole)) {
	t.Helper()
	list, err := sessions()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range list {
		t.Run(fmt.Sprintf("%d of %d", w.t+1, w.n), func(t *testing.T) { check(t, w) })
	}
}

func watch(n, threshold, batch int) (*whole, error) {
	roster, ids, err := partytest.Identities([]string{"alice", "bob", "charlie", "dave", "erin", "frank", "grace"}[:n]...)
	if err != nil {
		return nil, err
	}
	manifest := schema.KeygenManifest{Version: schema.ManifestVersion, Session: "watched", Roster: roster.Digest(), KeyBits: 256,
		Threshold: uint32(threshold), Kappa: 80, Batch: uint32(batch), TrialTo: 1000}
	w := &whole{Watched: keygen.NewWatched(n), n: n, t: threshold}
	if w.form, err = biprime.NewForm(256, n); err != nil {
		return nil, err
	}
	machines := make([]*party.Machine, n)
	for i, id := range ids {
		first, err := keygen.Start(manifest, roster)
		if err != nil {
			return nil, err
		}
		session := party.Session{Proto: schema.Keygen, ID: manifest.Session, Roster: roster}
		if machines[i], err = party.NewMachine(session, id, [32]byte{}, w.Watch(first, i)); err != nil {
			return nil, err
		}
	}
	if err := partytest.Run(partytest.NewLog(roster), machines...); err != nil {
		return nil, err
	}
	for _, m := range machines {
		w.done = append(w.done, m.Round().(*keygen.Done))
	}
	return w, nil
}

// factors returns candidate c of an attempt, p and q.
func (w *whole) factors(a *keygen.Attempt, c int) (p, q *big.Int) {
	p, q = new(big.Int), new(big.Int)
	for _, pieces := range a.Pieces {
		p.Add(p, pieces[c][0])
		q.Add(q, pieces[c][1])
	}
	return p, q
}

// candidates calls check for every candidate of the session.
func (w *whole) candidates(check func(a *keygen.Attempt, c int)) {
	for _, a := range w.Attempts {
		for c := range a.Opened {
			check(a, c)
		}
	}
}

// Steps 1 and 2: "The product is a unit, so no prime up to B1 divides it" [MWB99, section 3]; "from ranges such that
// 2^(k/2)·√½ <= p < 2^(k/2): N has exactly k bits. So p ≡ q ≡ 3 (mod 4)"; "p_1 ≡ -1, p_{i>1} ≡ 0 (mod m0); plus a random multiple
// of M·m0". Step 3: "interpolate N. Check it has k bits and N ≡ 1 (mod m0)": of every candidate, also of those that are thrown
// away.
func TestEveryCandidateOfASessionHasTheForm(t *testing.T) {
	everySession(t, func(t *testing.T, w *whole) {
		seen, multiples := map[string]bool{}, map[string]bool{}
		w.candidates(func(a *keygen.Attempt, c int) {
			p, q := w.factors(a, c)
			for _, x := range []*big.Int{p, q} {
				if seen[x.String()] {
					t.Errorf("candidate %d is used twice", c)
				}
				seen[x.String()] = true
				square := new(big.Int).Mul(x, x)
				if x.BitLen() != 128 || square.BitLen() != 256 {
					t.Errorf("candidate %d has %d bits, its square %d", c, x.BitLen(), square.BitLen())
				}
				if new(big.Int).GCD(nil, nil, x, w.form.M).Cmp(big.NewInt(1)) != 0 {
					t.Errorf("candidate %d has a prime factor up to B1", c)
				}
				if r := new(big.Int).Add(x, big.NewInt(1)); x.Bit(0) != 1 || x.Bit(1) != 1 || r.Mod(r, w.form.M0).Sign() != 0 {
					t.Errorf("candidate %d is not -1 modulo m0", c)
				}
			}
			for i, pieces := range a.Pieces {
				for _, piece := range pieces[c] {
					residue := new(big.Int).Mod(piece, w.form.M0)
					if i == 0 {
						residue.Add(residue, big.NewInt(1)).Mod(residue, w.form.M0)
					}
					if residue.Sign() != 0 {
						t.Errorf("the piece of party %d has another residue modulo m0", i+1)
					}
					multiple := fmt.Sprint(i, new(big.Int).Quo(piece, w.form.Step))
					if multiples[multiple] {
						t.Errorf("party %d adds the same multiple of M·m0 twice", i+1)
					}
					multiples[multiple] = true
				}
			}
			if n := new(big.Int).Mul(p, q); n.Cmp(a.Opened[c]) != 0 || n.BitLen() != 256 || new(big.Int).Mod(n, w.form.M0).Int64() != 1 {
				t.Errorf("candidate %d opens %v, of factors %v and %v", c, a.Opened[c], p, q)
			}
		})
	})
}

// Step 2: "Each party Shamir-shares p_i and q_i with degree t, and a zero with degree 2t, over the field". Step 3: "Product of the sums
// plus the zero-shares; interpolate N." The shares are of degree t exactly, the zeros are zeros of degree 2t and not less, and
// with fresh zeros the same shares publish other values that interpolate the same N [BF97, section 2].
func TestPublishedProductsAreMasked(t *testing.T) {
	everySession(t, func(t *testing.T, w *whole) {
		field, points := w.form.Field, shamir.Points(w.n)
		fresh := sample.Hash("fresh zeros", fmt.Append(nil, w.n))
		w.candidates(func(a *keygen.Attempt, c int) {
			p, q := w.factors(a, c)
			ps, qs, zeros := at(a.P, c), at(a.Q, c), at(a.Zero, c)
			for _, sharing := range []struct {
				shares []*big.Int
				secret *big.Int
				degree int
			}{{ps, p, w.t}, {qs, q, w.t}, {zeros, new(big.Int), 2 * w.t}} {
				if shamir.Combine(points, sharing.shares, field).Cmp(sharing.secret) != 0 || !shamir.Consistent(points, sharing.shares, sharing.degree, field) ||
					shamir.Consistent(points, sharing.shares, sharing.degree-1, field) {
					t.Errorf("candidate %d: the shares are not of degree %d, or of another number than %v", c, sharing.degree, sharing.secret)
				}
			}
			other := make([]*big.Int, w.n)
			for j, zero := range shamir.Share(fresh, new(big.Int), 2*w.t, w.n, field) {
				product := new(big.Int).Mul(ps[j], qs[j])
				product.Mod(product, field)
				want := new(big.Int).Add(product, zeros[j])
				if public := a.Public[j][c]; public.Cmp(want.Mod(want, field)) != 0 || public.Cmp(product) == 0 {
					t.Errorf("party %d publishes %v for candidate %d, want %v, its product is %v", j+1, public, c, want, product)
				}
				other[j] = product.Add(product, zero)
				if other[j].Mod(other[j], field).Cmp(a.Public[j][c]) == 0 {
					t.Errorf("party %d publishes the same with fresh zeros", j+1)
				}
			}
			if n := shamir.Combine(points, other, field); n.Cmp(a.Opened[c]) != 0 {
				t.Errorf("candidate %d: with fresh zeros the values open %v, want %v", c, n, a.Opened[c])
			}
		})
	})
}

// The same: the published values look uniform. In each of 16 cells of the field lies a sixteenth of them; the threshold is
// the value that chi-square with 15 degrees of freedom exceeds once in a million.
func TestPublishedProductsLookUniform(t *testing.T) {
	everySession(t, func(t *testing.T, w *whole) {
		var counts [16]int
		total := 0
		w.candidates(func(a *keygen.Attempt, c int) {
			for j := range w.n {
				cell := new(big.Int).Lsh(a.Public[j][c], 4)
				counts[cell.Quo(cell, w.form.Field).Int64()]++
				total++
			}
		})
		sum, expected := 0.0, float64(total)/16
		for _, count := range counts {
			sum += (float64(count) - expected) * (float64(count) - expected) / expected
		}
		if sum > 56.5 {
			t.Errorf("chi-square is %.1f: %v", sum, counts)
		}
	})
}

func at(lists [][]*big.Int, c int) (column []*big.Int) {
	for _, list := range lists {
		column = append(column, list[c])
	}
	return column
}

// Steps 4 and 5: "Passes when v_1 ≡ ±∏ v_i" [BF97, section 3], "The first that passes is N; none: next attempt", where a biprime
// passes always and another number never, up to 2^-κ: N is the first product of two primes among all candidates in order, and
// no attempt before had one. In one of the sessions the last attempt has more than one.
func TestTheFirstBiprimeIsChosen(t *testing.T) {
	most := 0
	everySession(t, func(t *testing.T, w *whole) {
		var first *big.Int
		count := 0
		for number, a := range w.Attempts {
			for c := range a.Opened {
				p, q := w.factors(a, c)
				if !p.ProbablyPrime(20) || !q.ProbablyPrime(20) {
					continue
				}
				if count++; first == nil {
					first = a.Opened[c]
					if number != len(w.Attempts)-1 {
						t.Errorf("attempt %d of %d has the biprime %d", number+1, len(w.Attempts), c)
					}
				}
			}
		}
		if n := w.done[0].Key.N; first == nil || n.Cmp(first) != 0 {
			t.Errorf("N is %v, the first biprime %v", n, first)
		}
		most = max(most, count)
	})
	if most < 2 {
		t.Error("no attempt has two biprimes: nothing shows which one is chosen")
	}
}

// Steps 6 to 8: "φ_1 = N+1-p_1-q_1, φ_i = -(p_i+q_i), so Σφ_i = φ(N)"; "shares φ_i and β_i over the integers with degree t"; "w_j lies on a
// degree-2t polynomial"; "the S_i are a degree-t integer sharing of d = Δ⁴·φ·β"; "θ = d mod N. Check gcd(θ, N) = 1" [TNO19, section 4;
// GRR98, section 3]. Everything is interpolated over the rationals.
func TestSharesOfTheKeyAreThoseOfTheText(t *testing.T) {
	everySession(t, func(t *testing.T, w *whole) {
		last := w.Attempts[len(w.Attempts)-1]
		n := w.done[0].Key.N
		delta := new(big.Int).MulRange(1, int64(w.n))
		phi := new(big.Int)
		for c, opened := range last.Opened {
			if opened.Cmp(n) == 0 {
				p, q := w.factors(last, c)
				phi.Mul(p.Sub(p, big.NewInt(1)), q.Sub(q, big.NewInt(1)))
			}
		}
		if want := new(big.Int).Mul(delta, phi); interpolate(w.Phi, shamir.Points(w.t+1)).Cmp(new(big.Rat).SetInt(want)) != 0 {
			t.Error("the sums of step 6 are not shares of Δ·φ(N)")
		}
		beta := interpolate(w.Beta, shamir.Points(w.t+1))
		beta.Quo(beta, new(big.Rat).SetInt(delta))
		if !beta.IsInt() || beta.Sign() < 0 || beta.Num().Cmp(new(big.Int).Mul(n, big.NewInt(int64(w.n)))) >= 0 {
			t.Errorf("the sums of step 6 are shares of Δ·%v, no sum of n numbers below N", beta)
		}
		if beta.Num().BitLen() < n.BitLen()-40 {
			t.Errorf("β = %v is no sum of uniform numbers below N", beta)
		}
		for name, shares := range map[string][]*big.Int{"φ": w.Phi, "β": w.Beta, "d": w.Shares} {
			if interpolate(shares, shamir.Points(w.t)).Cmp(interpolate(shares, shamir.Points(w.t+1))) == 0 {
				t.Errorf("the shares of %s are of a degree below t", name)
			}
		}
		d := new(big.Int).Exp(delta, big.NewInt(4), nil)
		d.Mul(d, phi).Mul(d, beta.Num())
		for points := range shamir.Subsets(w.n, w.t+1) {
			if got := interpolate(w.Shares, points); got.Cmp(new(big.Rat).SetInt(d)) != 0 {
				t.Errorf("the S_i of %v are not shares of Δ⁴·φ·β", points)
			}
		}
		products := make([]*big.Int, w.n)
		for j := range products {
			products[j] = new(big.Int).Mul(w.Phi[j], w.Beta[j])
		}
		opened := new(big.Rat).SetFrac(d, new(big.Int).Mul(delta, delta))
		for size := 2 * w.t; size <= w.n; size++ {
			if got := interpolate(products, shamir.Points(size)).Cmp(opened) == 0; got != (size > 2*w.t) {
				t.Errorf("%d products open Δ²·φ·β: %v", size, got)
			}
		}
		theta := w.done[0].Key.Theta
		if d.Mod(d, n).Cmp(theta) != 0 || new(big.Int).GCD(nil, nil, theta, n).Cmp(big.NewInt(1)) != 0 {
			t.Errorf("θ = %v, want d mod N = %v, a unit", theta, d)
		}
		for i, done := range w.done {
			if done.Share.Cmp(w.Shares[i]) != 0 || done.Key.Theta.Cmp(theta) != 0 || done.Key.N.Cmp(n) != 0 {
				t.Errorf("party %d ends with another key", i+1)
			}
		}
	})
}

// interpolate returns the value at 0 of the polynomial through the shares of the points, over the rationals.
func interpolate(shares []*big.Int, points []int) *big.Rat {
	sum := new(big.Rat)
	for _, p := range points {
		term := new(big.Rat).SetInt(shares[p-1])
		for _, q := range points {
			if q != p {
				term.Mul(term, big.NewRat(int64(q), int64(q-p)))
			}
		}
		sum.Add(sum, term)
	}
	return sum
}
