package biprime_test

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/biprime"
	"riskprop/crypto/sample"
)

// powers returns v_i = g^Exponent(i) mod n for pieces of p and q.
func powers(n, g *big.Int, p, q []*big.Int) []*big.Int {
	v := make([]*big.Int, len(p))
	for i := range v {
		v[i] = new(big.Int).Exp(g, biprime.Exponent(i+1, n, p[i], q[i]), n)
	}
	return v
}

// pieces splits a number ≡ 3 (mod 4) for three parties.
func pieces(p int64) []*big.Int {
	return []*big.Int{big.NewInt(p - 4*(p/12) - 4*(p/20)), big.NewInt(4 * (p / 12)), big.NewInt(4 * (p / 20))}
}

// passRate returns how many of the integers in [2, p·q) with Jacobi symbol 1 pass the test, and how many there are. It computes
// the definition, g^((p-1)(q-1)/4) ≡ ±1, and checks that the parties' computation says the same.
func passRate(t *testing.T, p, q int64) (passed, all int) {
	t.Helper()
	n := big.NewInt(p * q)
	e := big.NewInt((p - 1) * (q - 1) / 4)
	for g := int64(2); g < p*q; g++ {
		base := big.NewInt(g)
		if big.Jacobi(base, n) != 1 {
			continue
		}
		x := new(big.Int).Exp(base, e, n)
		want := x.Cmp(big.NewInt(1)) == 0 || x.Int64() == p*q-1
		if got := biprime.Passes(n, powers(n, base, pieces(p), pieces(q))); got != want {
			t.Fatalf("p = %d, q = %d, g = %d: Passes says %v", p, q, g, got)
		}
		all++
		if want {
			passed++
		}
	}
	return passed, all
}

// [BF97]: a product of two different primes ≡ 3 (mod 4) passes for every base. [2024/2072]: anything else with
// gcd(N, p+q-1) = 1 passes for at most a quarter of them. Exhaustively for small p and q; 1, which always passes, is not a base.
func TestEveryBiprimePassesAndNothingElse(t *testing.T) {
	for p := int64(3); p < 52; p += 4 {
		for q := p; q < 52; q += 4 {
			passed, all := passRate(t, p, q)
			gcd := new(big.Int).GCD(nil, nil, big.NewInt(p*q), big.NewInt(p+q-1)).Int64()
			switch {
			case p != q && isPrime(int(p)) && isPrime(int(q)):
				if passed != all {
					t.Errorf("%d·%d: a biprime fails for %d of %d bases", p, q, all-passed, all)
				}
			case gcd == 1:
				if 4*passed > all {
					t.Errorf("%d·%d: no biprime, but passes for %d of %d bases", p, q, passed, all)
				}
			}
		}
	}
}

// The screen lets every biprime pass, and few other numbers: (4/N) = 1, and of the composites up to 500² about one in a hundred
// passes. The larger the numbers, the rarer.
func TestScreenLosesNoBiprime(t *testing.T) {
	passed, all := 0, 0
	base := biprime.ScreenBase()
	for p := int64(3); p < 500; p += 4 {
		for q := p + 4; q < 500; q += 4 {
			n := big.NewInt(p * q)
			if big.Jacobi(base, n) != 1 {
				t.Fatalf("the symbol (%v/%v) is not 1", base, n)
			}
			passes := biprime.Passes(n, powers(n, base, pieces(p), pieces(q)))
			switch {
			case isPrime(int(p)) && isPrime(int(q)):
				if !passes {
					t.Errorf("%d·%d: a biprime fails", p, q)
				}
			default:
				all++
				if passes {
					passed++
				}
			}
		}
	}
	if 50*passed > all {
		t.Errorf("%d of %d composites pass", passed, all)
	}
}

// blumPrime returns the first prime ≡ 3 (mod 4) from the stream of the label, of the given size.
func blumPrime(label string, bits int) *big.Int {
	r := sample.Hash("prime", []byte(label))
	for {
		p := sample.Bits(r, bits)
		p.SetBit(p, bits-1, 1).SetBit(p, 1, 1).SetBit(p, 0, 1)
		if p.ProbablyPrime(20) {
			return p
		}
	}
}

