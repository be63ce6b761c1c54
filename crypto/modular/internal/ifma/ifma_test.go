package ifma

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/modular/internal/kerneltest"
)

// Every number of digits, pairs of extreme operands for each of the extreme moduli, mixed over the lanes: right by math/big, and the same
// digits from every implementation. For more than 50 digits it is a ninth of the pairs.
func TestProductsAndSquares(t *testing.T) {
	ways := implementations(t)
	for n := block; n <= MaxDigits; n += block {
		s := newSource(uint64(n))
		m := newModuli(n, s.moduli(n))
		for i := range kinds {
			x := s.operands(m, i)
			for j := range kinds {
				if n > 50 && (i+j+n/block)%kinds != 0 {
					continue
				}
				checkProduct(t, ways, m, x, s.operands(m, j))
			}
			checkSquare(t, ways, m, x)
		}
	}
}

func checkProduct(t fataler, ways []implementation, m moduli, x, y []uint64) {
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
			t.Fatalf("product of %d digits: %s gives %x, %s gives %x", len(x)/Lanes, way.name, z, ways[0].name, first)
		}
	}
}

func checkSquare(t fataler, ways []implementation, m moduli, x []uint64) {
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
	ways := implementations(t)
	for n := block; n <= MaxDigits; n += block {
		s := newSource(uint64(n))
		m := newModuli(n, s.moduli(n))
		x, y := s.operands(m, n/block), s.operands(m, 3)
		want, _ := m.product(ways[0], x, y)
		wantSquare, _ := m.product(ways[0], x, x)
		for _, way := range ways {
			kerneltest.Kernel{
				Mul:     func(z, x, y, t []uint64) { way.mul(z, x, y, m.m, m.k0, t) },
				Sqr:     func(z, x, t []uint64) { way.sqr(z, x, m.m, m.k0, t) },
				Scratch: Scratch(n),
			}.Aliases(t, fmt.Sprintf("%s, %d digits", way.name, n), x, y, want, wantSquare)
		}
	}
}

// Any moduli and operands within the contract, each lane by itself.
func TestProductsOfAnyOperands(t *testing.T) {
	ways := implementations(t)
	rapid.Check(t, func(t *rapid.T) {
		n := block * rapid.IntRange(1, 4).Draw(t, "blocks")
		s := newSource(rapid.Uint64().Draw(t, "seed"))
		numbers := s.moduli(n)
		for l := range numbers {
			m := s.bits(rapid.IntRange(2, DigitBits*n-2).Draw(t, "bits"))
			if m.SetBit(m, 0, 1).BitLen() > 1 {
				numbers[l] = m
			}
		}
		m := newModuli(n, numbers)
		x, y := s.operands(m, rapid.IntRange(0, kinds-1).Draw(t, "x")), s.operands(m, rapid.IntRange(0, kinds-1).Draw(t, "y"))
		checkProduct(t, ways, m, x, y)
		checkSquare(t, ways, m, y)
	})
}

// Any bytes are three packs: moduli, made odd and small enough, and operands, reduced to twice the modulus.
func FuzzMul(f *testing.F) {
	f.Add([]byte{})
	f.Add(slices.Repeat([]byte{0xff}, 3*10*Lanes*8))
	f.Add(slices.Repeat([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0}, 3*11*Lanes))
	f.Add(slices.Repeat([]byte{1, 0, 0, 0xfc, 0xff, 0xff, 0x0f, 0}, 3*20*Lanes)) // heavyDigit
	ways := implementations(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		n := min(len(raw)/(3*Lanes*8*block)+1, 4) * block
		words := make([]uint64, 3*n*Lanes)
		for i, b := range raw[:min(len(raw), 8*len(words))] {
			words[i/8] |= uint64(b) << (i % 8 * 8)
		}
		for i := range words {
			words[i] &= digitMask
		}
		var numbers, x, y [Lanes]*big.Int
		for l := range Lanes {
			part := func(i int) *big.Int { return lane(words[i*n*Lanes:][:n*Lanes], l) }
			numbers[l] = part(0)
			numbers[l].Mod(numbers[l], power(DigitBits*n-2)).SetBit(numbers[l], 0, 1)
			if numbers[l].BitLen() == 1 {
				numbers[l].SetInt64(3)
			}
			twice := new(big.Int).Lsh(numbers[l], 1)
			x[l], y[l] = new(big.Int).Mod(part(1), twice), new(big.Int).Mod(part(2), twice)
		}
		checkProduct(t, ways, newModuli(n, numbers), pack(n, x), pack(n, y))
		checkSquare(t, ways, newModuli(n, numbers), pack(n, x))
	})
}

