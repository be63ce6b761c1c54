package plain

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/party/ledger"
)

// pool is the files of a few banks in the making.
type pool struct {
	banks                  []string
	accounts, transactions map[string]string // rows, by bank
}

func newPool(banks ...string) *pool {
	return &pool{banks, make(map[string]string), make(map[string]string)}
}

func (p *pool) account(bank, id string, score float64) {
	p.accounts[bank] += fmt.Sprintf("%s,%v\n", id, score)
}

// pay enters a transaction, from and to written as bank/id, in the files of both banks.
func (p *pool) pay(from, to, amount string, period int) {
	source, _, _ := strings.Cut(from, "/")
	destination, _, _ := strings.Cut(to, "/")
	p.list(source, from, to, amount, period)
	if source != destination {
		p.list(destination, from, to, amount, period)
	}
}

// list enters a transaction in the file of one bank.
func (p *pool) list(bank, from, to, amount string, period int) {
	fromBank, fromID, _ := strings.Cut(from, "/")
	toBank, toID, _ := strings.Cut(to, "/")
	p.transactions[bank] += fmt.Sprintf("%s,%s,%s,%s,%s,%d\n", fromID, fromBank, toID, toBank, amount, period)
}

func (p *pool) ledgers(t interface{ Fatalf(string, ...any) }) []*ledger.Ledger {
	var ledgers []*ledger.Ledger
	for _, bank := range p.banks {
		l, err := ledger.Read(bank, p.banks,
			ledger.File{Name: bank + "/accounts.csv", Data: []byte("id,risk_score\n" + p.accounts[bank])},
			ledger.File{Name: bank + "/transactions.csv", Data: []byte("id_source,bank_source,id_destination,bank_destination,amount,period\n" + p.transactions[bank])})
		if err != nil {
			t.Fatalf("%v", err)
		}
		ledgers = append(ledgers, l)
	}
	return ledgers
}

// propagate returns the final scores by bank/id.
func (p *pool) propagate(t interface{ Fatalf(string, ...any) }, delta []float64, periods int) map[string]float64 {
	final := make(map[string]float64)
	for _, r := range Propagate(p.ledgers(t), delta, periods) {
		for _, s := range r.Scores {
			final[r.Bank+"/"+s.ID] = s.Final
		}
	}
	return final
}

func compare(t interface{ Errorf(string, ...any) }, what string, got, want map[string]float64) {
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if x, ok := got[id]; !ok || math.Abs(x-want[id]) > 1e-12 {
			t.Errorf("%s: %s has %v, want %v", what, id, x, want[id])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d accounts, want %d", what, len(got), len(want))
	}
}

// The example of the reference implementation of [vE24], with its published result.
func TestTheReferencesExample(t *testing.T) {
	p := newPool("alice", "bob", "charlie")
	home := make(map[string]string)
	for _, a := range []struct {
		bank, id string
		score    float64
	}{
		{"alice", "a", .1}, {"alice", "b", .9}, {"alice", "c", .1}, {"bob", "d", .7}, {"bob", "e", .8}, {"bob", "f", 0},
		{"charlie", "g", 0}, {"charlie", "h", 0}, {"charlie", "i", .2},
	} {
		p.account(a.bank, a.id, a.score)
		home[a.id] = a.bank + "/" + a.id
	}
	for _, flow := range []string{"bg", "ba", "dc", "eg", "if", "dg", "hi", "gh"} {
		p.pay(home[flow[:1]], home[flow[1:]], "100", 0)
	}
	compare(t, "the reference's example", p.propagate(t, []float64{.5, .5, .5}, 1), map[string]float64{
		"alice/a": .35, "alice/b": .1125, "alice/c": .275, "bob/d": .0875, "bob/e": .1, "bob/f": .075, "charlie/g": .3, "charlie/h": .3, "charlie/i": .125,
	})
}

