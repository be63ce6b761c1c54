package fixed

import (
	"fmt"
	"math/big"
)

const (
	guardBits    = 16
	maxScoreBits = 64
	maxSteps     = 1 << 20
)

// Layout is the shape of packed final scores. A score after Steps = iterations·periods steps is an integer from 0 to 2^scale, scale = ScoreBits +
// WeightBits·Steps; a slot is 16 guard bits wider. Slot i of a plaintext begins at bit i·slot, little end first.
//
// The scale of an earlier step is that of the same layout with fewer Steps.
type Layout struct{ ScoreBits, WeightBits, Steps int }

// Validate reports the first parameter that is out of range: score bits 1..64, weight bits 1..62 ([MaxWeightBits]), steps 1..2^20.
func (l Layout) Validate() error {
	switch {
	case l.ScoreBits < 1 || l.ScoreBits > maxScoreBits:
		return fmt.Errorf("score bits are %d: choose 1 to %d", l.ScoreBits, maxScoreBits)
	case l.WeightBits < 1 || l.WeightBits > MaxWeightBits:
		return fmt.Errorf("weight bits are %d: choose 1 to %d", l.WeightBits, MaxWeightBits)
	case l.Steps < 1 || l.Steps > maxSteps:
		return fmt.Errorf("iterations times periods are %d: choose 1 to %d", l.Steps, maxSteps)
	}
	return nil
}

// ScaleBits returns the binary logarithm of the scale, f + w·J: the integer 2^ScaleBits stands for a score of 1.
func (l Layout) ScaleBits() int { return l.ScoreBits + l.WeightBits*l.Steps }

// SlotBits returns the width of a slot, f + w·J + 16.
func (l Layout) SlotBits() int { return l.ScaleBits() + guardBits }

// PerCiphertext returns how many slots lie below every modulus of modulusBits bits: floor((modulusBits-1) / slot). Where that is none, the error says how
// far which parameter must be lowered. It also reports what [Layout.Validate] does.
func (l Layout) PerCiphertext(modulusBits int) (int, error) {
	if err := l.Validate(); err != nil {
		return 0, err
	}
	if n := (modulusBits - 1) / l.SlotBits(); n > 0 {
		return n, nil
	}
	problem := fmt.Sprintf("a score of %d bits (%d score bits + %d weight bits · %d iterations in all + %d guard bits) does not fit a %d-bit key",
		l.SlotBits(), l.ScoreBits, l.WeightBits, l.Steps, guardBits, modulusBits)
	room := modulusBits - 1 - guardBits - l.ScoreBits
	switch weight, steps := room/l.Steps, room/l.WeightBits; {
	case weight > 0 && steps > 0:
		return 0, fmt.Errorf("%s: lower weight bits to %d, or iterations times periods to %d, or use a longer key", problem, weight, steps)
	case steps > 0:
		return 0, fmt.Errorf("%s: lower iterations times periods to %d, or use a longer key", problem, steps)
	case weight > 0:
		return 0, fmt.Errorf("%s: lower weight bits to %d, or use a longer key", problem, weight)
	}
	return 0, fmt.Errorf("%s: use a longer key", problem)
}

// SlotError reports a slot that no honest computation leaves: one with a value above the scale or, where Index is the number of slots asked for, one
// beyond the last that is not empty.
type SlotError struct {
	Index int // from 0, the slot at the little end
	Count int // slots asked for
}

// Error names the slot.
func (e *SlotError) Error() string {
	if e.Index >= e.Count {
		return fmt.Sprintf("bits beyond the last of %d packed scores: not a correct decryption", e.Count)
	}
	return fmt.Sprintf("packed score %d of %d is above 1: not a correct decryption", e.Index+1, e.Count)
}

// Unpack returns the first count slots of m, each a new integer in [0, 2^ScaleBits]; [Float] makes scores of them. A slot above the scale, or anything
// but zeros beyond the slots, is a [*SlotError]. Unpack panics for negative m or count.
func (l Layout) Unpack(m *big.Int, count int) ([]*big.Int, error) {
	if m.Sign() < 0 || count < 0 {
		panic("fixed: negative plaintext or count")
	}
	width := uint(l.SlotBits())
	one := new(big.Int).Lsh(big.NewInt(1), uint(l.ScaleBits()))
	mask := new(big.Int).Lsh(big.NewInt(1), width)
	mask.Sub(mask, big.NewInt(1))
	rest := new(big.Int).Set(m)
	slots := make([]*big.Int, count)
	for i := range slots {
		slots[i] = new(big.Int).And(rest, mask)
		if slots[i].Cmp(one) > 0 {
			return nil, &SlotError{Index: i, Count: count}
		}
		rest.Rsh(rest, width)
	}
	if rest.Sign() != 0 {
		return nil, &SlotError{Index: count, Count: count}
	}
	return slots, nil
}
