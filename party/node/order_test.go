package node_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/party/node"
	"riskprop/party/partytest"
	"riskprop/schema"
)

func slotOf(round int, from string, part schema.Part) schema.Slot {
	return schema.Slot{Session: "s", Proto: schema.Keygen, Round: round, To: schema.All, From: from, Part: part}
}

// vote writes a member's vote, with or without its part.
func (v *world) vote(t *testing.T, from string, with bool) {
	t.Helper()
	log := v.store.Open(nil)
	part := schema.Encode(schema.Batch{Width: 4, Data: []byte{9, 0, 0, 0}})
	if with {
		if err := log.Append(t.Context(), slotOf(0, from, 0).Subject(), part); err != nil {
			t.Error(err)
		}
	}
	s := slotOf(0, from, schema.HeadPart)
	head := partytest.SignHead(s, schema.Head{Seen: schema.FirstSeen(schema.Keygen, "s", v.roster), Parts: []schema.Ref{schema.NewRef(schema.All, part)}})
	if err := log.Append(t.Context(), s.Subject(), head); err != nil {
		t.Error(err)
	}
}

// getHook is asked before a part is read.
type getHook struct {
	bus.Log
	get func(subject string) error
}

func (g *getHook) Get(ctx context.Context, subject string) ([]byte, error) {
	if err := g.get(subject); err != nil {
		return nil, err
	}
	return g.Log.Get(ctx, subject)
}

// TestFailedSettle: alice has settled the round, the fetch of a part fails (for a moment), and meanwhile charlie's head has come.
func TestFailedSettle(t *testing.T) {
	w := newWorld(t)
	config := w.voter(t, 0)
	config.Grace = 0
	charlie := false
	config.Log = &getHook{config.Log, func(subject string) error {
		if subject != slotOf(0, "bob", 0).Subject() || charlie {
			return nil
		}
		charlie = true
		w.vote(t, "charlie", true) // an honest head, a moment late
		return errors.New("connection lost")
	}}
	w.vote(t, "bob", true)
	feed(t.Context(), &config, make(chan time.Time), 2)
	if _, err := node.Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), "connection lost") {
		t.Errorf("%v", err)
	}
}

// TestSettleWithAMissingPart is the same with a part that bob has signed and never written.
func TestSettleWithAMissingPart(t *testing.T) {
	w := newWorld(t)
	config := w.voter(t, 0)
	config.Grace, config.Patience = 0, 500*time.Millisecond
	charlie := false
	config.Log = &getHook{config.Log, func(subject string) error {
		if subject == slotOf(0, "bob", 0).Subject() && !charlie {
			charlie = true
			w.vote(t, "charlie", true)
		}
		return nil
	}}
	w.vote(t, "bob", false)
	feed(t.Context(), &config, make(chan time.Time), 2)
	if _, err := node.Run(t.Context(), config); !errors.Is(err, node.ErrMissing) {
		t.Errorf("%v", err)
	}
}

