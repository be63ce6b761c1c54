package fixed

import (
	"cmp"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// simpleWeights is Weights by rational arithmetic: every share cut to an integer, then one unit at a time to the largest rest.
func simpleWeights(delta uint64, amounts []Amount, bits int) []uint64 {
	weights := []uint64{1<<bits - delta}
	total := new(big.Rat)
	for _, a := range amounts {
		total.Add(total, new(big.Rat).SetInt(a.Big()))
	}
	type rest struct {
		index int
		value *big.Rat
	}
	var rests []rest
	left := delta
	for j, a := range amounts {
		share := new(big.Rat).SetInt(a.Big())
		share.Mul(share, new(big.Rat).SetInt(new(big.Int).SetUint64(delta))).Quo(share, total)
		whole := new(big.Int).Quo(share.Num(), share.Denom())
		weights = append(weights, whole.Uint64())
		left -= whole.Uint64()
		rests = append(rests, rest{1 + j, share.Sub(share, new(big.Rat).SetInt(whole))})
	}
	slices.SortStableFunc(rests, func(a, b rest) int { return b.value.Cmp(a.value) })
	for _, r := range rests {
		if len(amounts) > 0 && left > 0 {
			weights[r.index]++
			left--
		}
	}
	return weights
}

func TestWeights(t *testing.T) {
	amounts := func(texts ...string) (as []Amount) {
		for _, s := range texts {
			as = append(as, mustAmount(t, s))
		}
		return as
	}
	for _, c := range []struct {
		what    string
		delta   uint64
		amounts []Amount
		bits    int
		want    []uint64
	}{
		{"no income", 2, nil, 2, []uint64{2}},
		{"no damping", 0, amounts("1", "2"), 8, []uint64{256, 0, 0}},
		{"one source", 100, amounts("0.0001"), 8, []uint64{156, 100}},
		{"an exact division", 100, amounts("1", "3"), 8, []uint64{156, 25, 75}},
		{"a tie goes to the lower index", 1, amounts("5", "5", "5"), 8, []uint64{255, 1, 0, 0}},
		{"two units left over", 5, amounts("1", "1", "1"), 8, []uint64{251, 2, 2, 1}},
		{"the largest remainder", 10, amounts("1", "2", "4"), 8, []uint64{246, 1, 3, 6}}, // 1.43, 2.86, 5.71
		{"a zero amount among others", 10, []Amount{{}, {0, 7}}, 8, []uint64{246, 0, 10}},
		{"one bit", 1, amounts("3", "2"), 1, []uint64{1, 1, 0}},
		{"the smallest and the largest amount", 1 << 39, amounts("0.0001", "9223372036854775808"), 40, []uint64{1 << 39, 0, 1 << 39}},
	} {
		if got := Weights(c.delta, c.amounts, c.bits); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

func checkWeights(t interface{ Fatalf(string, ...any) }, weights []uint64, delta uint64, amounts []Amount, bits int) {
	if len(weights) != 1+len(amounts) || weights[0] != 1<<bits-delta {
		t.Fatalf("%d weights, the first %d", len(weights), weights[0])
	}
	var sum uint64
	for _, w := range weights[1:] {
		sum += w
	}
	if len(amounts) > 0 && sum != delta {
		t.Fatalf("the weights of the income sum to %d, want %d", sum, delta)
	}
}

func TestWeightsAgreeWithRationalArithmeticAndConserveRisk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(1, MaxWeightBits).Draw(t, "bits")
		delta := rapid.Uint64Range(0, 1<<bits-1).Draw(t, "delta")
		n := rapid.IntRange(0, 12).Draw(t, "n")
		amounts := make([]Amount, n)
		for i := range amounts {
			if i > 0 && rapid.Bool().Draw(t, "again") {
				amounts[i] = amounts[rapid.IntRange(0, i-1).Draw(t, "which")]
				continue
			}
			amounts[i] = drawAmount(t, "amount")
		}
		got := Weights(delta, amounts, bits)
		checkWeights(t, got, delta, amounts, bits)
		if want := simpleWeights(delta, amounts, bits); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestWeightsOfManyExtremeAmounts(t *testing.T) {
	least, most := mustAmount(t, "0.0001"), mustAmount(t, "9223372036854775808")
	for _, bits := range []int{8, 40, MaxWeightBits} {
		amounts := make([]Amount, 10_000)
		for i := range amounts {
			amounts[i] = least
			if i%3 == 0 {
				amounts[i] = most
			}
		}
		delta := Delta(0.7, bits)
		got := Weights(delta, amounts, bits)
		checkWeights(t, got, delta, amounts, bits)
		if want := simpleWeights(delta, amounts, bits); !slices.Equal(got, want) {
			t.Errorf("%d bits: weights differ from the simple ones", bits)
		}
	}
}

func TestWeightsNeverDecreaseWithTheAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		amounts := make([]Amount, n)
		for i := range amounts {
			amounts[i] = drawAmount(t, "amount")
		}
		slices.SortFunc(amounts, func(a, b Amount) int { return cmp.Or(cmp.Compare(b.hi, a.hi), cmp.Compare(b.lo, a.lo)) })
		got := Weights(Delta(0.5, 10), amounts, 10)
		if !slices.IsSortedFunc(got[1:], func(a, b uint64) int { return cmp.Compare(b, a) }) {
			t.Fatalf("%v got %v", amounts, got[1:])
		}
	})
}

func BenchmarkWeights(b *testing.B) {
	amounts := make([]Amount, 10_000)
	for i := range amounts {
		amounts[i] = Amount{0, uint64(i*i%99_991 + 1)}
	}
	for b.Loop() {
		Weights(Delta(0.5, 40), amounts, 40)
	}
}
