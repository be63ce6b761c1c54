package main

import (
	"fmt"
	"strings"
	"testing"

	"riskprop/cmd/riskprop/internal/config"
)

// What a session's file leaves out is what demo and plain compute with, so that they predict it.
func TestSessionsHaveTheDefaultsOfDemo(t *testing.T) {
	var publics []config.Public
	for i, name := range []string{"alice", "bob", "charlie", "otto"} {
		role := config.Member
		if name == "otto" {
			role = config.Operator
		}
		id, err := config.NewIdentity(name, role, strings.NewReader(strings.Repeat(string(rune('a'+i)), 32)))
		if err != nil {
			t.Fatal(err)
		}
		publics = append(publics, id.Public())
	}
	c, err := config.NewConsortium(publics, 0, "RISK")
	if err != nil {
		t.Fatal(err)
	}
	session := func(kind, more string) *config.Session {
		s, err := config.ParseSession("s.yaml", fmt.Appendf(nil, "version: 1\nkind: %s\nsession: s\nroster: %x\n%s", kind, c.Roster().Digest(), more))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	k, err := session("keygen", "").KeygenManifest(c)
	if err != nil || k.KeyBits != secureKeyBits || k.Kappa != kappa || k.Batch != batch || k.TrialTo != trialTo || k.Threshold != 1 {
		t.Errorf("%+v, %v", k, err)
	}
	p, err := session("propagate", "key_session: k\nperiods: 1\niterations: 1\ndelta: 0.5\n").PropagateManifest(c, [32]byte{})
	if err != nil || p.ScoreBits != scoreBits || p.WeightBits != weightBits || p.MaxAccounts != maxAccounts || p.MaxEdges != maxEdges ||
		p.FailOnMismatch || p.FullRandomizer || p.LimitDisclosure || p.Deadline != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}