// A lane's result depends on that lane alone.
func TestLanesAreIndependent(t *testing.T) {
	ways := implementations(t)
	s := newSource(5)
	m, other := newModuli(20, s.moduli(20)), newModuli(20, s.moduli(20))
	x, y := s.operands(m, 2), s.operands(m, 8)
	for _, way := range ways {
		want, _ := m.product(way, x, y)
		for kept := range Lanes {
			numbers := other.numbers
			numbers[kept] = m.numbers[kept]
			changed := newModuli(20, numbers)
			x2, y2 := s.operands(changed, 5), s.operands(changed, 1)
			for d := range 20 {
				x2[d*Lanes+kept], y2[d*Lanes+kept] = x[d*Lanes+kept], y[d*Lanes+kept]
			}
			if got, _ := changed.product(way, x2, y2); lane(got, kept).Cmp(lane(want, kept)) != 0 {
				t.Errorf("%s: lane %d differs when the others do", way.name, kept)
			}
		}
	}
}

// Select gives every lane the entry of its index, and zero for an index that has none, from tables of any shape.
func TestSelect(t *testing.T) {
	ways := implementations(t)
	for n := block; n <= MaxDigits; n += block {
		s := newSource(uint64(n))
		for _, entries := range []int{1, 2, 3, 8, 32, 33} {
			size, table := n*Lanes, kerneltest.Guard(make([]uint64, n*Lanes*entries))
			for i := range table.Words {
				table.Words[i] = s.Uint64()
			}
			unchanged := slices.Clone(table.Words)
			last := uint64(entries) - 1
			index := [Lanes]uint64{0, last, last + 1, last / 2, 1 << 32, 1 << 63, ^uint64(0), s.Uint64N(last + 1)}
			s.Shuffle(Lanes, func(i, j int) { index[i], index[j] = index[j], index[i] })
			want := make([]uint64, size)
			for i := range want {
				if e := index[i%Lanes]; e <= last {
					want[i] = unchanged[int(e)*size+i]
				}
			}
			for _, way := range ways {
				z, wanted := kerneltest.Guard(slices.Repeat([]uint64{^uint64(0)}, size)), index
				way.pick(z.Words, table.Words, &wanted)
				if !slices.Equal(z.Words, want) || !z.Intact() || wanted != index {
					t.Fatalf("%s: entries %d of %d, %d digits: got %x, want %x", way.name, index, entries, n, z.Words, want)
				}
				if !slices.Equal(table.Words, unchanged) || !table.Intact() {
					t.Fatalf("%s: modified the table", way.name)
				}
			}
		}
	}
}

// Digits makes R more than four times any modulus of so many bits, and no larger than blocks require.
func TestSizes(t *testing.T) {
	for bits, want := range map[int]int{
		1: 10, 64: 10, 518: 10, 519: 20, 1038: 20, 1039: 30, 2048: 40, 3072: 60, 4096: 80, 6144: 120, 8192: MaxDigits, 8318: MaxDigits,
	} {
		if got := Digits(bits); got != want {
			t.Errorf("%d bits: %d digits, want %d", bits, got, want)
		}
	}
}

// A wrong length is caught before any memory is touched.
func TestPanics(t *testing.T) {
	w := func(digits int) []uint64 { return make([]uint64, digits*Lanes) }
	k0, index := new([Lanes]uint64), new([Lanes]uint64)
	calls := map[string]func(){
		"no digits":           func() { Mul(nil, nil, nil, nil, k0, w(20)) },
		"no whole block":      func() { x := w(15); Mul(x, x, x, x, k0, w(40)) },
		"no whole digit":      func() { x := w(10)[1:]; Mul(x, x, x, x, k0, w(20)) },
		"too many digits":     func() { x := w(MaxDigits + 10); Mul(x, x, x, x, k0, w(1000)) },
		"short x":             func() { Mul(w(20), w(10), w(20), w(20), k0, w(40)) },
		"long y":              func() { Mul(w(20), w(20), w(30), w(20), k0, w(40)) },
		"short modulus":       func() { Mul(w(20), w(20), w(20), w(10), k0, w(40)) },
		"short memory":        func() { Mul(w(20), w(20), w(20), w(20), k0, w(40)[1:]) },
		"square, long x":      func() { Sqr(w(20), w(30), w(20), k0, w(40)) },
		"square, modulus":     func() { Sqr(w(20), w(20), w(30), k0, w(40)) },
		"square, no memory":   func() { Sqr(w(20), w(20), w(20), k0, nil) },
		"select into nothing": func() { Select(nil, w(20), index) },
		"select a part":       func() { Select(w(5), w(20), index) },
		"select too much":     func() { Select(w(MaxDigits+10), w(MaxDigits+10), index) },
		"select from nothing": func() { Select(w(20), nil, index) },
		"part of an entry":    func() { Select(w(20), w(50), index) },
	}
	for name, call := range calls {
		if text := panicOf(call); !strings.HasPrefix(text, "ifma: ") {
			t.Errorf("%s: panic %q, want one that begins with ifma:", name, text)
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
	m := newModuli(20, newSource(4).moduli(20))
	z, working, table := make([]uint64, len(m.m)), make([]uint64, Scratch(20)), make([]uint64, 16*len(m.m))
	if got := testing.AllocsPerRun(10, func() {
		Mul(z, m.m, m.m, m.m, m.k0, working)
		Sqr(z, z, m.m, m.k0, working)
		Select(z, table, &[Lanes]uint64{3})
	}); got != 0 {
		t.Errorf("%v allocations", got)
	}
}
