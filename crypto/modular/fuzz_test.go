package modular

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// fuzzModulus makes a modulus of any bytes, up to two digit blocks of the path ifma: what they encode, made odd and at least 3.
func fuzzModulus(modulus []byte) *big.Int {
	m := new(big.Int).SetBytes(modulus[:min(len(modulus), 140)])
	m.SetBit(m, 0, 1)
	if m.BitLen() < 2 {
		m.SetInt64(3)
	}
	return m
}

// fuzzNumbers cuts bytes into up to max numbers of width bytes.
func fuzzNumbers(blob []byte, width, max int) []*big.Int {
	var xs []*big.Int
	for ; len(blob) > 0 && len(xs) < max; blob = blob[min(len(blob), width):] {
		xs = append(xs, new(big.Int).SetBytes(blob[:min(len(blob), width)]))
	}
	return xs
}

// fuzzVectors calls check for the vector of the elements on every path.
func fuzzVectors(modulus, elements []byte, check func(v *Vector)) {
	m := fuzzModulus(modulus)
	xs := fuzzNumbers(elements, (m.BitLen()+7)/8, 20)
	for _, e := range engines() {
		check(newRing(m, e).Vector(xs))
	}
}

// repeated is that many equal bytes.
func repeated(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

// addVectors adds seeds of a modulus, elements and two more arguments.
func addVectors[T any](f *testing.F, one, two T) {
	f.Add([]byte{3}, []byte{1, 2}, one)
	f.Add(repeated(0xff, 8), repeated(0xfe, 8*9), two)
	f.Add(repeated(0xff, 65), repeated(0x5a, 65*3), one)
	f.Add(append([]byte{0x80}, repeated(0, 129)...), repeated(0x7f, 130*8), two)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{3}, []byte{0, 1, 2})
	f.Add([]byte{3}, []byte{0, 3})
	f.Add([]byte{1, 1}, []byte{1, 0, 0, 0})
	f.Add([]byte{1, 1}, []byte{1, 0, 0})
	f.Add(repeated(0xff, 16), repeated(0xff, 32))
	f.Add(repeated(0xff, 65), repeated(0xfe, 65*9))
	f.Fuzz(func(t *testing.T, modulus, blob []byte) {
		m := fuzzModulus(modulus)
		_, want := newRing(m, nil).Decode(blob)
		for _, e := range engines() {
			r := newRing(m, e)
			v, err := r.Decode(blob)
			if !sameError(err, want) {
				t.Errorf("%s: %v instead of %v", pathOf(e), err, want)
			}
			if err != nil {
				continue
			}
			if again := v.Append(nil); !bytes.Equal(again, blob) {
				t.Errorf("%s mod %v: %x was accepted but encodes as %x", pathOf(e), m, blob, again)
			}
			for i, x := range v.Ints() {
				if x.Sign() < 0 || x.Cmp(m) >= 0 || x.Cmp(v.At(i)) != 0 {
					t.Errorf("%s: element %d = %v is outside [0, %v)", pathOf(e), i, x, m)
				}
			}
		}
	})
}

// sameError says whether two errors have the same reason and name the same element.
func sameError(a, b error) bool {
	var x, y *ElementError
	if errors.As(a, &x) != errors.As(b, &y) {
		return false
	}
	return x != nil && *x == *y || x == nil && errors.Is(a, ErrLength) == errors.Is(b, ErrLength) && (a == nil) == (b == nil)
}

func FuzzExp(f *testing.F) {
	addVectors(f, []byte{5}, repeated(0xff, 9))
	f.Fuzz(func(t *testing.T, modulus, elements, exponent []byte) {
		e := new(big.Int).SetBytes(exponent[:min(len(exponent), 20)])
		fuzzVectors(modulus, elements, func(v *Vector) {
			want := refMap(v.Ints(), func(x *big.Int) *big.Int { return refExp(x, e, v.ring.m) })
			wantInts(t, "Exp", v.Exp(e), want)
			wantInts(t, "ExpSecret", v.ExpSecret(e, e.BitLen()+len(exponent)%3), want)
		})
	})
}

func FuzzExpBatch(f *testing.F) {
	f.Add([]byte{3}, []byte{2}, []byte{5})
	f.Add(repeated(0xff, 8*9), repeated(0xfe, 8*9), repeated(0xff, 8*9))
	f.Add(repeated(0x80, 67*10), repeated(0x7f, 70*10), repeated(1, 20))
	f.Fuzz(func(t *testing.T, mods, bases, exps []byte) {
		xs, es := fuzzNumbers(bases, 70, 10), fuzzNumbers(exps, 9, 10)
		var ms []*big.Int
		for _, m := range fuzzNumbers(mods, 67, 10) {
			ms = append(ms, fuzzModulus(m.Bytes()))
		}
		n := min(len(xs), len(es), len(ms))
		xs, es, ms = xs[:n], es[:n], ms[:n]
		for _, e := range engines() {
			for i, got := range expBatch(e, xs, es, ms) {
				if want := refExp(xs[i], es[i], ms[i]); got.Cmp(want) != 0 {
					t.Errorf("%s: %v^%v mod %v = %v, want %v", pathOf(e), xs[i], es[i], ms[i], got, want)
				}
			}
		}
	})
}

