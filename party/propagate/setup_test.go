package propagate_test

import (
	"fmt"
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

// tb is what tests and property tests have in common.
type tb interface {
	Helper()
	Fatal(...any)
}

// bank is a bank's two files, without their header lines.
type bank struct{ accounts, transactions string }

// read makes ledgers of the banks, in the order of the names.
func read(t tb, banks map[string]bank, names []string) []*ledger.Ledger {
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

// consortium is a roster with a key.
type consortium struct {
	roster *schema.Roster
	ids    []*party.Identity
	keys   []*keygen.Done
}

// consortia keeps the keys that were generated: one for each roster and size.
var consortia = struct {
	sync.Mutex
	made map[string]*consortium
}{made: map[string]*consortium{}}

func newConsortium(t tb, names []string, bits int) *consortium {
	t.Helper()
	consortia.Lock()
	defer consortia.Unlock()
	label := fmt.Sprint(names, bits)
	if c := consortia.made[label]; c != nil {
		return c
	}
	roster, ids, err := partytest.Identities(names...)
	if err != nil {
		t.Fatal(err)
	}
	manifest := schema.KeygenManifest{Version: schema.ManifestVersion, Session: "key", Roster: roster.Digest(),
		KeyBits: uint32(bits), Threshold: uint32((len(names) - 1) / 2), Kappa: 80, Batch: 64, TrialTo: 4096}
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
	c := &consortium{roster: roster, ids: ids}
	for _, m := range machines {
		c.keys = append(c.keys, m.Round().(*keygen.Done))
	}
	consortia.made[label] = c
	return c
}

// configs are the parties' configurations for a run of their ledgers.
func (c *consortium) configs(ledgers []*ledger.Ledger, periods int, deltas ...float64) []propagate.Config {
	manifest := schema.PropagateManifest{Version: schema.ManifestVersion, Session: "run", KeySession: "keys", Roster: c.roster.Digest(),
		Key: c.keys[0].ID, Periods: uint32(periods), ScoreBits: 32, WeightBits: 40, MaxAccounts: 1000, MaxEdges: 10000}
	for _, d := range deltas {
		manifest.Delta = append(manifest.Delta, fixed.Delta(d, 40))
	}
	var configs []propagate.Config
	for i, l := range ledgers {
		configs = append(configs, propagate.Config{Manifest: manifest, Roster: c.roster, Key: c.keys[i].Key,
			KeyID: c.keys[i].ID, Share: c.keys[i].Share, Ledger: l})
	}
	return configs
}

// alteration changes what a member says in a round.
type alteration func(round string, draft party.Draft) party.Draft

// machine makes the machine of a member, or with -1 an auditor's.
func (c *consortium) machine(t tb, member int, config propagate.Config) *party.Machine {
	t.Helper()
	return c.altered(t, member, config, nil)
}

// altered makes the machine of a member that says something else than it should, unless the alteration is nil.
func (c *consortium) altered(t tb, member int, config propagate.Config, alter alteration) *party.Machine {
	t.Helper()
	var id *party.Identity
	if member >= 0 {
		id = c.ids[member]
	} else {
		config.Ledger, config.Share = nil, nil
	}
	first, err := propagate.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	if alter != nil {
		first = partytest.Cheat(first, alter)
	}
	m, err := party.NewMachine(party.Session{Proto: schema.Propagate, ID: "run", Roster: c.roster}, id, config.Input(), first)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run propagates, with an auditor looking on, who is last in the result.
func (c *consortium) run(t tb, log *partytest.Log, configs []propagate.Config) ([]*propagate.Done, error) {
	t.Helper()
	var machines []*party.Machine
	for i, config := range configs {
		machines = append(machines, c.machine(t, i, config))
	}
	machines = append(machines, c.machine(t, -1, configs[0]))
	if err := partytest.Run(log, machines...); err != nil {
		return nil, err
	}
	var done []*propagate.Done
	for _, m := range machines {
		done = append(done, m.Round().(*propagate.Done))
	}
	return done, nil
}

// propagated runs the ledgers' banks with a key of 512 bits.
func propagated(t tb, ledgers []*ledger.Ledger, periods int, deltas ...float64) []*propagate.Done {
	t.Helper()
	var names []string
	for _, l := range ledgers {
		names = append(names, l.Bank)
	}
	c := newConsortium(t, names, 512)
	done, err := c.run(t, partytest.NewLog(c.roster), c.configs(ledgers, periods, deltas...))
	if err != nil {
		t.Fatal(err)
	}
	return done[:len(ledgers)]
}

var _ tb = (*testing.T)(nil)
