package paillier_test

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"slices"
	"testing"

	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

// Protocol, section 1, step 7: "w_j = f_φ(j)·f_β(j) lies on a degree-2t polynomial. It must never be opened, not even reduced
// mod N: one party's own two shares together with the opened values of an unmasked product leave a quadratic mod N whose
// small root is p+q-1, within reach of Coppersmith's method." The tests below run that attack, and show that the transcript of
// this derivation does not determine what the attack needs.
//
// # The attack
//
// Let C be t parties that put together what they know, f_φ(c) and f_β(c) for c in C. Modulo N, with the unknowns
// X = f_φ(0) = Δ·φ(N) and Y = f_β(0) = Δ·β, interpolation at the t+1 points {0} ∪ C gives both polynomials at any other point x:
//
//	f_φ(x) = l·X + A,   f_β(x) = l·Y + B,   l = ∏ (c-x)/c,   A = Σ f_φ(c)·ℓ_c(x),   B = Σ f_β(c)·ℓ_c(x)
//
// with l, A and B known. If W = f_φ·f_β is open modulo N, so are W(0) = X·Y and W(x). Multiply W(x) = (lX + A)(lY + B) by X and
// replace X·Y by W(0):
//
//	l·B·X² + (l²·W(0) + A·B - W(x))·X + l·A·W(0) ≡ 0   (mod N)
//
// φ(N) = N+1-p-q ≡ -s with s = p+q-1, so X ≡ -Δ·s. Coppersmith's method finds roots of a quadratic below N^(1/2), without the
// factors of N. And s is smaller than that in effect: p and q lie between √½·2^(k/2) and 2^(k/2), so
// 0 <= p+q - 2√N = (√p - √q)² <= 0.0302·√N, and s ≡ -3 modulo m0 by the form of the candidates. With s = s0 + m0·y the unknown y is
// below 0.0302·√N/m0.
//
// # Why the transcript does not determine W
//
// What C and the public see of steps 6 to 8 is: C's own numbers; the shares that honest parties deal to C in step 6; those
// they deal to C in step 7; and S_i mod N of all i. Take any other unit φ' of Z_N in the place of φ (one honest party k gets
// the difference), and the β' with φ'·β' ≡ φ·β (mod N). The polynomials
//
//	f + Δ·(difference)·∏ (1 - x/c)
//
// agree with f at C, have integer coefficients, and share the other secrets. In step 7 the honest parties' products w_j
// become others, w_j'; their polynomials moved in the same way share these and agree at C. Then S(x) moves by
// Δ⁴·(φ'β' - φβ)·∏ (1 - x/c), which is 0 modulo N at every point. So the same view comes from every φ', with coefficients that are
// in their ranges but for a probability of 2^-κ: the view says nothing about φ that N does not. W(x), for honest x, is different.
//
// This is about steps 6 to 8. The partial decryptions of step 9 and of later sessions rest on computational assumptions.

// opened is what the attack needs: C's shares, and the values of W at 0 and at an honest point.
type opened struct {
	n                *big.Int
	parties          int
	coalition        []int
	phi, beta        []*big.Int // f_φ(c) and f_β(c) for c of the coalition
	point            int
	atZero, atPoint  *big.Int // W(0) and W(point) mod N
	m0, firstResidue int64
}

// quadratic returns the coefficients of X², X and 1.
func (o opened) quadratic() [3]*big.Int {
	points := append([]int{0}, o.coalition...)
	l := basis(points, 0, o.point, o.n)
	a, b := new(big.Int), new(big.Int)
	for k := range o.coalition {
		c := basis(points, k+1, o.point, o.n)
		a.Add(a, new(big.Int).Mul(c, o.phi[k]))
		b.Add(b, new(big.Int).Mul(c, o.beta[k]))
	}
	first := new(big.Int).Mul(l, b)
	middle := new(big.Int).Mul(l, l)
	middle.Mul(middle, o.atZero).Add(middle, new(big.Int).Mul(a, b)).Sub(middle, o.atPoint)
	last := new(big.Int).Mul(l, a)
	last.Mul(last, o.atZero)
	return [3]*big.Int{first.Mod(first, o.n), middle.Mod(middle, o.n), last.Mod(last, o.n)}
}