func TestPropagate(t *testing.T) {
	for _, c := range []struct {
		what    string
		fill    func(*pool)
		delta   []float64
		periods int
		want    map[string]float64
	}{
		{"no income", func(p *pool) { p.account("a", "x", .8) }, []float64{.25}, 1, map[string]float64{"a/x": .6}},
		{"no iterations", func(p *pool) { p.account("a", "x", .8) }, nil, 3, map[string]float64{"a/x": .8}},
		{"amounts weigh", func(p *pool) {
			p.account("a", "x", 0)
			p.account("a", "y", 1)
			p.account("b", "z", .2)
			p.pay("a/y", "a/x", "30", 0)
			p.pay("b/z", "a/x", "10", 0)
		}, []float64{.4}, 1, map[string]float64{"a/x": .4 * (30*1 + 10*.2) / 40, "a/y": .6, "b/z": .12}},
		{"all change at once", func(p *pool) {
			p.account("a", "x", 1)
			p.account("b", "y", 0)
			p.account("c", "z", 0)
			p.pay("a/x", "b/y", "5", 0)
			p.pay("b/y", "c/z", "5", 0)
		}, []float64{.5}, 1, map[string]float64{"a/x": .5, "b/y": .5, "c/z": 0}},
		{"money to itself", func(p *pool) {
			p.account("a", "x", .5)
			p.pay("a/x", "a/x", "5", 0)
		}, []float64{.9, .9}, 1, map[string]float64{"a/x": .5}},
		{"delta differs by iteration and begins anew in a period", func(p *pool) { p.account("a", "x", 1) },
			[]float64{.5, .2}, 2, map[string]float64{"a/x": .5 * .8 * .5 * .8}},
		{"periods follow each other", func(p *pool) {
			p.account("a", "x", 1)
			p.account("b", "y", 0)
			p.account("c", "z", 0)
			p.pay("b/y", "c/z", "7", 1)
			p.pay("a/x", "b/y", "7", 0)
			p.pay("a/x", "c/z", "7", 2) // after the last period
		}, []float64{.5}, 2, map[string]float64{"a/x": .25, "b/y": .25, "c/z": .25}},
		{"a source without a score is left out of the total as well", func(p *pool) {
			p.account("a", "x", 0)
			p.account("b", "y", 1)
			p.pay("b/y", "a/x", "1", 0)
			p.pay("b/ghost", "a/x", "1000", 0)
			p.pay("a/ghost", "a/x", "1000", 0)
		}, []float64{.5}, 1, map[string]float64{"a/x": .5, "b/y": .5}},
		{"only sources without a score are no income", func(p *pool) {
			p.account("a", "x", 1)
			p.pay("b/ghost", "a/x", "1000", 0)
		}, []float64{.5}, 1, map[string]float64{"a/x": .5}},
		{"what one side alone lists does not count", func(p *pool) {
			p.account("a", "x", 0)
			p.account("b", "y", 1)
			p.account("c", "z", .4)
			p.list("a", "b/y", "a/x", "5", 0)
			p.list("b", "b/y", "c/z", "5", 0)
			p.list("b", "b/y", "a/x", "5", 1)
		}, []float64{.5}, 1, map[string]float64{"a/x": 0, "b/y": .5, "c/z": .2}},
		{"differing amounts do not count", func(p *pool) {
			p.account("a", "x", 0)
			p.account("b", "y", 1)
			p.list("a", "b/y", "a/x", "5", 0)
			p.list("b", "b/y", "a/x", "5.0001", 0)
		}, []float64{.5}, 1, map[string]float64{"a/x": 0, "b/y": .5}},
		{"differently split amounts do", func(p *pool) {
			p.account("a", "x", 0)
			p.account("b", "y", 1)
			p.list("a", "b/y", "a/x", "5", 0)
			p.list("b", "b/y", "a/x", "2.5", 0)
			p.list("b", "b/y", "a/x", "2.5", 0)
		}, []float64{.5}, 1, map[string]float64{"a/x": .5, "b/y": .5}},
		{"an id is an account of its bank only", func(p *pool) {
			p.account("a", "x", 0)
			p.account("b", "x", 1)
			p.pay("b/x", "a/x", "5", 0)
		}, []float64{.5}, 1, map[string]float64{"a/x": .5, "b/x": .5}},
	} {
		p := newPool("a", "b", "c")
		c.fill(p)
		compare(t, c.what, p.propagate(t, c.delta, c.periods), c.want)
	}
}

