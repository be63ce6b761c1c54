package shamir_test

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

// One test for each sentence of the protocol that is about sharings. The sentence is quoted, with its section and the
// paper that it comes from.

// scripted is the stream from which Below(bound) draws the given values, one after another: each is written with the
// bytes that Below reads for this bound.
func scripted(bound *big.Int, values ...*big.Int) io.Reader {
	width := (new(big.Int).Sub(bound, big.NewInt(1)).BitLen() + 7) / 8
	var data []byte
	for _, v := range values {
		data = append(data, v.FillBytes(make([]byte, width))...)
	}
	return bytes.NewReader(data)
}

// Protocol, section 1, step 1, and [GRR98, section 3]: "multiply pairwise in a tree, with one degree-reduction round
// after every level". Every party re-shares its product with degree t; the combination that would open the polynomial
// of degree 2t makes shares of degree t, of the product, of them. M is composite, as in the sieve.
func TestDegreeReductionModuloM(t *testing.T) {
	m := big.NewInt(11 * 13 * 17 * 19 * 23)
	for _, c := range []struct{ n, t int }{{3, 1}, {5, 2}, {6, 2}, {7, 3}, {9, 3}} {
		r := sample.Hash("degree reduction", fmt.Append(nil, c))
		x, y := sample.Unit(r, m), sample.Unit(r, m)
		shares := multiplyAndReduce(r, m, c.t, shamir.Share(r, x, c.t, c.n, m), shamir.Share(r, y, c.t, c.n, m))
		want := new(big.Int).Mul(x, y)
		want.Mod(want, m)
		for points := range shamir.Subsets(c.n, c.t+1) {
			if got := shamir.Combine(points, pick(shares, points), m); got.Cmp(want) != 0 {
				t.Errorf("n = %d, t = %d: the parties %v hold shares of %v, want %v", c.n, c.t, points, got, want)
			}
		}
		// Reduced, they can be multiplied again: the next level of the tree.
		again := multiplyAndReduce(r, m, c.t, shares, shares)
		if got := shamir.Combine(shamir.Points(c.t+1), again[:c.t+1], m); got.Cmp(want.Mod(want.Mul(want, want), m)) != 0 {
			t.Errorf("n = %d, t = %d: the second level holds %v, want %v", c.n, c.t, got, want)
		}
	}
}

// multiplyAndReduce is one round of [GRR98] over Z_m.
func multiplyAndReduce(r io.Reader, m *big.Int, threshold int, x, y []*big.Int) []*big.Int {
	n, multipliers := len(x), shamir.Points(2*threshold+1)
	reduced := zeroInts(n)
	for k, lambda := range shamir.Lagrange(multipliers, m) {
		product := new(big.Int).Mul(x[k], y[k])
		for j, share := range shamir.Share(r, product, threshold, n, m) {
			reduced[j].Add(reduced[j], share.Mul(share, lambda)).Mod(reduced[j], m)
		}
	}
	return reduced
}

func zeroInts(n int) []*big.Int {
	zeros := make([]*big.Int, n)
	for i := range zeros {
		zeros[i] = new(big.Int)
	}
	return zeros
}

// Section 1, steps 2 and 3, and [BF97, section 2]: each party shares "a zero with degree 2t" and publishes "the product of
// the sums plus the zero-shares". With fresh zeros the same shares of p and q give other published values, which
// interpolate the same N; and the published vector is uniform among all those that open to p·q, whatever p, q and their
// shares are. Exhaustively over the zeros in Z_7, t = 1, n = 3.
func TestZeroMasksLeaveNothingButTheProduct(t *testing.T) {
	const m, n, threshold = 7, 3, 1
	field := big.NewInt(m)
	points := shamir.Points(n)
	for trial := range 40 {
		r := sample.Hash("zero masks", fmt.Append(nil, trial))
		p, q := sample.Unit(r, field), sample.Unit(r, field)
		ps, qs := shamir.Share(r, p, threshold, n, field), shamir.Share(r, q, threshold, n, field)
		counts := map[string]int{}
		for a := range byte(m) {
			for b := range byte(m) {
				published := make([]*big.Int, n)
				for j, zero := range shamir.Share(bytes.NewReader([]byte{a, b}), new(big.Int), 2*threshold, n, field) {
					published[j] = zero.Add(zero, new(big.Int).Mul(ps[j], qs[j])).Mod(zero, field)
				}
				opened := shamir.Combine(points, published, field)
				if want := new(big.Int).Mul(p, q); opened.Cmp(want.Mod(want, field)) != 0 {
					t.Fatalf("the masked products open %v, want %v", opened, want)
				}
				counts[fmt.Sprint(published)]++
			}
		}
		// 7³ vectors in all, of which 7² open to p·q: each must come from exactly one of the 7² zeros.
		if len(counts) != m*m {
			t.Errorf("%v·%v: the published values take %d of the %d values that open to the product", p, q, len(counts), m*m)
		}
	}
}

