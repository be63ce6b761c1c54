package node_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/node"
	"riskprop/schema"
)

// TestLate: a party that starts after the deadline and has not said anything does not spend the session's name; one that has, and one
// that finds the session ended by another, come to the verdict of all.
func TestLate(t *testing.T) {
	w := newWorld(t)
	late := func(i int) error {
		config := w.config(t, i, nil)
		config.Deadline = noon()
		config.Start = noon()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		feed(ctx, &config, make(chan time.Time), 1)
		_, err := node.Run(ctx, config)
		return err
	}
	if err := late(0); !errors.Is(err, node.ErrLate) || len(w.store.Records()) != 0 {
		t.Fatalf("%v, %d records", err, len(w.store.Records()))
	}
	spoken, cancel := context.WithCancel(t.Context())
	config := w.config(t, 0, nil)
	config.Observe = func(e node.Event) {
		if e.Kind == node.Heard {
			cancel()
		}
	}
	if _, err := node.Run(spoken, config); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1} {
		var aborted *party.Aborted
		if err := late(i); !errors.As(err, &aborted) || aborted.By != "alice" {
			t.Errorf("member %d: %v", i, err)
		}
	}
}

// away is a log that its reader loses, and finds again as it was.
type away struct {
	bus.Log
	down   atomic.Bool
	caught chan struct{} // gets a value whenever the reader has been told that it has read everything
	back   chan struct{} // a value: it has been read to its end again
}

func (l *away) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	go func() {
		for {
			select {
			case <-l.back:
				head()
			case <-ctx.Done():
				return
			}
		}
	}()
	return l.Log.Tail(ctx, after, filter, fold, func() error {
		err := head()
		select {
		case l.caught <- struct{}{}:
		case <-ctx.Done():
		}
		return err
	})
}

// TestOutage: while the log does not answer nobody is waited for, whatever the clock says, and afterwards only when the log has been
// read again.
func TestOutage(t *testing.T) {
	config := newWorld(t).voter(t, 0)
	log := &away{Log: config.Log, caught: make(chan struct{}), back: make(chan struct{})}
	config.Log, config.Connected = log, func() bool { return !log.down.Load() }
	config.Deadline = noon().Add(time.Minute)
	ticks := make(chan time.Time)
	config.Ticks = ticks
	waits := 0
	config.Observe = func(e node.Event) {
		if e.Kind == node.Waiting {
			waits++
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := node.Run(t.Context(), config)
		done <- err
	}()
	<-log.caught // it spoke
	<-log.caught // and has read what it said
	pass := func(from, to int) {
		for s := from; s < to; s++ {
			select {
			case ticks <- noon().Add(time.Duration(s) * time.Second):
			case err := <-done:
				t.Fatalf("second %d: ended with %v", s, err)
			}
		}
	}
	pass(0, 20)
	log.down.Store(true)
	pass(20, 100)
	log.down.Store(false)
	pass(100, 120)
	if waits != 2 {
		t.Errorf("%d words about waiting", waits)
	}
	log.back <- struct{}{}
	log.back <- struct{}{} // the first one has been read
	for s := 120; ; s++ {
		select {
		case ticks <- noon().Add(time.Duration(s) * time.Second):
			continue
		case err := <-done:
			var aborted *party.Aborted
			if !errors.As(err, &aborted) || aborted.By != "alice" {
				t.Error(err)
			}
			return
		}
	}
}

// TestChangedInputAlone: a party that was started again with another input says so at once, and does not wait for the others first; with
// the same input it waits.
func TestChangedInputAlone(t *testing.T) {
	w := newWorld(t)
	begin := func(manifest schema.KeygenManifest) error {
		first, err := keygen.Start(manifest, w.roster)
		if err != nil {
			t.Fatal(err)
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: w.roster}, w.ids[0], schema.Digest("input"), first)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		config := node.Config{Log: w.store.Open(nil), Roster: w.roster, Machine: m, Logger: zerolog.Nop(), Grace: time.Minute}
		config.Observe = func(e node.Event) {
			if e.Kind == node.Waiting {
				cancel()
			}
		}
		feed(ctx, &config, make(chan time.Time), 1)
		_, err = node.Run(ctx, config)
		return err
	}
	for range 2 {
		if err := begin(w.manifest); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	changed := w.manifest
	changed.Kappa++
	if err := begin(changed); !errors.Is(err, party.ErrInput) || !strings.Contains(err.Error(), "in round 0 (agree) does not follow from what it brings now") {
		t.Errorf("%v", err)
	}
	if n := len(w.store.Records()); n != 2 { // part and head
		t.Errorf("%d records", n)
	}
}
