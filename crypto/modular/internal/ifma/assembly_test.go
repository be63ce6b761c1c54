package ifma

import (
	"math"
	"slices"
	"testing"
)

// The assembly leaves the same lazy columns as the reference, and not only the same result.
func TestColumns(t *testing.T) {
	m := interpreted(t)
	for n := block; n <= MaxDigits; n += block {
		s := newSource(uint64(n))
		mod := newModuli(n, s.moduli(n))
		x, y := s.operands(mod, n/block), s.operands(mod, 5)
		columns := func() ([]uint64, []uint64) { return make([]uint64, Scratch(n)), make([]uint64, Scratch(n)) }
		got, want := columns()
		m.product(got, x, y)
		multiplyReference(want, x, y)
		if !slices.Equal(got, want) {
			t.Errorf("product of %d digits: got columns %x, want %x", n, got, want)
		}
		checkReduction(t, m, mod, got)
		got, want = columns()
		m.square(got, x)
		squareReference(want, x)
		if !slices.Equal(got, want) {
			t.Errorf("square of %d digits: got columns %x, want %x", n, got, want)
		}
		multiplyReference(want, x, x)
		if !slices.Equal(got, want) {
			t.Errorf("square of %d digits: got columns %x, those of the product are %x", n, got, want)
		}
	}
}

// checkReduction compares the results for columns, and what the columns of the result are before the carries.
func checkReduction(t *testing.T, m *machine, mod moduli, columns []uint64) {
	t.Helper()
	size := len(mod.m)
	mine, other := slices.Clone(columns), slices.Clone(columns)
	got, want := make([]uint64, size), make([]uint64, size)
	m.reduction(got, mine, mod.m, mod.k0)
	reduceReference(want, other, mod.m, mod.k0)
	if !slices.Equal(got, want) || !slices.Equal(mine[size:], other[size:]) {
		t.Errorf("reduction of %d digits: got %x from columns %x, want %x from %x", size/Lanes, got, mine[size:], want, other[size:])
	}
}

// No sum of a column comes near 64 bits, even if all halves of products are as large as halves can be: the factors, the modulus and the
// quotient have only digits whose products have such halves. The machine fails at any sum that exceeds 64 bits.
func TestLargestSums(t *testing.T) {
	m := interpreted(t)
	for n := block; n <= MaxDigits; n += block {
		heavy := slices.Repeat([]uint64{heavyDigit}, n*Lanes)
		k0 := new([Lanes]uint64)
		for l := range k0 {
			k0[l] = negativeInverse(heavyDigit)
		}
		columns := make([]uint64, Scratch(n))
		m.counts.largest = 0
		m.square(columns, heavy)
		m.product(columns, heavy, heavy)
		forceQuotient(columns, heavy)
		checkReduction(t, m, moduli{m: heavy, k0: k0}, columns)
		bound := 4 * uint64(n) << DigitBits
		if got := m.counts.largest; got >= bound || got < bound/10*9 {
			t.Errorf("%d digits: the largest sum is 2^%.2f, want a little less than 2^%.2f", n, log2(got), log2(bound))
		}
	}
	t.Logf("the largest sum of %d digits is 2^%.3f", MaxDigits, log2(m.counts.largest))
	if log2(m.counts.largest) > 61.33 {
		t.Errorf("the largest sum is 2^%.3f", log2(m.counts.largest))
	}
}

func log2(x uint64) float64 { return math.Log2(float64(x)) }

// negativeInverse returns -1/m mod 2^52.
func negativeInverse(m uint64) uint64 {
	inverse := m
	for range 5 {
		inverse *= 2 - m*inverse
	}
	return -inverse & digitMask
}

// forceQuotient changes the lowest n columns, each by less than 2^52, so that every digit of the quotient by a modulus is heavyDigit.
func forceQuotient(columns, modulus []uint64) {
	n := len(modulus) / Lanes
	sums := slices.Clone(columns)
	for i := range n {
		var zero, carry, low vector
		digit := vector(slices.Repeat([]uint64{heavyDigit}, Lanes))
		addProduct(&low, &zero, &digit, at(modulus, 0))
		for l := range Lanes {
			add := (-low[l] - at(sums, i)[l]) & digitMask // the low half of q·m and the column must have the sum 0 mod 2^52
			at(columns, i)[l] += add
			carry[l] = (at(sums, i)[l] + add + digitMask) >> DigitBits
			at(sums, i+1)[l] += carry[l]
		}
		var unused vector
		addProduct(&unused, at(sums, i+1), &digit, at(modulus, 0))
		for j := 1; j < n; j++ {
			addProduct(at(sums, i+j), at(sums, i+j+1), &digit, at(modulus, j))
		}
	}
}

// What the kernels execute is mostly multiplications, and nearly all of them have at least seven others between them and the one that
// added to the same column: a multiplication takes four cycles, and a processor begins two in a cycle. (What the digits of the quotient
// wait for is not counted.) A square needs about three quarters of the multiplications of a product. What is executed does not depend
// on the operands.
func TestInstructionsExecuted(t *testing.T) {
	m := interpreted(t)
	way := m.implementation()
	for n := block; n <= MaxDigits; n += block {
		s := newSource(uint64(n))
		mod := newModuli(n, s.moduli(n))
		count := func(kind int, call implementation) counts {
			m.counts = counts{}
			if _, err := mod.product(call, s.operands(mod, kind), s.operands(mod, 2*kind)); err != nil {
				t.Fatal(err)
			}
			return m.counts
		}
		square := way
		square.mul = func(z, x, _, m []uint64, k0 *[Lanes]uint64, t []uint64) { way.sqr(z, x, m, k0, t) }
		mul, sqr := count(1, way), count(1, square)
		if other := count(5, way); other.instructions != mul.instructions {
			t.Errorf("%d digits: %d instructions for some operands, %d for others", n, mul.instructions, other.instructions)
		}
		ratio := func(x, y int) float64 { return float64(x) / float64(y) }
		share, waits, squares := ratio(mul.multiplies, mul.vectors), ratio(mul.waits, mul.multiplies), ratio(sqr.multiplies, mul.multiplies)
		t.Logf("%3d digits: product: %d instructions, %d with vectors, %d multiplications: %.1f %% of those with vectors, %.1f %% may wait",
			n, mul.instructions, mul.vectors, mul.multiplies, 100*share, 100*waits)
		t.Logf("%3d digits: square: %d instructions, %d with vectors, %d multiplications: %.3f of the product's, %.1f %% may wait",
			n, sqr.instructions, sqr.vectors, sqr.multiplies, squares, 100*ratio(sqr.waits, sqr.multiplies))
		if n >= 40 && (share < 0.8 || waits > 0.01 || squares > 0.76) || mul.multiplies != 4*n*n {
			t.Errorf("%d digits: %d multiplications, %.2f of the vector instructions; %.2f wait; a square has %.2f of them",
				n, mul.multiplies, share, waits, squares)
		}
	}
}
