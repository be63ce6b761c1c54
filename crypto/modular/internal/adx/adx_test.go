package adx

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/modular/internal/kerneltest"
)

// Every number of digits, the extreme moduli and operands: right by math/big, and the same digits from every implementation.
func TestProductsAndSquares(t *testing.T) {
	s := newSource(1)
	ways := implementations(t)
	for n := 1; n <= MaxDigits; n++ {
		for _, m := range s.moduli(n) {
			values := s.values(m)
			for i, x := range values {
				for _, y := range values[i:] {
					checkProduct(t, ways, m, x, y)
				}
				checkSquare(t, ways, m, x)
			}
		}
	}
}

func checkProduct(t fataler, ways []implementation, m modulus, x, y []uint64) {
	t.Helper()
	var first []uint64
	for _, way := range ways {
		z, err := m.product(way, x, y)
		if err != nil {
			t.Fatalf("product: %v", err)
		}
		if first == nil {
			if first, err = z, m.check(z, x, y); err != nil {
				t.Fatalf("product: %s: %v", way.name, err)
			}
		}
		if !slices.Equal(z, first) {
			t.Fatalf("product of %d digits: %s gives %x, %s gives %x", len(x), way.name, z, ways[0].name, first)
		}
	}
}

func checkSquare(t fataler, ways []implementation, m modulus, x []uint64) {
	t.Helper()
	want, err := m.product(ways[0], x, x)
	if err != nil {
		t.Fatalf("square: %v", err)
	}
	for _, way := range ways {
		z, err := m.square(way, x)
		if err != nil || !slices.Equal(z, want) {
			t.Fatalf("square of %x mod %x: %s gives %x, the product is %x: %v", x, m.m, way.name, z, want, err)
		}
	}
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// The result may take the place of each operand or of both, and both may be the same memory.
func TestAliasing(t *testing.T) {
	s := newSource(2)
	for _, way := range implementations(t) {
		for n := 1; n <= MaxDigits; n++ {
			m := s.moduli(n)[n%7]
			x, y := s.digits(n), s.digits(n)
			want, _ := m.product(way, x, y)
			wantSquare, _ := m.product(way, x, x)
			kerneltest.Kernel{
				Mul:     func(z, x, y, t []uint64) { way.mul(z, x, y, m.m, m.k0, t) },
				Sqr:     func(z, x, t []uint64) { way.sqr(z, x, m.m, m.k0, t) },
				Scratch: Scratch(n),
			}.Aliases(t, fmt.Sprintf("%s, %d digits", way.name, n), x, y, want, wantSquare)
		}
	}
}

func TestProductsOfAnyDigits(t *testing.T) {
	ways := implementations(t)
	digit := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, ^uint64(0), 1 << 63}))
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, MaxDigits).Draw(t, "n")
		operand := rapid.SliceOfN(digit, n, n)
		m := operand.Draw(t, "m")
		m[0] |= 1
		x, y := operand.Draw(t, "x"), operand.Draw(t, "y")
		checkProduct(t, ways, newModulus(m), x, y)
		checkSquare(t, ways, newModulus(m), x)
	})
}

func FuzzMul(f *testing.F) {
	f.Add([]byte{})
	f.Add(slices.Repeat([]byte{0xff}, 3*8*8))
	f.Add(slices.Repeat([]byte{0xff, 0, 0, 0, 0, 0, 0, 0x80}, 3*9))
	f.Add(slices.Repeat([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 3*17))
	ways := implementations(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		n := min(len(raw)/(3*8)+1, MaxDigits)
		words := make([]uint64, 3*n)
		for i, b := range raw[:min(len(raw), 8*len(words))] {
			words[i/8] |= uint64(b) << (i % 8 * 8)
		}
		m, x, y := words[:n:n], words[n:2*n:2*n], words[2*n:]
		m[0] |= 1
		checkProduct(t, ways, newModulus(m), x, y)
		checkSquare(t, ways, newModulus(m), x)
	})
}