func TestResultsAreInTheOrderOfLedgersAndIDs(t *testing.T) {
	p := newPool("c", "a", "b")
	p.account("c", "z", .1)
	p.account("c", "y", .2)
	p.account("b", "x", .3)
	got := Propagate(p.ledgers(t), []float64{.5}, 1)
	want := []Result{{"c", []ledger.Score{{ID: "y", Initial: .2, Final: .1}, {ID: "z", Initial: .1, Final: .05}}}, {"a", nil}, {"b", []ledger.Score{{ID: "x", Initial: .3, Final: .15}}}}
	if !slices.EqualFunc(got, want, func(a, b Result) bool { return a.Bank == b.Bank && slices.Equal(a.Scores, b.Scores) }) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// world is a drawn network that can be turned into a pool in more ways than one.
type world struct {
	scores []float64
	home   []string // bank of each account
	flows  []flow
	delta  []float64
}

type flow struct{ from, to, amount, period int }

const periods = 2

func drawWorld(t *rapid.T) world {
	n := rapid.IntRange(1, 8).Draw(t, "accounts")
	account := rapid.IntRange(0, n-1)
	w := world{delta: rapid.SliceOfN(rapid.Float64Range(0, 0.99), 1, 3).Draw(t, "delta")}
	for range n {
		w.scores = append(w.scores, rapid.Float64Range(0, 1).Draw(t, "score"))
		w.home = append(w.home, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "bank"))
	}
	for range rapid.IntRange(0, 12).Draw(t, "flows") {
		w.flows = append(w.flows, flow{account.Draw(t, "from"), account.Draw(t, "to"), rapid.IntRange(2, 10000).Draw(t, "amount"), rapid.IntRange(0, periods-1).Draw(t, "period")})
	}
	return w
}

// propagate returns the final scores by account number.
func (w world) propagate(t *rapid.T, name func(int) string) []float64 {
	p := newPool("a", "b", "c")
	key := func(i int) string { return w.home[i] + "/" + name(i) }
	for i, s := range w.scores {
		p.account(w.home[i], name(i), s)
	}
	for _, f := range w.flows {
		p.pay(key(f.from), key(f.to), fmt.Sprint(f.amount), f.period)
	}
	byKey := p.propagate(t, w.delta, periods)
	final := make([]float64, len(w.scores))
	for i := range final {
		final[i] = byKey[key(i)]
	}
	return final
}

func number(i int) string { return fmt.Sprintf("n%d", i) }

func same(t *rapid.T, what string, got, want []float64) {
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 {
			t.Fatalf("%s: account %d has %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestScoresStayWithinTheInitialOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		highest := slices.Max(w.scores)
		for i, x := range w.propagate(t, number) {
			if !(x >= 0 && x <= highest+1e-12) {
				t.Fatalf("account %d has %v, the highest initial score is %v", i, x, highest)
			}
		}
	})
}

func TestNobodyGainsFromAnotherBeingSafer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		low := w.propagate(t, number)
		w.scores = slices.Clone(w.scores)
		i := rapid.IntRange(0, len(w.scores)-1).Draw(t, "riskier")
		w.scores[i] = rapid.Float64Range(w.scores[i], 1).Draw(t, "score")
		for i, x := range w.propagate(t, number) {
			if x < low[i]-1e-12 {
				t.Fatalf("account %d fell from %v to %v", i, low[i], x)
			}
		}
	})
}

func TestSplittingATransactionChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		want := w.propagate(t, number)
		var split []flow
		for _, f := range w.flows {
			part := rapid.IntRange(1, f.amount-1).Draw(t, "part")
			split = append(split, flow{f.from, f.to, part, f.period}, flow{f.from, f.to, f.amount - part, f.period})
		}
		w.flows = rapid.Permutation(split).Draw(t, "order")
		same(t, "split", w.propagate(t, number), want)
	})
}

func TestNamesAndBanksDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		want := w.propagate(t, number)
		same(t, "renamed", w.propagate(t, func(i int) string { return fmt.Sprintf("%03d", 999-i) }), want)
		for i := range w.home {
			w.home[i] = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "new bank")
		}
		same(t, "moved", w.propagate(t, number), want)
	})
}

func TestScalingAllAmountsChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		want := w.propagate(t, number)
		for i := range w.flows {
			w.flows[i].amount *= 1000
		}
		same(t, "scaled", w.propagate(t, number), want)
	})
}
