package partytest

import (
	"errors"
	"fmt"
	"iter"

	"riskprop/party"
	"riskprop/schema"
)

// Op is what a reader does in one step.
type Op string

// The operations of a reader.
const (
	Fold   Op = "fold"   // apply the next head
	Fetch  Op = "fetch"  // apply a part of a complete round
	Append Op = "append" // write a part or a head
	Look   Op = "look"   // recall a part of an earlier life
)

// Step is one operation of a reader, before or after its effect.
type Step struct {
	Op      Op
	Subject string
	After   bool
}

// Reader is a party in lock step: a machine, how far it has read, and what it is about to do. Each call of Step does
// one operation, so that a test can interleave readers as finely as real processes would.
type Reader struct {
	Machine *party.Machine
	// Fault, when set, is asked before and after every effect; its error ends the step. After the effect that means
	// "failed, but was stored".
	Fault func(Step) error
	// Late, when set, keeps the reader from fetching parts of a round that is not complete.
	Late bool

	log     *Log
	read    int // heads that were applied
	visible int // heads that this reader has been shown; -1: all
	next    func() (party.Effect, error, bool)
	stop    func()
	appends bool // what is being carried out is the party's own word
	ahead   bool // what is being carried out are fetches for a round that is not complete: an error means nothing
	refused map[schema.Slot]bool
	spoken  int // rounds in which this reader has said everything
	noise   int
}

// NewReader lets a machine read a log from its beginning.
func NewReader(log *Log, m *party.Machine) *Reader { return &Reader{Machine: m, log: log, visible: -1} }

// Noise counts the heads that were passed over.
func (r *Reader) Noise() int { return r.noise }

// Close drops what the reader was about to do, as the end of its process would.
func (r *Reader) Close() {
	if r.stop != nil {
		r.stop()
		r.next, r.stop, r.ahead = nil, nil, false
	}
}

// Step does one operation and tells whether there was one to do.
func (r *Reader) Step() (bool, error) {
	if r.next == nil && !r.begin() {
		return false, nil
	}
	if r.next == nil {
		return true, r.fold()
	}
	effect, err, more := r.next()
	for more && err == nil && effect.Op == party.Look && r.log.Records[effect.Slot.Subject()] == nil {
		effect, err, more = r.next() // nothing to see is no operation
	}
	if !more {
		r.Close()
		if r.appends {
			r.spoken = r.Machine.Number() + 1
		}
		return true, nil
	}
	if err != nil {
		return true, err
	}
	return true, r.carryOut(effect)
}

// begin decides what to do next: the fetches of a complete round, else the next head, else the party's own word. It
// returns false when there is nothing.
func (r *Reader) begin() bool {
	m := r.Machine
	unread := r.read < len(r.log.Heads) && (r.visible < 0 || r.read < r.visible)
	switch {
	case m.Done():
		return false
	case m.Complete():
		r.appends = false
	case unread:
		return true
	case r.spoken > m.Number():
		return r.beginAhead()
	default:
		r.appends = true
	}
	r.next, r.stop = iter.Pull2(m.Ready())
	return true
}

// beginAhead goes on to fetch what heads of a round that is not complete announce, each part once.
func (r *Reader) beginAhead() bool {
	var slots []schema.Slot
	for _, slot := range r.Machine.Early() {
		if !r.refused[slot] && !r.Late {
			slots = append(slots, slot)
		}
	}
	if len(slots) == 0 {
		return false
	}
	r.appends, r.ahead = false, true
	r.next, r.stop = iter.Pull2(func(yield func(party.Effect, error) bool) {
		for _, slot := range slots {
			if !yield(party.Effect{Op: party.Fetch, Slot: slot}, nil) {
				return
			}
		}
	})
	return true
}

// Settle appends the party's word that closes the round, as its shell does after a time, and tells whether there was one.
// The round is closed when the reader folds it.
func (r *Reader) Settle() (bool, error) {
	effect, due := r.Machine.Settle()
	if !due {
		return false, nil
	}
	r.Close()
	return true, r.carryOut(effect)
}

// around asks Fault before and after an effect.
func (r *Reader) around(op Op, subject string, effect func() error) error {
	if r.Fault != nil {
		if err := r.Fault(Step{op, subject, false}); err != nil {
			return err
		}
	}
	if err := effect(); err != nil {
		return err
	}
	if r.Fault != nil {
		return r.Fault(Step{op, subject, true})
	}
	return nil
}

func (r *Reader) carryOut(effect party.Effect) error {
	subject := effect.Slot.Subject()
	switch effect.Op {
	case party.Append:
		return r.around(Append, subject, func() error {
			err := r.log.Append(effect)
			if errors.Is(err, ErrTaken) {
				return r.taken(effect, err)
			}
			return err
		})
	case party.Look:
		return r.around(Look, subject, func() error {
			r.Machine.Recall(effect.Slot, r.log.Records[subject])
			return nil
		})
	case party.Fetch:
		return r.around(Fetch, subject, func() error {
			event, err := r.log.Event(subject)
			if err == nil {
				err = r.Machine.Apply(event)
			}
			if err != nil && r.ahead {
				r.refuse(effect.Slot)
				return nil
			}
			return err
		})
	}
	return nil
}

// refuse remembers a part that is not to be fetched again before its round is complete.
func (r *Reader) refuse(slot schema.Slot) {
	if r.refused == nil {
		r.refused = make(map[schema.Slot]bool)
	}
	r.refused[slot] = true
}

// taken judges a slot of this party that holds something else. What is nobody's abort and not as good stays ErrTaken.
func (r *Reader) taken(effect party.Effect, err error) error {
	judged := r.Machine.Taken(effect, r.log.Records[effect.Slot.Subject()])
	var aborted *party.Aborted
	if judged == nil || errors.As(judged, &aborted) {
		return judged
	}
	return err
}

// fold applies the next head. Noise is counted and passed over. A head counts as read when its operation has succeeded.
func (r *Reader) fold() error {
	subject := r.log.Heads[r.read]
	err := r.around(Fold, subject, func() error {
		event, err := r.log.Event(subject)
		if err == nil {
			err = r.Machine.Apply(event)
		}
		if errors.Is(err, schema.ErrUntrusted) || errors.Is(err, party.ErrStale) {
			r.noise++
			return nil
		}
		return err
	})
	if err == nil {
		r.read++
	}
	return err
}

// errStill is wrapped when nobody has anything to do and not all are done.
var errStill = errors.New("the session stands still")

// still words a session that stands still.
func still(m *party.Machine) error {
	return fmt.Errorf("%w in round %d (%s), waiting for %v", errStill, m.Number(), m.Name(), m.Waiting())
}
