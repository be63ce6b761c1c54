package propagate_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/exampledata"
	"riskprop/party"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/plain"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// TestKnownAnswer is the known answer of the reference implementation, TNO's risk_propagation.
func TestKnownAnswer(t *testing.T) {
	home := map[string]string{"a": "alice", "b": "alice", "c": "alice", "d": "bob", "e": "bob", "f": "bob",
		"g": "charlie", "h": "charlie", "i": "charlie"}
	banks := map[string]bank{}
	lists := map[string][]string{}
	for _, pair := range strings.Fields("bg ba dc eg if dg hi gh") {
		from, to := pair[:1], pair[1:]
		line := fmt.Sprintf("%s,%s,%s,%s,100,0\n", from, home[from], to, home[to])
		lists[home[from]] = append(lists[home[from]], line)
		if home[from] != home[to] {
			lists[home[to]] = append(lists[home[to]], line)
		}
	}
	scores := map[string]string{"alice": "a,.1\nb,.9\nc,.1\n", "bob": "d,.7\ne,.8\nf,0\n", "charlie": "g,0\nh,0\ni,.2\n"}
	for name, list := range lists {
		banks[name] = bank{scores[name], strings.Join(list, "")}
	}
	want := map[string]float64{"a": .35, "b": .1125, "c": .275, "d": .0875, "e": .1, "f": .075, "g": .3, "h": .3, "i": .125}
	for _, done := range propagated(t, read(t, banks, []string{"alice", "bob", "charlie"}), 1, .5, .5, .5) {
		for _, score := range done.Scores {
			if math.Abs(score.Final-want[score.ID]) > 1e-9 {
				t.Errorf("%s: %v, want %v", score.ID, score.Final, want[score.ID])
			}
			delete(want, score.ID)
		}
	}
	if len(want) > 0 {
		t.Errorf("no scores for %v", want)
	}
}

// compare runs the ledgers under encryption and in the clear.
func compare(t tb, ledgers []*ledger.Ledger, periods int, deltas []float64) {
	t.Helper()
	done := propagated(t, ledgers, periods, deltas...)
	for i, want := range plain.Propagate(ledgers, deltas, periods) {
		if len(done[i].Scores) != len(want.Scores) {
			t.Fatal(want.Bank, "has", len(done[i].Scores), "scores, want", len(want.Scores))
		}
		for k, score := range want.Scores {
			got := done[i].Scores[k]
			if got.ID != score.ID || got.Initial != score.Initial || math.Abs(got.Final-score.Final) > 1e-9 {
				t.Fatal(want.Bank, "has", got, "want", score)
			}
		}
	}
}

// TestRandomNetworks compares small random networks with the oracle: all ways in which transactions can lie, be listed
// by one side only, with different amounts, or have a source without a score.
func TestRandomNetworks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"alice", "bob", "charlie", "dave", "erin"}[:rapid.IntRange(3, 5).Draw(t, "banks")]
		periods := rapid.IntRange(1, 2).Draw(t, "periods")
		deltas := rapid.SliceOfN(rapid.Float64Range(0, 0.999), 1, 2).Draw(t, "delta")
		accounts := rapid.IntRange(0, 4).Draw(t, "accounts")
		banks := map[string]bank{}
		for _, name := range names {
			lines := ""
			for k := range accounts {
				lines += fmt.Sprintf("%d,%v\n", k, rapid.Float64Range(0, 1).Draw(t, "score"))
			}
			banks[name] = bank{accounts: lines}
		}
		if accounts > 0 {
			for range rapid.IntRange(0, 8).Draw(t, "transactions") {
				addTransaction(t, banks, names, accounts, periods)
			}
		}
		compare(t, read(t, banks, names), periods, deltas)
	})
}

