// Package node is the shell around a party's machine: the only place that knows a log, a context and a logger.
//
// [Run] tails the heads of a session, opens every record, folds it into the machine, and carries out what the machine
// says is due: fetch the parts of a complete round, append what the party has to say. It keeps no state of its own
// that matters: started again it reads the log from the beginning and goes on where the log ends.
//
// Records that nobody signed, or that come again, are noise: they are counted, logged and passed over. Noise where a
// member's next head should be is a warning: its slot is taken for ever, so the session will wait for it in vain.
//
// When the machine finds that the session cannot go on (a member broke the protocol, the parties have different
// histories or describe the session differently), or a part that a member has signed is not on the log, the node
// appends its last word, an abort, and returns the error.
//
// Trouble with the log itself, or with this party's own input, is returned without a word to the others: started again
// as it was, the party goes on.
package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/schema"
)

// Config is what a node runs.
type Config struct {
	Log     bus.Log
	Roster  *schema.Roster
	Machine *party.Machine
	Logger  zerolog.Logger
	Observe func(Progress) // called whenever a round begins, on the node's goroutine; may be nil
	// Patience is how long a part is asked for that a signed head lists and the log does not hold: a replica may lag
	// behind. 0 means 30 seconds.
	Patience time.Duration
}

// ErrMissing is wrapped when the log does not hold a part as a member has signed it. The log has lost it, or the member
// has never written it; that cannot be told apart.
var ErrMissing = errors.New("the log does not hold what was signed")

// Progress tells where a session is.
type Progress struct {
	Round party.Round
	Name  string // of the round
	Count int    // rounds before this one
}

// Stats counts what a node did in this run. What it appended again, after a restart, counts again.
type Stats struct {
	Records int   // appended
	Bytes   int64 // appended
	Noise   int   // records passed over
}

// Run takes part in the session until it has ended. The result is in the machine's final round.
func Run(ctx context.Context, config Config) (Stats, error) {
	n := &node{Config: config, ctx: ctx, spoken: -1, shown: -1}
	if err := n.progress(); err != nil {
		return n.stats, nil // it had ended before
	}
	err := config.Log.Tail(ctx, 0, config.Machine.Filter(), n.fold, n.head)
	switch {
	case errors.Is(err, errFinished):
		err = nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		m := config.Machine
		err = fmt.Errorf("in round %d (%s), waiting for %v: %w", m.Number(), m.Name(), m.Waiting(), err)
	}
	return n.stats, err
}

// errFinished stops the tail when the session has ended well.
var errFinished = errors.New("the session has ended")

type node struct {
	Config
	ctx    context.Context
	stats  Stats
	spoken int // the last round in which everything was appended in this run
	shown  int // the last round that was reported
}

// fold applies one record, and the parts that its round now needs.
func (n *node) fold(record bus.Record) error {
	if err := n.apply(record.Subject, record.Data); err != nil {
		return err
	}
	for n.Machine.Complete() {
		if err := n.carryOut(); err != nil {
			return err
		}
	}
	return n.progress()
}

// head is called when everything on the log has been folded: now it is this party's turn, if it has not spoken.
func (n *node) head() error {
	number := n.Machine.Number()
	if n.spoken >= number {
		return nil
	}
	if err := n.carryOut(); err != nil {
		return err
	}
	n.spoken = number
	return nil
}