// basis returns the Lagrange polynomial ℓ_k of the points at x, modulo n.
func basis(points []int, k, x int, n *big.Int) *big.Int {
	value := big.NewInt(1)
	for i, j := range points {
		if i != k {
			inverse := new(big.Int).ModInverse(new(big.Int).Mod(big.NewInt(int64(points[k]-j)), n), n)
			value.Mul(value, inverse.Mul(inverse, big.NewInt(int64(x-j)))).Mod(value, n)
		}
	}
	return value
}

// fits tells whether the quadratic is 0 at X = Δ·φ.
func (o opened) fits(phi *big.Int) bool {
	q := o.quadratic()
	x := new(big.Int).MulRange(1, int64(o.parties))
	x.Mul(x, phi)
	y := new(big.Int).Mul(q[0], x)
	y.Add(y, q[1]).Mul(y, x).Add(y, q[2])
	return y.Mod(y, o.n).Sign() == 0
}

// factor runs the attack, and returns the factors of N or nil.
func (o opened) factor() []*big.Int {
	q := o.quadratic()
	delta := new(big.Int).MulRange(1, int64(o.parties))
	// s = s0 + m0·y, s0 the first number from 2√N-1 with the right residue
	m0, s0 := big.NewInt(o.m0), new(big.Int).Sqrt(new(big.Int).Lsh(o.n, 2))
	s0.Sub(s0, one)
	s0.Add(s0, new(big.Int).Mod(new(big.Int).Sub(big.NewInt(o.firstResidue), s0), m0))
	limit := new(big.Int).Sqrt(o.n)
	limit.Mul(limit, big.NewInt(302)).Quo(limit, big.NewInt(10000)).Quo(limit, m0).Add(limit, one)

	// X = -Δ·(s0 + m0·y): first·X² + middle·X + last, made monic in y
	slope := new(big.Int).Neg(new(big.Int).Mul(delta, m0))
	start := new(big.Int).Neg(new(big.Int).Mul(delta, s0))
	square := new(big.Int).Mul(q[0], new(big.Int).Mul(slope, slope))
	inverse := new(big.Int).ModInverse(square.Mod(square, o.n), o.n)
	if inverse == nil {
		return nil
	}
	b := new(big.Int).Lsh(new(big.Int).Mul(q[0], start), 1)
	b.Add(b, q[1]).Mul(b, slope).Mul(b, inverse).Mod(b, o.n)
	c := new(big.Int).Mul(q[0], start)
	c.Add(c, q[1]).Mul(c, start).Add(c, q[2]).Mul(c, inverse).Mod(c, o.n)
	for _, y := range smallRoots(b, c, o.n, limit) {
		total := new(big.Int).Add(y.Mul(y, m0), s0)
		total.Add(total, one) // p+q
		root := new(big.Int).Mul(total, total)
		root.Sub(root, new(big.Int).Lsh(o.n, 2))
		if root.Sign() < 0 {
			continue
		}
		root.Sqrt(root) // q-p
		p := new(big.Int).Rsh(root.Sub(total, root), 1)
		if r := new(big.Int); p.Sign() > 0 && p.Cmp(one) != 0 && r.Mod(o.n, p).Sign() == 0 {
			return []*big.Int{p, new(big.Int).Quo(o.n, p)}
		}
	}
	return nil
}

