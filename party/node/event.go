package node

import (
	"slices"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/schema"
)

// Kind tells what an [Event] is about.
type Kind int

// The kinds of events.
const (
	Began   Kind = iota // a round begins
	Heard               // a member's head was folded
	Spoke               // this party has said everything in the round
	Waiting             // this party has been waiting for others for some time
	Passed              // a record was passed over as noise
	Ended               // a round is complete
	Settled             // a member has closed a round without those who had not spoken
)

// Event is something that happens in a session. Fields that its kind does not name are zero.
type Event struct {
	Kind     Kind
	Round    int           // number of the round
	Name     string        // name of the round; empty for the head of a round to which this party has not come
	State    party.Round   // Began: the round itself; after the session the final one, with the result
	Party    string        // Heard: whose head; Settled: whose word
	Awaited  []string      // Waiting: for whom
	Parts    int           // Heard: parts that the head lists; Spoke, Ended: parts and heads that this party appended
	Bytes    int64         // their size, the head's own included; Passed, Settled: of the record
	At       time.Time     // Heard, Settled: when the log stored the head, by its own clock
	Duration time.Duration // Spoke, Ended: how long it took; Waiting: how long so far
}

// roundStats is what a round has come to in this run.
type roundStats struct {
	name  string
	began time.Time
	parts int
	bytes int64
}

func (n *node) observe(e Event) {
	if n.Observe == nil {
		return
	}
	if e.Kind != Ended && e.Kind != Heard && e.Kind != Settled {
		e.Round, e.Name = n.Machine.Number(), n.Machine.Name()
	}
	n.Observe(e)
}

// heard reports a head under the round that it belongs to: it may have completed that, or be ahead of it.
func (n *node) heard(event schema.Event, record bus.Record) {
	bytes := int64(len(record.Data))
	for _, ref := range event.Head.Parts {
		bytes += int64(ref.Size)
	}
	if event.Head.Kind == schema.Settles {
		n.observe(Event{Kind: Settled, Round: n.shown, Name: n.round.name, Party: event.Slot.From, Bytes: bytes, At: record.Time})
		return
	}
	e := Event{Kind: Heard, Round: event.Slot.Round, Party: event.Slot.From, Parts: len(event.Head.Parts), Bytes: bytes, At: record.Time}
	if e.Round == n.shown {
		e.Name = n.round.name
	}
	n.observe(e)
}

// spoke reports what this party has said.
func (n *node) spoke(parts int, bytes int64, took time.Duration) {
	n.round.parts, n.round.bytes = parts, bytes
	if parts > 0 {
		n.observe(Event{Kind: Spoke, Parts: parts, Bytes: bytes, Duration: took})
	}
}

// progress reports rounds that have begun and ended, and ends the tail after the last one.
func (n *node) progress() error {
	number := n.Machine.Number()
	if number > n.shown {
		if n.shown >= 0 {
			n.ended()
		}
		n.shown, n.round, n.clock.waiting = number, roundStats{began: time.Now(), name: n.Machine.Name()}, waiting{}
		n.without()
		n.observe(Event{Kind: Began, State: n.Machine.Round()})
	}
	if n.Machine.Done() {
		return errFinished
	}
	return nil
}

// without logs that the session goes on without members, once they are more.
func (n *node) without() {
	gone := n.Machine.Gone()
	if len(gone) == n.gone {
		return
	}
	n.gone = len(gone)
	n.Logger.Warn().Int("round", n.shown).Strs("without", gone).Msg("going on without members")
	if slices.Contains(gone, n.Machine.Self()) {
		n.Logger.Warn().Int("round", n.shown).Msg("the others have gone on without this party: it reads what they say to it, and is not heard any more")
	}
}

// ended logs the round that is over: one line a round in which this party has spoken.
func (n *node) ended() {
	took, level := time.Since(n.round.began), zerolog.InfoLevel
	if n.round.parts == 0 {
		level = zerolog.DebugLevel // read again after a restart
	}
	n.Logger.WithLevel(level).Int("round", n.shown).Str("name", n.round.name).
		Int("parts", n.round.parts).Int64("bytes", n.round.bytes).Float64("seconds", took.Seconds()).Msg("round complete")
	n.observe(Event{Kind: Ended, Round: n.shown, Name: n.round.name, Parts: n.round.parts, Bytes: n.round.bytes, Duration: took})
}