func FuzzFixedBase(f *testing.F) {
	addVectors(f, []byte{5, 0, 1}, repeated(0xff, 90))
	f.Fuzz(func(t *testing.T, modulus, base, exps []byte) {
		m, x := fuzzModulus(modulus), new(big.Int).SetBytes(base[:min(len(base), 200)])
		es := fuzzNumbers(exps, 1+len(exps)%12, 10)
		bits := len(base) % 3
		for _, e := range es {
			bits = max(bits, e.BitLen())
		}
		want := refMap(es, func(e *big.Int) *big.Int { return refExp(x, e, m) })
		for _, e := range engines() {
			wantInts(t, "FixedBase", newRing(m, e).FixedBase(x, bits).Exp(es), want)
		}
	})
}

func FuzzHorner(f *testing.F) {
	addVectors(f, uint16(3<<8|5), uint16(1<<8|100))
	f.Fuzz(func(t *testing.T, modulus, elements []byte, shape uint16) {
		group, shift := 1+int(shape>>8)%20, int(shape%130)
		fuzzVectors(modulus, elements, func(v *Vector) {
			wantInts(t, "Horner", v.Horner(group, shift), refHorner(v.Ints(), group, shift, v.ring.m))
		})
	})
}

// FuzzProduct is about all that multiplies elements only: products, inverses and units.
func FuzzProduct(f *testing.F) {
	addVectors(f, 1, 3)
	f.Fuzz(func(t *testing.T, modulus, elements []byte, power int) {
		m := fuzzModulus(modulus)
		m.Exp(m, big.NewInt(int64(1+power&3)), nil) // a small one to a power has many non-units
		fuzzVectors(m.Bytes(), elements, func(v *Vector) {
			xs, m := v.Ints(), v.ring.m
			wantInts(t, "Mul", v.Mul(v), refMap(xs, func(x *big.Int) *big.Int { return refMul(x, x, m) }))
			if got, want := v.Product(), refProduct(xs, m); got.Cmp(want) != 0 {
				t.Errorf("product of %v mod %v = %v, want %v", xs, m, got, want)
			}
			first := refNonUnit(xs, m)
			if got := v.NonUnit(); got != first {
				t.Errorf("first non-unit of %v mod %v: %d, want %d", xs, m, got, first)
			}
			inverse, err := v.Inverse()
			if (err == nil) != (first < 0) {
				t.Errorf("inverse of %v mod %v: %v", xs, m, err)
			}
			if err == nil {
				wantInts(t, "Inverse", inverse, refMap(xs, func(x *big.Int) *big.Int { return new(big.Int).ModInverse(x, m) }))
			}
		})
	})
}

// FuzzMultiExp reads a row of terms, nine bytes each: an index, and a weight whose first byte ends the row if it is 0.
func FuzzMultiExp(f *testing.F) {
	f.Add([]byte{3}, []byte{1, 2}, []byte{0, 0, 0, 0, 0, 0, 0, 0, 5})
	f.Add([]byte{0xff}, []byte{0, 1, 0xfe}, bytes.Repeat([]byte{2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 4))
	f.Add(repeated(0xab, 32), repeated(0x5a, 96), bytes.Repeat([]byte{1, 0, 2, 3, 4, 5, 6, 7, 8}, 99))
	f.Add(repeated(0xab, 66), repeated(0x5a, 660), bytes.Repeat([]byte{3, 1, 0, 3, 4, 0, 6, 7, 8}, 199))
	f.Fuzz(func(t *testing.T, modulus, elements, terms []byte) {
		fuzzVectors(modulus, elements, func(v *Vector) {
			s, rest := Sums{Offsets: []int{0}}, terms
			for ; len(rest) >= 9 && v.Len() > 0 && len(s.Index) < 200; rest = rest[9:] {
				s.Index = append(s.Index, uint32(rest[0])%uint32(v.Len()))
				s.Weights = append(s.Weights, binary.BigEndian.Uint64(rest[1:]))
				if rest[1] == 0 {
					s.Offsets = append(s.Offsets, len(s.Index))
				}
			}
			s.Offsets = append(s.Offsets, len(s.Index))
			wantInts(t, "MultiExp", v.MultiExp(s), refMultiExp(v.Ints(), s, v.ring.m))
		})
	})
}

// A corpus that was lost would otherwise go unnoticed.
func TestFuzzSeedsAreThere(t *testing.T) {
	for _, target := range []string{"FuzzDecode", "FuzzExp", "FuzzExpBatch", "FuzzFixedBase", "FuzzHorner", "FuzzMultiExp", "FuzzProduct"} {
		seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		if err != nil || len(seeds) == 0 {
			t.Errorf("%s has no seeds in testdata: %v", target, err)
		}
		for _, seed := range seeds {
			data, err := os.ReadFile(seed)
			if err != nil || !bytes.HasPrefix(data, []byte("go test fuzz v1\n")) {
				t.Errorf("%s is not a seed: %v", seed, err)
			}
		}
	}
}