// TestDeadlineWithATakenSlot: somebody has put noise where alice's last word would be: after the deadline she says so, and does not wait on.
func TestDeadlineWithATakenSlot(t *testing.T) {
	w := newWorld(t)
	config := w.voter(t, 0)
	if err := w.store.Open(nil).Append(t.Context(), slotOf(2, "alice", schema.HeadPart).Subject(), []byte("noise")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ticks := make(chan time.Time)
	config.Ticks = ticks
	go func() {
		for i := range 20000 { // five and a half hours; the deadline is after one
			select {
			case ticks <- noon().Add(time.Duration(i) * time.Second):
			case <-ctx.Done():
				return
			}
		}
		cancel()
	}()
	if _, err := node.Run(ctx, config); !errors.Is(err, bus.ErrTaken) || !strings.Contains(err.Error(), "somebody else has written there") {
		t.Errorf("long after the deadline: %v", err)
	}
}

// lagging delivers bob's and charlie's heads only after alice has written her abort, and that one last: a reader whose hint of
// what is pending is older than the abort.
type lagging struct {
	bus.Log
	aborted chan struct{}
	w       *world
	t       *testing.T
}

func (l *lagging) Append(ctx context.Context, subject string, data []byte) error {
	err := l.Log.Append(ctx, subject, data)
	if strings.Contains(subject, ".1.all.alice.head") && err == nil {
		select {
		case <-l.aborted:
		default:
			close(l.aborted)
		}
	}
	return err
}

func (l *lagging) Tail(ctx context.Context, _ uint64, _ string, fold func(bus.Record) error, head func() error) error {
	deliver := func(s schema.Slot) error {
		data, err := l.Log.Get(ctx, s.Subject())
		if err != nil {
			return err
		}
		return fold(bus.Record{Subject: s.Subject(), Data: data})
	}
	steps := []func() error{head, func() error { return deliver(slotOf(0, "alice", schema.HeadPart)) }, head,
		func() error {
			select {
			case <-l.aborted:
			case <-ctx.Done():
				return ctx.Err()
			}
			return nil
		}}
	for _, name := range []string{"bob", "charlie"} {
		steps = append(steps, func() error { return deliver(slotOf(0, name, schema.HeadPart)) })
	}
	steps = append(steps, head, func() error { return deliver(slotOf(1, "alice", schema.HeadPart)) })
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestOwnAbortInTheWay: alice has ended the session while the heads that complete the round were on their way.
func TestOwnAbortInTheWay(t *testing.T) {
	w := newWorld(t)
	config := w.config(t, 0, nil)
	// let bob and charlie speak in round 0
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, i := range []int{1, 2} {
		other := w.config(t, i, nil)
		c, stop := context.WithCancel(ctx)
		other.Observe = func(e node.Event) {
			if e.Kind == node.Heard && e.Party == w.roster.Member(i).Name {
				stop()
			}
		}
		_, _ = node.Run(c, other) // ends when it has spoken
		stop()
	}
	config.Log = &lagging{Log: config.Log, aborted: make(chan struct{}), w: w, t: t}
	config.Deadline = noon()
	feed(ctx, &config, make(chan time.Time), 1)
	_, err := node.Run(ctx, config)
	var aborted *party.Aborted
	if !errors.As(err, &aborted) {
		t.Errorf("alice, whose abort is on the log, ends with: %v", err)
	}
}

// failing is a round whose Next fails.
type failing struct {
	partytest.Vote
	err error
}

func (r *failing) Plan() party.Plan {
	plan := r.Vote.Plan()
	plan.Quorum = 0
	return plan
}

func (r *failing) Next(party.Inbox) (party.Round, error) { return nil, r.err }

// TestLastWords: of a refusal the others are told the reason and none of its details; of trouble with a party's own input
// they are told nothing.
func TestLastWords(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string // what the others hear; empty: nothing
	}{
		"refusal":   {&party.Refusal{Reason: "the public reason", Err: errors.New("account 4711")}, "the public reason"},
		"own input": {party.ErrInput, ""},
		"blame":     {&party.Fault{Member: 1, Err: errors.New("it cheats")}, "it cheats"},
	} {
		w := newWorld(t)
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: w.roster}, w.ids[0], [32]byte{}, &failing{err: c.err})
		if err != nil {
			t.Fatal(err)
		}
		w.vote(t, "bob", true)
		w.vote(t, "charlie", true)
		if _, err := node.Run(t.Context(), node.Config{Log: w.store.Open(nil), Roster: w.roster, Machine: m}); err == nil {
			t.Errorf("%s: no error", name)
		}
		said := ""
		for _, record := range w.store.Records() {
			event, err := schema.Open(record.Subject, record.Data, w.roster)
			if err == nil && event.Head != nil && event.Head.Abort != nil {
				said += event.Head.Abort.Reason
			}
		}
		if (c.want == "") != (said == "") || !strings.Contains(said, c.want) || strings.Contains(said, "4711") {
			t.Errorf("%s: the others hear %q", name, said)
		}
	}
}