func TestLargeModuliAreTold(t *testing.T) {
	p, q := blumPrime("p", 128), blumPrime("q", 128)
	r, s, u := blumPrime("r", 64), blumPrime("s", 32), blumPrime("u", 32)
	for _, c := range []struct {
		name string
		p, q *big.Int
		want bool
	}{
		{"two primes", p, q, true},
		{"a square of a prime", p, p, false},
		{"three primes", p, new(big.Int).Mul(new(big.Int).Mul(r, s), u), false},
		{"a prime cubed", p, new(big.Int).Exp(s, big.NewInt(3), nil), false},
		{"a small factor", p, big.NewInt(7 * 13 * 9), false},
	} {
		passed := true
		n := new(big.Int).Mul(c.p, c.q)
		zero := new(big.Int)
		for index := range biprime.Tests(80) {
			g := biprime.Bases([]byte("seed"), []*big.Int{n}, index)[0]
			passed = passed && biprime.Passes(n, powers(n, g, []*big.Int{c.p, zero, zero}, []*big.Int{c.q, zero, zero}))
		}
		if passed != c.want {
			t.Errorf("%s: passed is %v", c.name, passed)
		}
	}
}

func TestPassesNeedsUnits(t *testing.T) {
	n := big.NewInt(77)
	ints := func(xs ...int64) []*big.Int {
		out := make([]*big.Int, len(xs))
		for i, x := range xs {
			out[i] = big.NewInt(x)
		}
		return out
	}
	for _, c := range []struct {
		v    []*big.Int
		want bool
	}{
		{ints(6, 2, 3), true},
		{ints(71, 2, 3), true},
		{ints(6+77, 2, 3), true},
		{ints(6, 3, 3), false},
		{ints(1, 76), true},
		{ints(0, 0, 3), false},
		{ints(7, 7, 1), false},
		{ints(70, 7, 1), false},
	} {
		if got := biprime.Passes(n, c.v); got != c.want {
			t.Errorf("Passes(77, %v) = %v", c.v, got)
		}
	}
	mustPanic(t, func() { biprime.Passes(n, ints(1)) })
}

func TestExponentsSumToAQuarterOfPhi(t *testing.T) {
	f := newForm(t, 256, 5)
	r := sample.Hash("exponents")
	for range 50 {
		p, q := candidate(f, r), candidate(f, r)
		n := new(big.Int).Mul(sum(p), sum(q))
		total := biprime.Exponent(1, n, p[0], q[0])
		for i := 2; i <= 5; i++ {
			total.Sub(total, biprime.Exponent(i, n, p[i-1], q[i-1]))
		}
		phi := new(big.Int).Mul(new(big.Int).Sub(sum(p), big.NewInt(1)), new(big.Int).Sub(sum(q), big.NewInt(1)))
		if total.Lsh(total, 2).Cmp(phi) != 0 {
			t.Errorf("the exponents of p = %v, q = %v do not sum to φ/4", p, q)
		}
	}
}

func TestExponentPanicsOnForeignPieces(t *testing.T) {
	n, three, four := big.NewInt(77), big.NewInt(3), big.NewInt(4)
	mustPanic(t, func() { biprime.Exponent(1, n, three, four) })
	mustPanic(t, func() { biprime.Exponent(2, n, three, four) })
	mustPanic(t, func() { biprime.Exponent(2, n, three, three) })
	mustPanic(t, func() { biprime.Exponent(1, n, n, n) })
}

func TestTestsReachTheError(t *testing.T) {
	for kappa, want := range map[int]int{0: 0, 1: 1, 2: 1, 3: 2, 40: 20, 80: 40, 81: 41} {
		if got := biprime.Tests(kappa); got != want {
			t.Errorf("Tests(%d) = %d, want %d", kappa, got, want)
		}
	}
}