// Why step 3 needs the zero. The products alone are a function of the shares, and they open a polynomial W that is the
// product of p(x) and q(x). For t = 1 party 1, with u = p(1) and v = q(1), knows p(x) = p + (u-p)·x and q(x) = q + (v-q)·x up to
// p and q, and W opens pq = N and (u-p)(v-q) = W_2, the coefficient of x². Multiplied with p:
//
//	v·p² + (W_2 - N - u·v)·p + u·N = 0,
//
// a quadratic over a prime field: at most two values of p remain, unless u = v = 0. Exhaustively in Z_7, over all p, q
// with pq = 6 and all sharings.
func TestUnmaskedProductsAreDeterminedByTheShares(t *testing.T) {
	const m = 7
	field := big.NewInt(m)
	views := map[string]map[int64]bool{} // published values to the p with p·q = 6 that fit
	for p := int64(1); p < m; p++ {
		q := new(big.Int).ModInverse(big.NewInt(p), field)
		q.Mul(q, big.NewInt(6)).Mod(q, field)
		for a := range byte(m) {
			for b := range byte(m) {
				ps := shamir.Share(bytes.NewReader([]byte{a}), big.NewInt(p), 1, 3, field)
				qs := shamir.Share(bytes.NewReader([]byte{b}), q, 1, 3, field)
				// The adversary is party 1: it sees its own two shares and the products of all.
				view := fmt.Sprint(ps[0], " ", qs[0], " ")
				for j := range ps {
					view += fmt.Sprint(" ", new(big.Int).Mod(new(big.Int).Mul(ps[j], qs[j]), field))
				}
				if views[view] == nil {
					views[view] = map[int64]bool{}
				}
				views[view][p] = true
			}
		}
	}
	for view, fits := range views {
		if len(fits) > 2 && !strings.HasPrefix(view, "0 0 ") {
			t.Errorf("view %s leaves %d values of p", view, len(fits))
		}
	}
	if len(views) < 6*7*7/2 {
		t.Errorf("%d views for %d sharings", len(views), 6*7*7)
	}
}

// Section 1, step 6: "shares φ_i and β_i over the integers with degree t: f(x) = Δ·secret + Σ a_k x^k, a_k uniform in
// [0, 2^κ·Δ²·bound)", and [TNO19, section 4]. The coefficients are taken from the shares again by differences, over the
// rationals, so that nothing of the package is trusted.
func TestIntegerSharingIsThePolynomialOfTheText(t *testing.T) {
	for _, s := range []shamir.Integer{{N: 3, T: 1, Kappa: 40}, {N: 5, T: 2, Kappa: 80}, {N: 7, T: 3, Kappa: 80}, {N: 9, T: 8, Kappa: 128}} {
		bound := new(big.Int).Lsh(big.NewInt(5), 200)
		r := sample.Hash("polynomial", fmt.Append(nil, s))
		secret := new(big.Int).Neg(sample.Below(r, bound))
		delta := new(big.Int).MulRange(1, int64(s.N))
		limit := new(big.Int).Mul(delta, delta)
		limit.Mul(limit, bound).Lsh(limit, uint(s.Kappa))
		coefficients := make([]*big.Int, s.T)
		for k := range coefficients {
			coefficients[k] = sample.Below(r, limit)
		}
		// The last one shows that the range ends where the text says.
		coefficients[s.T-1].Sub(limit, big.NewInt(1))
		shares := s.Share(scripted(limit, coefficients...), secret, bound)
		for j, got := range shares {
			want := new(big.Int).Mul(delta, secret)
			for k, a := range coefficients {
				power := new(big.Int).Exp(big.NewInt(int64(j+1)), big.NewInt(int64(k+1)), nil)
				want.Add(want, power.Mul(power, a))
			}
			if got.Cmp(want) != 0 {
				t.Errorf("%+v: f(%d) = %v, want %v", s, j+1, got, want)
			}
		}
	}
}

// Section "Security model": "at most t of n collude", and [TNO19, section 4]. For t shares of a secret there is, for
// every other secret within the bound, a legal polynomial with the same t shares: integer coefficients, all within
// [0, 2^κ·Δ²·bound). The dealing code itself is made to say both.
func TestThresholdSharesFitEverySecretWithinTheRange(t *testing.T) {
	for _, s := range []shamir.Integer{{N: 3, T: 1, Kappa: 80}, {N: 5, T: 2, Kappa: 80}, {N: 7, T: 3, Kappa: 80}} {
		bound := new(big.Int).Lsh(big.NewInt(1), 128)
		limit := new(big.Int).Mul(s.Delta(), s.Delta())
		limit.Mul(limit, bound).Lsh(limit, uint(s.Kappa))
		r := sample.Hash("every secret", fmt.Append(nil, s))
		secret := sample.Below(r, bound)
		coefficients := make([]*big.Int, s.T)
		for k := range coefficients {
			coefficients[k] = sample.Below(r, limit)
		}
		shares := s.Share(scripted(limit, coefficients...), secret, bound)
		others := []*big.Int{new(big.Int).Neg(bound), bound, new(big.Int), sample.Below(r, bound)}
		for points := range shamir.Subsets(s.N, s.T) {
			for _, other := range others {
				moved := movedCoefficients(s, coefficients, points, new(big.Int).Sub(other, secret))
				for k, a := range moved {
					if a.Sign() < 0 || a.Cmp(limit) >= 0 {
						t.Fatalf("%+v: coefficient %d leaves its range for the secret %v", s, k+1, other)
					}
				}
				again := s.Share(scripted(limit, moved...), other, bound)
				for _, point := range points {
					if again[point-1].Cmp(shares[point-1]) != 0 {
						t.Errorf("%+v: party %d of %v tells %v from %v", s, point, points, other, secret)
					}
				}
			}
		}
	}
}