// toy is a modulus of 96 bits of the form of section 1, step 2, with every party's pieces of p and q: p ≡ q ≡ -1 modulo m0, between
// √½·2^48 and 2^48. The unknown y of the attack has up to 39 bits, so that a search for it, which is Fermat's way to factor and
// needs no leak, is no explanation for a success within a second.
func toy(parties int, label string) (d paillier.Derivation, p, q []*big.Int) {
	const bits = 48
	m0, _ := formOf(parties)
	prime := func(r io.Reader) *big.Int {
		lowest := new(big.Int).Sqrt(new(big.Int).Lsh(one, 2*bits-1))
		for {
			x := sample.Bits(r, bits)
			x.Sub(x, new(big.Int).Mod(x, big.NewInt(m0))).Sub(x, one)
			if x.Cmp(lowest) > 0 && x.ProbablyPrime(20) {
				return x
			}
		}
	}
	split := func(r io.Reader, x *big.Int) []*big.Int {
		pieces, rest := make([]*big.Int, parties), new(big.Int).Set(x)
		for i := 1; i < parties; i++ {
			pieces[i] = sample.Below(r, new(big.Int).Quo(x, big.NewInt(int64(parties))))
			rest.Sub(rest, pieces[i])
		}
		pieces[0] = rest
		return pieces
	}
	r := stream(label, parties)
	x, y := prime(r), prime(r)
	d = paillier.Derivation{Parties: parties, Threshold: (parties - 1) / 2, Kappa: testKappa, N: new(big.Int).Mul(x, y)}
	return d, split(r, x), split(r, y)
}

// formOf returns m0 and the residue of s = p+q-1 modulo it.
func formOf(parties int) (m0, residue int64) {
	m0 = map[int]int64{3: 12, 5: 60, 7: 420}[parties]
	return m0, m0 - 3
}

// attack prepares the attack of a coalition on a derivation, with given values of W.
func attack(d paillier.Derivation, a *arithmetic, coalition []int, atZero *big.Int, point int, atPoint *big.Int) opened {
	o := opened{n: d.N, parties: d.Parties, coalition: coalition, point: point, atZero: atZero, atPoint: atPoint}
	o.m0, o.firstResidue = formOf(d.Parties)
	for _, c := range coalition {
		o.phi = append(o.phi, a.phi[c-1])
		o.beta = append(o.beta, a.betas[c-1])
	}
	return o
}

// unmasked is what the parties would publish without step 7's re-sharing: w_j mod N, which opens W(0).
func unmasked(d paillier.Derivation, a *arithmetic) (values []*big.Int, atZero *big.Int) {
	for j := range d.Parties {
		values = append(values, new(big.Int).Mul(a.phi[j], a.betas[j]))
	}
	values = residues(values, d.N)
	multipliers := 2*d.Threshold + 1
	return values, shamir.Combine(shamir.Points(multipliers), values[:multipliers], d.N)
}

func honest(parties int, coalition []int) (list []int) {
	for _, j := range shamir.Points(parties) {
		if !slices.Contains(coalition, j) {
			list = append(list, j)
		}
	}
	return list
}

// The attack finds the factors from the opened products, for every coalition of t; and nothing from what is public in this
// derivation, put in the place of the products in every way that there is: the S_i mod N of others, S(x) scaled to the size of
// W(x), the coalition's own products, own shares of the key and shares received in step 7, and no value at all.
func TestOpenedProductsGiveTheFactorsAndOursDoNot(t *testing.T) {
	for _, c := range []struct {
		parties int
		label   string
	}{{3, "a"}, {5, "a"}} {
		d, p, q := toy(c.parties, c.label)
		a := derive(d, p, q, stream)
		values, atZero := unmasked(d, a)
		coalitions := slices.Collect(shamir.Subsets(c.parties, d.Threshold))
		for _, coalition := range coalitions[:3] {
			point := honest(c.parties, coalition)[0]
			found := attack(d, a, coalition, atZero, point, values[point-1]).factor()
			if len(found) != 2 || new(big.Int).Mul(found[0], found[1]).Cmp(d.N) != 0 || found[0].Cmp(one) <= 0 || found[1].Cmp(one) <= 0 {
				t.Errorf("%d parties: %v do not find the factors of %v from the opened products: %v", c.parties, coalition, d.N, found)
			}
		}
		coalition := coalitions[0]
		point := honest(c.parties, coalition)[0]
		for name, atPoint := range substitutes(t, d, a, coalition, point) {
			// W(0) = Δ²·φ·β is public here, too: it is θ/Δ².
			o := attack(d, a, coalition, atZero, point, atPoint)
			if o.fits(phiOf(d, p, q)) {
				t.Errorf("%d parties: %s is W(x)", c.parties, name)
			}
			if found := o.factor(); found != nil {
				t.Errorf("%d parties: %v factor N with %s in the place of W(x)", c.parties, coalition, name)
			}
		}
	}
}

