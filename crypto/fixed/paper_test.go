package fixed

import (
	"errors"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

// The fixed-point numbers of the protocol, section 2, against exact rational arithmetic.
//
// # The error of an iteration
//
// In exact arithmetic an account with m incomes of the shares ρ_1 + … + ρ_m = 1 changes from x to
//
//	x' = (1-δ)·x + δ·Σ ρ_j·s_j
//
// where s_j are the scores of the sources. Here it changes from y to y' = (1-δ^)·y + Σ ω_j·t_j, with δ^ = [Delta]/2^w and
// ω_j = w_j/2^w, which sum to δ^; no step rounds. Let ε bound the errors of all accounts before the step: |y-x| <= ε,
// |t_j-s_j| <= ε. Adding and subtracting (1-δ^)·x and δ^·Σ ρ_j·s_j,
//
//	y' - x' = [(1-δ^)·(y-x) + Σ ω_j·(t_j-s_j)] + (δ-δ^)·(x - Σ ρ_j·s_j) + Σ (ω_j - δ^·ρ_j)·s_j
//
//   - The bracket is a mean of errors with weights that sum to 1: at most ε.
//   - |x - Σ ρ_j·s_j| <= 1 as all scores are in [0, 1], and |δ-δ^| <= η·2^-w, where η = 1/2 if δ is rounded to the nearest, and
//     1 where it is held below 1.
//   - A weight is cut to an integer, or the next one above, so ω_j - δ^·ρ_j is in (-1, 1)·2^-w, and the sum of all is 0. Let r
//     be the units that cutting leaves: the r largest fractions f_j are rounded up, the others down, and Σ f_j = r. The
//     roundings up gain r - Σ_up f_j, and since the largest r of m numbers sum to at least r/m of the total, that is at most
//     r - r²/m <= m/4. With s_j in [0, 1] the last sum is between minus that and plus that: at most (m/4)·2^-w; for m = 1
//     it is 0.
//
// So ε grows by (η + m/4)·2^-w an iteration at most, for the largest m. An account without income changes to (1-δ)·x here
// and there: its error grows by η·2^-w. Scores enter rounded, ε = 2^-(f+1) at first. After J iterations
//
//	|y - x| <= 2^-(f+1) + J·(η + m/4)·2^-w
//
// With f = 32, w = 40, J = 10 and m = 10,000 that is 2.3·10^-8.

// network is accounts with their scores and incomes: incomes[a] lists what account a gets, from whom.
type network struct {
	scores  []float64
	incomes [][]income
}

type income struct {
	source int
	amount Amount
}

// exact is one step in rational arithmetic.
func (n network) exact(old []*big.Rat, delta float64) []*big.Rat {
	d := new(big.Rat).SetFloat64(delta)
	rest := new(big.Rat).Sub(big.NewRat(1, 1), d)
	next := make([]*big.Rat, len(old))
	for a, x := range old {
		total, risk := new(big.Int), new(big.Rat)
		for _, in := range n.incomes[a] {
			total.Add(total, in.amount.Big())
		}
		next[a] = new(big.Rat).Mul(rest, x)
		for _, in := range n.incomes[a] {
			risk.Add(risk, new(big.Rat).Mul(new(big.Rat).SetFrac(in.amount.Big(), total), old[in.source]))
		}
		next[a].Add(next[a], risk.Mul(risk, d))
	}
	return next
}

// fixed is one step with the package's weights, on integers.
func (n network) fixed(old []*big.Int, delta float64, bits int) []*big.Int {
	next := make([]*big.Int, len(old))
	for a, x := range old {
		amounts := make([]Amount, len(n.incomes[a]))
		for j, in := range n.incomes[a] {
			amounts[j] = in.amount
		}
		weights := Weights(Delta(delta, bits), amounts, bits)
		next[a] = new(big.Int).Mul(x, new(big.Int).SetUint64(weights[0]))
		for j, in := range n.incomes[a] {
			next[a].Add(next[a], new(big.Int).Mul(old[in.source], new(big.Int).SetUint64(weights[1+j])))
		}
	}
	return next
}

// bound returns 2^-(f+1) + J·(η + m/4)·2^-w.
func (n network) bound(f, w, steps int, delta float64) *big.Rat {
	eta, most := big.NewRat(1, 2), 0
	if scaled(delta, w).Uint64() == 1<<w {
		eta.SetInt64(1)
	}
	for _, list := range n.incomes {
		if len(list) > 1 {
			most = max(most, len(list))
		}
	}
	step := eta.Add(eta, big.NewRat(int64(most), 4))
	step.Mul(step, big.NewRat(int64(steps), 1)).Quo(step, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(w))))
	return step.Add(step, new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(f+1))))
}