// movedCoefficients adds difference·Δ·(∏ (1 - x/c) - 1) over the points c to Σ a_k x^k. The polynomial with Δ·difference
// added at 0, too, is unchanged at the points.
func movedCoefficients(s shamir.Integer, coefficients []*big.Int, points []int, difference *big.Int) []*big.Int {
	product := []*big.Rat{big.NewRat(1, 1)} // ∏ (1 - x/c), by powers of x
	for _, c := range points {
		next := append(product, new(big.Rat))
		for k := len(next) - 1; k > 0; k-- {
			next[k] = new(big.Rat).Sub(next[k], new(big.Rat).Mul(next[k-1], big.NewRat(1, int64(c))))
		}
		product = next
	}
	moved := make([]*big.Int, len(coefficients))
	for k, a := range coefficients {
		move := new(big.Rat).SetInt(new(big.Int).Mul(difference, s.Delta()))
		move.Mul(move, product[k+1])
		if !move.IsInt() {
			panic("Δ does not clear the reciprocals of the points")
		}
		moved[k] = new(big.Int).Add(a, move.Num())
	}
	return moved
}

// Section 1, step 7: "Parties 1..2t+1 re-share L_j·w_j (integer Lagrange) with a fresh degree-t integer polynomial: [GRR98]
// over the integers". The sums of what the parties receive are a sharing of degree t, over the integers, of Δ times
// Δ·f_x(0)·f_y(0) = Δ⁴·x·y for sharings with f(0) = Δ·secret.
func TestDegreeReductionOverTheIntegers(t *testing.T) {
	for _, s := range []shamir.Integer{{N: 3, T: 1, Kappa: 80}, {N: 5, T: 2, Kappa: 80}, {N: 7, T: 2, Kappa: 80}, {N: 7, T: 3, Kappa: 80}} {
		bound := new(big.Int).Lsh(big.NewInt(1), 100)
		r := sample.Hash("integer reduction", fmt.Append(nil, s))
		x, y := sample.Below(r, bound), new(big.Int).Neg(sample.Below(r, bound))
		xs, ys := s.Share(r, x, bound), s.Share(r, y, bound)
		largest := s.ShareBound(bound)
		largest.Mul(largest, largest)
		sums := zeroInts(s.N)
		for k, l := range s.Lagrange(shamir.Points(2*s.T + 1)) {
			w := new(big.Int).Mul(xs[k], ys[k])
			w.Mul(w, l)
			for j, share := range s.Share(r, w, new(big.Int).Mul(largest, new(big.Int).Abs(l))) {
				sums[j].Add(sums[j], share)
			}
		}
		want := new(big.Int).Exp(s.Delta(), big.NewInt(4), nil)
		want.Mul(want, x).Mul(want, y)
		for points := range shamir.Subsets(s.N, s.T+1) {
			if got := rational(points, pick(sums, points)); !got.IsInt() || got.Num().Cmp(want) != 0 {
				t.Errorf("%+v: the parties %v hold shares of %v, want Δ⁴·x·y = %v", s, points, got, want)
			}
		}
		if got := rational(shamir.Points(s.T), sums[:s.T]); got.IsInt() && got.Num().Cmp(want) == 0 {
			t.Errorf("%+v: t parties open the product", s)
		}
	}
}

// Section 1, step 7: the local products lie on degree 2t and no less: t+1 of the products w_j do not open φ·β, 2t+1 do.
func TestLocalProductsNeedTwiceTheDegree(t *testing.T) {
	s := shamir.Integer{N: 7, T: 2, Kappa: 80}
	bound := big.NewInt(1 << 30)
	r := sample.Hash("twice the degree")
	xs, ys := s.Share(r, big.NewInt(1234), bound), s.Share(r, big.NewInt(-4321), bound)
	products := make([]*big.Int, s.N)
	for j := range products {
		products[j] = new(big.Int).Mul(xs[j], ys[j])
	}
	want := new(big.Int).Mul(s.Delta(), s.Delta())
	want.Mul(want, big.NewInt(-1234*4321))
	for size := 1; size <= s.N; size++ {
		for points := range shamir.Subsets(s.N, size) {
			got := rational(points, pick(products, points))
			if opens := got.IsInt() && got.Num().Cmp(want) == 0; opens != (size >= 2*s.T+1) {
				t.Errorf("the products of %v open the secret: %v", points, opens)
			}
		}
	}
}