func phiOf(d paillier.Derivation, p, q []*big.Int) *big.Int {
	phi := new(big.Int).Add(d.N, one)
	return phi.Sub(phi, sum(p)).Sub(phi, sum(q))
}

// substitutes are the values that the coalition and the public have of steps 7 and 8, all that could be taken for W(x).
func substitutes(t *testing.T, d paillier.Derivation, a *arithmetic, coalition []int, point int) map[string]*big.Int {
	t.Helper()
	public := residues(a.shares, d.N)
	theta, err := d.Theta(public)
	if err != nil {
		t.Fatal(err)
	}
	delta := new(big.Int).MulRange(1, int64(d.Parties))
	scale := new(big.Int).ModInverse(new(big.Int).Mul(delta, delta), d.N)
	own := coalition[0] - 1
	list := map[string]*big.Int{
		"S(x)":                         public[point-1],
		"S(x)/Δ²":                      new(big.Int).Mul(public[point-1], scale),
		"θ":                            theta,
		"θ/Δ²":                         new(big.Int).Mul(theta, scale),
		"the coalition's own product":  new(big.Int).Mul(a.phi[own], a.betas[own]),
		"the coalition's share":        a.shares[own],
		"a share received in step 7":   a.reshares[point-1][own],
		"a share received, over L_j":   overLagrange(d, a.reshares[point-1][own], point),
		"a share received, over Δ·L_j": new(big.Int).Mul(overLagrange(d, a.reshares[point-1][own], point), new(big.Int).ModInverse(delta, d.N)),
		"nothing":                      new(big.Int),
	}
	for name, x := range list {
		list[name] = new(big.Int).Mod(x, d.N)
	}
	return list
}

// overLagrange returns x/L_j mod N.
func overLagrange(d paillier.Derivation, x *big.Int, j int) *big.Int {
	l := shamir.Integer{N: d.Parties, T: d.Threshold, Kappa: d.Kappa}.Lagrange(shamir.Points(2*d.Threshold + 1))[j-1]
	inverse := new(big.Int).ModInverse(new(big.Int).Mod(l, d.N), d.N)
	return inverse.Mul(inverse, x)
}

// world is every number that the parties draw in steps 6 and 7, so that it can be changed.
type world struct {
	beta            []*big.Int   // β_i
	phiCoefficients [][]*big.Int // of dealer i in step 6, from x up
	betaCoefficient [][]*big.Int
	reshare         [][]*big.Int // of multiplier j in step 7
}

// drawWorld draws all numbers of an honest run.
func drawWorld(d paillier.Derivation, r io.Reader) *world {
	secretRange, productRange := maskRange(d, d.N), maskRange(d, productBound(d))
	draw := func(limit *big.Int) (list []*big.Int) {
		for range d.Threshold {
			list = append(list, sample.Below(r, limit))
		}
		return list
	}
	w := &world{}
	for range d.Parties {
		w.beta = append(w.beta, sample.Below(r, d.N))
		w.phiCoefficients = append(w.phiCoefficients, draw(secretRange))
		w.betaCoefficient = append(w.betaCoefficient, draw(secretRange))
	}
	for range 2*d.Threshold + 1 {
		w.reshare = append(w.reshare, draw(productRange))
	}
	return w
}

// maskRange returns 2^κ·Δ²·bound.
func maskRange(d paillier.Derivation, bound *big.Int) *big.Int {
	delta := new(big.Int).MulRange(1, int64(d.Parties))
	limit := delta.Mul(delta, delta)
	return limit.Mul(limit, bound).Lsh(limit, uint(d.Kappa))
}

