package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestKillsInEveryPhase ends a party, or a server, or all servers, in each phase of a key generation and of a propagation,
// on three servers. The results are right; and the key and the scores are those of the same parties in the same sessions
// when nobody disturbs them, on a log of its own: whatever is on the log goes into the key, so the two logs are alike.
func TestKillsInEveryPhase(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "riskprop")
	if out, err := exec.Command("go", "build", "-o", binary, "../riskprop").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s, err := newSite(t.Context(), siteConfig{dir: t.TempDir(), binary: binary, nodes: 3, keyBits: 512, accounts: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer s.stop()
	s.rounds = make(chan string, 10000)
	plan := &plan{site: s, kills: map[string]func(){
		"agree":      func() { s.party("bob") },
		"sieve":      func() { s.server(0) },
		"candidates": func() { s.party("alice") },
		"moduli":     func() { s.server(1) },
		"biprime":    func() { s.party("charlie") },
		"confirm":    func() { s.server(2) },
		"share":      func() { s.party("alice") },
		"theta":      s.allServers,
	}}
	if err := s.session(t.Context(), "key", "key", plan.carryOut); err != nil {
		t.Fatal(err)
	}
	plan.complete(t)
	key := s.keys["alice"]
	plan.kills = map[string]func(){
		"agree":      func() { s.server(0) },
		"scores.0.0": func() { s.party("alice") },
		"scores.0.1": func() { s.server(1) },
		"scores.0.2": func() { s.party("bob") },
		"scores.1.0": s.allServers,
		"scores.1.1": func() { s.server(2) },
		"scores.1.2": func() { s.party("charlie") },
		"final":      func() { s.party("alice") },
	}
	if err := s.session(t.Context(), "run", "key", plan.carryOut); err != nil {
		t.Fatal(err)
	}
	plan.complete(t)
	t.Logf("%d parties gave up and went on when they were started again", s.restarts)

	if err := s.otherLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	nobody := func(ctx context.Context) { <-ctx.Done() }
	if err := s.session(t.Context(), "key", "key", nobody); err != nil {
		t.Fatal(err)
	}
	if s.keys["alice"] != key {
		t.Errorf("undisturbed the key is %s, with kills it was %s", s.keys["alice"], key)
	}
}

// party kills a bank's party with its working directory, and starts it again.
func (s *site) party(bank string) {
	s.parties[bank].kill()
	s.start(bank)
}

// server kills a server, and starts it again.
func (s *site) server(i int) {
	s.servers[i].kill()
	s.servers[i].start()
}

// allServers kills all servers, and starts them again.
func (s *site) allServers() {
	for _, server := range s.servers {
		server.kill()
	}
	for _, server := range s.servers {
		server.start()
	}
}

// otherLog gives the servers an empty store.
func (s *site) otherLog(ctx context.Context) error {
	for _, server := range s.servers {
		server.kill()
	}
	stores, err := filepath.Glob(s.path("nats", "store-*", "jetstream"))
	if err != nil || len(stores) != len(s.servers) {
		return fmt.Errorf("%d stores: %w", len(stores), err)
	}
	if out, err := exec.Command("rm", append([]string{"-r"}, stores...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for _, server := range s.servers {
		server.start()
	}
	return s.createLog(ctx)
}

// plan kills something when the first party has completed a round, once for each.
type plan struct {
	site  *site
	kills map[string]func()
}

func (p *plan) carryOut(ctx context.Context) {
	for {
		select {
		case round := <-p.site.rounds:
			if kill := p.kills[round]; kill != nil {
				delete(p.kills, round)
				kill()
			}
		case <-ctx.Done():
			return
		}
	}
}

// complete fails the test where a phase was not disturbed.
func (p *plan) complete(t *testing.T) {
	t.Helper()
	for phase := range p.kills {
		t.Errorf("nothing was killed in %s", phase)
	}
}