// check runs both ways side by side, and returns the largest error as a fraction of its bound.
func (n network) check(t interface{ Fatalf(string, ...any) }, f, w, steps int, delta float64) float64 {
	exact, integers := make([]*big.Rat, len(n.scores)), make([]*big.Int, len(n.scores))
	for a, x := range n.scores {
		exact[a], integers[a] = new(big.Rat).SetFloat64(x), Score(x, f)
	}
	worst := 0.0
	for step := range steps + 1 {
		if step > 0 {
			exact, integers = n.exact(exact, delta), n.fixed(integers, delta, w)
		}
		one, bound := new(big.Int).Lsh(big.NewInt(1), uint(f+w*step)), n.bound(f, w, step, delta)
		for a, y := range integers {
			if y.Sign() < 0 || y.Cmp(one) > 0 {
				t.Fatalf("account %d has %v at the scale %v after %d steps", a, y, one, step)
			}
			err := new(big.Rat).SetFrac(y, one)
			if err.Sub(err, exact[a]).Abs(err); err.Cmp(bound) > 0 {
				t.Fatalf("account %d is off by %v after %d steps, the bound is %v", a, err.FloatString(20), step, bound.FloatString(20))
			}
			part, _ := err.Quo(err, bound).Float64()
			worst = max(worst, part)
		}
	}
	return worst
}

func TestErrorStaysWithinItsBound(t *testing.T) {
	worst := 0.0
	rapid.Check(t, func(t *rapid.T) {
		n := network{scores: make([]float64, rapid.IntRange(1, 6).Draw(t, "accounts"))}
		for a := range n.scores {
			n.scores[a] = rapid.Float64Range(0, 1).Draw(t, "score")
			list := make([]income, rapid.IntRange(0, 8).Draw(t, "incomes"))
			for j := range list {
				list[j] = income{rapid.IntRange(0, len(n.scores)-1).Draw(t, "source"), drawAmount(t, "amount")}
			}
			n.incomes = append(n.incomes, list)
		}
		f, w := rapid.IntRange(1, 40).Draw(t, "f"), rapid.IntRange(1, 50).Draw(t, "w")
		worst = max(worst, n.check(t, f, w, rapid.IntRange(1, 4).Draw(t, "steps"), rapid.Float64Range(0, 0.9999).Draw(t, "delta")))
	})
	t.Logf("the largest error was %.2f of its bound", worst)
}

// The roundings that the proof calls the worst: equal incomes of which half are rounded up, from sources of score 1 for
// those and of score 0 for the others. The error of the weights is m/4 units, all that the bound allows.
func TestErrorBoundOfTheWeightsIsAttained(t *testing.T) {
	const m, w, f = 8, 10, 20
	n := network{incomes: make([][]income, m+1)}
	amount := mustAmount(t, "3")
	for j := range m {
		n.incomes[m] = append(n.incomes[m], income{j, amount})
		score := 0.0
		if j < m/2 {
			score = 1
		}
		n.scores = append(n.scores, score)
	}
	n.scores = append(n.scores, 0.5) // equal to the mean of the sources: what δ is does not matter
	delta := 0.5 + 4.0/1024          // 516 units among 8: 64 and a half each
	after := n.fixed(integers(n.scores, f), delta, w)[m]
	half := new(big.Int).Lsh(big.NewInt(1), f+w-1)
	if units := after.Sub(after, half).Rsh(after, f); units.Int64() != m/4 {
		t.Errorf("the error is %v units, want %d", units, m/4)
	}
}