// The simple way: one number at a time, as the documentation has it.
func TestBasesAgainstTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOf(rapid.Byte()).Draw(t, "seed")
		index := rapid.IntRange(0, 300).Draw(t, "index")
		raw := rapid.SliceOfN(rapid.Uint64Min(2), 0, 12).Draw(t, "ns")
		ns := make([]*big.Int, len(raw))
		for k, x := range raw {
			ns[k] = new(big.Int).SetUint64(x)
			ns[k].Lsh(ns[k], uint(k*20)).SetBit(ns[k], 0, 1)
			if ns[k].Cmp(big.NewInt(3)) <= 0 {
				ns[k].SetInt64(5)
			}
		}
		bases := biprime.Bases(seed, ns, index)
		if len(bases) != len(ns) {
			t.Fatalf("%d bases for %d moduli", len(bases), len(ns))
		}
		for k, n := range ns {
			r := sample.Hash("riskprop/biprime base", seed, n.Bytes(), binary.BigEndian.AppendUint64(nil, uint64(index)))
			g := new(big.Int)
			for big.Jacobi(g, n) != 1 {
				g = sample.Below(r, new(big.Int).Sub(n, big.NewInt(2)))
				g.Add(g, big.NewInt(2))
			}
			if g.Cmp(bases[k]) != 0 || g.Cmp(big.NewInt(2)) < 0 || g.Cmp(n) >= 0 {
				t.Fatalf("base %d of %v is %v, want %v", index, n, bases[k], g)
			}
		}
	})
}

func TestBasesDifferByEveryInput(t *testing.T) {
	n, m := blumPrime("n", 128), blumPrime("m", 128)
	seen := map[string]string{}
	for _, c := range []struct {
		name  string
		seed  string
		n     *big.Int
		index int
	}{
		{"first", "s", n, 0}, {"index", "s", n, 1}, {"seed", "t", n, 0}, {"modulus", "s", m, 0},
	} {
		g := biprime.Bases([]byte(c.seed), []*big.Int{c.n}, c.index)[0].String()
		if other, taken := seen[g]; taken {
			t.Errorf("%s and %s give one base", c.name, other)
		}
		seen[g] = c.name
	}
	mustPanic(t, func() { biprime.Bases(nil, []*big.Int{n}, -1) })
	mustPanic(t, func() { biprime.Bases(nil, []*big.Int{big.NewInt(3)}, 0) })
	mustPanic(t, func() { biprime.Bases(nil, []*big.Int{big.NewInt(8)}, 0) })
}

func TestTrialAgainstDivision(t *testing.T) {
	for _, c := range []struct{ b1, b2 int }{{0, 1}, {1, 2}, {2, 3}, {7, 7}, {9, 3}, {13, 100}, {97, 1000}, {101, 4999}, {-5, 30}} {
		var primes []*big.Int
		for p := max(c.b1+1, 3); p <= c.b2; p++ {
			if isPrime(p) {
				primes = append(primes, big.NewInt(int64(p)))
			}
		}
		trial := biprime.NewTrial(c.b1, c.b2)
		r := sample.Hash("trial", fmt.Appendf(nil, "%v", c))
		ns := []*big.Int{big.NewInt(1), big.NewInt(97), big.NewInt(101), big.NewInt(97 * 101), big.NewInt(4999), big.NewInt(5003)}
		for bits := 1; bits < 400; bits++ {
			ns = append(ns, new(big.Int).Add(sample.Bits(r, bits), big.NewInt(1)))
		}
		for k, survived := range trial.Survivors(ns) {
			want := true
			for _, p := range primes {
				want = want && new(big.Int).Mod(ns[k], p).Sign() != 0
			}
			if survived != want {
				t.Errorf("trial division of %v by the odd primes in (%d, %d]: survived is %v", ns[k], c.b1, c.b2, survived)
			}
		}
	}
}

// One trial division of 1,000 moduli of 2,048 bits by the primes up to 2^16.
func BenchmarkTrial(b *testing.B) {
	r := sample.Hash("benchmark")
	trial := biprime.NewTrial(1000, 1<<16)
	ns := make([]*big.Int, 1000)
	for i := range ns {
		ns[i] = sample.Bits(r, 2048)
		ns[i].SetBit(ns[i], 0, 1)
	}
	for b.Loop() {
		trial.Survivors(ns)
	}
}
