package node_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/party/node"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// noon is when the tests of this file begin.
func noon() time.Time { return time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC) }

// voter is what member i runs in a session of partytest.Vote.
func (v *world) voter(t *testing.T, i int) node.Config {
	t.Helper()
	m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: v.roster}, v.ids[i], [32]byte{}, &partytest.Vote{})
	if err != nil {
		t.Fatal(err)
	}
	return node.Config{Log: v.store.Open(nil), Roster: v.roster, Machine: m, Logger: zerolog.Nop(),
		Deadline: noon().Add(time.Hour), Grace: time.Minute}
}

// feed lets a node's time pass, second by second, as soon as it has heard so many heads, until the test ends.
func feed(ctx context.Context, config *node.Config, ticks chan time.Time, heads int) {
	config.Ticks = ticks
	start := sync.OnceFunc(func() {
		go func() {
			for now := noon(); ; now = now.Add(time.Second) {
				select {
				case ticks <- now:
				case <-ctx.Done():
					return
				}
			}
		}()
	})
	observe := config.Observe
	config.Observe = func(e node.Event) {
		if e.Kind == node.Heard {
			heads--
		}
		if heads == 0 {
			start()
		}
		if observe != nil {
			observe(e)
		}
	}
}

// TestWaiting: a party that waits says for whom, in which round and for how long, every nine seconds.
func TestWaiting(t *testing.T) {
	config := newWorld(t).voter(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var events []node.Event
	config.Observe = func(e node.Event) {
		if e.Kind == node.Waiting {
			if events = append(events, e); len(events) == 3 {
				cancel()
			}
		}
	}
	var log strings.Builder
	config.Logger = zerolog.New(&log)
	feed(ctx, &config, make(chan time.Time), 1)
	_, err := node.Run(ctx, config)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "in round 0 (vote), waiting for [bob charlie]") {
		t.Errorf("%v", err)
	}
	for i, e := range events {
		if want := time.Duration(i+1) * 9 * time.Second; e.Duration != want || e.Name != "vote" || !slices.Equal(e.Awaited, []string{"bob", "charlie"}) {
			t.Errorf("event %d is %+v", i, e)
		}
	}
	const line = `"session":"s","protocol":"keygen","party":"alice","round":0,"name":"vote","awaited":["bob","charlie"],"seconds":18,"message":"waiting"`
	if !strings.Contains(log.String(), line) {
		t.Errorf("the log lacks %s:\n%s", line, &log)
	}
}

// TestDeadline: charlie never comes. After the deadline those who wait end the session, and all come to the same verdict,
// also one that has no clock and one that comes later.
func TestDeadline(t *testing.T) {
	for _, timed := range [][]int{{0}, {1}, {0, 1}} {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		configs := []node.Config{w.config(t, 0, nil), w.config(t, 1, nil), w.config(t, -1, nil)}
		for _, i := range timed {
			configs[i].Deadline = noon().Add(time.Hour)
			feed(ctx, &configs[i], make(chan time.Time), 2)
		}
		_, errs := runAll(ctx, configs)
		_, late := runAll(ctx, []node.Config{w.config(t, 2, nil)})
		cancel()
		for i, err := range append(errs, late...) {
			var aborted *party.Aborted
			if !errors.As(err, &aborted) || aborted.Culprit != "" ||
				aborted.Reason != "the deadline 2026-12-31T13:00:00Z has passed in round 0 (agree), waiting for charlie" {
				t.Errorf("timed %v, node %d: %v", timed, i, err)
			}
		}
	}
}

// TestDeadlineTwice: a party that has ended a session and is started again says nothing new, and comes to the same
// verdict.
func TestDeadlineTwice(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 2 {
		config := w.config(t, 0, nil)
		config.Deadline = noon()
		feed(ctx, &config, make(chan time.Time), 1)
		_, err := node.Run(ctx, config)
		var aborted *party.Aborted
		if !errors.As(err, &aborted) || aborted.By != "alice" {
			t.Fatalf("%v", err)
		}
		if records := len(w.store.Records()); records != 3 { // part, head, abort
			t.Errorf("%d records", records)
		}
	}
}

// TestFailedAbort: where the log cannot be written the party says so.
func TestFailedAbort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config := newWorld(t).config(t, 0, nil)
	config.Log = &mute{Log: config.Log, after: 2}
	config.Deadline = noon()
	feed(ctx, &config, make(chan time.Time), 1)
	if _, err := node.Run(ctx, config); !errors.Is(err, errMute) {
		t.Errorf("%v", err)
	}
}