// The third part of the proof, for the package's own weights: what those that are rounded up gain is at most r - r²/m, hence
// m/4, units, where r is their number. Sources of score 1 behind these weights and of score 0 behind the others make
// that gain the error of the account. No other choice of the weights to round up gains less.
func TestRoundingsOfWeightsGainTheLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(4, MaxWeightBits).Draw(t, "bits")
		delta := rapid.Uint64Range(0, 1<<bits-1).Draw(t, "delta")
		amounts, total := make([]Amount, rapid.IntRange(1, 12).Draw(t, "incomes")), Amount{}
		for j := range amounts {
			amounts[j] = drawAmount(t, "amount")
			total = total.Add(amounts[j])
		}
		gain, up := new(big.Rat), int64(0)
		for j, w := range Weights(delta, amounts, bits)[1:] {
			share := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(delta), amounts[j].Big()), total.Big())
			diff := share.Sub(new(big.Rat).SetInt(new(big.Int).SetUint64(w)), share)
			if diff.Cmp(big.NewRat(-1, 1)) <= 0 || diff.Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("weight %d is off by %v", j, diff)
			}
			if diff.Sign() > 0 {
				gain.Add(gain, diff)
				up++
			}
		}
		m := int64(len(amounts))
		if gain.Cmp(big.NewRat(up*m-up*up, m)) > 0 || gain.Cmp(big.NewRat(m, 4)) > 0 {
			t.Fatalf("%d of %d weights are rounded up and gain %v units", up, m, gain)
		}
	})
}

func integers(scores []float64, f int) (list []*big.Int) {
	for _, x := range scores {
		list = append(list, Score(x, f))
	}
	return list
}

// Protocol, section 2: "The weights of an account are integers that sum to exactly 2^w so risk is conserved". If all have
// the same score, an account with income keeps it to the last bit, however the shares are rounded; scores of 1 fill the
// scale exactly and are no overflow.
func TestRiskIsConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score := rapid.SampledFrom([]float64{0, 1, 0.3, 1e-9}).Draw(t, "score")
		n := network{scores: []float64{score, score, score}}
		for range n.scores {
			list := make([]income, rapid.IntRange(1, 9).Draw(t, "incomes"))
			for j := range list {
				list[j] = income{rapid.IntRange(0, 2).Draw(t, "source"), drawAmount(t, "amount")}
			}
			n.incomes = append(n.incomes, list)
		}
		l := Layout{rapid.IntRange(1, 40).Draw(t, "f"), rapid.IntRange(1, MaxWeightBits).Draw(t, "w"), rapid.IntRange(1, 4).Draw(t, "steps")}
		scores := integers(n.scores, l.ScoreBits)
		want := new(big.Int).Lsh(scores[0], uint(l.WeightBits*l.Steps))
		for range l.Steps {
			scores = n.fixed(scores, rapid.Float64Range(0, 0.9999).Draw(t, "delta"), l.WeightBits)
		}
		for a, x := range scores {
			if x.Cmp(want) != 0 {
				t.Fatalf("account %d has %v, want %v", a, x, want)
			}
		}
		if _, err := l.Unpack(pack(l, scores), len(scores)); err != nil {
			t.Fatal(err)
		}
	})
}

