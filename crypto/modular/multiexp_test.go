package modular

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func drawSums(t *rapid.T, n int) Sums {
	s := Sums{Offsets: []int{0}}
	for range rapid.IntRange(0, 20).Draw(t, "rows") {
		if n > 0 {
			for range rapid.IntRange(0, 8).Draw(t, "terms") {
				s.Index = append(s.Index, uint32(rapid.IntRange(0, n-1).Draw(t, "index")))
				s.Weights = append(s.Weights, rapid.Uint64().Draw(t, "weight")>>rapid.SampledFrom([]int{0, 24, 60}).Draw(t, "shift"))
			}
		}
		s.Offsets = append(s.Offsets, len(s.Index))
	}
	return s
}

func TestMultiExpFollowsItsDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(512).Draw(rt, "m")
		xs := residues(m, 6).Draw(rt, "xs")
		s := drawSums(rt, len(xs))
		v := drawRing(rt, m).Vector(xs)
		wantInts(rt, "MultiExp", v.MultiExp(s), refMultiExp(xs, s, m))
		wantInts(rt, "the argument", v, xs)
	})
}

func TestMultiExpOfExtremes(t *testing.T) { eachPath(t, testMultiExpOfExtremes) }

func testMultiExpOfExtremes(t *testing.T, e *engine) {
	r := newRing(oddAbove(100, 64), e)
	v := r.Vector([]*big.Int{new(big.Int), big.NewInt(1), big.NewInt(100), big.NewInt(2)})
	s := Sums{
		Offsets: []int{0, 0, 1, 2, 4, 6, 8, 8},
		Index:   []uint32{0, 0, 1, 2, 2, 2, 3, 3},
		Weights: []uint64{0, 1, math.MaxUint64, 1, math.MaxUint64, math.MaxUint64, 1 << 63, 1},
	}
	wantInts(t, "MultiExp", v.MultiExp(s), refMultiExp(v.Ints(), s, r.m))
	wantInts(t, "no rows", v.MultiExp(Sums{}), nil)
	wantInts(t, "no rows of nothing", r.Vector(nil).MultiExp(Sums{Offsets: []int{0}}), nil)
	wantInts(t, "empty rows of nothing", r.Vector(nil).MultiExp(Sums{Offsets: []int{0, 0}}), []*big.Int{big.NewInt(1)})
}

// Rows of every length class, among them ones that are split over several goroutines, beside empty ones.
func TestMultiExpOfLongRows(t *testing.T) { eachPath(t, testMultiExpOfLongRows) }

func testMultiExpOfLongRows(t *testing.T, e *engine) {
	s := newSource(5)
	v := s.vector(newRing(s.modulus(256), e), 300)
	sums := s.sums(v.Len(), 40, 0, 5000, 1, 0, 100, 2*minSegment+1, 600, 0)
	got := v.MultiExp(sums)
	wantInts(t, "MultiExp", got, refMultiExp(v.Ints(), sums, v.ring.m))
}

func TestMultiExpAtTheSystemsSize(t *testing.T) {
	eachPath(t, func(t *testing.T, e *engine) {
		s := newSource(6)
		v := s.vector(newRing(s.modulus(4096), e), 12)
		sums := s.sums(v.Len(), 40, 10, 3)
		wantInts(t, "MultiExp", v.MultiExp(sums), refMultiExp(v.Ints(), sums, v.ring.m))
	})
}

// Every window of both ways gives the same, whatever the cost rule would choose.
func TestAllWindowsAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(128).Draw(rt, "m")
		v := newRing(m, nil).Vector(residues(m, 8).Draw(rt, "xs"))
		weights := rapid.SliceOfN(rapid.Uint64Min(1), v.Len(), v.Len()).Draw(rt, "weights")
		s := Sums{Offsets: []int{0, v.Len()}, Weights: weights}
		var w scratch
		var size rowSize
		for i, weight := range weights {
			s.Index = append(s.Index, uint32(i))
			w.terms = append(w.terms, term{v.elems[i], weight})
			size.add(weight)
		}
		want := refMultiExp(v.Ints(), s, m)[0]
		for window := 1; window <= maxTableWindow; window++ {
			w.taken = 0
			if got := w.straus(window, size.longest, m); got.Cmp(want) != 0 {
				rt.Fatalf("tables with window %d: got %v, want %v", window, got, want)
			}
		}
		for window := 1; window <= 9; window++ {
			w.taken = 0
			if got := w.bucketed(window, size.longest, m); got.Cmp(want) != 0 {
				rt.Fatalf("buckets with window %d: got %v, want %v", window, got, want)
			}
		}
	})
}

func TestCostRule(t *testing.T) {
	row := func(terms, bits int) rowSize { return rowSize{terms: terms, longest: bits, total: terms * bits} }
	for _, c := range []struct {
		row  rowSize
		want plan
	}{
		{row(0, 0), plan{window: 1}},
		{row(5, 1), plan{window: 1}},
		{row(10, 40), plan{window: 3}},
		{row(1, 64), plan{window: 3}},
		{row(10_000, 40), plan{window: 10, buckets: true}},
	} {
		if got := c.row.plan(); got != c.want {
			t.Errorf("%+v: got %+v, want %+v", c.row, got, c.want)
		}
	}
	// More terms never cost less, and a term never costs more than in a row of its own.
	last := 0
	for n := 1; n < 20_000; n += n/2 + 1 {
		c := row(n, 40).cost()
		if c < last || c > n*row(1, 40).cost() {
			t.Errorf("%d terms cost %d after %d", n, c, last)
		}
		last = c
	}
}

func TestValidateNamesWhatIsWrong(t *testing.T) {
	ok := Sums{Offsets: []int{0, 2, 2, 3}, Index: []uint32{0, 4, 4}, Weights: []uint64{1, 2, 3}}
	if err := ok.Validate(5); err != nil || ok.Rows() != 3 {
		t.Errorf("valid sums: %v, %d rows", err, ok.Rows())
	}
	for name, s := range map[string]Sums{
		"weight missing":    {Offsets: ok.Offsets, Index: ok.Index, Weights: ok.Weights[:2]},
		"terms without row": {Index: ok.Index, Weights: ok.Weights},
		"late start":        {Offsets: []int{1, 3}, Index: ok.Index, Weights: ok.Weights},
		"negative start":    {Offsets: []int{-1, 3}, Index: ok.Index, Weights: ok.Weights},
		"falling":           {Offsets: []int{0, 2, 1, 3}, Index: ok.Index, Weights: ok.Weights},
		"rest left out":     {Offsets: []int{0, 2}, Index: ok.Index, Weights: ok.Weights},
		"beyond the terms":  {Offsets: []int{0, 4}, Index: ok.Index, Weights: ok.Weights},
		"beyond the vector": {Offsets: []int{0, 1}, Index: []uint32{5}, Weights: []uint64{1}},
		"far beyond":        {Offsets: []int{0, 1}, Index: []uint32{math.MaxUint32}, Weights: []uint64{1}},
	} {
		if s.Validate(5) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
