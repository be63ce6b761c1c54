// Package node is the shell around a party's machine: the only place that knows a log, a context and a logger.
//
// [Run] tails the heads of a session, opens every record, folds it into the machine, and carries out what the machine
// says is due: fetch the parts of a complete round, append what the party has to say. It keeps no state of its own
// that matters: started again it reads the log from the beginning and goes on where the log ends.
//
// Records that nobody signed, or that come again, are noise: they are counted, logged at debug level and passed over.
// When the machine finds that the session cannot go on (a member broke the protocol, the parties were shown different
// histories or describe the session differently), the node appends its last word, an abort, and returns the error.
// Trouble with the log itself, or with this party's own input, is returned without a word to the others: started again
// as it was, the party goes on.
package node

import (
	"context"
	"errors"
	"fmt"

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
}

// Progress tells where a session is.
type Progress struct {
	Round party.Round
	Name  string // of the round
	Count int    // rounds before this one
}

// Stats counts what a node did.
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
	if errors.Is(err, errFinished) {
		err = nil
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
	err := n.Log.Append(n.ctx, effect.Slot.Subject(), effect.Data)
	if errors.Is(err, bus.ErrTaken) {
		return fmt.Errorf("writing %s: %w: %w", effect.Slot.Subject(), party.ErrInput, err)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", effect.Slot.Subject(), err)
	}
	n.stats.Records++
	n.stats.Bytes += int64(len(effect.Data))
	return nil
}

// fetch reads a part that a signed head lists. It was written before the head, so it must be there, as signed.
func (n *node) fetch(slot schema.Slot) error {
	data, err := n.Log.Get(n.ctx, slot.Subject())
	if err != nil {
		return fmt.Errorf("reading %s, which %s has signed: %w", slot.Subject(), slot.From, err)
	}
	event, err := schema.Open(slot.Subject(), data, n.Roster)
	if err == nil {
		err = n.Machine.Apply(event)
	}
	if errors.Is(err, schema.ErrUntrusted) {
		return fmt.Errorf("reading %s: the log holds other bytes than %s has signed: %w", slot.Subject(), slot.From, err)
	}
	return n.end(err)
}

// apply opens and folds a head. Noise is no error.
func (n *node) apply(subject string, data []byte) error {
	event, err := schema.Open(subject, data, n.Roster)
	if err == nil {
		err = n.Machine.Apply(event)
	}
	if errors.Is(err, schema.ErrUntrusted) || errors.Is(err, party.ErrStale) {
		n.stats.Noise++
		n.Logger.Debug().Str("subject", subject).Int("bytes", len(data)).Err(err).Msg("noise")
		return nil
	}
	return n.end(err)
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
