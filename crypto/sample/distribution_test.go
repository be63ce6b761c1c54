package sample_test

import (
	"fmt"
	"io"
	"math"
	"math/big"
	"testing"

	"riskprop/crypto/sample"
)

// quantile returns the value that the chi-square distribution with k degrees of freedom exceeds with a probability of
// 10^-6, by the approximation of Wilson and Hilferty: (X/k)^(1/3) is nearly normal with mean 1 - 2/(9k) and variance
// 2/(9k), and a normal variable exceeds its mean by 4.75 standard deviations once in a million. For the k used here, 31
// and more, it is good to 1 %, and errs to the high side.
//
// The streams are fixed, so a test passes always or never. With some ten thresholds of this size an honest sampler
// would have failed when the streams were named with a probability of 10^-5. A sampler with a bias does not come close:
// 40,000 draws in k cells with one cell hit twice as often as it should have a statistic above k + 40,000/k.
func quantile(k int) float64 {
	v := 2 / (9 * float64(k))
	return float64(k) * math.Pow(1-v+4.75*math.Sqrt(v), 3)
}

func TestQuantileAgainstTables(t *testing.T) {
	// The exact values are zeros of the incomplete gamma function, Γ(k/2, x/2) = 10^-6·Γ(k/2).
	for k, want := range map[int]float64{31: 83.643, 63: 131.370, 99: 180.792, 255: 377.078} {
		if got := quantile(k); got < want || got > want*1.01 {
			t.Errorf("quantile(%d) = %.2f, want %.2f", k, got, want)
		}
	}
}

// p2047 has the shape of a modulus: its top byte is not full, and Below rejects.
const p2047 = "3·2^2045 + 12345"

func wide() *big.Int {
	x := new(big.Int).Lsh(big.NewInt(3), 2045)
	return x.Add(x, big.NewInt(12345))
}

// "Below returns a uniform integer in [0, bound)", "Bits ... in [0, 2^bits)", "Unit returns a uniform element of Z_m^*":
// any part of the number that is looked at is uniform, and one draw says nothing about the next.
func TestEveryPartOfADrawIsUniform(t *testing.T) {
	const draws = 40000
	slice := new(big.Int).Quo(wide(), big.NewInt(96))
	cell := func(x *big.Int, cells int64) int { return int(new(big.Int).Mod(x, big.NewInt(cells)).Int64()) }
	var before int
	units := unitsOf(210)
	for _, c := range []struct {
		name  string
		cells int
		draw  func(io.Reader) int
	}{
		{"position in [0, " + p2047 + ")", 96, func(r io.Reader) int {
			return min(int(new(big.Int).Quo(sample.Below(r, wide()), slice).Int64()), 95)
		}},
		{"lowest bits below " + p2047, 64, func(r io.Reader) int { return cell(sample.Below(r, wide()), 64) }},
		{"residue modulo a prime below " + p2047, 61, func(r io.Reader) int { return cell(sample.Below(r, wide()), 61) }},
		{"below 100", 100, func(r io.Reader) int { return int(sample.Below(r, big.NewInt(100)).Int64()) }},
		{"below 257, just above a byte", 257, func(r io.Reader) int { return int(sample.Below(r, big.NewInt(257)).Int64()) }},
		{"top bits of 2047 bits", 32, func(r io.Reader) int {
			return int(new(big.Int).Rsh(sample.Bits(r, 2047), 2042).Int64())
		}},
		{"lowest bits of 2047 bits", 32, func(r io.Reader) int { return cell(sample.Bits(r, 2047), 32) }},
		{"pairs of draws below 10", 100, func(r io.Reader) int {
			x := int(sample.Below(r, big.NewInt(10)).Int64())
			return 10*x + int(sample.Below(r, big.NewInt(10)).Int64())
		}},
		{"overlapping pairs of 3 bits", 64, func(r io.Reader) int {
			pair := before
			before = int(sample.Bits(r, 3).Int64())
			return 8*pair + before
		}},
		{"units of Z_210", len(units), func(r io.Reader) int { return units[sample.Unit(r, big.NewInt(210)).Int64()] }},
		{"bytes of a stream", 256, func(r io.Reader) int { return int(sample.Bits(r, 8).Int64()) }},
	} {
		r := sample.Hash("distribution", []byte(c.name))
		counts := make([]int, c.cells)
		for range draws {
			counts[c.draw(r)]++
		}
		if x, limit := chiSquare(counts), quantile(c.cells-1); x > limit {
			t.Errorf("%s: chi-square is %.1f, above %.1f", c.name, x, limit)
		}
	}
}

// unitsOf numbers the units of Z_m.
func unitsOf(m int64) map[int64]int {
	numbers := map[int64]int{}
	for x := range m {
		if new(big.Int).GCD(nil, nil, big.NewInt(x), big.NewInt(m)).Int64() == 1 {
			numbers[x] = len(numbers)
		}
	}
	return numbers
}

// Ranges are exact: every value of the range appears, the first and the last included, and no other. A range of v values
// misses one in d draws with a probability below v·exp(-d/v), here 256·e^-39.
func TestRangesAreExact(t *testing.T) {
	for _, values := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 30, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256} {
		for name, draw := range map[string]func(io.Reader) *big.Int{
			"Below": func(r io.Reader) *big.Int { return sample.Below(r, big.NewInt(int64(values))) },
			"Unit":  func(r io.Reader) *big.Int { return sample.Unit(r, big.NewInt(int64(values))) },
		} {
			want := int64(values)
			if name == "Unit" {
				want = int64(len(unitsOf(int64(values))))
			}
			r := sample.Hash("range", []byte(name), fmt.Append(nil, values))
			seen := map[int64]bool{}
			for range 40 * want {
				x := draw(r)
				if x.Sign() < 0 || x.Cmp(big.NewInt(int64(values))) >= 0 {
					t.Fatalf("%s(%d) = %v", name, values, x)
				}
				seen[x.Int64()] = true
			}
			if int64(len(seen)) != want {
				t.Errorf("%s(%d) takes %d values, want %d", name, values, len(seen), want)
			}
		}
	}
}
