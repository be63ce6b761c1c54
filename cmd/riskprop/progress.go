package main

import (
	"fmt"
	"sync"
	"time"

	"riskprop/party/node"
	"riskprop/schema"
)

// roundOpen is the round of a propagation with which the phase of opening begins.
const roundOpen = "open"

// progress tells the story of a run's phases: the key, the propagation, the opening. A phase ends when the last party leaves it. It is
// the consortium's watcher.
type progress struct {
	ui    *ui
	terms *terms
	banks int

	mu      sync.Mutex
	since   time.Time // when the present phase began
	opening int       // parties that open
	next    int       // round of the present session that nobody has come to
	spent   seconds
}

func newProgress(u *ui, j *job) *progress {
	return &progress{ui: u, terms: j.terms, banks: len(j.in.ledgers), since: time.Now()}
}

// began shows the round of the party that is ahead.
func (p *progress) began(proto string, round node.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if proto == schema.Propagate && round.Name == roundOpen {
		if p.opening++; p.opening == p.banks {
			p.end("propagate", fmt.Sprintf("%s, delta %s", p.terms.steps(), p.terms.schedule), &p.spent.Propagate)
		}
	}
	if round.Round >= p.next {
		p.next = round.Round + 1
		p.ui.show("  %-9s  round %d: %s", proto, p.next, round.Name)
	}
}

// stopping tells the user that the run ends, but not at once.
func (p *progress) stopping() {
	p.ui.note("stopping; a second interrupt ends the process at once")
}

// keyDone ends the first phase.
func (p *progress) keyDone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = 0
	p.end("keygen", fmt.Sprintf("%d bits, any %d of the %d banks can decrypt",
		p.terms.keygen.KeyBits, p.terms.keygen.Threshold+1, p.banks), &p.spent.Keygen)
}

// openDone ends the last phase.
func (p *progress) openDone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end("open", "to every bank its own scores", &p.spent.Open)
}

// end ends a phase, with one line.
func (p *progress) end(phase, text string, spent *float64) {
	now := time.Now()
	*spent = now.Sub(p.since).Seconds()
	p.since = now
	p.ui.say("  %-9s  %-46s  %6.1f s", phase, text, *spent)
}

// seconds returns how long the phases took.
func (p *progress) seconds() seconds {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.spent
}
