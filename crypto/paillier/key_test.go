package paillier_test

import (
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

// Any threshold+1 parties decrypt; the product of ciphertexts encrypts the sum, a power the multiple.
func TestEverySubsetDecrypts(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {4, 1}, {5, 2}, {7, 3}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			s := newSession(t, c.n, c.t)
			r := stream("messages", c.n)
			x, y := s.messages(r), s.messages(r)
			cx := s.key.Rerandomize(r, s.key.Embed(x))
			cy := s.key.RerandomizeFull(r, s.key.Embed(y))
			sum := cx.Mul(cy.Exp(big.NewInt(5)))
			want := make([]*big.Int, len(x))
			for i := range want {
				want[i] = new(big.Int).Mul(y[i], big.NewInt(5))
				want[i].Mod(want[i].Add(want[i], x[i]), s.N)
			}
			all := modular.Concat(cx, cy, sum)
			partials := s.partials(shamir.Points(c.n), all)
			for points := range shamir.Subsets(c.n, c.t+1) {
				chosen := make([]*modular.Vector, len(points))
				for k, p := range points {
					chosen[k] = partials[p-1]
				}
				got, err := s.key.Combine(points, chosen)
				if err != nil {
					t.Fatal(err)
				}
				n := len(x)
				if !equal(got[:n], x) || !equal(got[n:2*n], y) || !equal(got[2*n:], want) {
					t.Errorf("parties %v decrypt to something else", points)
				}
			}
			tooFew(t, s, cx)
		})
	}
}

// tooFew checks that threshold parties get nothing by the same formula, in the clear.
func tooFew(t *testing.T, s *session, v *modular.Vector) {
	t.Helper()
	square := new(big.Int).Mul(s.N, s.N)
	for points := range shamir.Subsets(s.Parties, s.Threshold) {
		for i := range v.Len() {
			x := big.NewInt(1)
			for k, l := range s.sharing().Lagrange(points) {
				exponent := new(big.Int).Mul(l, s.shares[points[k]-1])
				x.Mul(x, new(big.Int).Exp(v.At(i), exponent, square)).Mod(x, square)
			}
			if x.Sub(x, one).Mod(x, s.N).Sign() == 0 {
				t.Errorf("parties %v alone cancel the randomness of ciphertext %d", points, i)
			}
		}
	}
}

