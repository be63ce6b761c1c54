package modular

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestMulIsElementWise(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(4096).Draw(rt, "m")
		xs := residues(m, 40).Draw(rt, "xs")
		v := drawRing(rt, m).Vector(xs)
		reversed := make([]int, len(xs))
		for i := range reversed {
			reversed[i] = len(xs) - 1 - i
		}
		var want []*big.Int
		for i := range xs {
			want = append(want, refMul(xs[i], xs[reversed[i]], m))
		}
		wantInts(rt, "Mul", v.Mul(v.Select(reversed)), want)
		wantInts(rt, "Mul by itself", v.Mul(v), refMap(xs, func(x *big.Int) *big.Int { return refMul(x, x, m) }))
		wantInts(rt, "the factor", v, xs)
	})
}

func TestProductIsThatOfAll(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(256).Draw(rt, "m")
		xs := residues(m, 3*productBlock).Draw(rt, "xs")
		if got, want := drawRing(rt, m).Vector(xs).Product(), refProduct(xs, m); got.Cmp(want) != 0 {
			rt.Fatalf("product of %v mod %v: got %v, want %v", xs, m, got, want)
		}
	})
}

// One block, two levels and three of them, with any remainder.
func TestProductOfMany(t *testing.T) {
	eachPath(t, func(t *testing.T, e *engine) {
		s := newSource(1)
		r := newRing(s.modulus(128), e)
		for _, n := range []int{1, 2, 7, 8, 9, 15, 16, 17, 255, 256, 257, 8 * productBlock, 8*productBlock + 1, productBlock*productBlock + 1} {
			v := s.vector(r, n)
			if got, want := v.Product(), refProduct(v.Ints(), r.m); got.Cmp(want) != 0 {
				t.Errorf("product of %d: got %v, want %v", n, got, want)
			}
		}
	})
}

func TestProductIsACopy(t *testing.T) {
	v := NewRing(big.NewInt(7)).Vector([]*big.Int{big.NewInt(5)})
	v.Product().SetInt64(1)
	if v.At(0).Int64() != 5 {
		t.Error("the product of one residue shares its memory")
	}
}

// Small moduli with many factors make non-units common.
func TestNonUnitsAreFound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := big.NewInt(rapid.SampledFrom([]int64{3, 5, 15, 101, 3 * 5 * 7 * 11, 101 * 103, 1<<61 - 1}).Draw(rt, "root"))
		m.Exp(m, big.NewInt(rapid.SampledFrom([]int64{1, 16, 64}).Draw(rt, "power")), nil)
		xs := residues(m, 20).Draw(rt, "xs")
		v := drawRing(rt, m).Vector(xs)
		want := refNonUnit(xs, m)
		if got := v.NonUnit(); got != want {
			rt.Fatalf("first non-unit of %v mod %v: got %d, want %d", xs, m, got, want)
		}
		inverse, err := v.Inverse()
		if want < 0 {
			if err != nil {
				rt.Fatalf("inverse of units %v mod %v: %v", xs, m, err)
			}
			wantInts(rt, "Inverse", inverse, refMap(xs, func(x *big.Int) *big.Int { return new(big.Int).ModInverse(x, m) }))
			return
		}
		var at *ElementError
		if inverse != nil || !errors.As(err, &at) || at.Index != want || !errors.Is(err, ErrNotUnit) {
			rt.Fatalf("inverse of %v mod %v: got %v, want one that names element %d", xs, m, err, want)
		}
	})
}

// More elements than one block, with the non-units in any block: the error always names the first.
func TestInverseOfLargeVectors(t *testing.T) { eachPath(t, testInverseOfLargeVectors) }

func testInverseOfLargeVectors(t *testing.T, e *engine) {
	s := newSource(2)
	m := new(big.Int).SetUint64(1<<61 - 1)
	m.Mul(m, big.NewInt(3*3*3*3))
	xs := s.numbers(2*inversePacks*maxLanes+5, 64)
	for _, x := range xs {
		x.Mul(x, big.NewInt(3)).Add(x, big.NewInt(1)) // 1 mod 3
	}
	r := newRing(m, e)
	v := r.Vector(xs)
	inverse, err := v.Inverse()
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range v.Mul(inverse).Ints() {
		if x.Cmp(big.NewInt(1)) != 0 {
			t.Fatalf("element %d times its inverse is %v", i, x)
		}
	}
	for _, bad := range []int{len(xs) - 1, 2 * inverseBlock, inverseBlock - 1, 1, 0} {
		xs[bad].SetInt64(3)
		v := r.Vector(xs)
		_, err := v.Inverse()
		var at *ElementError
		if !errors.As(err, &at) || at.Index != bad || v.NonUnit() != bad {
			t.Errorf("non-unit at %d: Inverse says %v, NonUnit %d", bad, err, v.NonUnit())
		}
	}
}
