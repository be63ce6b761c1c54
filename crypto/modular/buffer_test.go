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

func TestBufferTakesPiecesInAnyOrder(t *testing.T) {
	s := newSource(21)
	r := s.ring(256)
	v := s.vector(r, 10)
	b := r.Buffer(10)
	b.Put(0, s.vector(r, 3)) // to be put again
	for _, cut := range [][2]int{{7, 10}, {3, 7}, {0, 3}, {5, 5}} {
		b.Put(cut[0], v.Slice(cut[0], cut[1]))
	}
	if b.Len() != 10 {
		t.Errorf("%d residues", b.Len())
	}
	wantInts(t, "Vector", b.Vector(), v.Ints())
	few := r.Buffer(4)
	few.Put(1, v.Slice(0, 2))
	if few.Len() != 3 {
		t.Errorf("%d residues, want one more than the last position", few.Len())
	}
}

func TestBufferRefuses(t *testing.T) {
	r, other := NewRing(big.NewInt(101)), NewRing(big.NewInt(103))
	for name, call := range map[string]func(){
		"another ring":      func() { r.Buffer(2).Append(other.Vector([]*big.Int{big.NewInt(1)})) },
		"too many":          func() { r.Buffer(0).Append(r.Vector([]*big.Int{big.NewInt(1)})) },
		"negative capacity": func() { r.Buffer(-1) },
		"put another ring":  func() { r.Buffer(2).Put(0, other.Vector([]*big.Int{big.NewInt(1)})) },
		"put too far":       func() { r.Buffer(2).Put(2, r.Vector([]*big.Int{big.NewInt(1)})) },
		"put before":        func() { r.Buffer(2).Put(-1, r.Vector([]*big.Int{big.NewInt(1)})) },
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
