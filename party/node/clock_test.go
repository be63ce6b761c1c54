package node_test

import (
	"context"
	"errors"
	"fmt"
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
		if errors.Join(errs...) != nil || stats[0].Records+stats[1].Records != 0 {
			t.Fatalf("%s: %v, %+v", name, errs, stats)
		}
		for i, c := range append(configs, late...) {
			vote := c.Machine.Round().(*partytest.Vote)
			if vote.Heard[0].Absent != 4 {
				t.Errorf("%s, node %d: absent are %b", name, i, vote.Heard[0].Absent)
			}
		}
	}
}

// TestGraceOvertaken: charlie's vote comes to the log just before alice's word that settles the round. It counts, and her word, said
// once in all that time, is nothing.
func TestGraceOvertaken(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	configs := []node.Config{w.voter(t, 0), w.voter(t, 1)}
	log := &overtaken{Log: configs[0].Log, w: w, t: t}
	configs[0].Log = log
	settled := make(map[string]int)
	configs[1].Observe = func(e node.Event) {
		if e.Kind == node.Settled {
			settled[fmt.Sprintf("%d %s by %s", e.Round, e.Name, e.Party)]++
		}
	}
	feed(ctx, &configs[0], make(chan time.Time), 2)
	if _, errs := runAll(ctx, configs); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	for i, c := range configs {
		const charlie = 4 // alone, or with bob, whom alice's clock may not wait for when all have voted
		if vote := c.Machine.Round().(*partytest.Vote); vote.Heard[0].Absent != 0 || vote.Heard[1].Absent&charlie == 0 {
			t.Errorf("node %d: absent are %b, then %b", i, vote.Heard[0].Absent, vote.Heard[1].Absent)
		}
	}
	if log.words != 1 || len(settled) != 1 || settled["2 confirm by alice"] != 1 {
		t.Errorf("alice has settled the vote %d times; bob has heard %v", log.words, settled)
	}
}

// overtaken is alice's log, on which charlie votes just before she settles the round.
type overtaken struct {
	bus.Log
	w     *world
	t     *testing.T
	words int // that settle the vote
}

func (l *overtaken) Append(ctx context.Context, subject string, data []byte) error {
	if subject == slotOf(1, "alice", schema.HeadPart).Subject() {
		l.words++
		l.w.vote(l.t, "charlie", true)
	}
	return l.Log.Append(ctx, subject, data)
}

// TestClockAhead: alice's clock says that the deadline has passed, the log's says that it has not. She waits on, says so once, asks now
// and then, and ends the session when the log's clock agrees, or when it does not tell any more.
func TestClockAhead(t *testing.T) {
	for name, then := range map[string]error{"agrees": nil, "does not tell": errMute} {
		w := newWorld(t)
		config := w.voter(t, 0)
		config.Deadline = noon().Add(time.Minute)
		asked, ticks := 0, 0
		config.Now = func(context.Context) (time.Time, error) {
			if asked++; asked < 10 {
				return noon().Add(time.Duration(asked) * time.Second), nil
			}
			return config.Deadline, then
		}
		config.Observe = func(e node.Event) {
			if e.Kind == node.Waiting {
				ticks++
			}
		}
		var log strings.Builder
		config.Logger = zerolog.New(&log)
		ctx, cancel := context.WithCancel(t.Context())
		feed(ctx, &config, make(chan time.Time), 1)
		_, err := node.Run(ctx, config)
		cancel()
		var aborted *party.Aborted
		if !errors.As(err, &aborted) || aborted.By != "alice" || asked != 10 {
			t.Errorf("%s: %v; asked %d times", name, err, asked)
		}
		if ticks < 10 { // 60 + 9·30 seconds, a word every nine, but for the time until she knows that the log has ended
			t.Errorf("%s: alice has waited for %d words", name, ticks)
		}
		if n := strings.Count(log.String(), "the clock of this machine is ahead of the log's"); n != 1 {
			t.Errorf("%s: said %d times", name, n)
		}
	}
}

// TestStartAhead: a party that starts after the deadline by its own clock alone takes part.
func TestStartAhead(t *testing.T) {
	w := newWorld(t)
	config := w.voter(t, 0)
	config.Deadline, config.Start = noon(), noon().Add(time.Hour)
	config.Now = func(context.Context) (time.Time, error) { return noon().Add(-time.Minute), nil }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config.Observe = func(e node.Event) {
		if e.Kind == node.Heard {
			cancel()
		}
	}
	if _, err := node.Run(ctx, config); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestMissedDeadline: where the others can do without a party, the deadline ends nothing that it could still read. Missed by the
// others, it says nothing more; it reads on for another grace, and started again it has the result once there is one.
func TestMissedDeadline(t *testing.T) {
	w := newWorld(t)
	w.vote(t, "alice", true)
	w.vote(t, "bob", true)
	word := slotOf(1, "alice", schema.HeadPart)
	head := partytest.SignHead(word, schema.Head{Seen: schema.FirstSeen(schema.Keygen, "s", w.roster), Kind: schema.Settles})
	if err := w.store.Open(nil).Append(t.Context(), word.Subject(), head); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	charlie := w.voter(t, 2)
	charlie.Deadline = noon()
	feed(ctx, &charlie, make(chan time.Time), 2)
	records := len(w.store.Records())
	_, err := node.Run(ctx, charlie)
	var aborted *party.Aborted
	if !errors.As(err, &aborted) || aborted.By != "charlie" || len(w.store.Records()) != records {
		t.Errorf("%v, with %d records more", err, len(w.store.Records())-records)
	}
	if _, errs := runAll(t.Context(), []node.Config{w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)}); errors.Join(errs...) != nil {
		t.Errorf("in the end: %v", errs)
	}
}