var errMute = errors.New("cannot write")

// mute is a log that takes so many records.
type mute struct {
	bus.Log
	after int
}

func (m *mute) Append(ctx context.Context, subject string, data []byte) error {
	if m.after--; m.after < 0 {
		return errMute
	}
	return m.Log.Append(ctx, subject, data)
}

// TestGrace: charlie vanishes before a round that two can complete. Both have their result when the grace is over, or the
// deadline; charlie has his when he comes back, long after.
func TestGrace(t *testing.T) {
	for name, change := range map[string]func(*node.Config){
		"grace":    func(*node.Config) {},
		"deadline": func(c *node.Config) { c.Grace = 100 * time.Hour },
	} {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		configs := []node.Config{w.voter(t, 0), w.voter(t, 1)}
		for i := range configs {
			change(&configs[i])
			feed(ctx, &configs[i], make(chan time.Time), 2)
		}
		if _, errs := runAll(ctx, configs); errors.Join(errs...) != nil {
			t.Fatalf("%s: %v", name, errs)
		}
		late := []node.Config{w.voter(t, 2), w.voter(t, 0)} // and alice again, with nothing left to say
		stats, errs := runAll(ctx, late)
		if errors.Join(errs...) != nil || stats[1].Records != 0 {
			t.Fatalf("%s: %v, %+v", name, errs, stats)
		}
		for i, c := range append(configs, late...) {
			vote := c.Machine.Round().(*partytest.Vote)
			if want := []uint32{4, 4, 0, 4}[i]; vote.Heard[0].Absent != want {
				t.Errorf("%s, node %d: absent are %b, want %b", name, i, vote.Heard[0].Absent, want)
			}
		}
	}
}

// TestGraceOfTwins: where another copy of alice has gone on before, with other members, its word counts and nothing is
// wrong.
func TestGraceOfTwins(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	configs := []node.Config{w.voter(t, 0), w.voter(t, 1)}
	configs[0].Log = &overtaken{Log: configs[0].Log, roster: w.roster}
	for i := range configs {
		feed(ctx, &configs[i], make(chan time.Time), 2)
	}
	if _, errs := runAll(ctx, configs); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	subject := schema.Slot{Session: "s", Proto: schema.Keygen, Round: 1, To: schema.All, From: "alice", Part: schema.HeadPart}.Subject()
	raw, err := w.store.Open(nil).Get(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	if event, err := schema.Open(subject, raw, w.roster); err != nil || event.Head.Absent != 0 {
		t.Errorf("alice's twin did not speak first: %v", err)
	}
}

// overtaken is alice's log, on which her twin confirms just before she does: it has seen charlie vote.
type overtaken struct {
	bus.Log
	roster *schema.Roster
}

func (l *overtaken) Append(ctx context.Context, subject string, data []byte) error {
	slot, err := schema.ParseSubject(subject)
	if err != nil {
		return err
	}
	if slot.Round == 1 {
		if err := l.twin(ctx, slot); err != nil {
			return err
		}
	}
	return l.Log.Append(ctx, subject, data)
}

// twin lets charlie vote, and alice's twin confirm all three votes.
func (l *overtaken) twin(ctx context.Context, slot schema.Slot) error {
	part := schema.Encode(schema.Batch{Width: 4, Data: []byte{2, 0, 0, 0}})
	first := schema.FirstSeen(slot.Proto, slot.Session, l.roster)
	vote := schema.Slot{Session: slot.Session, Proto: slot.Proto, To: schema.All, From: "charlie"}
	if err := l.Log.Append(ctx, vote.Subject(), part); err != nil {
		return err
	}
	vote.Part = schema.HeadPart
	head := partytest.SignHead(vote, schema.Head{Seen: first, Parts: []schema.Ref{schema.NewRef(schema.All, part)}})
	if err := l.Log.Append(ctx, vote.Subject(), head); err != nil {
		return err
	}
	digests := make([][32]byte, l.roster.Len())
	for i, name := range l.roster.Names() {
		vote.From = name
		raw, err := l.Log.Get(ctx, vote.Subject())
		if err != nil {
			return err
		}
		digests[i] = sha256.Sum256(raw)
	}
	return l.Log.Append(ctx, slot.Subject(), partytest.SignHead(slot, schema.Head{Seen: schema.NextSeen(first, 0, digests)}))
}
