package modular

import (
	"bytes"
	"errors"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestRingReducesIntoRange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(4096).Draw(rt, "m")
		r := drawRing(rt, m)
		xs := rapid.SliceOfN(numbers(m.BitLen()+70), 0, 5).Draw(rt, "xs")
		for _, x := range slices.Clone(xs) {
			xs = append(xs, new(big.Int).Neg(x))
		}
		defer unchanged(t, xs)()
		wantInts(rt, "Vector", r.Vector(xs), refMap(xs, func(x *big.Int) *big.Int { return new(big.Int).Mod(x, m) }))
	})
}

func TestRingKeepsItsModulus(t *testing.T) {
	m := big.NewInt(257)
	r := NewRing(m)
	m.SetInt64(4)
	r.Modulus().SetInt64(4)
	if r.Modulus().Int64() != 257 || r.Width() != 2 {
		t.Errorf("modulus %v, width %d after the caller changed his copies", r.Modulus(), r.Width())
	}
}

func TestVectorCannotBeChangedFromOutside(t *testing.T) { eachPath(t, testVectorCannotBeChanged) }

func testVectorCannotBeChanged(t *testing.T, e *engine) {
	xs := []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(3)}
	v := newRing(oddAbove(100, 64), e).Vector(xs)
	part, picked, joined := v.Slice(0, 2), v.Select([]int{2, 0}), Concat(v, v)
	xs[0].SetInt64(9)
	v.At(0).SetInt64(9)
	v.Ints()[0].SetInt64(9)
	part.At(0).SetInt64(9)
	v.Slice(0, 1).Mul(v.Slice(1, 2))
	v.Exp(big.NewInt(1)).At(0).SetInt64(9)
	wantInts(t, "v", v, []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(3)})
	wantInts(t, "Slice", part, v.Ints()[:2])
	wantInts(t, "Select", picked, []*big.Int{big.NewInt(3), big.NewInt(1)})
	wantInts(t, "Concat", joined, append(v.Ints(), v.Ints()...))
}

func TestDecodeInvertsAppend(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(4096).Draw(rt, "m")
		r, xs := drawRing(rt, m), residues(m, 20).Draw(rt, "xs")
		prefix := []byte("prefix")
		blob := r.Vector(xs).Append(slices.Clone(prefix))
		if !bytes.HasPrefix(blob, prefix) || len(blob) != len(prefix)+len(xs)*r.Width() {
			rt.Fatalf("%d bytes for %d residues of %d", len(blob), len(xs), r.Width())
		}
		v, err := r.Decode(blob[len(prefix):])
		if err != nil {
			rt.Fatal(err)
		}
		wantInts(rt, "Decode", v, xs)
	})
}

func TestDecodeRefuses(t *testing.T) {
	r := NewRing(big.NewInt(0x1_01)) // two bytes a residue
	for _, c := range []struct {
		blob  []byte
		want  error
		index int
	}{
		{[]byte{0}, ErrLength, -1},
		{[]byte{0, 1, 0}, ErrLength, -1},
		{[]byte{1, 1}, ErrRange, 0},
		{[]byte{0, 0, 1, 0, 0xff, 0xff}, ErrRange, 2},
	} {
		v, err := r.Decode(c.blob)
		if v != nil || !errors.Is(err, c.want) {
			t.Errorf("%x: got %v, want %v", c.blob, err, c.want)
		}
		var at *ElementError
		if errors.As(err, &at) != (c.index >= 0) || at != nil && at.Index != c.index {
			t.Errorf("%x: error %v does not name element %d", c.blob, err, c.index)
		}
	}
	if err := (&ElementError{Index: 7, Err: ErrRange}); err.Error() != "modular: element 7: value is not below the modulus" {
		t.Errorf("unhelpful text %q", err)
	}
}

func TestGatheringFollowsSlices(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(128).Draw(rt, "m")
		xs := residues(m, 12).Draw(rt, "xs")
		r := drawRing(rt, m)
		v := r.Vector(xs)
		to := rapid.IntRange(0, len(xs)).Draw(rt, "to")
		from := rapid.IntRange(0, to).Draw(rt, "from")
		wantInts(rt, "Slice", v.Slice(from, to), xs[from:to])
		// The same modulus in another Ring value is the same ring.
		wantInts(rt, "Concat", Concat(v.Slice(from, to), newRing(m, r.engine()).Vector(xs), v.Slice(0, 0)), slices.Concat(xs[from:to], xs))
		if len(xs) == 0 {
			wantInts(rt, "Select", v.Select(nil), nil)
			return
		}
		index := rapid.SliceOf(rapid.IntRange(0, len(xs)-1)).Draw(rt, "index")
		var want []*big.Int
		for _, i := range index {
			want = append(want, xs[i])
		}
		wantInts(rt, "Select", v.Select(index), want)
		if i := len(xs) - 1; v.At(i).Cmp(xs[i]) != 0 || v.Len() != len(xs) {
			rt.Fatalf("element %d of %d is %v, want %v", i, v.Len(), v.At(i), xs[i])
		}
	})
}

func TestMisuseOfVectorsPanics(t *testing.T) {
	r := NewRing(big.NewInt(15))
	v, other := r.Vector([]*big.Int{big.NewInt(1), big.NewInt(2)}), NewRing(big.NewInt(21)).Vector(nil)
	for name, call := range map[string]func(){
		"ring of nil":          func() { NewRing(nil) },
		"ring of 1":            func() { NewRing(big.NewInt(1)) },
		"ring of 0":            func() { NewRing(new(big.Int)) },
		"ring of -3":           func() { NewRing(big.NewInt(-3)) },
		"ring of 4":            func() { NewRing(big.NewInt(4)) },
		"vector of nil":        func() { r.Vector([]*big.Int{nil}) },
		"At below":             func() { v.At(-1) },
		"At above":             func() { v.At(2) },
		"Slice backwards":      func() { v.Slice(2, 1) },
		"Slice above":          func() { v.Slice(0, 3) },
		"Slice into capacity":  func() { v.Slice(0, 1).Slice(0, 2) },
		"Select above":         func() { v.Select([]int{0, 2}) },
		"Select below":         func() { v.Select([]int{-1}) },
		"Concat of none":       func() { Concat() },
		"Concat of two rings":  func() { Concat(v, other) },
		"Mul of two rings":     func() { v.Slice(0, 0).Mul(other) },
		"Mul of two lengths":   func() { v.Mul(v.Slice(0, 1)) },
		"Exp negative":         func() { v.Exp(big.NewInt(-1)) },
		"Exp nil":              func() { v.Exp(nil) },
		"ExpSecret negative":   func() { v.ExpSecret(big.NewInt(-1), 8) },
		"ExpSecret too long":   func() { v.ExpSecret(big.NewInt(256), 8) },
		"ExpSecret nil":        func() { v.ExpSecret(nil, 8) },
		"Horner without group": func() { v.Horner(0, 8) },
		"Horner with negative": func() { v.Horner(1, -1) },
		"MultiExp invalid":     func() { v.MultiExp(Sums{Offsets: []int{0, 1}}) },
	} {
		wantPanic(t, name, call)
	}
}
