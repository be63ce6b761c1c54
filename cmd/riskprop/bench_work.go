package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/crypto/paillier"
	"riskprop/exampledata"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/node"
	"riskprop/party/plain"
	"riskprop/schema"
)

// workplace is where the sessions of a benchmark are held: in this process or in others.
type workplace interface {
	// keygen generates a key. The last one is what the others use.
	keygen(ctx context.Context, session string) (*measured, error)
	// propagate propagates the scores of the data, whose name the session gets.
	propagate(ctx context.Context, data benchData) (*measured, error)
	// shared returns the last key, with the shares of all parties.
	shared(ctx context.Context) (*sharedKey, error)
	// close ends everything that was started. It tells what a server of its own has used, where there was one.
	close() (*benchServer, error)
}

// benchData is the data of one propagation.
type benchData struct {
	session string
	config  exampledata.Config
}

// input makes the data, the same every time.
func (d benchData) input() (*input, error) {
	folders, err := exampledata.Random(d.config)
	if err != nil {
		return nil, err
	}
	return newInput("random data", "random", folders)
}

// measured is what a session has cost, and what has come of it.
type measured struct {
	phases []phaseCost
	around cost     // of processes: from their start to the first round, and from the last one to their end
	cpu    *float64 // of all, from the start to the end
	peaks  []int64  // largest resident sets in bytes, by party in the roster's order; or that of this process alone

	attempts attempts       // of a key generation
	results  []plain.Result // of a propagation, in the roster's order
}

// rounds is what all rounds have cost together.
func (d *measured) rounds() cost {
	sum := noCost()
	for _, p := range d.phases {
		sum = sum.plus(p.cost)
	}
	return sum
}

// benchServer is what a server has used, from its start to its end.
type benchServer struct {
	CPU  float64 `json:"cpu_seconds"`
	Peak int64   `json:"peak_bytes"`
}

// sharedKey is a key with all that nobody may ever have together.
type sharedKey struct {
	key    *paillier.Key
	shares []*big.Int // in the roster's order
}

// here holds sessions in this process, each with a server of its own.
type here struct {
	ui     *ui
	logger zerolog.Logger
	terms  *terms
	all    *consortium
	keys   []*keygen.Done
}

// newHere gives every bank an identity.
func newHere(u *ui, logger zerolog.Logger, banks []string, t *terms) (*here, error) {
	var ledgers []*ledger.Ledger
	for _, bank := range banks {
		ledgers = append(ledgers, &ledger.Ledger{Bank: bank}) // a key generation needs no more
	}
	none := func(string) (bus.Log, error) { return nil, nil } // there is a log as soon as there is a session
	all, err := newConsortium(ledgers, none, logger, nil)
	if err != nil {
		return nil, err
	}
	return &here{ui: u, logger: logger, terms: t, all: all}, nil
}

func (h *here) keygen(ctx context.Context, session string) (*measured, error) {
	manifest := h.terms.keygen
	manifest.Session = session
	m := newMeter(len(h.all.members), 1, oneForAll)
	done, err := h.hold(ctx, m, func() (err error) {
		h.keys, err = h.all.generateKey(ctx, manifest)
		return err
	})
	if err == nil {
		s := h.keys[0].Stats
		done.attempts = attempts{s.Attempts, s.Candidates, s.Tested}
	}
	return done, err
}

func (h *here) propagate(ctx context.Context, data benchData) (*measured, error) {
	in, err := data.input()
	if err != nil {
		return nil, err
	}
	for i, l := range in.ledgers { // both are sorted by name
		h.all.members[i].ledger = l
	}
	manifest := h.terms.propagate
	manifest.Session = data.session
	m := newMeter(len(h.all.members), len(benchPhases()), phaseOf)
	var results []plain.Result
	done, err := h.hold(ctx, m, func() error {
		finals, err := h.all.propagate(ctx, manifest, h.keys)
		for i, final := range finals {
			results = append(results, plain.Result{Bank: in.ledgers[i].Bank, Scores: final.Scores})
		}
		return err
	})
	if err == nil {
		done.results = results
	}
	return done, err
}

// hold holds a session over a new log.
func (h *here) hold(ctx context.Context, m *meter, session func() error) (done *measured, err error) {
	b, err := startBroker(ctx, h.logger)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	for _, member := range h.all.members {
		log, err := b.open(ctx, member.bank)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", member.bank, err)
		}
		member.log = metered{log, m}
	}
	m.show = func(round string) { h.ui.show("  %s", round) }
	h.all.watch = benchWatcher{&progress{ui: h.ui}, m}
	forgetPeak()
	m.begin()
	if err := session(); err != nil {
		return nil, err
	}
	done = &measured{phases: m.phases(), around: noCost(), peaks: []int64{ownPeak()}}
	done.cpu = done.rounds().CPU
	return done, nil
}

func (h *here) shared(context.Context) (*sharedKey, error) {
	k := &sharedKey{key: h.keys[0].Key}
	for _, done := range h.keys {
		k.shares = append(k.shares, done.Share)
	}
	return k, nil
}

func (h *here) close() (*benchServer, error) { return nil, nil }

// benchWatcher tells a meter of the rounds.
type benchWatcher struct {
	*progress
	meter *meter
}

func (w benchWatcher) began(_ string, round node.Event) { w.meter.entered(round.Round, round.Name) }

// metered is a log that tells a meter what is written on it.
type metered struct {
	bus.Log
	meter *meter
}

// Append implements bus.Log.
func (l metered) Append(ctx context.Context, subject string, data []byte) error {
	if err := l.Log.Append(ctx, subject, data); err != nil {
		return err
	}
	slot, err := schema.ParseSubject(subject)
	if err == nil { // a party writes under no other subjects
		l.meter.wrote(slot.Round, int64(len(data)))
	}
	return nil
}
