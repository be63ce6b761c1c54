package modular

import (
	"errors"
	"fmt"
	"math/big"
)

// What can be wrong with numbers that come from outside.
var (
	// ErrLength: an encoding is not a whole number of residues.
	ErrLength = errors.New("length is not a multiple of the residue width")
	// ErrRange: an encoded residue is not below the modulus, so the encoding is not canonical.
	ErrRange = errors.New("value is not below the modulus")
	// ErrNotUnit: a residue shares a factor with the modulus, so it has no inverse.
	ErrNotUnit = errors.New("value shares a factor with the modulus")
)

// ElementError says which element of a batch is at fault; Err is [ErrRange] or [ErrNotUnit].
type ElementError struct {
	Index int // position in the batch, from 0
	Err   error
}

func (e *ElementError) Error() string { return fmt.Sprintf("modular: element %d: %v", e.Index, e.Err) }

// Unwrap returns the reason.
func (e *ElementError) Unwrap() error { return e.Err }

// require panics with a formatted message unless a condition that only a programming error breaks holds.
func require(ok bool, format string, args ...int) {
	if ok {
		return
	}
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a
	}
	panic("modular: " + fmt.Sprintf(format, values...))
}

// requireAll panics with a message that names the first number for which a condition does not hold.
func requireAll(xs []*big.Int, ok func(x *big.Int) bool, format string) {
	for i, x := range xs {
		require(ok(x), format, i)
	}
}

func present(x *big.Int) bool     { return x != nil }
func positive(x *big.Int) bool    { return x != nil && x.Sign() > 0 }
func nonNegative(x *big.Int) bool { return x != nil && x.Sign() >= 0 }

// oddModulus says whether m is odd and at least 3.
func oddModulus(m *big.Int) bool { return positive(m) && m.Bit(0) == 1 && m.BitLen() > 1 }