// stream gives derive the streams from which the parties draw this world. A number beyond its range is an error: the
// package would never draw it.
func (w *world) stream(t *testing.T, d paillier.Derivation) func(string, ...int) io.Reader {
	return func(label string, parts ...int) io.Reader {
		var data []byte
		add := func(limit *big.Int, values ...*big.Int) {
			for _, x := range values {
				if x.Sign() < 0 || x.Cmp(limit) >= 0 {
					t.Fatalf("%v is not in [0, %v)", x, limit)
				}
				width := (new(big.Int).Sub(limit, one).BitLen() + 7) / 8
				data = append(data, x.FillBytes(make([]byte, width))...)
			}
		}
		i := parts[0]
		if label == "secrets" {
			add(d.N, w.beta[i])
			add(maskRange(d, d.N), append(slices.Clone(w.phiCoefficients[i]), w.betaCoefficient[i]...)...)
		} else {
			add(maskRange(d, productBound(d)), w.reshare[i]...)
		}
		return bytes.NewReader(data)
	}
}

// vanishing returns the coefficients of x, x², … of Δ·∏ (1 - x/c) over the points c. Δ is divisible by their product.
func vanishing(parties int, points []int) []*big.Int {
	scale := new(big.Int).MulRange(1, int64(parties))
	coefficients := []*big.Int{big.NewInt(1)} // ∏ (c - x)
	for _, c := range points {
		scale.Quo(scale, big.NewInt(int64(c)))
		next := append(zeros(1), coefficients...)
		for k := range next {
			next[k] = new(big.Int).Neg(next[k])
			if k < len(coefficients) {
				next[k].Add(next[k], new(big.Int).Mul(coefficients[k], big.NewInt(int64(c))))
			}
		}
		coefficients = next
	}
	for _, x := range coefficients {
		x.Mul(x, scale)
	}
	return coefficients[1:]
}

// move returns coefficients + difference·vanishing.
func move(coefficients []*big.Int, difference *big.Int, vanishing []*big.Int) []*big.Int {
	moved := make([]*big.Int, len(coefficients))
	for k := range moved {
		moved[k] = new(big.Int).Mul(difference, vanishing[k])
		moved[k].Add(moved[k], coefficients[k])
	}
	return moved
}

// other returns the world in which the honest party k has `difference` more of φ, that fits the coalition's view of w, and the
// pieces of p that party k has there.
func (w *world) other(d paillier.Derivation, p, q []*big.Int, a *arithmetic, coalition []int, difference *big.Int) (*world, []*big.Int) {
	honest := honest(d.Parties, coalition)
	k := honest[len(honest)-1] - 1
	zero := vanishing(d.Parties, coalition)
	phi := phiOf(d, p, q)
	pieces := slices.Clone(p)
	pieces[k] = new(big.Int).Sub(p[k], difference) // φ_k = -(p_k+q_k)

	// β' with (φ + difference)·β' ≡ φ·β
	beta := new(big.Int).ModInverse(new(big.Int).Mod(new(big.Int).Add(phi, difference), d.N), d.N)
	beta.Mul(beta, phi).Mul(beta, a.beta).Sub(beta, a.beta).Add(beta, w.beta[k]).Mod(beta, d.N)
	betaDifference := new(big.Int).Sub(beta, w.beta[k])

	v := &world{slices.Clone(w.beta), slices.Clone(w.phiCoefficients), slices.Clone(w.betaCoefficient), nil}
	v.beta[k] = beta
	v.phiCoefficients[k] = move(w.phiCoefficients[k], difference, zero)
	v.betaCoefficient[k] = move(w.betaCoefficient[k], betaDifference, zero)
	// f_φ and f_β of all have moved like those of k.
	lagrange := shamir.Integer{N: d.Parties, T: d.Threshold, Kappa: d.Kappa}.Lagrange(shamir.Points(2*d.Threshold + 1))
	for j, l := range lagrange {
		at := vanishingAt(d.Parties, coalition, j+1)
		phiShare := new(big.Int).Add(a.phi[j], new(big.Int).Mul(difference, at))
		betaShare := new(big.Int).Add(a.betas[j], new(big.Int).Mul(betaDifference, at))
		product := phiShare.Mul(phiShare, betaShare)
		product.Sub(product, new(big.Int).Mul(a.phi[j], a.betas[j])).Mul(product, l)
		v.reshare = append(v.reshare, move(w.reshare[j], product, zero))
	}
	return v, pieces
}

