package modular

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestFixedBaseFollowsItsDefinition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := moduli(256).Draw(rt, "m")
		base := numbers(m.BitLen()+3).Draw(rt, "base")
		if rapid.Bool().Draw(rt, "negative") {
			base.Neg(base)
		}
		bits := rapid.SampledFrom([]int{0, 1, 2, 5, 13, 64, 65, 128}).Draw(rt, "bits")
		exps := rapid.SliceOfN(numbers(bits), 0, 10).Draw(rt, "exps")
		defer unchanged(t, []*big.Int{base}, exps)()
		got := drawRing(rt, m).FixedBase(base, bits).Exp(exps)
		reduced := new(big.Int).Mod(base, m)
		wantInts(rt, "FixedBase", got, refMap(exps, func(e *big.Int) *big.Int { return refExp(reduced, e, m) }))
	})
}

// Single bits and all ones reach every entry's position and every column, also where the rows are not full.
func TestFixedBaseReadsEveryBit(t *testing.T) { eachPath(t, testFixedBaseReadsEveryBit) }

// Tables of little memory have blocks of many columns, to the point where nothing fits and there is one block a lane.
func TestFixedBaseWithSmallTables(t *testing.T) {
	for _, e := range kernels() {
		depths := make(map[int]bool)
		for _, size := range []int{1, 1 << 11, 1 << 12, 1 << 13, 1 << 15} {
			small := *e
			small.tableSize = size
			depths[newLaneComb(&small, 257, small.digits(192)).depth] = true
			testFixedBaseReadsEveryBit(t, &small)
		}
		if len(depths) < 3 {
			t.Errorf("%s: only the depths %v were tested", e.name, depths)
		}
	}
}

func testFixedBaseReadsEveryBit(t *testing.T, e *engine) {
	s := newSource(7)
	for _, bits := range []int{1, 7, 100, 257} {
		r, base := newRing(s.modulus(192), e), s.number(192)
		f := r.FixedBase(base, bits)
		var exps []*big.Int
		for i := range bits {
			exps = append(exps, new(big.Int).Lsh(big.NewInt(1), uint(i)))
		}
		all := new(big.Int).Lsh(big.NewInt(1), uint(bits))
		exps = append(exps, all.Sub(all, big.NewInt(1)))
		wantInts(t, "FixedBase", f.Exp(exps), refMap(exps, func(e *big.Int) *big.Int { return refExp(base, e, r.m) }))
	}
}

func TestFixedBaseAtTheSystemsSize(t *testing.T) {
	eachPath(t, func(t *testing.T, e *engine) {
		s := newSource(8)
		r, base := newRing(s.modulus(2048), e), s.number(2048)
		exps := s.numbers(4, 512)
		got := r.FixedBase(base, 512).Exp(exps)
		wantInts(t, "FixedBase", got, refMap(exps, func(e *big.Int) *big.Int { return refExp(base, e, r.m) }))
	})
}

func TestCombShapes(t *testing.T) {
	for _, modulusBits := range []int{64, 512, 2048, 4096, 6144, 8192} {
		for _, bits := range []int{0, 1, 2, 64, 128, 1024, 2048, 4096} {
			c := newComb(bits, modulusBits/8)
			if memory := c.entries() * modulusBits / 8; memory > 8<<20 {
				t.Errorf("%d bits mod %d: the table takes %d bytes", bits, modulusBits, memory)
			}
			if c.rows*c.columns < bits || c.blocks*c.depth < c.columns || (c.blocks-1)*c.depth >= max(1, c.columns) {
				t.Errorf("%d bits mod %d: shape %+v does not cover every bit once", bits, modulusBits, c)
			}
			// Square and multiply with windows of 4 bits needs 5/4 multiplications a bit.
			if multiplications := c.columns + c.depth - 2; modulusBits <= 4096 && bits >= 64 && multiplications*8 > bits*5/4 {
				t.Errorf("%d bits mod %d: %d multiplications", bits, modulusBits, multiplications)
			}
		}
	}
}

func TestLaneCombShapes(t *testing.T) {
	for _, e := range kernels() {
		for _, modulusBits := range []int{64, 512, 2048, 4096, 6144, 8192} {
			n := e.digits(modulusBits)
			for _, bits := range []int{0, 1, 2, 64, 128, 1024, 2048, 4096} {
				c := newLaneComb(e, bits, n)
				stacks := c.blocks / e.lanes
				if memory := stacks << c.rows * n * e.lanes * 8; memory > e.tableSize {
					t.Errorf("%s: %d bits mod %d: the table takes %d bytes", e.name, bits, modulusBits, memory)
				}
				if c.rows*c.columns < bits || c.blocks*c.depth < c.columns || c.blocks%e.lanes != 0 {
					t.Errorf("%s: %d bits mod %d: shape %+v does not cover every bit", e.name, bits, modulusBits, c)
				}
				// Square and multiply with windows of 4 bits needs 5/4 multiplications a bit.
				if multiplications := stacks*c.depth + c.depth; modulusBits >= 2048 && bits >= 1024 && multiplications*e.lanes*3 > bits*5/4 {
					t.Errorf("%s: %d bits mod %d: %d multiplications", e.name, bits, modulusBits, multiplications)
				}
			}
		}
	}
}

func TestMisuseOfFixedBasePanics(t *testing.T) {
	r := NewRing(big.NewInt(101))
	f := r.FixedBase(big.NewInt(2), 8)
	for name, call := range map[string]func(){
		"nil base":          func() { r.FixedBase(nil, 8) },
		"negative bits":     func() { r.FixedBase(big.NewInt(2), -1) },
		"nil exponent":      func() { f.Exp([]*big.Int{nil}) },
		"negative exponent": func() { f.Exp([]*big.Int{big.NewInt(-1)}) },
		"exponent too long": func() { f.Exp([]*big.Int{big.NewInt(255), big.NewInt(256)}) },
	} {
		wantPanic(t, name, call)
	}
}
