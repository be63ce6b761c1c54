package main

// This file follows a session on the log as an auditor does.

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/party/node"
	"riskprop/schema"
)

// statusPatience is how long status asks for a part that a signed head lists.
const statusPatience = 5 * time.Second

// errCaughtUp ends the reading of a log when all that it holds has been read.
var errCaughtUp = errors.New("everything on the log has been read")

// word is a head that a member has signed, as far as people look at it.
type word struct {
	At     time.Time // by the log's clock
	Seq    uint64
	Parts  int
	Bytes  int64 // of the parts and of the head
	Abort  bool  // it ends the session
	Settle bool  // it closes the round before, without those who have not spoken
}

// follower follows one session with an auditor's machine: the machine says in which round the session is and whether what
// the members have signed fits together. Beside it the follower keeps every head that a member has signed, with the
// log's time, also of those that come when the machine has come to its end: a member may be late in the last rounds.
type follower struct {
	log      bus.Log
	roster   *schema.Roster
	machine  *party.Machine
	patience time.Duration // with a part that a signed head lists
	watch    bool          // go on after all has been read, until the session has ended
	spoken   func(news)    // told of every new head, once all has been read for the first time; may be nil
	told     func()        // told when all has been read, again after every change; may be nil

	mu     sync.Mutex
	words  map[int][]*word // by round, then by member
	names  map[int]string  // of the rounds that the machine has been in
	number int             // of the round that the machine is in
	await  []string
	enough bool            // a quorum has spoken: the round can end without those
	gone   map[string]bool // members without whom the session goes on
	done   bool
	ended  error // why the session cannot go on

	caughtUp bool
	trouble  error // of the log, while a part was read
}

// news is one head that has just come.
type news struct {
	Member string
	Round  int
	Word   word
}

// follow makes a follower of a machine that has not begun.
func follow(log bus.Log, roster *schema.Roster, machine *party.Machine) *follower {
	f := &follower{log: log, roster: roster, machine: machine, words: make(map[int][]*word), names: make(map[int]string), gone: make(map[string]bool)}
	f.look()
	return f
}

// run reads what the log holds, and with watch what is added to it, up to the end of the session. How the session ended is
// part of the status; the error is one of the log or of the context.
func (f *follower) run(ctx context.Context, logger zerolog.Logger) error {
	_, err := node.Run(ctx, node.Config{
		Log: followed{f.log, f}, Roster: f.roster, Machine: f.machine, Logger: logger, Patience: f.patience,
	})
	f.look()
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.done || errors.Is(err, errCaughtUp):
		return nil
	case f.trouble != nil || f.ended == nil:
		return err
	}
	return nil
}

// followed is the log as the machine's shell sees it: the follower looks at every head that passes, and says when to stop.
type followed struct {
	bus.Log
	f *follower
}

// Get keeps an error of the log apart from what is wrong with the session.
func (l followed) Get(ctx context.Context, subject string) ([]byte, error) {
	data, err := l.Log.Get(ctx, subject)
	if err != nil && !errors.Is(err, bus.ErrNone) {
		l.f.trouble = err
	}
	return data, err
}

// Tail folds until the session has ended, goes on with heads alone to the end of the log, and then stops.
func (l followed) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	var ended error
	return l.Log.Tail(ctx, after, filter, func(record bus.Record) error {
		added, ok := l.f.note(record)
		if ended == nil {
			ended = fold(record)
			l.f.end(ended)
		}
		l.f.tell(added, ok)
		return l.f.trouble
	}, func() error {
		if ended == nil {
			ended = head()
		}
		if ended == nil && l.f.machine.Done() {
			ended = errCaughtUp
		}
		l.f.end(ended)
		l.f.catchUp()
		if ended == nil && !l.f.watch {
			return errCaughtUp
		}
		return ended
	})
}

// note keeps a head, unless no member has signed it or it is of a round that is far ahead of the session.
func (f *follower) note(record bus.Record) (news, bool) {
	event, err := schema.Open(record.Subject, record.Data, f.roster)
	if err != nil || event.Head == nil {
		return news{}, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	round := event.Slot.Round
	if round > f.number+2 {
		return news{}, false
	}
	if f.words[round] == nil {
		f.words[round] = make([]*word, f.roster.Len())
	}
	w := &word{At: record.Time, Seq: record.Seq, Parts: len(event.Head.Parts), Bytes: int64(len(record.Data)), Abort: event.Head.Abort != nil, Settle: event.Head.Kind == schema.Settles}
	for _, ref := range event.Head.Parts {
		w.Bytes += int64(ref.Size)
	}
	if f.words[round][event.Sender] != nil {
		return news{}, false // a log that delivers twice
	}
	again := w.Settle && f.settled(round)
	f.words[round][event.Sender] = w
	if again {
		return news{}, false // the first one counts
	}
	return news{event.Slot.From, round, *w}, true
}

// settled tells whether somebody has settled the round before this number.
func (f *follower) settled(number int) bool {
	return slices.ContainsFunc(f.words[number], func(w *word) bool { return w != nil && w.Settle })
}

// look takes note of where the machine is.
func (f *follower) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.number, f.await, f.done = f.machine.Number(), f.machine.Waiting(), f.machine.Done()
	f.enough = f.machine.CanSettle()
	for _, member := range f.machine.Gone() {
		f.gone[member] = true
	}
	f.names[f.number] = f.machine.Name()
}

// end takes note of an error that ends the session.
func (f *follower) end(err error) {
	f.look()
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil && !f.done && f.trouble == nil {
		f.ended = err
	}
}

// tell passes news on.
func (f *follower) tell(added news, ok bool) {
	if ok && f.caughtUp && f.spoken != nil {
		f.spoken(added)
	}
}

// catchUp tells that everything has been read.
func (f *follower) catchUp() {
	f.caughtUp = true
	if f.told != nil {
		f.told()
	}
}
