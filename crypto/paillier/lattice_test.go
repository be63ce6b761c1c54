package paillier_test

import (
	"math/big"
	"slices"
	"testing"

	"riskprop/crypto/sample"
)

// A small lattice reduction and, with it, Coppersmith's method for polynomials of degree two modulo N. They are the tools of
// an adversary; see leak_test.go.

// reduce is the reduction of Lenstra, Lenstra and Lovász, with 3/4, in integers: [Cohen, A Course in Computational Algebraic
// Number Theory, algorithm 2.6.7] without its transformation matrix. The rows of b must be independent; they are replaced.
func reduce(b [][]*big.Int) {
	l := newLattice(b)
	for k := 1; k < len(b); {
		l.sizeReduce(k, k-1)
		if l.swapNeeded(k) {
			l.swap(k)
			k = max(k-1, 1)
			continue
		}
		for j := k - 2; j >= 0; j-- {
			l.sizeReduce(k, j)
		}
		k++
	}
}

// lattice is a basis with its Gram-Schmidt coefficients µ_ij = lambda[i][j]/d[j+1], where d[j] is the Gram determinant of
// the first j rows.
type lattice struct {
	b, lambda [][]*big.Int
	d         []*big.Int
}

func newLattice(b [][]*big.Int) *lattice {
	l := &lattice{b: b, d: append([]*big.Int{big.NewInt(1)}, zeros(len(b))...)}
	for i := range b {
		l.lambda = append(l.lambda, zeros(len(b)))
		for j := 0; j <= i; j++ {
			u := inner(b[i], b[j])
			for k := range j {
				u.Mul(u, l.d[k+1])
				u.Sub(u, new(big.Int).Mul(l.lambda[i][k], l.lambda[j][k]))
				u.Quo(u, l.d[k])
			}
			if j < i {
				l.lambda[i][j] = u
			} else {
				l.d[i+1] = u
			}
		}
	}
	return l
}

func inner(x, y []*big.Int) *big.Int {
	s := new(big.Int)
	for i := range x {
		s.Add(s, new(big.Int).Mul(x[i], y[i]))
	}
	return s
}

// sizeReduce subtracts from row k the multiple of row j that makes |µ_kj| <= 1/2.
func (l *lattice) sizeReduce(k, j int) {
	// q = floor(lambda/d + 1/2)
	q := new(big.Int).Lsh(l.lambda[k][j], 1)
	q.Add(q, l.d[j+1])
	q.Div(q, new(big.Int).Lsh(l.d[j+1], 1))
	if q.Sign() == 0 {
		return
	}
	for i := range l.b[k] {
		l.b[k][i].Sub(l.b[k][i], new(big.Int).Mul(q, l.b[j][i]))
	}
	for i := range j {
		l.lambda[k][i].Sub(l.lambda[k][i], new(big.Int).Mul(q, l.lambda[j][i]))
	}
	l.lambda[k][j].Sub(l.lambda[k][j], new(big.Int).Mul(q, l.d[j+1]))
}

// swapNeeded tells whether d_{k+1}·d_{k-1} < 3/4·d_k² - λ².
func (l *lattice) swapNeeded(k int) bool {
	left := new(big.Int).Mul(l.d[k+1], l.d[k-1])
	left.Add(left, new(big.Int).Mul(l.lambda[k][k-1], l.lambda[k][k-1])).Lsh(left, 2)
	right := new(big.Int).Mul(l.d[k], l.d[k])
	return left.Cmp(right.Mul(right, big.NewInt(3))) < 0
}

func (l *lattice) swap(k int) {
	l.b[k], l.b[k-1] = l.b[k-1], l.b[k]
	for j := range k - 1 {
		l.lambda[k][j], l.lambda[k-1][j] = l.lambda[k-1][j], l.lambda[k][j]
	}
	mu := l.lambda[k][k-1]
	d := new(big.Int).Mul(l.d[k-1], l.d[k+1])
	d.Add(d, new(big.Int).Mul(mu, mu)).Quo(d, l.d[k])
	for i := k + 1; i < len(l.b); i++ {
		old := l.lambda[i][k]
		// λ_ik = (d_{k+1}·λ_{i,k-1} - µ·λ_ik)/d_k, and λ_{i,k-1} = (d'·λ_ik(old) + µ·λ_ik(new))/d_{k+1}
		a := new(big.Int).Mul(l.d[k+1], l.lambda[i][k-1])
		a.Sub(a, new(big.Int).Mul(mu, old)).Quo(a, l.d[k])
		c := new(big.Int).Mul(d, old)
		c.Add(c, new(big.Int).Mul(mu, a)).Quo(c, l.d[k+1])
		l.lambda[i][k], l.lambda[i][k-1] = a, c
	}
	l.d[k] = d
}

