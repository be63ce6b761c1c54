package fixed

import (
	"encoding/binary"
	"errors"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

const (
	unitsPerOne    = 10_000 // an amount counts ten-thousandths
	fractionDigits = 4
	maxAmountText  = 40 // characters of a written amount
)

// Amount is an amount of money, or a sum of them: a number of ten-thousandths (10^-4), unsigned, 128 bits. The zero value is no money. Amounts are
// compared with ==.
type Amount struct{ hi, lo uint64 }

// ParseAmount parses a positive decimal: digits, optionally a point and one to four more. At most 2^63, at most 40 characters; no sign, no exponent, no
// spaces. Each refusal says what is wrong and does not repeat the text.
func ParseAmount(s string) (Amount, error) {
	switch {
	case s == "":
		return Amount{}, errors.New("an amount is missing")
	case len(s) > maxAmountText:
		return Amount{}, errors.New("an amount has at most 40 characters")
	case s[0] == '-':
		return Amount{}, errors.New("an amount is not negative: swap source and destination")
	case s[0] == '+':
		return Amount{}, errors.New("an amount has no sign: remove the '+'")
	}
	whole, fraction, point := strings.Cut(s, ".")
	switch {
	case strings.Trim(whole, "0123456789") != "" || strings.Trim(fraction, "0123456789") != "":
		return Amount{}, errors.New("an amount has only digits and at most one '.': no exponent, spaces, currency or separators")
	case whole == "":
		return Amount{}, errors.New("an amount has a digit before the point: write 0.5, not .5")
	case point && fraction == "":
		return Amount{}, errors.New("an amount has a digit after the point: write 5 or 5.0, not 5. alone")
	case len(fraction) > fractionDigits:
		return Amount{}, errors.New("an amount has at most 4 digits after the point")
	}
	return unitsOf(whole + fraction + "0000"[len(fraction):])
}

// unitsOf reads a string of digits, a count of ten-thousandths, and holds it to 0 < amount <= 2^63.
func unitsOf(digits string) (Amount, error) {
	units, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		panic("fixed: not a string of digits")
	}
	limit := new(big.Int).Lsh(big.NewInt(unitsPerOne), 63)
	switch {
	case units.Sign() == 0:
		return Amount{}, errors.New("an amount is greater than 0")
	case units.Cmp(limit) > 0:
		return Amount{}, errors.New("an amount is at most 9223372036854775808 (2^63)")
	}
	return amountOf(units), nil
}

// amountOf converts 0 <= units < 2^128.
func amountOf(units *big.Int) Amount {
	var b [16]byte
	units.FillBytes(b[:])
	return Amount{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// Add returns a + b. It panics when the sum does not fit 128 bits, which takes more than 2^51 of the largest amounts.
func (a Amount) Add(b Amount) Amount {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, carry := bits.Add64(a.hi, b.hi, carry)
	if carry != 0 {
		panic("fixed: sum of amounts overflows 128 bits")
	}
	return Amount{hi, lo}
}

// IsZero reports whether a is no money at all.
func (a Amount) IsZero() bool { return a == Amount{} }

// Big returns the number of ten-thousandths, as a new integer.
func (a Amount) Big() *big.Int {
	b := a.Bytes()
	return new(big.Int).SetBytes(b[:])
}

// Float returns the float64 nearest to the amount, in units of money (not ten-thousandths).
func (a Amount) Float() float64 {
	const exact = 1 << 53
	if a.hi == 0 && a.lo < exact {
		return float64(a.lo) / unitsPerOne
	}
	x, _ := new(big.Rat).SetFrac(a.Big(), big.NewInt(unitsPerOne)).Float64()
	return x
}

// Bytes returns the number of ten-thousandths, big end first.
func (a Amount) Bytes() [16]byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.hi)
	binary.BigEndian.PutUint64(b[8:], a.lo)
	return b
}

// String returns the canonical decimal: no superfluous zeros, no point without a fraction. [ParseAmount] reads it back, up to its limit.
func (a Amount) String() string {
	whole, part := new(big.Int).QuoRem(a.Big(), big.NewInt(unitsPerOne), new(big.Int))
	if part.Sign() == 0 {
		return whole.String()
	}
	digits := strconv.FormatUint(unitsPerOne+part.Uint64(), 10)[1:]
	return whole.String() + "." + strings.TrimRight(digits, "0")
}
