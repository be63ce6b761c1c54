package propagate_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"riskprop/party/plain"
)

// What scores are, [vE24, section 3], and protocol, section 2, as properties of whole encrypted runs. Package plain has the same
// for many random networks in the clear; here a few show that encryption, packing and the order of the agreed list change
// nothing. A run in the clear in exact arithmetic differs by no more than the error bound of package fixed.

// world is accounts, each at a bank, and what flows between them.
type world struct {
	scores []float64
	home   []int    // index of the account's bank
	names  []string // of the accounts
	flows  []flow
	delta  []float64
	banks  []string
}

type flow struct {
	from, to, period int
	amount           int
}

const worldPeriods = 2

// drawWorld draws a network of nine accounts at three banks, all with some income.
func drawWorld(seed uint64) world {
	r := rand.New(rand.NewPCG(seed, 0))
	w := world{delta: []float64{0.5, 0.3}, banks: []string{"alice", "bob", "charlie"}}
	for i := range 9 {
		w.scores = append(w.scores, r.Float64())
		w.home = append(w.home, i%3)
		w.names = append(w.names, fmt.Sprintf("n%d", i))
	}
	for range 20 {
		w.flows = append(w.flows, flow{r.IntN(9), r.IntN(9), r.IntN(worldPeriods), 2 + r.IntN(100000)})
	}
	return w
}

func (w world) clone() world {
	w.scores, w.home, w.names, w.flows = slices.Clone(w.scores), slices.Clone(w.home), slices.Clone(w.names), slices.Clone(w.flows)
	return w
}

// files writes the banks' files.
func (w world) files() map[string]bank {
	files := map[string]bank{}
	for i, name := range w.names {
		b := files[w.banks[w.home[i]]]
		b.accounts += fmt.Sprintf("%s,%v\n", name, w.scores[i])
		files[w.banks[w.home[i]]] = b
	}
	for _, f := range w.flows {
		source, destination := w.banks[w.home[f.from]], w.banks[w.home[f.to]]
		line := fmt.Sprintf("%s,%s,%s,%s,%d.%04d,%d\n", w.names[f.from], source, w.names[f.to], destination, f.amount/10000, f.amount%10000, f.period)
		for _, name := range slices.Compact([]string{source, destination}) {
			b := files[name]
			b.transactions += line
			files[name] = b
		}
	}
	return files
}

// final runs the protocol and returns the accounts' final scores.
func (w world) final(t *testing.T) []float64 {
	t.Helper()
	banks := []string{"alice", "bob", "charlie"}
	ledgers := read(t, w.files(), banks)
	byName := map[string]float64{}
	oracle := plain.Propagate(ledgers, w.delta, worldPeriods)
	for b, done := range propagated(t, ledgers, worldPeriods, w.delta...) {
		for k, score := range done.Scores {
			byName[banks[b]+"/"+score.ID] = score.Final
			if math.Abs(score.Final-oracle[b].Scores[k].Final) > 1e-9 {
				t.Errorf("%s of %s has %v, in the clear %v", score.ID, banks[b], score.Final, oracle[b].Scores[k].Final)
			}
		}
	}
	list := make([]float64, len(w.names))
	for i, name := range w.names {
		final, ok := byName[w.banks[w.home[i]]+"/"+name]
		if !ok || !(final >= 0 && final <= 1) {
			t.Errorf("account %d has %v", i, final)
		}
		list[i] = final
	}
	return list
}

// near compares up to twice the error bound: 4 iterations, at most 20 incomes, 40 weight bits, 32 score bits whose roundings are
// the same on both sides. 2·4·(1/2 + 20/4)·2^-40 = 4·10^-11.
func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Abs(got[i]-want[i]) > 4e-11 {
			t.Errorf("%s: account %d has %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestScoresOfEncryptedRuns(t *testing.T) {
	for seed := range uint64(3) {
		base := drawWorld(seed)
		want := base.final(t)

		w := base.clone()
		for i := range w.names {
			w.names[i] = fmt.Sprintf("other %d", (5*i+3)%9)
		}
		near(t, "other names", w.final(t), want)

		w = base.clone()
		w.banks = []string{"charlie", "alice", "bob"}
		near(t, "banks with each other's names", w.final(t), want)

		w = base.clone()
		for i := range w.home {
			w.home[i] = (i / 2) % 3
		}
		near(t, "accounts at other banks", w.final(t), want)

		w = base.clone()
		for i := range w.home {
			w.home[i] = 1
		}
		near(t, "all accounts at one bank", w.final(t), want)

		// The parts of a transaction are added up before anything is computed: the same to the last bit.
		w = base.clone()
		w.flows = nil
		for k, f := range base.flows {
			part := 1 + (k*7919)%(f.amount-1)
			w.flows = append(w.flows, flow{f.from, f.to, f.period, part}, flow{f.from, f.to, f.period, f.amount - part})
		}
		if got := w.final(t); !slices.Equal(got, want) {
			t.Errorf("split transactions: %v, want %v", got, want)
		}

		// Weights are not negative, so a riskier account makes nobody safer, without any tolerance.
		for _, i := range []int{0, 4} {
			w = base.clone()
			w.scores[i] = (w.scores[i] + 1) / 2
			for k, x := range w.final(t) {
				// δ is below 1: an account keeps a part of its own score, so that it is itself riskier in the end.
				if x < want[k] || (k == i && x == want[k]) {
					t.Errorf("account %d riskier: account %d goes from %v to %v", i, k, want[k], x)
				}
			}
		}
	}
}

// Protocol, section 2: one account in all, one edge, scores of 1 that fill their slots, and amounts of 0.0001 and 2^63 side by
// side, in an account with many incomes.
func TestExtremesOfEncryptedRuns(t *testing.T) {
	names := []string{"alice", "bob", "charlie"}
	edge := "x,bob,a,alice,0.0001,0\n"
	// Shares of a third, whose weights are rounded: what one loses another has to gain.
	three := edge + "y,bob,a,alice,0.0001,0\nz,bob,a,alice,0.0001,0\n"
	circle := "x,bob,x,bob,9223372036854775808,0\nx,bob,y,bob,7,0\nx,bob,z,bob,7,0\n"
	var sources, incomes string
	for j := range 60 {
		sources += fmt.Sprintf("s%d,%d\n", j, j%2)
		incomes += fmt.Sprintf("s%d,bob,a,alice,%s,0\n", j, []string{"0.0001", "9223372036854775808"}[j%2])
	}
	for what, banks := range map[string]map[string]bank{
		"one account":                       {"bob": {accounts: "x,1\n"}},
		"one edge":                          {"alice": {"a,0\n", edge}, "bob": {"x,1\n", edge}},
		"all at 1":                          {"alice": {"a,1\n", three}, "bob": {"x,1\ny,1\nz,1\n", three + circle}},
		"the least and the largest amounts": {"alice": {"a,0.5\n", incomes}, "bob": {sources, incomes}},
	} {
		ledgers := read(t, banks, names)
		deltas := []float64{0.75, 0.5}
		done := propagated(t, ledgers, 1, deltas...)
		for b, want := range plain.Propagate(ledgers, deltas, 1) {
			if len(done[b].Scores) != len(want.Scores) {
				t.Errorf("%s: %d scores at %s, want %d", what, len(done[b].Scores), want.Bank, len(want.Scores))
				continue
			}
			for k, score := range want.Scores {
				got := done[b].Scores[k].Final
				if math.Abs(got-score.Final) > 1e-9 || (what == "all at 1" && got != 1) {
					t.Errorf("%s: %s has %v, want %v", what, score.ID, got, score.Final)
				}
			}
		}
	}
}
