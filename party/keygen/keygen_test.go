package keygen_test

import (
	"fmt"
	"testing"

	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/partytest"
	"riskprop/schema"
)

func start(t testing.TB, n, threshold, bits int) (*partytest.Log, []*party.Machine) {
	t.Helper()
	names := []string{"alice", "bob", "charlie", "dave", "erin", "frank", "grace"}[:n]
	roster, ids, err := partytest.Identities(names...)
	if err != nil {
		t.Fatal(err)
	}
	manifest := schema.KeygenManifest{Version: 1, Session: "test", Roster: roster.Digest(), KeyBits: uint32(bits),
		Threshold: uint32(threshold), Kappa: 80, Batch: 64, TrialTo: 4096}
	machines := make([]*party.Machine, n)
	for i, id := range ids {
		first, err := keygen.Start(manifest, roster)
		if err != nil {
			t.Fatal(err)
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "test", Roster: roster}, id, [32]byte{}, first)
		if err != nil {
			t.Fatal(err)
		}
		machines[i] = m
	}
	return partytest.NewLog(roster), machines
}

func TestKeygen(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {4, 1}, {5, 2}, {7, 3}} {
		t.Run(fmt.Sprintf("%d-of-%d", c.t, c.n), func(t *testing.T) {
			log, machines := start(t, c.n, c.t, 256)
			if err := partytest.Run(log, machines...); err != nil {
				t.Fatal(err)
			}
			first := machines[0].Round().(*keygen.Done)
			t.Logf("%+v", first.Stats)
		})
	}
}
