package schema

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestFraction: deltas are shown as people write them, and no two look the same.
func TestFraction(t *testing.T) {
	for _, c := range []struct {
		x    float64
		bits uint32
		want string
	}{{0.5, 40, "0.5"}, {0.3, 40, "0.3"}, {0.85, 40, "0.85"}, {0, 40, "0"}, {0.999, 16, "0.999"}, {1.0 / 3, 40, "0.333333333333"}, {0.1, 52, "0.1"}, {1, 4, "1"}} {
		if got := fraction(uint64(math.Round(math.Ldexp(c.x, int(c.bits)))), c.bits); got != c.want {
			t.Errorf("%v in %d bits is shown as %s, want %s", c.x, c.bits, got, c.want)
		}
	}
	for want, c := range map[string]struct {
		d    uint64
		bits uint32
	}{"1/2^65": {1, 65}, "16777215.999999999999": {math.MaxUint64, 40}, "0/2^4294967295": {0, math.MaxUint32}, "1": {1, 0}} {
		if got := fraction(c.d, c.bits); got != want {
			t.Errorf("%d in %d bits is shown as %s", c.d, c.bits, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.Uint32Range(1, 64).Draw(t, "bits")
		d := rapid.Uint64Range(0, math.MaxUint64-1).Draw(t, "delta") >> (64 - bits)
		if fraction(d, bits) == fraction(d+1, bits) {
			t.Fatalf("%d and the next one are both shown as %s", d, fraction(d, bits))
		}
	})
}
