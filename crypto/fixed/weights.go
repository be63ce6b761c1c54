package fixed

import (
	"cmp"
	"encoding/binary"
	"math/big"
	"slices"
)

// Weights returns the integer weights of one account's update, [w0, w1, w2, …]: w0 = 2^bits - delta for the account's own old score, then one weight for
// each amount of its income, in the order given:
//
//	new = w0·old + Σ w_j·source_j        at a scale 2^bits larger than before
//
// where w_j is delta·amount_j / Σ amounts cut to an integer. What cutting leaves of delta goes, one unit each, to the largest remainders, equal ones to
// the lower index, so that w1 + w2 + … is exactly delta and all weights together are exactly 2^bits. Without amounts the result is [w0] alone: an
// account without income loses the share delta of its score (protocol, section 2).
//
// delta is in units of 2^-bits ([Delta]). Weights panics unless 1 <= bits <= [MaxWeightBits] and delta < 2^bits, and when there are amounts but all of
// them are zero. It takes O(n log n) time; all intermediate values are exact.
func Weights(delta uint64, amounts []Amount, bits int) []uint64 {
	checkWeightBits(bits)
	if delta >= uint64(1)<<bits {
		panic("fixed: delta is not below 2^bits")
	}
	weights := make([]uint64, 1, 1+len(amounts))
	weights[0] = uint64(1)<<bits - delta
	if len(amounts) == 0 {
		return weights
	}
	var sum Amount
	for _, a := range amounts {
		sum = sum.Add(a)
	}
	if sum.IsZero() {
		panic("fixed: income of no money")
	}
	total, share, remainder := sum.Big(), new(big.Int), new(big.Int)
	damping, amount := new(big.Int).SetUint64(delta), new(big.Int)
	remainders := make([]Amount, len(amounts))
	left := delta
	var buf [16]byte
	for j, a := range amounts {
		binary.BigEndian.PutUint64(buf[:8], a.hi)
		binary.BigEndian.PutUint64(buf[8:], a.lo)
		share.Mul(amount.SetBytes(buf[:]), damping)
		share.QuoRem(share, total, remainder)
		w := share.Uint64() // at most delta
		weights = append(weights, w)
		left -= w
		remainders[j] = amountOf(remainder)
	}
	for _, j := range largest(remainders)[:left] {
		weights[1+j]++
	}
	return weights
}

// largest returns the indices of the values from the largest to the smallest, equal values by index.
func largest(values []Amount) []int {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int {
		a, b := values[i], values[j]
		return cmp.Or(cmp.Compare(b.hi, a.hi), cmp.Compare(b.lo, a.lo), cmp.Compare(i, j))
	})
	return order
}
