package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"time"

	"riskprop/party/ledger"
)

// Limits of patience.
const (
	stillLimit = 3 * time.Minute        // a session in which no new round is completed for so long stands still
	upAgain    = 300 * time.Millisecond // until a party that gave up is started again
	maxGaveUp  = 100                    // times that parties may give up in one session
)

// session is one session and what is known of it. It is guarded by the site's mutex.
type session struct {
	id, key  string            // of a key generation both are the same
	phases   map[string]string // by bank: the last round that it has completed; by "": that anybody has
	furthest int               // the number of the last round that anybody has completed
	keys     map[string]string // by bank: the key that it tells of
	done     map[string]bool   // banks that have ended well
	gaveUp   int

	news chan struct{} // holds something when furthest has grown
	ends chan error    // nil when all have ended well
}

// completion is a round that a bank has completed.
type completion struct{ session, bank, round string }

func newSession(id, key string) *session {
	return &session{id: id, key: key, furthest: -1, phases: make(map[string]string), keys: make(map[string]string), done: make(map[string]bool),
		news: make(chan struct{}, 1), ends: make(chan error, 1)}
}

// end tells how the session has ended. The first word counts.
func (n *session) end(err error) {
	select {
	case n.ends <- err:
	default:
	}
}

// run runs a session to its end, while somebody disturbs it, and checks what came of it. disturb returns soon after its context has
// ended, with all servers up.
func (s *site) run(ctx context.Context, id, key string, disturb func(context.Context)) error {
	text := fmt.Sprintf("version: 1\nkind: keygen\nsession: %s\nroster: %s\nkey_bits: %d\n", id, s.roster, s.keyBits)
	if id != key {
		text = fmt.Sprintf("version: 1\nkind: propagate\nsession: %s\nroster: %s\nkey_session: %s\nperiods: %d\niterations: %d\ndelta: 0.5\n",
			id, s.roster, key, periods, iterations)
	}
	if err := os.WriteFile(s.path(id+".yaml"), []byte(text), 0o600); err != nil {
		return err
	}
	now := newSession(id, key)
	s.mu.Lock()
	s.present = now
	s.mu.Unlock()
	for _, bank := range banks() {
		s.parties[bank].start()
	}
	disturbed, calm := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		disturb(disturbed)
		close(over)
	}()
	err := s.await(ctx, now)
	calm()
	<-over
	if err != nil {
		return err
	}
	return s.check(now)
}

// await waits for the end of a session.
func (s *site) await(ctx context.Context, now *session) error {
	for {
		select {
		case err := <-now.ends:
			return err
		case <-now.news:
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(stillLimit):
			s.mu.Lock()
			defer s.mu.Unlock()
			return fmt.Errorf("it has stood still for %v: completed were %v", stillLimit, now.phases)
		}
	}
}

// args are those of a bank's party, as long as it has not ended well.
func (s *site) args(bank string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.present.done[bank] {
		return nil
	}
	return []string{"party", "--config", s.path(bank + ".yaml"), "--session", s.path(s.present.id + ".yaml"), "--json"}
}

// heard takes note of what a party prints.
func (s *site) heard(bank, line string) {
	var entry struct {
		Session, Name, Key, Message string
		Round                       int
		Unchecked                   []string
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.present
	if json.Unmarshal([]byte(line), &entry) != nil || entry.Session != now.id {
		return // what is for people, and what tells of the key's session
	}
	if entry.Message == "round complete" {
		now.phases[bank] = entry.Name
		if entry.Round > now.furthest {
			now.furthest, now.phases[""] = entry.Round, entry.Name
			select {
			case now.news <- struct{}{}:
			default:
			}
		}
		select {
		case s.completed <- completion{now.id, bank, entry.Name}:
		default:
		}
	}
	if entry.Key != "" {
		now.keys[bank] = entry.Key
	}
	if len(entry.Unchecked) > 0 {
		s.openedWithout++
	}
}

// phase is where a bank is, or the first of all of them for the name "".
func (s *site) phase(bank string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return phaseAfter(s.present.phases[bank])
}

// fail ends the present session.
func (s *site) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.present.end(err)
}

// ended takes note of a party that has ended by itself. One that could not go on, with status 1, is started again.
func (s *site) ended(bank string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.present
	var exit *exec.ExitError
	switch {
	case err == nil:
		now.done[bank] = true
		if len(now.done) == len(banks()) {
			now.end(nil)
		}
	case errors.As(err, &exit) && exit.ExitCode() == 1 && now.gaveUp < maxGaveUp:
		now.gaveUp++
		s.gaveUp++
		time.AfterFunc(upAgain, s.parties[bank].start)
	default:
		now.end(fmt.Errorf("%s has ended by itself, when parties had given up %d times: %w", bank, now.gaveUp, err))
	}
}

// check compares the keys of the parties, and their scores with those of the computation in the clear.
func (s *site) check(now *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, bank := range banks() {
		if first := now.keys[banks()[0]]; first == "" || now.keys[bank] != first {
			return fmt.Errorf("the parties tell of the keys %v", now.keys)
		}
		if now.id == now.key {
			continue
		}
		got, err := readScores(s.path("scores", bank, now.id, "scores.csv"))
		if err != nil {
			return err
		}
		want, err := readScores(s.path("plain", bank, "scores.csv"))
		if err != nil {
			return err
		}
		if err := same(got, want); err != nil {
			return fmt.Errorf("%s: %w", bank, err)
		}
	}
	return nil
}

func readScores(path string) ([]ledger.Score, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParseScores(ledger.File{Name: path, Data: text})
}

// same compares scores up to 1e-9.
func same(got, want []ledger.Score) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d scores, not %d", len(got), len(want))
	}
	for i := range got {
		if got[i].ID != want[i].ID || !(math.Abs(got[i].Final-want[i].Final) <= 1e-9) {
			return fmt.Errorf("account %d has the score %v, not %v", i, got[i].Final, want[i].Final)
		}
	}
	return nil
}
