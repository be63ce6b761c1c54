package schema

import (
	"fmt"
	"math/big"
)

// AppendUint appends x as big-endian bytes of the given width. It panics on a negative or too long x: the widths come
// from public bounds that own values keep.
func AppendUint(dst []byte, x *big.Int, width int) []byte {
	if x.Sign() < 0 || x.BitLen() > 8*width {
		panic("schema: integer does not fit its width")
	}
	at := len(dst)
	dst = append(dst, make([]byte, width)...)
	x.FillBytes(dst[at:])
	return dst
}

// Uints splits data into big-endian integers of the given width, each of which must be below the bound. An error
// names the index.
func Uints(data []byte, width int, bound *big.Int) ([]*big.Int, error) {
	if width <= 0 || len(data)%width != 0 {
		return nil, fmt.Errorf("%d bytes are no list of integers of %d bytes", len(data), width)
	}
	out := make([]*big.Int, len(data)/width)
	for i := range out {
		out[i] = new(big.Int).SetBytes(data[i*width : (i+1)*width])
		if out[i].Cmp(bound) >= 0 {
			return nil, fmt.Errorf("integer %d is out of range", i)
		}
	}
	return out, nil
}

// IntWidth is the width of a signed integer of absolute value at most bound.
func IntWidth(bound *big.Int) int { return bound.BitLen()/8 + 1 }

// AppendInt appends a signed integer with |x| < 2^(8·width-1) as x + 2^(8·width-1), big-endian. It panics on others.
func AppendInt(dst []byte, x *big.Int, width int) []byte {
	if x.BitLen() >= 8*width {
		panic("schema: integer does not fit its width")
	}
	return AppendUint(dst, new(big.Int).Add(x, bias(width)), width)
}

// Ints splits data into signed integers of the given width, each of which must have |x| <= bound. The
// width must be at least [IntWidth] of the bound.
func Ints(data []byte, width int, bound *big.Int) ([]*big.Int, error) {
	out, err := Uints(data, width, new(big.Int).Lsh(big.NewInt(1), uint(8*width)))
	if err != nil {
		return nil, err
	}
	for i, x := range out {
		if x.Sub(x, bias(width)).CmpAbs(bound) > 0 {
			return nil, fmt.Errorf("integer %d is out of range", i)
		}
	}
	return out, nil
}

func bias(width int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(8*width-1)) }
