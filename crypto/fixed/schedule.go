package fixed

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Schedule is the damping δ of every iteration of a period, as a user wrote it: a constant, a list of one value an iteration, or {a,b} for a/(i+1)^b in
// iteration i = 0, 1, 2, … The schedule begins anew with every period. The zero value is no schedule: it resolves to an error.
type Schedule struct {
	values []float64 // one: constant; more: a list; for decay: a and b
	decay  bool
}

// ParseSchedule parses "0.5", "0.5,0.4,0.3" or "{0.5,1}"; spaces around a number are ignored. Values of a constant or a list outside [0, 1) are refused
// here, those of a formula by [Schedule.Resolve].
func ParseSchedule(s string) (Schedule, error) {
	inner, decay := strings.TrimSpace(s), false
	if rest, ok := strings.CutPrefix(inner, "{"); ok {
		if inner, ok = strings.CutSuffix(rest, "}"); !ok {
			return Schedule{}, errors.New("delta begins with '{' but does not end with '}': write {a,b}, such as {0.5,1}")
		}
		decay = true
	}
	parts := strings.Split(inner, ",")
	if decay && len(parts) != 2 {
		return Schedule{}, fmt.Errorf("delta has %d numbers between braces: write {a,b}, such as {0.5,1}", len(parts))
	}
	values := make([]float64, len(parts))
	for i, part := range parts {
		x, err := ParseDecimal(strings.TrimSpace(part))
		if err != nil {
			return Schedule{}, fmt.Errorf("delta: number %d of %d: %w", i+1, len(parts), err)
		}
		values[i] = x
	}
	if !decay {
		if err := checkDeltas(values); err != nil {
			return Schedule{}, err
		}
	}
	return Schedule{values, decay}, nil
}

// Resolve returns δ for each iteration of a period. It is an error if a list has another length than iterations, or a value is outside [0, 1). It panics
// unless iterations >= 1. The values of a formula {a,b} are the same on every machine where b is an integer or 0.5; for other b the last bit may differ.
func (s Schedule) Resolve(iterations int) ([]float64, error) {
	if iterations < 1 {
		panic("fixed: no iterations")
	}
	deltas := make([]float64, iterations)
	switch {
	case len(s.values) == 0:
		return nil, errors.New("delta is missing: write a number such as 0.5")
	case s.decay:
		for i := range deltas {
			deltas[i] = s.values[0] / math.Pow(float64(i+1), s.values[1])
		}
	case len(s.values) == 1:
		for i := range deltas {
			deltas[i] = s.values[0]
		}
	case len(s.values) != iterations:
		return nil, fmt.Errorf("delta lists %d values for %d iterations: list one value for each iteration, or a single one for all", len(s.values), iterations)
	default:
		copy(deltas, s.values)
	}
	if err := checkDeltas(deltas); err != nil {
		return nil, err
	}
	return deltas, nil
}

// String returns the canonical text, which [ParseSchedule] reads back; that of the zero value is empty.
func (s Schedule) String() string {
	parts := make([]string, len(s.values))
	for i, x := range s.values {
		parts[i] = strconv.FormatFloat(x, 'g', -1, 64)
	}
	text := strings.Join(parts, ",")
	if s.decay {
		return "{" + text + "}"
	}
	return text
}

func checkDeltas(deltas []float64) error {
	for i, x := range deltas {
		if !(x >= 0 && x < 1) { // also what is no number
			return fmt.Errorf("delta %v of iteration %d is outside [0, 1): choose at least 0 and below 1", x, i)
		}
	}
	return nil
}
