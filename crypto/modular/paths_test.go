package modular

import (
	"bytes"
	"math/big"
	"slices"
	"strings"
	"testing"

	"riskprop/crypto/modular/internal/adx"
	"riskprop/crypto/modular/internal/choice"
	"riskprop/crypto/modular/internal/ifma"
)

// boundaries are bit lengths on both sides of every limit: of the kernels, of their digits and of their size classes.
func boundaries() []int {
	sizes := []int{minKernelBits - 1, minKernelBits, minKernelBits + 1, 127, 128, 129, 511, 512, 513, 2048, 2049}
	for _, words := range []int{3, 4, 5, 9, 16, 17} {
		sizes = append(sizes, 64*words-1, 64*words)
	}
	for bits := 520; bits < maxKernelBits; bits += 520 {
		sizes = append(sizes, bits-2, bits-1)
	}
	return append(sizes, maxKernelBits-1, maxKernelBits, maxKernelBits+1)
}

// extreme returns moduli of a bit length: random, all ones, and two ones.
func (s source) extreme(bits int) []*big.Int {
	ones := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	return []*big.Int{s.modulus(bits), ones.Sub(ones, big.NewInt(1)), oddAbove(1, uint(bits-1))}
}

// corners returns n residues: the extremes first, then random ones.
func (s source) corners(m *big.Int, n int) []*big.Int {
	xs := []*big.Int{new(big.Int).Sub(m, big.NewInt(1)), big.NewInt(1), new(big.Int).Rsh(m, 1), big.NewInt(2)}
	for len(xs) < n {
		xs = append(xs, s.number(m.BitLen()-1))
	}
	return xs[:n]
}

// agree computes the same on every path and compares all bytes of all results.
func agree(t *testing.T, m *big.Int, xs []*big.Int, compute func(v *Vector) []byte) {
	t.Helper()
	var want []byte
	for _, e := range engines() {
		got := compute(newRing(m, e).Vector(xs))
		if e == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d residues mod %x: path %s gives other results than math/big", len(xs), m, pathOf(e))
		}
	}
}

// all computes everything for agree.
func all(exps []*big.Int, sums Sums) func(v *Vector) []byte {
	bits := 4
	for _, e := range exps {
		bits = max(bits, e.BitLen())
	}
	return func(v *Vector) []byte { return everything(v, v.ring.FixedBase(v.At(0), bits), exps, sums) }
}

// little computes a few products by each of the kernel's functions for agree.
func little(v *Vector) []byte { return v.ExpSecret(big.NewInt(6), 3).Mul(v).Append(v.Append(nil)) }

func TestPathsAgreeAtEveryBoundary(t *testing.T) {
	s := newSource(12)
	for _, bits := range boundaries() {
		for _, m := range s.extreme(bits) {
			xs := s.corners(m, 2+bits%7)
			if bits > 1100 {
				agree(t, m, xs, little)
				continue
			}
			exps := append(s.numbers(1, 6), big.NewInt(5), new(big.Int))
			agree(t, m, xs, all(exps, s.sums(len(xs), 6, 3, 0, 1)))
		}
	}
}

func TestPathsAgreeForEveryFillingOfTheLanes(t *testing.T) {
	s := newSource(13)
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 40} {
		m := s.extreme(130)[n%3]
		lengths := slices.Repeat([]int{n, 2, 0}, n)
		agree(t, m, s.corners(m, n), all(s.numbers(max(2, n), 128), s.sums(n, 64, lengths[:2*n]...)))
	}
}

// Residues that share factors with the modulus, 0 among them: no inverse, and everything else as always.
func TestPathsAgreeOnNonUnits(t *testing.T) {
	s := newSource(14)
	m := new(big.Int).Exp(big.NewInt(3*5*7), big.NewInt(20), nil)
	for n := 1; n < 20; n++ {
		xs := s.corners(m, n)
		xs[n/2] = big.NewInt(105)
		xs[n-1] = new(big.Int)
		agree(t, m, xs, all(s.numbers(2, 128), s.sums(n, 40, n, 5)))
	}
}

func TestPathsInUse(t *testing.T) {
	t.Logf("this program takes %s; kernels by instructions: adx %t, ifma %t", Path(), adx.Available(), ifma.Available())
	if e, err := choose(choice.Value(), ifma.Available(), adx.Available()); Path() != pathOf(e) || CheckPath() != err {
		t.Errorf("path %s, %v; want %s, %v", Path(), CheckPath(), pathOf(e), err)
	}
	m := newSource(15).modulus(256)
	if got := pathOf(NewRing(m).engine()); got != Path() {
		t.Errorf("a ring takes %s instead of %s", got, Path())
	}
	for bits, kernel := range map[int]bool{2: false, 63: false, 64: true, 8192: true, 8193: false} {
		r := newRing(newSource(16).modulus(bits), adxEngine())
		if (r.kernel != nil) != kernel {
			t.Errorf("modulus of %d bits: kernel %t, want %t", bits, r.kernel != nil, kernel)
		}
	}
}

func TestChoiceOfPath(t *testing.T) {
	for _, c := range []struct {
		value     string
		ifma, adx bool
		want      string // a path, or part of the panic's text
	}{
		{"", true, true, "ifma"},
		{"auto", true, false, "ifma"},
		{"auto", false, true, "adx"},
		{"", false, false, "big"},
		{"big", true, true, "big"},
		{"adx", true, true, "adx"},
		{"ifma", true, true, "ifma"},
		{"adx", true, false, "lacks the instructions"},
		{"ifma", false, true, "lacks the instructions"},
		{"fast", true, true, `RISKPROP_MODULAR="fast": want big, adx, ifma or auto`},
		{"ADX", true, true, "want big"},
	} {
		e, err := choose(c.value, c.ifma, c.adx)
		got := pathOf(e)
		if err != nil {
			got = err.Error()
		}
		if got != c.want && !(strings.HasPrefix(got, "modular: ") && strings.Contains(got, c.want)) {
			t.Errorf("%q with ifma %t, adx %t: got %s, want %s", c.value, c.ifma, c.adx, got, c.want)
		}
	}
}