func addTransaction(t *rapid.T, banks map[string]bank, names []string, accounts, periods int) {
	from, to := rapid.SampledFrom(names).Draw(t, "from"), rapid.SampledFrom(names).Draw(t, "to")
	source := rapid.IntRange(0, accounts).Draw(t, "source") // the last one has no score
	line := fmt.Sprintf("%d,%s,%d,%s,", source, from, rapid.IntRange(0, accounts-1).Draw(t, "destination"), to)
	amount := func() string {
		return fmt.Sprintf("%d.%04d", rapid.IntRange(0, 99).Draw(t, "units"), rapid.IntRange(1, 9999).Draw(t, "cents"))
	}
	first := amount()
	period := rapid.IntRange(0, periods-1).Draw(t, "period")
	list := func(name, amount string) {
		b := banks[name]
		b.transactions += fmt.Sprintf("%s%s,%d\n", line, amount, period)
		banks[name] = b
	}
	switch kind := rapid.IntRange(0, 9).Draw(t, "listed"); {
	case from == to:
		list(from, first)
	case kind == 0:
		list(from, first)
	case kind == 1:
		list(to, first)
	case kind == 2:
		list(from, first)
		list(to, amount())
	default:
		list(from, first)
		list(to, first)
	}
}

// TestExampleData runs the example with a schedule, and compares with the oracle.
func TestExampleData(t *testing.T) {
	compareFolders(t, exampledata.Folders(), 3, 0.5, 0.25, 0.125)
}