func TestRerandomized(t *testing.T) {
	s := newSession(t, 3, 1)
	ms := []*big.Int{big.NewInt(7), big.NewInt(7), new(big.Int)}
	plain := s.key.Embed(ms)
	if !equal(plain.Ints()[2:], []*big.Int{one}) {
		t.Errorf("Embed(0) = %v, want 1", plain.At(2))
	}
	fast := s.key.Rerandomize(stream("a"), plain)
	again := s.key.Rerandomize(stream("b"), fast)
	full := s.key.RerandomizeFull(stream("c"), plain)
	seen := map[string]bool{}
	for _, v := range []*modular.Vector{plain.Slice(1, 3), fast, again, full} {
		for i := range v.Len() {
			seen[v.At(i).String()] = true
		}
		if err := s.key.Check(v); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 2+3*3 {
		t.Errorf("%d different ciphertexts, want 11", len(seen))
	}
	for _, v := range []*modular.Vector{plain, fast, again, full} {
		if got := s.decrypt(t, v); !equal(got, ms) {
			t.Errorf("decrypts to %v, want %v", got, ms)
		}
	}
	if empty := s.key.Rerandomize(stream("d"), s.key.Embed(nil)); empty.Len() != 0 || len(s.decrypt(t, empty)) != 0 {
		t.Error("an empty batch does not stay empty")
	}
}

// The definitions over math/big, with the randomness read as documented.
func TestRerandomizeAgainstTheFormula(t *testing.T) {
	s := newSession(t, 3, 1)
	square := new(big.Int).Mul(s.N, s.N)
	ms := []*big.Int{big.NewInt(-3), sample.Below(stream("m"), s.N), s.N}
	fast := s.key.Rerandomize(stream("r"), s.key.Embed(ms))
	full := s.key.RerandomizeFull(stream("r"), s.key.Embed(ms))
	alphas, units := stream("r"), stream("r")
	for i, m := range ms {
		g := new(big.Int).Exp(new(big.Int).Add(s.N, one), new(big.Int).Mod(m, s.N), square)
		x := new(big.Int).Exp(s.key.HS, sample.Bits(alphas, testBits/2), square)
		if x.Mod(x.Mul(x, g), square).Cmp(fast.At(i)) != 0 {
			t.Errorf("Rerandomize of ciphertext %d is not (1+N)^m·h_s^α", i)
		}
		y := new(big.Int).Exp(sample.Unit(units, s.N), s.N, square)
		if y.Mod(y.Mul(y, g), square).Cmp(full.At(i)) != 0 {
			t.Errorf("RerandomizeFull of ciphertext %d is not (1+N)^m·ρ^N", i)
		}
	}
}

func TestRandomizerBase(t *testing.T) {
	s := newSession(t, 3, 1)
	square := new(big.Int).Mul(s.N, s.N)
	phi := new(big.Int).Mul(new(big.Int).Sub(s.p, one), new(big.Int).Sub(s.q, one))
	y := sample.Unit(stream("y"), s.N)
	got := paillier.RandomizerBase(y, s.N)
	h := new(big.Int).Sub(s.N, new(big.Int).Exp(y, big.NewInt(2), s.N))
	if big.Jacobi(h, s.N) != 1 {
		t.Error("h has not Jacobi symbol 1")
	}
	if got.Cmp(new(big.Int).Exp(h, s.N, square)) != 0 {
		t.Errorf("h_s = %v is not (-y² mod N)^N mod N²", got)
	}
	if new(big.Int).Exp(got, phi, square).Cmp(one) != 0 {
		t.Error("h_s is not an N-th residue: it would change plaintexts")
	}
}

func TestCheckNamesTheFirstNonUnit(t *testing.T) {
	s := newSession(t, 3, 1)
	good := s.key.Rerandomize(stream("check"), s.key.Embed(s.messages(stream("check"))))
	square := new(big.Int).Mul(s.N, s.N)
	for _, bad := range []*big.Int{
		new(big.Int), s.p, s.q, s.N, new(big.Int).Mul(s.p, big.NewInt(12345)), new(big.Int).Mul(s.p, s.p), new(big.Int).Sub(square, s.q),
	} {
		for index := range good.Len() + 1 {
			v := modular.Concat(good.Slice(0, index), s.key.Ring().Vector([]*big.Int{bad}), good.Slice(index, good.Len()),
				s.key.Ring().Vector([]*big.Int{new(big.Int)}))
			err := s.key.Check(v)
			var element *modular.ElementError
			if !errors.As(err, &element) || element.Index != index || !errors.Is(err, modular.ErrNotUnit) {
				t.Errorf("%v at %d: %v", bad, index, err)
			}
		}
	}
	if err := s.key.Check(good); err != nil {
		t.Error(err)
	}
}

func TestCombineFindsWrongPartials(t *testing.T) {
	s := newSession(t, 4, 1)
	r := stream("wrong")
	v := s.key.Rerandomize(r, s.key.Embed(s.messages(r)))
	points := []int{4, 2}
	const index = 3
	replace := func(w *modular.Vector, x *big.Int) *modular.Vector {
		return modular.Concat(w.Slice(0, index), s.key.Ring().Vector([]*big.Int{x}), w.Slice(index+1, w.Len()))
	}
	honest := s.partials(points, v)
	for _, c := range []struct {
		name string
		x    func(part *modular.Vector) *big.Int
		want []error // by whose part it is
	}{
		{"wrong share", func(part *modular.Vector) *big.Int { return part.Mul(v).At(index) },
			[]error{paillier.ErrPartials, paillier.ErrPartials}},
		{"other ciphertext", func(part *modular.Vector) *big.Int { return part.At(index + 1) },
			[]error{paillier.ErrPartials, paillier.ErrPartials}},
		{"random", func(*modular.Vector) *big.Int { return sample.Unit(r, s.N) },
			[]error{paillier.ErrPartials, paillier.ErrPartials}},
		// A zero above the fraction line leaves 0, below it there is no inverse. λ_4 = -1 and λ_2 = 2.
		{"zero", func(*modular.Vector) *big.Int { return new(big.Int) },
			[]error{modular.ErrNotUnit, paillier.ErrPartials}},
	} {
		for who := range points {
			partials := append([]*modular.Vector(nil), honest...)
			partials[who] = replace(honest[who], c.x(honest[who]))
			_, err := s.key.Combine(points, partials)
			var element *modular.ElementError
			if !errors.As(err, &element) || element.Index != index || !errors.Is(err, c.want[who]) {
				t.Errorf("%s of party %d: %v", c.name, points[who], err)
			}
		}
	}
}

// The limit that Combine documents: a power of 1+N moves the plaintext without a trace.
func TestCombineDoesNotFindShiftedPlaintexts(t *testing.T) {
	s := newSession(t, 3, 1)
	v := s.key.Rerandomize(stream("shift"), s.key.Embed([]*big.Int{big.NewInt(5)}))
	points := []int{1, 2}
	partials := s.partials(points, v)
	partials[0] = partials[0].Mul(s.key.Embed([]*big.Int{one}))
	got, err := s.key.Combine(points, partials)
	if err != nil || got[0].Int64() == 5 {
		t.Errorf("Combine = %v, %v, want another plaintext than 5 and no error", got, err)
	}
}

func TestPartialDecryptTakesNegativeShares(t *testing.T) {
	s := newSession(t, 3, 1)
	v := s.key.Rerandomize(stream("negative"), s.key.Embed(s.messages(stream("negative"))))
	limit := new(big.Int).Lsh(one, uint(s.key.ShareBits()))
	limit.Sub(limit, one)
	for _, share := range []*big.Int{new(big.Int), one, s.shares[0], limit} {
		product := s.key.PartialDecrypt(share, v).Mul(s.key.PartialDecrypt(new(big.Int).Neg(share), v))
		for i := range product.Len() {
			if product.At(i).Cmp(one) != 0 {
				t.Errorf("c^S·c^-S = %v for ciphertext %d", product.At(i), i)
			}
		}
	}
	tooLarge := new(big.Int).Add(limit, one)
	bad := s.key.Ring().Vector([]*big.Int{s.p})
	mustPanic(t, "share too large", func() { s.key.PartialDecrypt(tooLarge, v) })
	mustPanic(t, "negative share too large", func() { s.key.PartialDecrypt(tooLarge.Neg(tooLarge), v) })
	mustPanic(t, "unchecked ciphertext", func() { s.key.PartialDecrypt(big.NewInt(-1), bad) })
	two := s.partials([]int{1, 2}, v)
	mustPanic(t, "too few points", func() { _, _ = s.key.Combine([]int{1}, two[:1]) })
	mustPanic(t, "too many points", func() { _, _ = s.key.Combine([]int{1, 2, 3}, append(two, two[0])) })
	mustPanic(t, "missing partials", func() { _, _ = s.key.Combine([]int{1, 2}, two[:1]) })
	mustPanic(t, "lengths", func() { _, _ = s.key.Combine([]int{1, 2}, []*modular.Vector{two[0], two[1].Slice(0, 1)}) })
}

func TestParamsValidate(t *testing.T) {
	s := newSession(t, 3, 1)
	square := new(big.Int).Mul(s.N, s.N)
	for _, c := range []struct {
		name   string
		change func(p *paillier.Params)
		good   bool
	}{
		{"good", func(*paillier.Params) {}, true},
		{"too many for the threshold", func(p *paillier.Params) { p.Threshold = 2 }, false},
		{"no N", func(p *paillier.Params) { p.N = nil }, false},
		{"even N", func(p *paillier.Params) { p.N = new(big.Int).Lsh(p.N, 1) }, false},
		{"no theta", func(p *paillier.Params) { p.Theta = nil }, false},
		{"theta 0", func(p *paillier.Params) { p.Theta = new(big.Int) }, false},
		{"theta negative", func(p *paillier.Params) { p.Theta = big.NewInt(-1) }, false},
		{"theta not reduced", func(p *paillier.Params) { p.Theta = new(big.Int).Add(p.N, p.Theta) }, false},
		{"theta no unit", func(p *paillier.Params) { p.Theta = s.p }, false},
		{"no h_s", func(p *paillier.Params) { p.HS = nil }, false},
		{"h_s 0", func(p *paillier.Params) { p.HS = new(big.Int) }, false},
		{"h_s not reduced", func(p *paillier.Params) { p.HS = new(big.Int).Add(square, p.HS) }, false},
		{"h_s no unit", func(p *paillier.Params) { p.HS = new(big.Int).Mul(s.q, big.NewInt(4)) }, false},
	} {
		p := s.key.Params
		c.change(&p)
		k, err := paillier.NewKey(p)
		if (err == nil) != c.good || (k != nil) != c.good {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestKeyKeepsCopies(t *testing.T) {
	s := newSession(t, 3, 1)
	p := s.key.Params
	p.N, p.Theta, p.HS = new(big.Int).Set(p.N), new(big.Int).Set(p.Theta), new(big.Int).Set(p.HS)
	k, err := paillier.NewKey(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []*big.Int{p.N, p.Theta, p.HS} {
		x.SetInt64(0)
	}
	if k.N.Cmp(s.N) != 0 || k.Theta.Cmp(s.key.Theta) != 0 || k.HS.Cmp(s.key.HS) != 0 {
		t.Error("the key changes with the numbers it was made of")
	}
	if want := new(big.Int).Mul(s.N, s.N); k.Ring().Modulus().Cmp(want) != 0 {
		t.Error("the ring is not modulo N²")
	}
}

// A key serves many goroutines; the first ones build the table of h_s together.
func TestKeyIsSafeForConcurrentUse(t *testing.T) {
	s := newSession(t, 3, 1)
	plain := s.key.Embed(s.messages(stream("concurrent")))
	results := make([]*modular.Vector, 4)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() { results[i] = s.key.Rerandomize(stream("concurrent"), plain) })
	}
	group.Wait()
	for i, v := range results {
		if !equal(v.Ints(), results[0].Ints()) {
			t.Errorf("goroutine %d computed something else", i)
		}
	}
}

// At the size of real keys, with a modulus of unknown factors: re-randomisation of 16 ciphertexts, and one party's part in
// their decryption.
func BenchmarkBatchOf16At2048Bits(b *testing.B) {
	d := anyDerivation(2048, 3, 1)
	y := sample.Unit(stream("benchmark"), d.N)
	k, err := paillier.NewKey(paillier.Params{N: d.N, Theta: one, HS: paillier.RandomizerBase(y, d.N), Parties: 3, Threshold: 1, Kappa: testKappa})
	if err != nil {
		b.Fatal(err)
	}
	v := k.Rerandomize(stream("benchmark"), k.Embed(make16()))
	share := sample.Bits(stream("share"), k.ShareBits())
	b.Run("Rerandomize", func(b *testing.B) {
		for b.Loop() {
			k.Rerandomize(stream("benchmark"), v)
		}
	})
	b.Run("RerandomizeFull", func(b *testing.B) {
		for b.Loop() {
			k.RerandomizeFull(stream("benchmark"), v)
		}
	})
	b.Run("PartialDecrypt", func(b *testing.B) {
		for b.Loop() {
			k.PartialDecrypt(share, v)
		}
	})
}

func make16() []*big.Int {
	ms := make([]*big.Int, 16)
	for i := range ms {
		ms[i] = big.NewInt(int64(i))
	}
	return ms
}
