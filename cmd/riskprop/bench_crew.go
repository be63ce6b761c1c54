package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// crew is the parties of one session, each a process of its own. What they print tells how far they are.
type crew struct {
	session string
	meter   *meter
	parties int

	mu    sync.Mutex
	begun int                // parties that take part
	used  map[string]float64 // seconds on processors, by party, as of its last line
	peaks map[string]int64   // bytes, likewise
}

func newCrew(session string, parties int, m *meter) *crew {
	w := &crew{session: session, meter: m, parties: parties, used: make(map[string]float64), peaks: make(map[string]int64)}
	m.cpu = w.cpu
	return w
}

// heard takes note of a line that a party has printed.
func (w *crew) heard(c *child, line string) {
	begins := strings.HasPrefix(line, c.name+" takes part in ")
	if w.note(c, begins) && begins {
		w.meter.begin() // the last one is there
	}
	var entry struct {
		Session, Name, Message string
		Round                  int
		Bytes                  int64
	}
	if json.Unmarshal([]byte(line), &entry) == nil && entry.Session == w.session && entry.Message == "round complete" {
		w.meter.ended(entry.Round, entry.Name, entry.Bytes)
	}
}

// note looks at what a party has used, and tells whether all take part.
func (w *crew) note(c *child, begins bool) bool {
	used, known := cpuOf(c.cmd.Process.Pid)
	peak := peakOf(c.cmd.Process.Pid)
	w.mu.Lock()
	defer w.mu.Unlock()
	if known {
		w.used[c.name] = used
	}
	if peak > 0 {
		w.peaks[c.name] = peak
	}
	if begins {
		w.begun++
	}
	return w.begun == w.parties
}

// cpu is what all have used.
func (w *crew) cpu() (seconds float64, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, used := range w.used {
		seconds += used
	}
	return seconds, len(w.used) == w.parties
}

// hold runs the parties of a session to their end, and returns what each of them has printed as its result. A party that fails, or a
// server that ends, ends all.
func (e *elsewhere) hold(ctx context.Context, session string, m *meter) (*measured, []partyOutcome, error) {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()
	w := newCrew(session, len(e.banks), m)
	m.show = func(round string) { e.ui.show("  %s", round) }
	forgetPeak()
	start := time.Now()
	parties := make([]*child, 0, len(e.banks))
	ends := make(chan *child, len(e.banks))
	var failed error
	for _, bank := range e.banks {
		c, err := startChild(inner, bank, e.path(session, bank+".log"), w.heard,
			"party", "--config", e.path(session, bank+".yaml"), "--session", e.path(session, sessionFile), "--json")
		if err != nil {
			failed = err
			cancel()
			break
		}
		parties = append(parties, c)
		go func() {
			<-c.ended
			ends <- c
		}()
	}
	lost := e.server.ended
	for left := len(parties); left > 0; {
		select {
		case c := <-ends:
			left--
			if c.err != nil && failed == nil {
				failed = c.failure()
				cancel()
			}
		case <-lost:
			lost = nil
			if failed == nil {
				failed = e.server.failure()
			}
			cancel()
		}
	}
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	if failed != nil {
		return nil, nil, fmt.Errorf("session %s: %w", session, failed)
	}
	done := measure(parties, w, time.Since(start).Seconds())
	outcomes, err := outcomesOf(parties)
	return done, outcomes, err
}

// measure sums up what parties that have ended have used.
func measure(parties []*child, w *crew, seconds float64) *measured {
	done := &measured{phases: w.meter.phases(), cpu: new(float64)}
	for _, c := range parties {
		cpu, peak := usageOf(c.cmd.ProcessState, w.peaks[c.name])
		*done.cpu += cpu
		done.peaks = append(done.peaks, peak)
	}
	rounds := done.rounds()
	done.around.Seconds = seconds - rounds.Seconds
	if rounds.CPU != nil {
		rest := max(0, *done.cpu-*rounds.CPU) // which is told less exactly
		done.around.CPU = &rest
	}
	return done
}

// outcomesOf reads the objects that parties have printed.
func outcomesOf(parties []*child) ([]partyOutcome, error) {
	outcomes := make([]partyOutcome, len(parties))
	for i, c := range parties {
		if err := json.Unmarshal(c.out.Bytes(), &outcomes[i]); err != nil {
			return nil, fmt.Errorf("what %s has printed: %w", c.name, err)
		}
	}
	return outcomes, nil
}
