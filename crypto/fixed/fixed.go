// Package fixed is the arithmetic that stands between the numbers people write, decimal amounts of money and risk scores in [0, 1], and the integers that
// the protocol computes with under encryption (protocol, section 2, "Fixed point").
//
// A score x enters as the integer round(x·2^f), f = score bits ([Score]). One iteration multiplies scores by weights: integers of w = weight bits that
// sum to exactly 2^w for every account that has income ([Weights]), so that a step moves risk but neither makes nor loses any, to the last bit. After j
// steps a score is therefore an integer at the scale 2^(f + w·j), never above that scale. Nothing is rounded between the first step and the last:
// what rounding there is happens once, when the scores enter, when δ does ([Delta]) and when a weight is cut to w bits.
//
// Finished scores travel several to a plaintext. [Layout] is that packing: how wide a slot is, how many fit below a modulus, and how to take them apart
// again, refusing what no honest computation can have put there.
//
// Money ([Amount]) is exact as well: an unsigned 128-bit count of ten-thousandths. Two banks compare the amount of a common transaction for equality,
// which binary fractions would not survive. [Schedule] is δ as users write it: one number, a list, or a formula.
//
// The functions are pure. Errors are for what people type (amounts, schedules, parameters) and for decrypted values; arguments that only a bug can
// produce panic. Errors do not repeat the text they refuse, which may be long or hostile: the caller, who knows where it came from, cites it.
package fixed

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// MaxWeightBits is the largest number of weight bits: a weight, which may be 2^bits itself, is a uint64.
const MaxWeightBits = 62

// ParseDecimal parses a decimal fraction such as "0.25", "-1" or "2.5e-3". It takes the plain notation only, with '.' as the point: no leading or trailing
// spaces, no underscores, no hexadecimal digits, no infinities and no NaN. The result is the nearest float64; negative zero becomes zero.
func ParseDecimal(s string) (float64, error) {
	if s == "" {
		return 0, errors.New("a number is missing: write a decimal fraction such as 0.25")
	}
	if strings.Trim(s, "0123456789.eE+-") != "" {
		return 0, errors.New("not a decimal number: write digits with a point, such as 0.25")
	}
	x, err := strconv.ParseFloat(s, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, errors.New("number out of range")
	case err != nil:
		return 0, errors.New("not a decimal number: write digits with a point, such as 0.25")
	case x == 0:
		return 0, nil
	}
	return x, nil
}

// Score returns round(x·2^bits), halves away from zero: a score as it enters the computation. It panics unless 0 <= x <= 1 and bits >= 0.
func Score(x float64, bits int) *big.Int {
	if !(x >= 0 && x <= 1) {
		panic("fixed: score " + strconv.FormatFloat(x, 'g', -1, 64) + " outside [0, 1]")
	}
	return scaled(x, bits)
}

// Float returns v / 2^scaleBits as the nearest float64 (ties to even), for v of any size and either sign.
func Float(v *big.Int, scaleBits int) float64 {
	exact := new(big.Float).SetInt(v) // as many bits as v has
	x, _ := exact.SetMantExp(exact, -scaleBits).Float64()
	return x
}

// Delta returns round(x·2^bits), the damping δ in the units that [Weights] takes, and 2^bits - 1 where rounding would reach 2^bits: an account always
// keeps some of its own score. It panics unless 0 <= x < 1 and 1 <= bits <= [MaxWeightBits].
func Delta(x float64, bits int) uint64 {
	checkWeightBits(bits)
	if !(x >= 0 && x < 1) {
		panic("fixed: delta " + strconv.FormatFloat(x, 'g', -1, 64) + " outside [0, 1)")
	}
	return min(scaled(x, bits).Uint64(), uint64(1)<<bits-1)
}

// scaled returns round(x·2^bits) exactly, halves away from zero, for finite x >= 0.
func scaled(x float64, bits int) *big.Int {
	if bits < 0 {
		panic("fixed: negative number of bits")
	}
	const mantissa = 53
	fraction, exponent := math.Frexp(x)
	v := big.NewInt(int64(math.Ldexp(fraction, mantissa))) // x = v·2^(exponent-mantissa)
	shift := exponent - mantissa + bits
	if shift >= 0 {
		return v.Lsh(v, uint(shift))
	}
	if -shift > mantissa+1 {
		return v.SetInt64(0) // below a quarter
	}
	half := new(big.Int).Lsh(big.NewInt(1), uint(-shift-1))
	return v.Rsh(v.Add(v, half), uint(-shift))
}

func checkWeightBits(bits int) {
	if bits < 1 || bits > MaxWeightBits {
		panic("fixed: weight bits " + strconv.Itoa(bits) + " outside 1.." + strconv.Itoa(MaxWeightBits))
	}
}
