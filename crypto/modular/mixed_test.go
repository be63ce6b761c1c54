package modular

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// broadcast draws either n numbers or one for all.
func broadcast(t *rapid.T, g *rapid.Generator[*big.Int], n int, label string) (list, all []*big.Int) {
	if rapid.Bool().Draw(t, "one "+label) {
		x := g.Draw(t, label)
		return []*big.Int{x}, slices.Repeat([]*big.Int{x}, n)
	}
	list = rapid.SliceOfN(g, n, n).Draw(t, label)
	return list, list
}

func TestExpBatchFollowsItsDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bases := rapid.SliceOfN(numbers(300), 0, 12).Draw(rt, "bases")
		for i := range bases {
			if i%2 == 1 {
				bases[i].Neg(bases[i])
			}
		}
		exps, allExps := broadcast(rt, exponents(), len(bases), "exps")
		mods, allMods := broadcast(rt, moduli(512), len(bases), "mods")
		defer unchanged(t, bases, exps, mods)()
		got := expBatch(drawEngine(rt), bases, exps, mods)
		for i, x := range bases {
			x := new(big.Int).Mod(x, allMods[i])
			if want := refExp(x, allExps[i], allMods[i]); got[i].Cmp(want) != 0 {
				rt.Fatalf("%v^%v mod %v: got %v, want %v", x, allExps[i], allMods[i], got[i], want)
			}
		}
	})
}

