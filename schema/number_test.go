package schema

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func pow2(n int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(n)) }

func plus(x *big.Int, d int64) *big.Int { return new(big.Int).Add(x, big.NewInt(d)) }

func sameInts(a, b []*big.Int) bool {
	return slices.EqualFunc(a, b, func(x, y *big.Int) bool { return x.Cmp(y) == 0 })
}

// bigs draws integers in [0, 2^bits), with the ends as likely as the middle.
func bigs(bits int) *rapid.Generator[*big.Int] {
	return rapid.Custom(func(t *rapid.T) *big.Int {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			return new(big.Int)
		case 1:
			return plus(pow2(bits), -1)
		}
		x := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, (bits+7)/8).Draw(t, "bytes"))
		return x.Mod(x, pow2(bits))
	})
}

func TestUintsInvertAppendUint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 40).Draw(t, "width")
		list := rapid.SliceOfN(bigs(8*width), 0, 5).Draw(t, "list")
		var data []byte
		for _, x := range list {
			data = AppendUint(data, x, width)
		}
		got, err := Uints(data, width, pow2(8*width))
		if err != nil || len(data) != width*len(list) || !sameInts(got, list) {
			t.Fatalf("%x gave %v, %v; want %v", data, got, err, list)
		}
	})
}

func TestIntsInvertAppendInt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(1, 300).Draw(t, "bits")
		bound := plus(bigs(bits).Draw(t, "bound"), 1)
		width := IntWidth(bound)
		value := rapid.Custom(func(t *rapid.T) *big.Int {
			x := bigs(bits).Draw(t, "value")
			x.Mod(x, plus(bound, 1))
			if rapid.Bool().Draw(t, "negative") {
				x.Neg(x)
			}
			return x
		})
		list := append(rapid.SliceOfN(value, 0, 5).Draw(t, "list"), bound, new(big.Int).Neg(bound))
		var data []byte
		for _, x := range list {
			data = AppendInt(data, x, width)
		}
		got, err := Ints(data, width, bound)
		if err != nil || len(data) != width*len(list) || !sameInts(got, list) {
			t.Fatalf("%x gave %v, %v; want %v", data, got, err, list)
		}
		// Both encodings are exact: bytes that are accepted are the bytes that would be written.
		random := rapid.SliceOfN(rapid.Byte(), width, width).Draw(t, "random")
		if got, err := Ints(random, width, bound); err == nil && !bytes.Equal(AppendInt(nil, got[0], width), random) {
			t.Fatalf("%x was accepted as %v", random, got[0])
		}
	})
}

func TestUintsRefuse(t *testing.T) {
	for what, test := range map[string]struct {
		data  []byte
		width int
		bound *big.Int
	}{
		"width 0":            {[]byte{1}, 0, pow2(8)},
		"no data at width 0": {nil, 0, pow2(8)},
		"a negative width":   {[]byte{1}, -1, pow2(8)},
		"a byte too few":     {make([]byte, 5), 2, pow2(16)},
		"the bound itself":   {[]byte{0, 9, 0, 10}, 2, big.NewInt(10)},
		"above the bound":    {[]byte{0xff, 0xff}, 2, big.NewInt(10)},
		"nothing below 0":    {[]byte{0}, 1, new(big.Int)},
	} {
		if list, err := Uints(test.data, test.width, test.bound); err == nil {
			t.Errorf("%s: %v", what, list)
		}
	}
	if list, err := Uints(nil, 3, big.NewInt(10)); err != nil || len(list) != 0 {
		t.Errorf("an empty list: %v, %v", list, err)
	}
	if list, err := Uints([]byte{0, 9, 0, 0}, 2, big.NewInt(10)); err != nil || !sameInts(list, []*big.Int{big.NewInt(9), {}}) {
		t.Errorf("the largest and the smallest: %v, %v", list, err)
	}
}

func TestIntsRefuse(t *testing.T) {
	bound := big.NewInt(100)
	for _, x := range []int64{101, -101, 127, -127} {
		if list, err := Ints(AppendInt(nil, big.NewInt(x), 1), 1, bound); err == nil {
			t.Errorf("%d: %v", x, list)
		}
	}
	for _, data := range [][]byte{{0}, {0xff}, {0x80, 0, 0x80}} { // -128, 127, and half an integer
		if list, err := Ints(data, min(len(data), 2), bound); err == nil {
			t.Errorf("%x: %v", data, list)
		}
	}
	if _, err := Ints([]byte{1}, 0, bound); err == nil {
		t.Error("width 0 is accepted")
	}
}

func TestIntWidthIsTheLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(1, 200).Draw(t, "bits")
		bound := bigs(bits).Draw(t, "bound")
		width := 1 // the simple way: the least width whose range holds the bound
		for bound.Cmp(pow2(8*width-1)) >= 0 {
			width++
		}
		if IntWidth(bound) != width {
			t.Fatalf("IntWidth(%v) = %d, want %d", bound, IntWidth(bound), width)
		}
	})
}

func TestAppendPanicsOnWhatDoesNotFit(t *testing.T) {
	for _, width := range []int{1, 2, 16} {
		wantPanic(t, "a negative integer", func() { AppendUint(nil, big.NewInt(-1), width) })
		wantPanic(t, "an integer too long", func() { AppendUint(nil, pow2(8*width), width) })
		half := pow2(8*width - 1)
		wantPanic(t, "2^(8w-1)", func() { AppendInt(nil, half, width) })
		wantPanic(t, "-2^(8w-1)", func() { AppendInt(nil, new(big.Int).Neg(half), width) })
		if got := AppendInt([]byte{7}, plus(half, -1), width); !bytes.Equal(got, append([]byte{7}, repeat(0xff, width)...)) {
			t.Errorf("the largest integer of %d bytes: %x", width, got)
		}
		want := append(make([]byte, width-1), 1)
		if got := AppendInt(nil, plus(new(big.Int).Neg(half), 1), width); !bytes.Equal(got, want) {
			t.Errorf("the least integer of %d bytes: %x", width, got)
		}
	}
}

func TestAppendLeavesItsArgumentAlone(t *testing.T) {
	x, dst := big.NewInt(-5), make([]byte, 2, 64)
	AppendInt(dst, x, 4)
	if x.Int64() != -5 || !bytes.Equal(dst, []byte{0, 0}) {
		t.Errorf("x = %v, dst = %x", x, dst)
	}
}