// TestSevenBanks runs a consortium in which four of seven decrypt.
func TestSevenBanks(t *testing.T) {
	folders, err := exampledata.Random(exampledata.Config{Banks: 7, Accounts: 28, Transactions: 60, Periods: 2, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	compareFolders(t, folders, 2, 0.75, 0.5)
}

// compareFolders runs the banks' files under encryption and in the clear.
func compareFolders(t *testing.T, folders []exampledata.Folder, periods int, deltas ...float64) {
	t.Helper()
	var names []string
	for _, f := range folders {
		names = append(names, f.Bank)
	}
	var ledgers []*ledger.Ledger
	for _, f := range folders {
		l, err := ledger.Read(f.Bank, names, ledger.File{Name: "accounts.csv", Data: f.Accounts}, ledger.File{Name: "transactions.csv", Data: f.Transactions})
		if err != nil {
			t.Fatal(err)
		}
		ledgers = append(ledgers, l)
	}
	compare(t, ledgers, periods, deltas)
}

// small is a network in which bob lists one transaction that charlie does not, charlie one that bob does not, and both
// one with different amounts. Account a of alice has income from x of bob alone.
func small(t *testing.T) []*ledger.Ledger {
	agreed := "x,bob,a,alice,5,0\n"
	return read(t, map[string]bank{
		"alice":   {"a,0.5\n", agreed},
		"bob":     {"x,0.25\ny,0.75\n", agreed + "x,bob,p,charlie,1,0\ny,bob,p,charlie,2,0\n"},
		"charlie": {"p,0.125\n", "p,charlie,y,bob,1,0\ny,bob,p,charlie,3,0\n"},
	}, []string{"alice", "bob", "charlie"})
}

// TestReport tells every bank how its transactions compare with those of the others.
func TestReport(t *testing.T) {
	done := propagated(t, small(t), 1, 0.5)
	want := []string{
		"[bob: 1 agreed, 0 only here, 0 only there, 0 with different amounts charlie: 0 agreed, 0 only here, 0 only there, 0 with different amounts] 1",
		"[alice: 1 agreed, 0 only here, 0 only there, 0 with different amounts charlie: 0 agreed, 1 only here, 1 only there, 1 with different amounts] 0",
		"[alice: 0 agreed, 0 only here, 0 only there, 0 with different amounts bob: 0 agreed, 1 only here, 1 only there, 1 with different amounts] 0",
	}
	for i, d := range done {
		var peers []string
		for _, p := range d.Report.Peers {
			peers = append(peers, p.Peer+": "+p.String())
		}
		if got := fmt.Sprintf("[%s] %d", strings.Join(peers, " "), d.Report.SingleSource); got != want[i] {
			t.Errorf("%s\nwant %s", got, want[i])
		}
	}
}

// TestPolicies: each row changes the manifest so that the small network is refused, and says by whom and why.
func TestPolicies(t *testing.T) {
	for name, c := range map[string]struct {
		change       func(*schema.PropagateManifest)
		text, reason string
	}{
		"mismatch": {func(m *schema.PropagateManifest) { m.FailOnMismatch = true },
			"machine 2: round 0 (agree): the transactions with bob do not match: 0 agreed, 1 only here", "do not match those of another bank"},
		"disclosure": {func(m *schema.PropagateManifest) { m.LimitDisclosure = true },
			"machine 0: round 0 (agree): 1 accounts of alice have a single foreign source", "disclosure.max_single_source"},
	} {
		c2 := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
		configs := c2.configs(small(t), 1, 0.5)
		for i := range configs {
			c.change(&configs[i].Manifest)
		}
		_, err := c2.run(t, partytest.NewLog(c2.roster), configs)
		var refusal *party.Refusal
		if err == nil || !strings.Contains(err.Error(), c.text) || !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, c.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
	configs := c.configs(small(t), 1, 0.5)
	for i := range configs {
		configs[i].Manifest.LimitDisclosure, configs[i].Manifest.MaxSingleSource = true, 1
		configs[i].Manifest.FullRandomizer = true
	}
	if _, err := c.run(t, partytest.NewLog(c.roster), configs); err != nil {
		t.Errorf("at the limit, with the full randomizer: %v", err)
	}
}

// TestChangedInput: a party that is started again with other data refuses to go on, blames nobody, and can go on with
// the data that it began with.
func TestChangedInput(t *testing.T) {
	c := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
	ledgers := small(t)
	log := partytest.NewLog(c.roster)
	want, err := c.run(t, log, c.configs(ledgers, 1, 0.5))
	if err != nil {
		t.Fatal(err)
	}
	changed := *ledgers[0]
	changed.Accounts = []ledger.Account{{ID: "a", Score: 0.75}}
	err = partytest.Run(log, c.machine(t, 0, c.configs([]*ledger.Ledger{&changed}, 1, 0.5)[0]))
	if !errors.Is(err, party.ErrInput) || !strings.Contains(err.Error(), "the data of alice have changed") {
		t.Errorf("%v", err)
	}
	again := c.machine(t, 0, c.configs(ledgers, 1, 0.5)[0])
	records := len(log.Records)
	if err := partytest.Run(log, again); err != nil {
		t.Fatal(err)
	}
	if got := again.Round().(*propagate.Done).Scores[0]; got != want[0].Scores[0] || len(log.Records) != records {
		t.Errorf("from the log: %+v, want %+v", got, want[0].Scores[0])
	}
}

// TestNoIDs: neither an account id nor anything else of a ledger is on the log in the clear.
func TestNoIDs(t *testing.T) {
	c := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
	line := "SECRET-X,bob,SECRET-A,alice,4711.0815,0\n"
	ledgers := read(t, map[string]bank{"alice": {"SECRET-A,0.5\n", line}, "bob": {"SECRET-X,0.5\n", line}},
		[]string{"alice", "bob", "charlie"})
	log := partytest.NewLog(c.roster)
	if _, err := c.run(t, log, c.configs(ledgers, 1, 0.5)); err != nil {
		t.Fatal(err)
	}
	for subject, raw := range log.Records {
		if strings.Contains(string(raw), "SECRET") || strings.Contains(subject, "SECRET") {
			t.Errorf("%s holds an account id", subject)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	c := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
	for want, change := range map[string]func(*propagate.Config){
		"another roster":                   func(c *propagate.Config) { c.Manifest.Roster[0]++ },
		"another key":                      func(c *propagate.Config) { c.KeyID[0]++ },
		"no member":                        func(c *propagate.Config) { c.Ledger = &ledger.Ledger{Bank: "mallory"} },
		"has transactions in period 1":     func(c *propagate.Config) { c.Ledger = &ledger.Ledger{Bank: "bob", Edges: []ledger.Edge{{Period: 1}}} },
		"weight_bits":                      func(c *propagate.Config) { c.Manifest.WeightBits = 63 },
		"iterations":                       func(c *propagate.Config) { c.Manifest.Delta = make([]uint64, 12) },
		"is not below 1":                   func(c *propagate.Config) { c.Manifest.Delta = []uint64{1 << 40} },
		"key is for 3 parties, the roster": func(c *propagate.Config) { c.Roster = bigger(t, c.Roster); c.Manifest.Roster = c.Roster.Digest() },
	} {
		config := c.configs(small(t), 1, 0.5)[0]
		change(&config)
		if _, err := propagate.Start(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
}

// bigger is a roster with one member more.
func bigger(t *testing.T, roster *schema.Roster) *schema.Roster {
	other, _, err := partytest.Identities(append(roster.Names(), "zoe")...)
	if err != nil {
		t.Fatal(err)
	}
	return other
}
