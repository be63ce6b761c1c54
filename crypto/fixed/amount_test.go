package fixed

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func mustAmount(t interface{ Fatalf(string, ...any) }, s string) Amount {
	a, err := ParseAmount(s)
	if err != nil {
		t.Fatalf("ParseAmount(%q): %v", s, err)
	}
	return a
}

func TestParseAmount(t *testing.T) {
	for s, want := range map[string]struct {
		units, text string
	}{
		"1":                           {"10000", "1"},
		"0.0001":                      {"1", "0.0001"},
		"100.0":                       {"1000000", "100"},
		"12.3400":                     {"123400", "12.34"},
		"007.5":                       {"75000", "7.5"},
		"0.1":                         {"1000", "0.1"},
		"9223372036854775807.9999":    {"92233720368547758079999", "9223372036854775807.9999"},
		"9223372036854775808":         {"92233720368547758080000", "9223372036854775808"},
		"9223372036854775808.0000":    {"92233720368547758080000", "9223372036854775808"},
		strings.Repeat("0", 39) + "1": {"10000", "1"},
	} {
		a := mustAmount(t, s)
		if got := a.Big().String(); got != want.units {
			t.Errorf("ParseAmount(%q) is %s units, want %s", s, got, want.units)
		}
		if got := a.String(); got != want.text {
			t.Errorf("ParseAmount(%q).String() = %q, want %q", s, got, want.text)
		}
	}
}

func TestParseAmountRefuses(t *testing.T) {
	reasons := make(map[string]string)
	for _, c := range []struct{ kind, text string }{
		{"nothing", ""},
		{"zero", "0"}, {"zero", "0.0"}, {"zero", "0.0000"}, {"zero", "00"},
		{"negative", "-1"}, {"negative", "-0"}, {"negative", "-"},
		{"plus", "+1"}, {"plus", "+"},
		{"digits", "1e3"}, {"digits", " 1"}, {"digits", "1 "}, {"digits", "1,000"}, {"digits", "0x10"}, {"digits", "1_0"}, {"digits", "NaN"}, {"digits", "Inf"},
		{"digits", "1.2.3"}, {"digits", "€5"}, {"digits", "٣"}, {"digits", "1-"}, {"digits", "1.-5"}, {"digits", "x"}, {"digits", "1\x00"},
		{"before", ".5"}, {"before", "."},
		{"after", "5."},
		{"fraction", "1.00000"}, {"fraction", "0.00001"}, {"fraction", "1.12345"},
		{"large", "9223372036854775808.0001"}, {"large", "9223372036854775809"}, {"large", strings.Repeat("9", 40)},
		{"long", strings.Repeat("0", 40) + "1"}, {"long", strings.Repeat("9", 1000)},
	} {
		a, err := ParseAmount(c.text)
		if err == nil {
			t.Errorf("ParseAmount(%q) = %v without an error", c.text, a)
			continue
		}
		if known, ok := reasons[c.kind]; ok && known != err.Error() {
			t.Errorf("ParseAmount(%q): %v, want as for others of kind %s: %s", c.text, err, c.kind, known)
		}
		reasons[c.kind] = err.Error()
	}
	seen := make(map[string]string)
	for kind, text := range reasons {
		if other, ok := seen[text]; ok {
			t.Errorf("%s and %s have the same message %q", kind, other, text)
		}
		seen[text] = kind
	}
}

func drawAmount(t *rapid.T, label string) Amount {
	limit := new(big.Int).Lsh(big.NewInt(unitsPerOne), 63)
	v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, 10).Draw(t, label))
	return amountOf(v.Mod(v, limit).Add(v, big.NewInt(1)))
}

func TestAmountsAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAmount(t, "a")
		if got := mustAmount(t, a.String()); got != a {
			t.Fatalf("%v came back as %v", a, got)
		}
		b := a.Bytes()
		if new(big.Int).SetBytes(b[:]).Cmp(a.Big()) != 0 {
			t.Fatalf("bytes %x of %v", b, a)
		}
	})
}

func TestAddAgreesWithBigIntegers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount{rapid.Uint64Range(0, 1<<63).Draw(t, "a.hi"), rapid.Uint64().Draw(t, "a.lo")}
		b := Amount{rapid.Uint64Range(0, 1<<63-2).Draw(t, "b.hi"), rapid.Uint64().Draw(t, "b.lo")}
		if got, want := a.Add(b).Big(), new(big.Int).Add(a.Big(), b.Big()); got.Cmp(want) != 0 {
			t.Fatalf("%v + %v = %v, want %v", a, b, got, want)
		}
		if a.Add(b) != b.Add(a) {
			t.Fatal("the order matters")
		}
	})
}

func TestAmountFloatIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAmount(t, "a")
		want, _ := new(big.Rat).SetFrac(a.Big(), big.NewInt(unitsPerOne)).Float64()
		if got := a.Float(); got != want {
			t.Fatalf("%v.Float() = %v, want %v", a, got, want)
		}
	})
	if got := mustAmount(t, "9223372036854775808").Float(); got != math.Ldexp(1, 63) {
		t.Errorf("2^63 became %v", got)
	}
	if got := mustAmount(t, "0.1").Float(); got != 0.1 {
		t.Errorf("0.1 became %v", got)
	}
}

func TestIsZero(t *testing.T) {
	if !(Amount{}).IsZero() || (Amount{1, 0}).IsZero() || (Amount{0, 1}).IsZero() {
		t.Error("only no money is zero")
	}
	if got := (Amount{}).String(); got != "0" {
		t.Errorf("no money is written %q", got)
	}
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"1", "0.0001", "9223372036854775808", "1e5", "-1", ".", "1.23456", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAmount(s)
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(s)
		if !ok || want.Mul(want, big.NewRat(unitsPerOne, 1)).Cmp(new(big.Rat).SetInt(a.Big())) != 0 {
			t.Fatalf("ParseAmount(%q) = %v", s, a)
		}
	})
}
