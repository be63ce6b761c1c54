package party_test

import (
	"fmt"
	"strings"
	"testing"

	"riskprop/crypto/fixed"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// searching generates a key for three in two attempts: the first one finds no modulus.
func searching(t *testing.T) (partytest.Session, func(member int, alter alteration) *party.Machine) {
	t.Helper()
	w := newWorld(t)
	manifest := schema.KeygenManifest{Version: schema.ManifestVersion, Session: "s214", Roster: w.roster.Digest(),
		KeyBits: 256, Threshold: 1, Kappa: 80, Batch: 4, TrialTo: 4096}
	first, err := keygen.Start(manifest, w.roster)
	if err != nil {
		t.Fatal(err)
	}
	start := func(member int, alter alteration) *party.Machine {
		frame := party.Session{Proto: schema.Keygen, ID: manifest.Session, Roster: w.roster}
		return w.begin(t, frame, member, schema.Digest("test", schema.Encode(manifest)), cheating(first, alter))
	}
	session := partytest.Session{
		Roster: w.roster,
		Start:  func(member int) (*party.Machine, error) { return start(member, nil), nil },
		Result: func(r party.Round) string { return fmt.Sprintf("%x %+v", r.(*keygen.Done).ID, r.(*keygen.Done).Stats) },
	}
	ref, err := session.Run()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(ref.Results[0], "{Attempts:2 ") {
		t.Fatalf("session %s ends with %s: it does not need two attempts, choose another name", manifest.Session, ref.Results[0])
	}
	return session, start
}

// alteration is a cheat's; nil for an honest party.
type alteration func(round string, draft party.Draft) party.Draft

// cheating is the first round of a party that follows an alteration, if there is one.
func cheating(first party.Round, alter alteration) party.Round {
	if alter == nil {
		return first
	}
	return partytest.Cheat(first, alter)
}

// begin makes a machine, with -1 an auditor's.
func (w *world) begin(t *testing.T, session party.Session, member int, input [32]byte, first party.Round) *party.Machine {
	t.Helper()
	var id *party.Identity
	if member >= 0 {
		id = w.identities[member]
	}
	m, err := party.NewMachine(session, id, input, first)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sharing propagates scores between three banks, with a small key, in two iterations.
func sharing(t *testing.T) (partytest.Session, func(member int, alter alteration) *party.Machine) {
	t.Helper()
	w, keys := newWorld(t), smallKeys(t)
	manifest := schema.PropagateManifest{Version: schema.ManifestVersion, Session: "run", KeySession: "keys", Roster: w.roster.Digest(), Key: keys[0].ID,
		Periods: 1, Delta: []uint64{fixed.Delta(0.5, 40), fixed.Delta(0.25, 40)}, ScoreBits: 32, WeightBits: 40, MaxAccounts: 100, MaxEdges: 100}
	ab, bc := "a,alice,x,bob,5,0\nx,bob,a,alice,2,0\n", "x,bob,p,charlie,3,0\np,charlie,x,bob,4,0\n"
	files := []ledger.File{{Name: "alice", Data: []byte(ab)}, {Name: "bob", Data: []byte(ab + bc)}, {Name: "charlie", Data: []byte(bc)}}
	accounts := []string{"a,0.5\nb,1\n", "x,0.25\n", "p,0.125\n"}
	start := func(member int, alter alteration) *party.Machine {
		config := propagate.Config{Manifest: manifest, Roster: w.roster, Key: keys[0].Key, KeyID: keys[0].ID}
		if member >= 0 {
			transactions := ledger.File{Name: files[member].Name, Data: append([]byte(transactionColumns), files[member].Data...)}
			l, err := ledger.Read(w.roster.Member(member).Name, w.roster.Names(),
				ledger.File{Name: "accounts.csv", Data: []byte(accountColumns + accounts[member])}, transactions)
			if err != nil {
				t.Fatal(err)
			}
			config.Ledger, config.Share = l, keys[member].Share
		}
		first, err := propagate.Start(config)
		if err != nil {
			t.Fatal(err)
		}
		frame := party.Session{Proto: schema.Propagate, ID: "run", Roster: w.roster}
		return w.begin(t, frame, member, config.Input(), cheating(first, alter))
	}
	return partytest.Session{
		Roster: w.roster,
		Start:  func(member int) (*party.Machine, error) { return start(member, nil), nil },
		Result: func(r party.Round) string { return fmt.Sprintf("%+v", *r.(*propagate.Done)) },
	}, start
}

// The header lines of a bank's files.
const (
	accountColumns     = "id,risk_score\n"
	transactionColumns = "id_source,bank_source,id_destination,bank_destination,amount,period\n"
)

// smallKeys generates a key of 512 bits for alice, bob and charlie.
func smallKeys(t *testing.T) []*keygen.Done {
	t.Helper()
	w := newWorld(t)
	manifest := schema.KeygenManifest{Version: schema.ManifestVersion, Session: "key", Roster: w.roster.Digest(),
		KeyBits: 512, Threshold: 1, Kappa: 80, Batch: 64, TrialTo: 4096}
	first, err := keygen.Start(manifest, w.roster)
	if err != nil {
		t.Fatal(err)
	}
	var machines []*party.Machine
	for member := range 3 {
		frame := party.Session{Proto: schema.Keygen, ID: manifest.Session, Roster: w.roster}
		machines = append(machines, w.begin(t, frame, member, [32]byte{}, first))
	}
	if err := partytest.Run(w.log, machines...); err != nil {
		t.Fatal(err)
	}
	var keys []*keygen.Done
	for _, m := range machines {
		keys = append(keys, m.Round().(*keygen.Done))
	}
	return keys
}
