package modular

import (
	"math/big"
	"testing"
)

func TestBufferCollects(t *testing.T) {
	s := newSource(20)
	r := s.ring(256)
	v := s.vector(r, 10)
	b := r.Buffer(10)
	var views []*Vector
	for _, cut := range [][2]int{{0, 0}, {0, 3}, {3, 4}, {4, 10}} {
		b.Append(v.Slice(cut[0], cut[1]))
		if b.Len() != cut[1] {
			t.Errorf("%d residues, want %d", b.Len(), cut[1])
		}
		views = append(views, b.Vector())
	}
	for i, n := range []int{0, 3, 4, 10} { // also after what was appended later
		wantInts(t, "Vector", views[i], v.Slice(0, n).Ints())
	}
	if got := views[1].Mul(views[1]); got.Len() != 3 {
		t.Errorf("%d residues", got.Len())
	}
}

func TestBufferRefuses(t *testing.T) {
	r, other := NewRing(big.NewInt(101)), NewRing(big.NewInt(103))
	for name, call := range map[string]func(){
		"another ring":      func() { r.Buffer(2).Append(other.Vector([]*big.Int{big.NewInt(1)})) },
		"too many":          func() { r.Buffer(0).Append(r.Vector([]*big.Int{big.NewInt(1)})) },
		"negative capacity": func() { r.Buffer(-1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}
