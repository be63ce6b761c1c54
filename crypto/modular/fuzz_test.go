package modular

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"os"
	"path/filepath"
	"testing"
)

// fuzzRing makes a ring of any bytes: the modulus they encode, made odd and at least 3.
func fuzzRing(modulus []byte) *Ring {
	m := new(big.Int).SetBytes(modulus[:min(len(modulus), 64)])
	m.SetBit(m, 0, 1)
	if m.BitLen() < 2 {
		m.SetInt64(3)
	}
	return NewRing(m)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{3}, []byte{0, 1, 2})
	f.Add([]byte{3}, []byte{0, 3})
	f.Add([]byte{1, 1}, []byte{1, 0, 0, 0})
	f.Add([]byte{1, 1}, []byte{1, 0, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 16), bytes.Repeat([]byte{0xff}, 32))
	f.Fuzz(func(t *testing.T, modulus, blob []byte) {
		r := fuzzRing(modulus)
		v, err := r.Decode(blob)
		if err != nil {
			return
		}
		if again := v.Append(nil); !bytes.Equal(again, blob) {
			t.Errorf("mod %v: %x was accepted but encodes as %x", r.Modulus(), blob, again)
		}
		for i, x := range v.Ints() {
			if x.Sign() < 0 || x.Cmp(r.m) >= 0 {
				t.Errorf("element %d = %v is outside [0, %v)", i, x, r.m)
			}
		}
	})
}

// FuzzMultiExp reads a row of terms, nine bytes each: an index, and a weight whose first byte ends the row if it is 0.
func FuzzMultiExp(f *testing.F) {
	f.Add([]byte{3}, []byte{1, 2}, []byte{0, 0, 0, 0, 0, 0, 0, 0, 5})
	f.Add([]byte{0xff}, []byte{0, 1, 0xfe}, bytes.Repeat([]byte{2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 4))
	f.Add(bytes.Repeat([]byte{0xab}, 32), bytes.Repeat([]byte{0x5a}, 96), bytes.Repeat([]byte{1, 0, 2, 3, 4, 5, 6, 7, 8}, 99))
	f.Fuzz(func(t *testing.T, modulus, elements, terms []byte) {
		r := fuzzRing(modulus)
		var xs []*big.Int
		for ; len(elements) > 0; elements = elements[min(len(elements), r.Width()):] {
			xs = append(xs, new(big.Int).SetBytes(elements[:min(len(elements), r.Width())]))
		}
		v := r.Vector(xs)
		s := Sums{Offsets: []int{0}}
		for ; len(terms) >= 9 && len(xs) > 0 && len(s.Index) < 200; terms = terms[9:] {
			s.Index = append(s.Index, uint32(terms[0])%uint32(len(xs)))
			s.Weights = append(s.Weights, binary.BigEndian.Uint64(terms[1:]))
			if terms[1] == 0 {
				s.Offsets = append(s.Offsets, len(s.Index))
			}
		}
		s.Offsets = append(s.Offsets, len(s.Index))
		wantInts(t, "MultiExp", v.MultiExp(s), refMultiExp(v.Ints(), s, r.m))
	})
}

// A corpus that was lost would otherwise go unnoticed.
func TestFuzzSeedsAreThere(t *testing.T) {
	for _, target := range []string{"FuzzDecode", "FuzzMultiExp"} {
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
