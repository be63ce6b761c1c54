package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKillsInEveryPhase ends parties and servers with SIGKILL, and parties with their working directories, in each phase of a key generation
// and of a propagation on three servers: the one that leads the log, one that follows, and all of them. The scores are right.
// Nothing is published twice: the log holds what the members have signed and nothing else, and it is, byte for byte, that of
// the same parties in the same sessions when nobody disturbs them. A party that comes back with other data is refused.
func TestKillsInEveryPhase(t *testing.T) {
	s := startSite(t)
	runWith(t, s, "key", []phase{
		{after: "agree", bank: "bob", also: []string{leader}},
		{after: "sieve", bank: "alice"},
		{after: "candidates", bank: "charlie", also: []string{follower}},
		{after: "biprime", bank: "alice", also: []string{all}},
		{after: "confirm", bank: "bob"},
		{after: "share", bank: "charlie", also: []string{leader}},
		{after: "product", bank: "alice", also: []string{follower}},
	})
	runWith(t, s, "run", []phase{
		{after: "agree", bank: "alice"},
		{after: "scores.0.0", bank: "charlie", also: []string{leader}},
		{after: "scores.0.2", bank: "bob", also: []string{follower}},
		{after: "scores.1.1", bank: "alice", also: []string{all}},
		{after: "final", bank: "bob", also: []string{leader, follower, all}}, // in the opening
	})
	disturbed := s.wholeLog(t)
	refusesOtherData(t, s)
	if got := s.wholeLog(t); differences(disturbed, got) != nil {
		t.Error("who was refused has written to the log")
	}
	t.Logf("%d records; parties gave up %d times and went on when they were started again", len(disturbed), s.gaveUp)

	s.emptyLog(t)
	runWith(t, s, "key", nil)
	runWith(t, s, "run", nil)
	if differ := differences(disturbed, s.wholeLog(t)); differ != nil {
		t.Errorf("undisturbed, the log is another one: %v", differ)
	}
}

// startSite builds the binary, and starts three servers that end with the test.
func startSite(t *testing.T) *site {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "riskprop")
	if out, err := exec.Command("go", "build", "-o", binary, "../riskprop").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Keys of 512 bits are found in seconds. Nobody is left out of the opening, on which the bytes of the log would depend.
	s, err := newSite(t.Context(), siteConfig{dir: t.TempDir(), binary: binary, nodes: 3, keyBits: 512, accounts: 60, grace: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	s.completed = make(chan completion, 10000)
	return s
}

// runWith runs a session with kills in all of the phases.
func runWith(t *testing.T, s *site, id string, phases []phase) {
	t.Helper()
	start := time.Now()
	defer func() { t.Logf("%s: %v", id, time.Since(start)) }()
	p := &plan{site: s, session: id, phases: phases}
	if err := s.run(t.Context(), id, "key", p.carryOut); err != nil {
		for _, bank := range banks() {
			text, _ := os.ReadFile(s.path("logs", bank))
			t.Logf("%s:\n%s", bank, text[max(0, len(text)-2000):])
		}
		t.Fatalf("%s: %v", id, err)
	}
	if p.err != nil {
		t.Error(p.err)
	}
	for _, missed := range p.phases {
		t.Errorf("%s: nothing was killed after %s", id, missed.after)
	}
}

// What can be killed besides a party.
const (
	leader   = "the server that leads the log"
	follower = "a server that does not"
	all      = "all servers"
)

// phase says what is killed when the first party has completed a round. The party of the bank is away until everything else has
// happened. Since no round ends without it, that is while the session is in this round or the next. Two rounds must be left, so that
// the party cannot have ended.
type phase struct {
	after, bank string
	also        []string
}

// plan carries out each of its phases once.
type plan struct {
	site    *site
	session string
	phases  []phase // those to come
	err     error
}

func (p *plan) carryOut(ctx context.Context) {
	for {
		select {
		case c := <-p.site.completed:
			at := slices.IndexFunc(p.phases, func(f phase) bool { return f.after == c.round })
			if c.session == p.session && at >= 0 {
				now := p.phases[at]
				p.phases = slices.Delete(p.phases, at, at+1)
				p.err = errors.Join(p.err, p.site.strike(ctx, now))
			}
		case <-ctx.Done():
			return
		}
	}
}

// strike kills what a phase says, and starts it again.
func (s *site) strike(ctx context.Context, now phase) error {
	var err error
	if !s.parties[now.bank].kill() {
		err = fmt.Errorf("after %s: %s was not running", now.after, now.bank)
	}
	for _, what := range now.also {
		victims := s.servers
		if what != all {
			state, stateErr := s.state(ctx)
			err = errors.Join(err, stateErr)
			at := state.leader
			if what == follower {
				at = (at + 1) % len(s.servers)
			}
			victims = s.servers[at : at+1]
		}
		for _, server := range victims {
			if !server.kill() {
				err = errors.Join(err, fmt.Errorf("after %s: %s: not running", now.after, what))
			}
		}
		for _, server := range victims {
			server.start()
		}
	}
	s.parties[now.bank].start()
	return err
}

// refusesOtherData starts the party of a bank, whose session has ended, with an amount that is another one.
func refusesOtherData(t *testing.T, s *site) {
	t.Helper()
	path := s.path("data", "bob", "transactions.csv")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line := text[bytes.LastIndexByte(bytes.TrimSpace(text), '\n')+1:]
	fields := strings.Split(string(line), ",") // the last are amount and period
	fields[len(fields)-2] = "9" + fields[len(fields)-2]
	changed := append(text[:len(text)-len(line):len(text)-len(line)], strings.Join(fields, ",")...)
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = s.riskprop(t.Context(), "party", "--config", s.path("bob.yaml"), "--session", s.path("run.yaml"))
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(err.Error(), "has said something else before") {
		t.Errorf("with other data: %v", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// emptyLog makes the servers forget everything.
func (s *site) emptyLog(t *testing.T) {
	t.Helper()
	for _, server := range s.servers {
		server.kill()
	}
	stores, err := filepath.Glob(s.path("nats", "store-*", "jetstream"))
	if err != nil || len(stores) != len(s.servers) {
		t.Fatalf("the stores %v, %v", stores, err)
	}
	for _, store := range stores {
		if err := os.RemoveAll(store); err != nil {
			t.Fatal(err)
		}
	}
	s.startServers()
	if err := s.createLog(t.Context()); err != nil {
		t.Fatal(err)
	}
}