// Every class of sizes, in both directions, in one batch, among them moduli that no kernel takes.
func TestExpBatchMixesSizes(t *testing.T) {
	eachPath(t, func(t *testing.T, e *engine) {
		s := newSource(9)
		var bases, exps, mods, want []*big.Int
		for i, bits := range []int{2048, 64, 4096, 3, 1024, 65, 63, 518, 519, 8192, 8193, 1038, 1039, 64, 512, 65, 500} {
			m := s.modulus(bits)
			bases, exps, mods = append(bases, s.number(bits+i%2)), append(exps, s.number(7*i)), append(mods, m)
			want = append(want, refExp(bases[len(bases)-1], exps[len(exps)-1], m))
		}
		if got := expBatch(e, bases, exps, mods); !equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// Powers of 4 are what they are by definition, on every path: for moduli on both sides of every boundary and of every kind, and exponents
// from 0 to more digits than the modulus has.
func TestPowersOfFour(t *testing.T) {
	eachPath(t, func(t *testing.T, e *engine) {
		s := newSource(10)
		four := big.NewInt(4)
		for _, bits := range boundaries() {
			mods := s.extreme(bits)
			for _, length := range []int{0, 1, 5, 6, 64, 131} {
				exps := []*big.Int{new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(length)), big.NewInt(1)), s.number(length), big.NewInt(0)}
				got := expBatch(e, []*big.Int{four, four, four}, exps, mods)
				for i := range mods {
					if want := refExp(four, exps[i], mods[i]); got[i].Cmp(want) != 0 {
						t.Fatalf("4^%x mod %x: got %x, want %x", exps[i], mods[i], got[i], want)
					}
				}
			}
		}
		m, long := s.modulus(512), s.number(2048)
		for _, bases := range [][]*big.Int{{four, four}, {four, big.NewInt(5)}} { // the latter takes the common way
			for i, got := range expBatch(e, bases, []*big.Int{long}, []*big.Int{m}) {
				if want := refExp(bases[i], long, m); got.Cmp(want) != 0 {
					t.Errorf("%v^%x mod %x: got %x, want %x", bases[i], long, m, got, want)
				}
			}
		}
	})
}

// legendre is the symbol by Euler's criterion, for a prime p.
func legendre(x, p *big.Int) int {
	half := new(big.Int).Rsh(p, 1)
	switch r := refExp(new(big.Int).Mod(x, p), half, p); {
	case r.Sign() == 0:
		return 0
	case r.Cmp(big.NewInt(1)) == 0:
		return 1
	default:
		return -1
	}
}

func TestJacobiBatchIsTheProductOfLegendreSymbols(t *testing.T) {
	primes := []*big.Int{big.NewInt(3), big.NewInt(5), big.NewInt(10007), big.NewInt(1<<61 - 1)}
	rapid.Check(t, func(rt *rapid.T) {
		xs := rapid.SliceOfN(numbers(130), 0, 40).Draw(rt, "xs")
		for i := range xs {
			if i%3 == 1 {
				xs[i].Neg(xs[i])
			}
		}
		p, q := rapid.SampledFrom(primes).Draw(rt, "p"), rapid.SampledFrom(primes).Draw(rt, "q")
		pq := new(big.Int).Mul(p, q)
		one, many := JacobiBatch(xs, []*big.Int{pq}), JacobiBatch(xs, slices.Repeat([]*big.Int{pq}, len(xs)))
		for i, x := range xs {
			if want := legendre(x, p) * legendre(x, q); one[i] != want || many[i] != want {
				rt.Fatalf("(%v / %v·%v): got %d and %d, want %d", x, p, q, one[i], many[i], want)
			}
		}
	})
}

func TestMisuseOfMixedBatchesPanics(t *testing.T) {
	n := func(xs ...int64) (out []*big.Int) {
		for _, x := range xs {
			out = append(out, big.NewInt(x))
		}
		return out
	}
	for name, call := range map[string]func(){
		"too few exponents":  func() { ExpBatch(n(1, 2, 3), n(1, 2), n(5)) },
		"no exponents":       func() { ExpBatch(n(1, 2), nil, n(5)) },
		"too many exponents": func() { ExpBatch(n(1), n(1, 2), n(5)) },
		"too few moduli":     func() { ExpBatch(n(1, 2, 3), n(1), n(5, 7)) },
		"even modulus":       func() { ExpBatch(n(1, 2), n(1), n(5, 8)) },
		"modulus 1":          func() { ExpBatch(n(1), n(1), n(1)) },
		"negative exponent":  func() { ExpBatch(n(1, 2), n(1, -1), n(5)) },
		"Jacobi even":        func() { JacobiBatch(n(1), n(4)) },
		"Jacobi negative":    func() { JacobiBatch(n(1), n(-5)) },
		"Jacobi lengths":     func() { JacobiBatch(n(1, 2, 3), n(5, 7)) },
		"nil base":           func() { ExpBatch([]*big.Int{nil}, n(1), n(5)) },
		"nil exponent":       func() { ExpBatch(n(1), []*big.Int{nil}, n(5)) },
		"nil modulus":        func() { ExpBatch(n(1), n(1), []*big.Int{nil}) },
		"Jacobi of nil":      func() { JacobiBatch([]*big.Int{nil}, n(5)) },
	} {
		wantPanic(t, name, call)
	}
}

func TestEmptyBatches(t *testing.T) {
	one := []*big.Int{big.NewInt(3)}
	v := NewRing(one[0]).Vector(nil)
	inverse, err := v.Inverse()
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range map[string]int{
		"ExpBatch":      len(ExpBatch(nil, nil, nil)),
		"ExpBatch of 1": len(ExpBatch(nil, one, one)),
		"JacobiBatch":   len(JacobiBatch(nil, one)),
		"Coprime":       len(NewDivisors([]int{3}).Coprime(nil)),
		"FixedBase":     v.Ring().FixedBase(one[0], 3).Exp(nil).Len(),
		"Mul":           v.Mul(v).Len(),
		"Inverse":       inverse.Len(),
		"Exp":           v.Exp(one[0]).Len(),
		"Horner":        v.Horner(3, 3).Len(),
		"Append":        len(v.Append(nil)),
		"Product - 1":   int(v.Product().Int64()) - 1,
		"NonUnit + 1":   v.NonUnit() + 1,
	} {
		if n != 0 {
			t.Errorf("%s of nothing: %d", name, n)
		}
	}
}