// carryOut does what is due.
func (n *node) carryOut() error {
	for effect, err := range n.Machine.Ready() {
		if err != nil {
			return n.end(err)
		}
		switch effect.Op {
		case party.Append:
			err = n.append(effect)
		case party.Fetch:
			err = n.fetch(effect.Slot)
		case party.Finish:
			err = errFinished
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *node) append(effect party.Effect) error {
	subject := effect.Slot.Subject()
	err := n.Log.Append(n.ctx, subject, effect.Data)
	switch {
	case errors.Is(err, bus.ErrTaken):
		return n.taken(effect.Slot, err)
	case err != nil:
		return fmt.Errorf("writing %s: %w (nothing is lost: started again, the party goes on)", subject, err)
	}
	n.stats.Records++
	n.stats.Bytes += int64(len(effect.Data))
	return nil
}

// taken words a slot of ours that holds something else: our own word, with another input, or a stranger's.
func (n *node) taken(slot schema.Slot, err error) error {
	if slot.Part == schema.HeadPart {
		there, failure := n.Log.Get(n.ctx, slot.Subject())
		if failure != nil {
			return errors.Join(err, failure)
		}
		if _, failure = schema.Open(slot.Subject(), there, n.Roster); failure != nil {
			return fmt.Errorf("writing %s: somebody else has written there (%w): look at who may write to the log; this session cannot go on: %w",
				slot.Subject(), failure, err)
		}
	}
	return fmt.Errorf("writing %s: %w: %w", slot.Subject(), party.ErrInput, err)
}

// fetch reads a part that a signed head lists. It was written before the head, so it must be there, as signed.
func (n *node) fetch(slot schema.Slot) error {
	data, err := n.get(slot)
	if errors.Is(err, bus.ErrNone) {
		return n.end(fmt.Errorf("%w: %s of %s is not there", ErrMissing, slot.Subject(), slot.From))
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w (nothing is lost: started again, the party goes on)", slot.Subject(), err)
	}
	event, err := schema.Open(slot.Subject(), data, n.Roster)
	if err == nil {
		err = n.Machine.Apply(event)
	}
	if errors.Is(err, schema.ErrUntrusted) {
		err = fmt.Errorf("%w: %s of %s has other bytes: %w", ErrMissing, slot.Subject(), slot.From, err)
	}
	return n.end(err)
}

// get asks for a record until it is there, as long as Patience says.
func (n *node) get(slot schema.Slot) ([]byte, error) {
	patience := n.Patience
	if patience == 0 {
		patience = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(n.ctx, patience)
	defer cancel()
	pause := time.NewTicker(min(patience, 200*time.Millisecond))
	defer pause.Stop()
	for {
		data, err := n.Log.Get(n.ctx, slot.Subject())
		if !errors.Is(err, bus.ErrNone) {
			return data, err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// apply opens and folds a head. Noise is no error.
func (n *node) apply(subject string, data []byte) error {
	event, err := schema.Open(subject, data, n.Roster)
	if err == nil {
		err = n.Machine.Apply(event)
	}
	if errors.Is(err, schema.ErrUntrusted) || errors.Is(err, party.ErrStale) {
		n.stats.Noise++
		n.noise(subject, len(data), err)
		return nil
	}
	return n.end(err)
}

// noise logs a record that was passed over.
func (n *node) noise(subject string, size int, err error) {
	level := zerolog.DebugLevel
	if slot, bad := schema.ParseSubject(subject); bad == nil {
		_, member := n.Roster.Index(slot.From)
		if member && slot.Round >= n.Machine.Number() {
			level = zerolog.WarnLevel
		}
	}
	n.Logger.WithLevel(level).Str("subject", subject).Int("bytes", size).Err(err).Msg("noise")
}

// end says the party's last word where the machine has found that the session cannot go on.
func (n *node) end(err error) error {
	var aborted *party.Aborted
	if err == nil || errors.As(err, &aborted) || errors.Is(err, party.ErrInput) {
		return err
	}
	culprit, reason := "", err.Error()
	var blame *party.Blame
	if errors.As(err, &blame) {
		culprit = blame.Party
	}
	var refusal *party.Refusal
	if errors.As(err, &refusal) {
		reason = refusal.Reason
	}
	effect, ok := n.Machine.Abort(culprit, reason)
	if !ok {
		return err
	}
	if failure := n.append(effect); failure != nil && !errors.Is(failure, bus.ErrTaken) {
		return errors.Join(err, fmt.Errorf("telling the others: %w", failure))
	}
	return err
}

// progress reports a round that has begun, and ends the tail after the last one.
func (n *node) progress() error {
	if number := n.Machine.Number(); number > n.shown {
		n.shown = number
		n.Logger.Debug().Int("round", number).Str("name", n.Machine.Name()).Msg("round begins")
		if n.Observe != nil {
			n.Observe(Progress{Round: n.Machine.Round(), Name: n.Machine.Name(), Count: number})
		}
	}
	if n.Machine.Done() {
		return errFinished
	}
	return nil
}
