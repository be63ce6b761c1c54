package propagate_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"riskprop/crypto/fixed"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// bank is a bank's two files, without their header lines.
type bank struct{ accounts, transactions string }

func read(t testing.TB, banks map[string]bank, names []string) []*ledger.Ledger {
	t.Helper()
	var ledgers []*ledger.Ledger
	for _, name := range names {
		l, err := ledger.Read(name, names,
			ledger.File{Name: name + "/accounts.csv", Data: []byte("id,risk_score\n" + banks[name].accounts)},
			ledger.File{Name: name + "/transactions.csv",
				Data: []byte("id_source,bank_source,id_destination,bank_destination,amount,period\n" + banks[name].transactions)})
		if err != nil {
			t.Fatal(err)
		}
		ledgers = append(ledgers, l)
	}
	return ledgers
}

// keys runs a key generation once for each roster size.
var keys = struct {
	sync.Mutex
	done map[string][]*keygen.Done
}{done: map[string][]*keygen.Done{}}

func generate(t testing.TB, names []string, threshold, bits int) (*schema.Roster, []*party.Identity, []*keygen.Done) {
	t.Helper()
	roster, ids, err := partytest.Identities(names...)
	if err != nil {
		t.Fatal(err)
	}
	keys.Lock()
	defer keys.Unlock()
	label := fmt.Sprint(names, threshold, bits)
	if keys.done[label] != nil {
		return roster, ids, keys.done[label]
	}
	manifest := schema.KeygenManifest{Version: 1, Session: "key", Roster: roster.Digest(), KeyBits: uint32(bits),
		Threshold: uint32(threshold), Kappa: 80, Batch: 64, TrialTo: 4096}
	var machines []*party.Machine
	for _, id := range ids {
		first, err := keygen.Start(manifest, roster)
		if err != nil {
			t.Fatal(err)
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "key", Roster: roster}, id, [32]byte{}, first)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
	}
	if err := partytest.Run(partytest.NewLog(roster), machines...); err != nil {
		t.Fatal(err)
	}
	for _, m := range machines {
		keys.done[label] = append(keys.done[label], m.Round().(*keygen.Done))
	}
	return roster, ids, keys.done[label]
}

func propagated(t testing.TB, ledgers []*ledger.Ledger, periods int, deltas ...float64) []*propagate.Done {
	t.Helper()
	var names []string
	for _, l := range ledgers {
		names = append(names, l.Bank)
	}
	roster, ids, shares := generate(t, names, (len(names)-1)/2, 512)
	manifest := schema.PropagateManifest{Version: 1, Session: "run", Roster: roster.Digest(), Key: shares[0].ID,
		Periods: uint32(periods), ScoreBits: 32, WeightBits: 40}
	for _, d := range deltas {
		manifest.Delta = append(manifest.Delta, fixed.Delta(d, 40))
	}
	var machines []*party.Machine
	for i, id := range ids {
		config := propagate.Config{Manifest: manifest, Roster: roster, Key: shares[i].Key, KeyID: shares[i].ID,
			Share: shares[i].Share, Ledger: ledgers[i]}
		first, err := propagate.Start(config)
		if err != nil {
			t.Fatal(err)
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Propagate, ID: "run", Roster: roster}, id, config.Input(), first)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
	}
	if err := partytest.Run(partytest.NewLog(roster), machines...); err != nil {
		t.Fatal(err)
	}
	var out []*propagate.Done
	for _, m := range machines {
		out = append(out, m.Round().(*propagate.Done))
	}
	return out
}

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
