package modular

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// exponents draws exponents on both sides of one word.
func exponents() *rapid.Generator[*big.Int] {
	return rapid.Custom(func(t *rapid.T) *big.Int {
		return numbers(rapid.SampledFrom([]int{1, 3, 40, 63, 64, 65, 130}).Draw(t, "bits")).Draw(t, "exponent")
	})
}

func TestExpIsElementWise(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(512).Draw(rt, "m")
		xs, e := residues(m, 4).Draw(rt, "xs"), exponents().Draw(rt, "e")
		defer unchanged(t, []*big.Int{e})()
		v := drawRing(rt, m).Vector(xs)
		want := refMap(xs, func(x *big.Int) *big.Int { return refExp(x, e, m) })
		wantInts(rt, "Exp", v.Exp(e), want)
		wantInts(rt, "ExpSecret", v.ExpSecret(e, e.BitLen()), want)
		wantInts(rt, "ExpSecret with room", v.ExpSecret(e, e.BitLen()+100), want)
		wantInts(rt, "the base", v, xs)
	})
}

func TestExpWithTheSystemsSizes(t *testing.T) {
	eachPath(t, func(t *testing.T, e *engine) {
		s := newSource(3)
		for _, bits := range []int{2048, 4096} {
			v := s.vector(newRing(s.modulus(bits), e), 2)
			for _, n := range []int{40, 64, 65, bits / 32} {
				e := s.number(n)
				want := refMap(v.Ints(), func(x *big.Int) *big.Int { return refExp(x, e, v.ring.m) })
				wantInts(t, "Exp", v.Exp(e), want)
				wantInts(t, "ExpSecret", v.ExpSecret(e, n), want)
			}
		}
	})
}

func TestHornerPacksRuns(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(512).Draw(rt, "m")
		xs := residues(m, 30).Draw(rt, "xs")
		group := rapid.IntRange(1, 10).Draw(rt, "group")
		shift := rapid.SampledFrom([]int{0, 1, 7, 63, 64, 65, 100}).Draw(rt, "shift")
		v := drawRing(rt, m).Vector(xs)
		wantInts(rt, "Horner", v.Horner(group, shift), refHorner(xs, group, shift, m))
		wantInts(rt, "the argument", v, xs)
	})
}

// Both ways of computing a power of two, on both sides of every limit between them.
func TestHornerAtTheSystemsSizes(t *testing.T) {
	eachPath(t, func(t *testing.T, e *engine) {
		s := newSource(4)
		for _, c := range []struct{ bits, shift int }{{1024, 63}, {1024, 64}, {4096, 255}, {4096, 256}, {6144, 200}} {
			v := s.vector(newRing(s.modulus(c.bits), e), 3)
			wantInts(t, "Horner", v.Horner(2, c.shift), refHorner(v.Ints(), 2, c.shift, v.ring.m))
		}
	})
}

// Paillier slot packing: with E(x) = (1+N)^x mod N², packing ciphertexts packs plaintexts.
func TestHornerPacksPaillierSlots(t *testing.T) {
	n := big.NewInt(1_000_003 * 1_000_033)
	square := new(big.Int).Mul(n, n)
	var cs []*big.Int
	for _, x := range []int64{5, 6, 7} {
		cs = append(cs, refExp(new(big.Int).Add(n, big.NewInt(1)), big.NewInt(x), square))
	}
	packed := NewRing(square).Vector(cs).Horner(3, 10).At(0)
	packed.Sub(packed, big.NewInt(1)).Div(packed, n)
	if want := int64(5 + 6<<10 + 7<<20); packed.Int64() != want {
		t.Errorf("packed plaintext is %v, want %d", packed, want)
	}
}