// Select gives the entry of the index, zero for an index that has none, and reads tables of any shape.
func TestSelect(t *testing.T) {
	s := newSource(3)
	for _, way := range implementations(t) {
		for n := 1; n <= MaxDigits; n++ {
			for _, entries := range []int{1, 2, 3, 8, 32, 33} {
				table := s.digits(n * entries)
				copied := kerneltest.Guard(table)
				for _, index := range []uint64{0, 1, uint64(entries) - 1, uint64(entries), 1 << 32, 1 << 63, ^uint64(0)} {
					want := make([]uint64, n)
					if index < uint64(entries) {
						want = table[int(index)*n:][:n]
					}
					z := kerneltest.Guard(s.digits(n))
					way.pick(z.Words, copied.Words, &[Lanes]uint64{index})
					if !slices.Equal(z.Words, want) || !z.Intact() {
						t.Fatalf("%s: entry %d of %d, %d digits: got %x, want %x", way.name, index, entries, n, z.Words, want)
					}
				}
				if !slices.Equal(copied.Words, table) || !copied.Intact() {
					t.Fatalf("%s: modified the table", way.name)
				}
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for bits, want := range map[int]int{1: 1, 63: 1, 64: 1, 65: 2, 2048: 32, 2049: 33, 4095: 64, 8192: MaxDigits} {
		if got := Digits(bits); got != want {
			t.Errorf("%d bits: %d digits, want %d", bits, got, want)
		}
	}
}

// A wrong length is caught before any memory is touched.
func TestPanics(t *testing.T) {
	w := func(n int) []uint64 { return make([]uint64, n) }
	k0, index := new([Lanes]uint64), new([Lanes]uint64)
	calls := map[string]func(){
		"no digits":           func() { Mul(nil, nil, nil, nil, k0, w(9)) },
		"too many digits":     func() { x := w(MaxDigits + 1); Mul(x, x, x, x, k0, w(1000)) },
		"short x":             func() { Mul(w(4), w(3), w(4), w(4), k0, w(16)) },
		"long y":              func() { Mul(w(4), w(4), w(5), w(4), k0, w(16)) },
		"short modulus":       func() { Mul(w(4), w(4), w(4), w(3), k0, w(16)) },
		"short memory":        func() { Mul(w(4), w(4), w(4), w(4), k0, w(Scratch(4)-1)) },
		"square, long x":      func() { Sqr(w(4), w(5), w(4), k0, w(16)) },
		"square, modulus":     func() { Sqr(w(4), w(4), w(5), k0, w(16)) },
		"square, no memory":   func() { Sqr(w(4), w(4), w(4), k0, nil) },
		"select into nothing": func() { Select(nil, w(4), index) },
		"select from nothing": func() { Select(w(4), nil, index) },
		"part of an entry":    func() { Select(w(4), w(9), index) },
		"shift of nothing":    func() { Shift(nil, nil, nil, k0, 0) },
		"shift, short x":      func() { Shift(w(4), w(3), w(4), k0, 0) },
		"shift, long modulus": func() { Shift(w(4), w(4), w(5), k0, 0) },
		"shift too far":       func() { Shift(w(4), w(4), w(4), k0, MaxShift+1) },
	}
	for name, call := range calls {
		if text := panicOf(call); len(text) < 4 || text[:4] != "adx:" {
			t.Errorf("%s: panic %q, want one that begins with adx:", name, text)
		}
	}
}

func panicOf(call func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	call()
	return ""
}

func TestNoAllocations(t *testing.T) {
	m := newSource(4).moduli(33)[5]
	z, working, table := make([]uint64, 33), make([]uint64, Scratch(33)), make([]uint64, 33*32)
	if got := testing.AllocsPerRun(10, func() {
		Mul(z, m.m, m.m, m.m, m.k0, working)
		Sqr(z, z, m.m, m.k0, working)
		Select(z, table, &[Lanes]uint64{3})
		Shift(z, z, m.m, m.k0, 62)
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
