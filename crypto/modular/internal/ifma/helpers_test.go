package ifma

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"riskprop/crypto/modular/internal/kerneltest"
)

// implementation is one way to do what the package exports.
type implementation struct {
	name string
	mul  func(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64)
	sqr  func(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64)
	pick func(z, table []uint64, index *[Lanes]uint64)
}

// implementations are the exported functions, which run the assembly where they can, the reference in Go, and the assembly executed by a
// machine in Go, which can do so everywhere.
func implementations(t testing.TB) []implementation {
	t.Helper()
	t.Logf("the exported functions run the assembly: %v", Available())
	reference := func(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) {
		t = t[:2*len(z)]
		multiplyReference(t, x, y)
		reduceReference(z, t, m, k0)
	}
	return []implementation{
		{"reference", reference,
			func(z, x, m []uint64, k0 *[Lanes]uint64, t []uint64) { reference(z, x, x, m, k0, t) }, pickReference},
		{"exported", Mul, Sqr, Select},
		interpreted(t).implementation(),
	}
}

// interpreted returns a machine with the assembly of this package.
func interpreted(t testing.TB) *machine {
	t.Helper()
	text, err := os.ReadFile("ifma_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	p, err := parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return &machine{program: p}
}

// implementation executes the assembly as the exported functions do.
func (m *machine) implementation() implementation {
	return implementation{
		name: "interpreted assembly",
		mul: func(z, x, y, mod []uint64, k0 *[Lanes]uint64, t []uint64) {
			m.product(t[:2*len(z)], x, y)
			m.reduction(z, t[:2*len(z)], mod, k0)
		},
		sqr: func(z, x, mod []uint64, k0 *[Lanes]uint64, t []uint64) {
			m.square(t[:2*len(z)], x)
			m.reduction(z, t[:2*len(z)], mod, k0)
		},
		pick: m.selection,
	}
}

// must executes a function, which has no reason to fail.
func (m *machine) must(name string, args ...buffer) {
	if err := m.call(name, args...); err != nil {
		panic(err)
	}
}

func (m *machine) product(t, x, y []uint64) {
	m.must("mulIFMA", buffer{t, writeFirst}, buffer{x, readOnly}, buffer{y, readOnly})
}

func (m *machine) square(t, x []uint64) {
	m.must("sqrIFMA", buffer{t, writeFirst}, buffer{x, readOnly})
}

func (m *machine) reduction(z, t, mod []uint64, k0 *[Lanes]uint64) {
	m.must("reduceIFMA", buffer{z, writeFirst}, buffer{t, readWrite}, buffer{mod, readOnly}, buffer{k0[:], readOnly})
}

func (m *machine) selection(z, table []uint64, index *[Lanes]uint64) {
	m.must("selectIFMA", buffer{z, writeFirst}, buffer{table, readOnly}, buffer{index[:], readOnly})
}

// dirty is working memory whose content should not matter.
func dirty(n int) kerneltest.Guarded { return kerneltest.Dirty(Scratch(n)) }

// moduli are eight odd numbers and what the kernels need to know of them.
type moduli struct {
	numbers [Lanes]*big.Int
	m       []uint64
	k0      *[Lanes]uint64
}

func newModuli(n int, numbers [Lanes]*big.Int) moduli {
	out := moduli{numbers, pack(n, numbers), new([Lanes]uint64)}
	base := new(big.Int).Lsh(big.NewInt(1), DigitBits)
	for l, m := range numbers {
		inverse := new(big.Int).ModInverse(m, base)
		out.k0[l] = inverse.Sub(base, inverse).Uint64()
	}
	return out
}

// product returns x·y/R mod m as an implementation computes it, with guards around all that it writes and arguments that it must leave alone.
func (m moduli) product(way implementation, x, y []uint64) ([]uint64, error) {
	n := len(m.m) / Lanes
	z, t := kerneltest.Guard(slices.Repeat([]uint64{0x5555555555555555}, len(m.m))), dirty(n)
	a, b, c, k0 := kerneltest.Guard(x), kerneltest.Guard(y), kerneltest.Guard(m.m), *m.k0
	way.mul(z.Words, a.Words, b.Words, c.Words, &k0, t.Words)
	switch {
	case !z.Intact() || !t.Intact() || !a.Intact() || !b.Intact() || !c.Intact():
		return nil, fmt.Errorf("%s, %d digits: wrote beside the operands", way.name, n)
	case !slices.Equal(a.Words, x) || !slices.Equal(b.Words, y) || !slices.Equal(c.Words, m.m) || k0 != *m.k0:
		return nil, fmt.Errorf("%s, %d digits: modified an argument", way.name, n)
	}
	return z.Words, nil
}

// square is product(x, x) by the implementation's square.
func (m moduli) square(way implementation, x []uint64) ([]uint64, error) {
	way.mul = func(z, x, _, m []uint64, k0 *[Lanes]uint64, t []uint64) { way.sqr(z, x, m, k0, t) }
	return m.product(way, x, x)
}

// check says what is wrong with z as x·y/R mod m, by math/big.
func (m moduli) check(z, x, y []uint64) error {
	n := len(m.m) / Lanes
	for l, mod := range m.numbers {
		if i := slices.IndexFunc(z, func(w uint64) bool { return w > digitMask }); i >= 0 {
			return fmt.Errorf("%d digits: digit %d of lane %d is %x", n, i/Lanes, i%Lanes, z[i])
		}
		result := lane(z, l)
		left := new(big.Int).Lsh(result, uint(DigitBits*n))
		left.Sub(left, new(big.Int).Mul(lane(x, l), lane(y, l)))
		if left.Mod(left, mod).Sign() != 0 || result.Cmp(new(big.Int).Lsh(mod, 1)) >= 0 {
			return fmt.Errorf("%d digits, lane %d: got %x for x·y/R with\nx %x\ny %x\nm %x", n, l, result, lane(x, l), lane(y, l), mod)
		}
	}
	return nil
}

// pack returns eight numbers in n digits each.
func pack(n int, numbers [Lanes]*big.Int) []uint64 {
	out := make([]uint64, n*Lanes)
	mask := big.NewInt(digitMask)
	for l, x := range numbers {
		rest := new(big.Int).Set(x)
		for d := range n {
			out[d*Lanes+l] = new(big.Int).And(rest, mask).Uint64()
			rest.Rsh(rest, DigitBits)
		}
		if rest.Sign() != 0 {
			panic(fmt.Sprintf("%x has more than %d digits", x, n))
		}
	}
	return out
}

// lane returns the number in a lane.
func lane(pack []uint64, l int) *big.Int {
	x := new(big.Int)
	for d := len(pack)/Lanes - 1; d >= 0; d-- {
		x.Lsh(x, DigitBits)
		x.Add(x, new(big.Int).SetUint64(pack[d*Lanes+l]))
	}
	return x
}

// source makes reproducible numbers.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 0))} }

// bits is a random number of at most so many bits.
func (s source) bits(n int) *big.Int {
	raw := make([]byte, n/8+1)
	for i := range raw {
		raw[i] = byte(s.Uint64())
	}
	x := new(big.Int).SetBytes(raw)
	return x.Rsh(x, uint(8*len(raw)-n))
}

// extremes are the moduli for n digits that are most likely to go wrong, and some that are not.
func (s source) moduli(n int) [Lanes]*big.Int {
	most := DigitBits*n - 2 // bits
	ones := new(big.Int).Sub(power(most), big.NewInt(1))
	sparse := new(big.Int).Add(power(most-1), big.NewInt(1))
	random := s.bits(most)
	random.SetBit(random, most-1, 1).SetBit(random, 0, 1)
	least := max(most-block*DigitBits+1, 64) // a bit more than fit in fewer digits
	fewest := s.bits(least)
	fewest.SetBit(fewest, least-1, 1).SetBit(fewest, 0, 1)
	shorter := s.bits(most - 7)
	heavy := repeated(most, heavyDigit)
	low := new(big.Int).Sub(power(most), power(DigitBits)) // all ones but for the lowest digit, which is 1
	low.SetBit(low, 0, 1)
	return [Lanes]*big.Int{ones, sparse, random, big.NewInt(3), fewest, heavy.SetBit(heavy, 0, 1), low, shorter.SetBit(shorter, 0, 1)}
}

// heavyDigit has a square whose halves are both nearly 2^52.
const heavyDigit = 1<<52 - 1<<26 + 1

// repeated is the number of so many bits all of whose digits are the same.
func repeated(n int, digit uint64) *big.Int {
	x := new(big.Int)
	for range n/DigitBits + 1 {
		x.Lsh(x, DigitBits)
		x.Add(x, new(big.Int).SetUint64(digit))
	}
	return x.And(x, new(big.Int).Sub(power(n), big.NewInt(1)))
}

func power(bits int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(bits)) }

// kinds is the number of kinds of operands.
const kinds = 9

// operand is a number below 2m, of one of the kinds.
func (s source) operand(kind int, m *big.Int) *big.Int {
	twice := new(big.Int).Lsh(m, 1)
	one := big.NewInt(1)
	switch kind % kinds {
	case 0:
		return new(big.Int)
	case 1:
		return one
	case 2:
		return new(big.Int).Sub(m, one)
	case 3:
		return twice.Sub(twice, one)
	case 4:
		return m
	case 5: // all ones, as many as there may be
		return new(big.Int).Sub(power(twice.BitLen()-1), one)
	case 6:
		return repeated(twice.BitLen()-1, heavyDigit)
	case 7:
		return new(big.Int).Rsh(m, 1)
	default:
		return new(big.Int).Mod(s.bits(twice.BitLen()+64), twice)
	}
}

// operands are eight numbers, of another kind in each lane.
func (s source) operands(m moduli, kind int) []uint64 {
	var numbers [Lanes]*big.Int
	for l, mod := range m.numbers {
		numbers[l] = s.operand(kind+l, mod)
	}
	return pack(len(m.m)/Lanes, numbers)
}
