package fixed

import (
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// rounded is round(x·2^bits), halves away from zero, by rational arithmetic.
func rounded(x float64, bits int) *big.Int {
	exact := new(big.Rat).SetFloat64(x)
	exact.Mul(exact, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(bits))))
	exact.Add(exact, big.NewRat(1, 2))
	return new(big.Int).Quo(exact.Num(), exact.Denom())
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

func TestScoreRoundsToTheNearestInteger(t *testing.T) {
	for _, c := range []struct {
		x    float64
		bits int
		want int64
	}{
		{0, 32, 0},
		{1, 32, 1 << 32},
		{0.5, 32, 1 << 31},
		{0.1, 32, 429496730}, // 429496729.6
		{0.25, 1, 1},         // one half, away from zero
		{0.2499999, 1, 0},
		{0.75, 1, 2},
		{1, 0, 1},
		{math.SmallestNonzeroFloat64, 32, 0},
		{0x1p-33, 32, 1},
		{0x1.fffffffffffffp-34, 32, 0},
		{0x1p-34, 32, 0},
		{0x1p-35, 32, 0},
	} {
		if got := Score(c.x, c.bits); got.Cmp(big.NewInt(c.want)) != 0 {
			t.Errorf("Score(%v, %d) = %v, want %d", c.x, c.bits, got, c.want)
		}
	}
}

func TestScoreAgreesWithRationalArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, bits := rapid.Float64Range(0, 1).Draw(t, "x"), rapid.IntRange(0, 200).Draw(t, "bits")
		if got, want := Score(x, bits), rounded(x, bits); got.Cmp(want) != 0 {
			t.Fatalf("Score(%v, %d) = %v, want %v", x, bits, got, want)
		}
	})
}

func TestDeltaAgreesWithRationalArithmeticAndStaysBelowOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "x")
		bits := rapid.IntRange(1, MaxWeightBits).Draw(t, "bits")
		want := rounded(x, bits).Uint64()
		if want == 1<<bits {
			want--
		}
		if got := Delta(x, bits); got != want {
			t.Fatalf("Delta(%v, %d) = %d, want %d", x, bits, got, want)
		}
	})
	if got := Delta(math.Nextafter(1, 0), 40); got != 1<<40-1 {
		t.Errorf("the δ next to 1 became %d", got)
	}
}

func TestFloatIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "v"))
		if rapid.Bool().Draw(t, "negative") {
			v.Neg(v)
		}
		scale := rapid.IntRange(0, 1300).Draw(t, "scale")
		want, _ := new(big.Rat).SetFrac(v, new(big.Int).Lsh(big.NewInt(1), uint(scale))).Float64()
		if got := Float(v, scale); got != want {
			t.Fatalf("Float(%v, %d) = %v, want %v", v, scale, got, want)
		}
	})
}

func TestFloatRoundsSubnormalNumbersOnce(t *testing.T) {
	// 2^53+1 over 2^1126 lies just above half of the smallest float64: rounding to 53 bits first would make it a tie and then zero.
	v := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 53), big.NewInt(1))
	if got := Float(v, 1075+53); got != math.SmallestNonzeroFloat64 {
		t.Errorf("got %v", got)
	}
}

func TestScoreAndFloatAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float64Range(0, 1).Draw(t, "x")
		if got := Float(Score(x, 32), 32); math.Abs(got-x) > 0x1p-33 {
			t.Fatalf("%v came back as %v", x, got)
		}
	})
}

func TestParseDecimal(t *testing.T) {
	for s, want := range map[string]float64{
		"0": 0, "-0": 0, "0.0": 0, "1": 1, "0.25": 0.25, ".5": 0.5, "5.": 5, "+1": 1, "-2.5": -2.5, "2.5e-3": 0.0025, "1E2": 100, "1e-999": 0, "007": 7,
	} {
		got, err := ParseDecimal(s)
		if err != nil || got != want || math.Signbit(got) != (want < 0) {
			t.Errorf("ParseDecimal(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{
		"", " ", " 1", "1 ", "a", "NaN", "nan", "Inf", "-inf", "infinity", "0x1p-2", "0x10", "1_000", "1,5", "1e", "e5", ".", "-", "1.2.3", "1e999", "1-1", "½", "٣",
	} {
		if got, err := ParseDecimal(s); err == nil {
			t.Errorf("ParseDecimal(%q) = %v without an error", s, got)
		}
	}
}

func TestImpossibleArgumentsPanic(t *testing.T) {
	one := []Amount{{0, 1}}
	for what, f := range map[string]func(){
		"score above 1":            func() { Score(1.0000001, 32) },
		"negative score":           func() { Score(-0.1, 32) },
		"score not a number":       func() { Score(math.NaN(), 32) },
		"score of negative bits":   func() { Score(0.5, -1) },
		"delta of 1":               func() { Delta(1, 40) },
		"negative delta":           func() { Delta(-0.1, 40) },
		"delta not a number":       func() { Delta(math.NaN(), 40) },
		"delta of no bits":         func() { Delta(0.5, 0) },
		"delta of too many bits":   func() { Delta(0.5, 63) },
		"weights of no bits":       func() { Weights(0, one, 0) },
		"weights of too many bits": func() { Weights(0, one, 63) },
		"weights of delta 1":       func() { Weights(1<<40, one, 40) },
		"income of no money":       func() { Weights(1, []Amount{{}, {}}, 40) },
		"overflow of a sum":        func() { Amount{math.MaxUint64, math.MaxUint64}.Add(one[0]) },
		"no digits":                func() { unitsOf("x") },
		"negative plaintext":       func() { Layout{32, 40, 3}.Unpack(big.NewInt(-1), 1) },
		"negative count":           func() { Layout{32, 40, 3}.Unpack(big.NewInt(1), -1) },
		"no iterations":            func() { Schedule{}.Resolve(0) },
	} {
		mustPanic(t, what, f)
	}
}