// Protocol, section 2: amounts are "positive decimals with at most 4 fraction digits, total up to 2^63". One account, one edge,
// 10,000 in-edges, amounts of 0.0001 and of 2^63 and both in one account.
func TestExtremesAgainstExactArithmetic(t *testing.T) {
	least, most := mustAmount(t, "0.0001"), mustAmount(t, "9223372036854775808")
	mixed := func(count int) (n network) {
		list := make([]income, count)
		for j := range list {
			list[j] = income{j + 1, least}
			if j%3 == 0 {
				list[j].amount = most
			}
		}
		n.scores, n.incomes = make([]float64, count+1), make([][]income, count+1)
		for j := range n.scores {
			n.scores[j] = float64(j%7) / 6
		}
		n.incomes[0] = list
		return n
	}
	for _, c := range []struct {
		what  string
		n     network
		delta float64
	}{
		{"one account", network{[]float64{1}, [][]income{nil}}, 0.5},
		{"one account, score 0", network{[]float64{0}, [][]income{nil}}, 0.5},
		{"one edge, from itself", network{[]float64{0.7}, [][]income{{{0, least}}}}, 0.999},
		{"one edge of the least amount", network{[]float64{0.7, 0}, [][]income{nil, {{0, least}}}}, 0.5},
		{"one edge of the largest amount", network{[]float64{0.7, 0}, [][]income{nil, {{0, most}}}}, 0.5},
		{"the least beside the largest", network{[]float64{1, 0, 0.5}, [][]income{nil, {{0, least}, {2, most}}, nil}}, 0.5},
		{"delta just below 1", network{[]float64{1, 0}, [][]income{{{1, least}}, {{0, most}}}}, 0.9999999999999999},
		{"delta 0", network{[]float64{1, 0}, [][]income{{{1, least}}, {{0, most}}}}, 0},
		{"10,000 in-edges", mixed(10_000), 0.5},
	} {
		for _, w := range []int{8, 40, MaxWeightBits} {
			if part := c.n.check(t, 32, w, 2, c.delta); part > 1 {
				t.Errorf("%s, %d bits: %v of the bound", c.what, w, part)
			}
		}
	}
}

// Protocol, section 2, step 4: "A slot outside [0, scale] is an error that names the account's row, never a wrong score." Every
// excess that the guard bits hold is found, in the slot where it is: one unit, weights that sum to a unit too much, a scale
// too large by up to 2^16; and a negative number, which is just below N.
func TestOverflowOfASlotIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Layout{32, 40, rapid.IntRange(1, 4).Draw(t, "steps")}
		one := new(big.Int).Lsh(big.NewInt(1), uint(l.ScaleBits()))
		slots := make([]*big.Int, rapid.IntRange(1, 6).Draw(t, "slots"))
		for i := range slots {
			slots[i] = one
		}
		at := rapid.IntRange(0, len(slots)-1).Draw(t, "at")
		excess := new(big.Int).SetUint64(rapid.Uint64().Draw(t, "excess")) // a 64-bit fraction of all that a slot can hold more
		room := new(big.Int).Lsh(big.NewInt(1), uint(l.SlotBits()))
		room.Sub(room, one).Sub(room, big.NewInt(1))
		excess.Mul(excess, room).Rsh(excess, 64).Add(excess, big.NewInt(1))
		slots[at] = new(big.Int).Add(one, excess)
		_, err := l.Unpack(pack(l, slots), len(slots))
		if slot, ok := errors.AsType[*SlotError](err); !ok || slot.Index != at {
			t.Fatalf("an excess of %v in slot %d: %v", excess, at, err)
		}
	})
	l := Layout{32, 40, 3}
	weights := []uint64{1 << 39, 1<<39 + 1} // a unit too much
	x := Score(1, l.ScoreBits)
	for range l.Steps {
		x.Mul(x, new(big.Int).SetUint64(weights[0]+weights[1]))
	}
	modulus := new(big.Int).Lsh(big.NewInt(1), 511)
	for what, m := range map[string]*big.Int{"weights of a unit too much": x, "minus one": modulus.Sub(modulus, big.NewInt(1))} {
		if _, err := l.Unpack(m, 1); !isSlotError(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func isSlotError(err error) bool {
	_, ok := errors.AsType[*SlotError](err)
	return ok
}