// smallRoots returns the integers y in [0, limit) with y² + b·y + c ≡ 0 (mod n) that Coppersmith's method finds with powers of
// the polynomial up to 4: all, if limit is well below n^(4/9).
func smallRoots(b, c, n, limit *big.Int) []*big.Int {
	const powers = 5
	modulus := new(big.Int).Exp(n, big.NewInt(powers-1), nil)
	var basis [][]*big.Int
	power := []*big.Int{modulus} // f^i·n^(powers-1-i), from the constant up
	for range powers {
		for shift := range 2 {
			row := zeros(2 * powers)
			scale := new(big.Int).Exp(limit, big.NewInt(int64(shift)), nil)
			for k, x := range power {
				row[k+shift].Mul(x, scale)
				scale.Mul(scale, limit)
			}
			basis = append(basis, row)
		}
		next := zeros(len(power) + 2)
		for k, x := range power {
			next[k].Add(next[k], new(big.Int).Mul(x, c))
			next[k+1].Add(next[k+1], new(big.Int).Mul(x, b))
			next[k+2].Add(next[k+2], x)
		}
		for k := range next {
			next[k].Quo(next[k], n)
		}
		power = next
	}
	reduce(basis)
	short := make([]*big.Int, 2*powers) // g(y), which is 0 over the integers where f is 0 modulo n
	scale := big.NewInt(1)
	for k := range short {
		short[k] = new(big.Int).Quo(basis[0][k], scale)
		scale.Mul(scale, limit)
	}
	return integerRoots(short, limit)
}

// integerRoots returns the integers in [0, limit] where the polynomial, from its constant up, is 0.
func integerRoots(poly []*big.Int, limit *big.Int) []*big.Int {
	var roots []*big.Int
	for _, x := range changes(poly, limit) {
		if at(poly, x).Sign() == 0 {
			roots = append(roots, x)
		}
	}
	return roots
}

// changes returns integers in [0, limit], in order, among which are all integer roots of poly and both neighbours of each other
// root: between two of them poly is monotonous up to a step of 1. They are found by bisection between those of the derivative.
func changes(poly []*big.Int, limit *big.Int) []*big.Int {
	points := []*big.Int{new(big.Int), limit}
	if len(poly) <= 1 {
		return points
	}
	derivative := make([]*big.Int, len(poly)-1)
	for k := range derivative {
		derivative[k] = new(big.Int).Mul(poly[k+1], big.NewInt(int64(k+1)))
	}
	points = changes(derivative, limit)
	found := slices.Clone(points)
	for k := range points[1:] {
		low, high := points[k], points[k+1]
		sign := at(poly, low).Sign()
		if sign*at(poly, high).Sign() >= 0 {
			continue
		}
		for new(big.Int).Sub(high, low).Cmp(one) > 0 {
			middle := new(big.Int).Add(low, high)
			middle.Rsh(middle, 1)
			if at(poly, middle).Sign() == sign {
				low = middle
			} else {
				high = middle
			}
		}
		found = append(found, low, high)
	}
	slices.SortFunc(found, (*big.Int).Cmp)
	return slices.CompactFunc(found, func(x, y *big.Int) bool { return x.Cmp(y) == 0 })
}

func at(poly []*big.Int, x *big.Int) *big.Int {
	y := new(big.Int)
	for k := len(poly) - 1; k >= 0; k-- {
		y.Mul(y, x).Add(y, poly[k])
	}
	return y
}

// The tool works: planted roots below n^0.4 are found, modulo a prime of 96 bits, with nothing else known.
func TestSmallRootsAreFound(t *testing.T) {
	n, _ := new(big.Int).SetString("79228162514264337593543950397", 10) // 2^96 + 61, whatever its factors are
	limit := new(big.Int).Lsh(one, 39)
	r := stream("roots")
	for range 10 {
		y, other := sample.Below(r, limit), sample.Below(r, n)
		// (x - y)·(x - other)
		b := new(big.Int).Add(y, other)
		c := new(big.Int).Mul(y, other)
		found := smallRoots(b.Mod(b.Neg(b), n), c.Mod(c, n), n, limit)
		if !slices.ContainsFunc(found, func(x *big.Int) bool { return x.Cmp(y) == 0 }) {
			t.Errorf("found %v, want %v", found, y)
		}
	}
}
