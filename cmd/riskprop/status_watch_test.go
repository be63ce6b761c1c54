package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"riskprop/bus/jet"
	"riskprop/bus/mem"
	"riskprop/cmd/riskprop/internal/config"
)

// watched runs status --watch over the log as it is now. As soon as the first table has been written, the theatre goes on as `then`
// says, and what it has to say comes to the log.
func (th *theatre) watched(ctx context.Context, session *config.Session, inPlace bool, then func(add func())) (string, error) {
	th.t.Helper()
	store := th.store()
	sent := len(th.log.Order)
	add := func() {
		for _, subject := range th.log.Order[sent:] {
			if err := store.Open(nil).Append(th.t.Context(), subject, th.log.Records[subject]); err != nil {
				th.t.Error(err)
			}
		}
		sent = len(th.log.Order)
	}
	stdout := &trigger{text: "waiting for", do: func() error { then(add); return nil }}
	u := newUI(stdout, new(bytes.Buffer), nil)
	u.inPlace = inPlace
	r := th.over(store, u, statusCommand{Watch: true})
	r.ticks, r.outage = th.ticks, th.outage
	err := r.session(ctx, session, th.consortium)
	return stdout.seen.String(), err
}

// TestWatch: without a terminal there is one table, a line for every head, and the end.
func TestWatch(t *testing.T) {
	th := ended(t)
	th.beginRun()
	th.play(everybody(6))
	got, err := th.watched(t.Context(), th.run(), false, func(add func()) {
		th.play(map[string]int{"bob": 6})
		th.settle("alice")
		th.settle("charlie") // a moment later: the first word counts
		th.play(map[string]int{"bob": 6})
		add()
	})
	if err != nil {
		t.Fatal(err)
	}
	table, rest, _ := strings.Cut(got, "cannot be told, since none of a kind has ended.\n")
	if strings.Count(table, "\n") != 8 || !strings.Contains(table, "In round 6 (open) since ") {
		t.Errorf("the table: %s", table)
	}
	var lines []string
	for line := range strings.Lines(rest) {
		_, text, _ := strings.Cut(line, " UTC  ")
		lines = append(lines, text)
	}
	want := []string{
		"round 6 (open): alice has spoken, 2 parts, 462 B; waiting for bob and charlie\n",
		"round 6 (open): charlie has spoken, 2 parts, 466 B; waiting for bob\n",
		"alice has settled the round: the session goes on without who had not spoken\n",
		"round 8 (stand-in.1): alice has spoken, 1 parts, 288 B; waiting for charlie\n",
		"round 8 (stand-in.1): charlie has spoken, 0 parts, 108 B; round 10 (check) begins\n",
		"round 10 (check): charlie has spoken, 1 parts, 284 B; waiting for alice\n",
		"round 10 (check): alice has spoken, 0 parts, 108 B; round 12 (confirm) begins\n",
		"round 12 (confirm): alice has spoken, 0 parts, 108 B; waiting for charlie\n",
		"round 12 (confirm): charlie has spoken, 0 parts, 108 B\n",
		"",
	}
	if !slices.Equal(lines, want) || !strings.Contains(rest, "\nIt has ended well, after 10 rounds, at 2026-12-30 12:") {
		t.Error(rest)
	}
}

// TestWatchAbort: the last word is a line of its own, and what it says is the end.
func TestWatchAbort(t *testing.T) {
	th := newTheatre(t)
	th.beginKeys()
	th.play(everybody(2))
	got, err := th.watched(t.Context(), th.keys(), false, func(add func()) {
		th.abort("bob", "", "no more")
		add()
	})
	if err != nil || !strings.HasSuffix(got, " round 2 (candidates): bob ends the session\nbob has ended it in round 2 (candidates): no more\n") {
		t.Errorf("%v %s", err, got)
	}
}

// TestWatchOnATerminal: the table is drawn anew in its place, after every change and every tick.
func TestWatchOnATerminal(t *testing.T) {
	th := newTheatre(t)
	th.beginKeys()
	th.play(everybody(2))
	ticks := make(chan time.Time)
	th.ticks = ticks
	var outages atomic.Int32
	since := epoch.Add(time.Duration(len(th.log.Order))*time.Second + th.passed - time.Minute)
	th.outage = func() (jet.Outage, bool) { // at the first draw
		return jet.Outage{Err: errDisk, Since: since}, outages.Add(1) == 1
	}
	got, err := th.watched(t.Context(), th.keys(), true, func(add func()) {
		go func() {
			ticks <- time.Time{}
			ticks <- time.Time{}
			th.play(nil)
			add()
		}()
	})
	if err != nil {
		t.Fatal(err)
	}
	screens := strings.Split(got, clearScreen)
	if len(screens) < 5 || screens[0] != "" ||
		!strings.HasPrefix(screens[1], "No answer from the log for 1 min 0 s: "+errDisk.Error()+". What follows was read before.\n\nKey generation") || !strings.Contains(screens[2], "In round 2 (candidates)") || !strings.HasPrefix(screens[3], "Key generation keys-2026") ||
		!strings.Contains(screens[len(screens)-1], "It has ended well") {
		t.Errorf("%d screens: %q", len(screens), screens)
	}
}

// TestWatchTheKey: a propagation whose key is still being generated begins with that.
func TestWatchTheKey(t *testing.T) {
	th := newTheatre(t)
	th.beginKeys()
	th.play(everybody(2))
	got, err := th.watched(t.Context(), th.run(), false, func(add func()) {
		th.play(nil)
		th.beginRun()
		th.play(nil)
		add()
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"The key for this propagation is still being generated.\nKey generation keys-2026 of", "round 3 (moduli): bob has spoken", "It has ended well, after 12 rounds",
		"Propagation run-2026 of", "It has ended well, after 9 rounds"} {
		at := strings.Index(got, want)
		if at < 0 {
			t.Fatalf("no %q in %s", want, got)
		}
		got = got[at:]
	}
}

// TestWatchFails: trouble with the log, or an interrupt, ends it.
func TestWatchFails(t *testing.T) {
	th := newTheatre(t)
	th.beginKeys()
	th.play(everybody(2))
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := th.watched(ctx, th.keys(), false, func(func()) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	th.hook = func(step mem.Step) error {
		if step.Op == mem.Deliver && strings.Contains(step.Subject, ".2.all.bob") {
			return errDisk
		}
		return nil
	}
	if _, err := th.watched(t.Context(), th.keys(), false, func(add func()) { th.play(everybody(3)); add() }); !errors.Is(err, errDisk) {
		t.Error(err)
	}
}