// vanishingAt returns Δ·∏ (1 - x/c).
func vanishingAt(parties int, points []int, x int) *big.Int {
	value := new(big.Int).MulRange(1, int64(parties))
	for _, c := range points {
		value.Quo(value, big.NewInt(int64(c)))
	}
	for _, c := range points {
		value.Mul(value, big.NewInt(int64(c-x)))
	}
	return value
}

// view is all that a coalition sees of steps 6 to 8 and does not know from itself, and its own sums.
func view(d paillier.Derivation, a *arithmetic, coalition []int) []string {
	var seen []string
	for _, c := range coalition {
		for i, dealt := range a.secrets {
			seen = append(seen, fmt.Sprintf("shares of party %d for %d: %v, %v", i+1, c, dealt[c-1], dealt[d.Parties+c-1]))
		}
		for j, dealt := range a.reshares {
			seen = append(seen, fmt.Sprintf("share of the product of party %d for %d: %v", j+1, c, dealt[c-1]))
		}
		seen = append(seen, fmt.Sprintf("sums of party %d: %v, %v, %v", c, a.phi[c-1], a.betas[c-1], a.shares[c-1]))
	}
	return append(seen, fmt.Sprint("public: ", residues(a.shares, d.N)))
}

// For every coalition of t, and for φ' drawn from Z_N as well as for the extremes, the derivation itself produces the coalition's
// view, to the last bit, from two worlds: with φ and with φ'. The opened products would tell the worlds apart, each fits its
// own φ alone.
func TestViewOfStepsSixToEightFitsEveryPhi(t *testing.T) {
	for _, parties := range []int{3, 5, 7} {
		d, p, q := toy(parties, "view")
		r := stream("worlds", parties)
		w := drawWorld(d, r)
		a := derive(d, p, q, w.stream(t, d))
		phi := phiOf(d, p, q)
		for coalition := range shamir.Subsets(parties, d.Threshold) {
			want := view(d, a, coalition)
			half := new(big.Int).Rsh(d.N, 1)
			for _, difference := range []*big.Int{one, big.NewInt(-1), sample.Below(r, half), new(big.Int).Neg(sample.Below(r, half))} {
				v, pieces := w.other(d, p, q, a, coalition, difference)
				b := derive(d, pieces, q, v.stream(t, d))
				if got := view(d, b, coalition); !slices.Equal(got, want) {
					t.Fatalf("%d parties: %v tell φ from φ%+d:\n%v\nwant\n%v", parties, coalition, difference, got, want)
				}
				compareWorlds(t, d, [2]*arithmetic{a, b}, coalition, [2]*big.Int{phi, new(big.Int).Add(phi, difference)})
			}
		}
	}
}

// compareWorlds checks that W(x) of each world leaves the φ of that world and not the other's, with the same W(0).
func compareWorlds(t *testing.T, d paillier.Derivation, worlds [2]*arithmetic, coalition []int, phis [2]*big.Int) {
	t.Helper()
	for _, x := range honest(d.Parties, coalition) {
		for i, a := range worlds {
			values, atZero := unmasked(d, a)
			o := attack(d, a, coalition, atZero, x, values[x-1])
			if !o.fits(phis[i]) || o.fits(phis[1-i]) {
				t.Errorf("%d parties: the product at %d of world %d fits φ: %v, %v", d.Parties, x, i, o.fits(phis[0]), o.fits(phis[1]))
			}
		}
	}
}
