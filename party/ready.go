package party

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"riskprop/crypto/seal"
	"riskprop/schema"
)

// Op is the kind of an effect.
type Op int

// The kinds of effects.
const (
	Append Op = iota // write Data to Slot
	Fetch            // read Slot and apply what it holds
	Look             // if Slot holds something, hand it to Recall: this party may have said it in an earlier life
	Finish           // the session has ended well
)

// Effect is something that the shell has to do.
type Effect struct {
	Op   Op
	Slot schema.Slot
	Data []byte
	// Loose is set for a word that depends on when it is said: one that settles a round, and an abort. Where the slot holds
	// another head of this party, of an earlier life or a second copy, that one counts, and nothing is wrong.
	Loose bool
}

// Ready yields what is due now: the parts to fetch where all heads of the round are there; else what this party has
// to say, if its head is not on the log, parts first and the head last; else nothing. Asked again it yields the same.
// What it says is computed while it is yielded: the heavy arithmetic happens here. The machine must not be applied to
// while effects of the kind Append are being yielded.
//
// Before it speaks it looks for what it has said in an earlier life. A shell that knows that there is nothing may pass
// over the effects of the kind Look; all it costs is that heavy arithmetic is done again.
func (m *Machine) Ready() iter.Seq2[Effect, error] {
	return func(yield func(Effect, error) bool) {
		switch {
		case m.Done():
			yield(Effect{Op: Finish}, nil)
		case m.Complete():
			for _, slot := range m.absent() {
				if !yield(Effect{Op: Fetch, Slot: slot}, nil) {
					return
				}
			}
		case m.self >= 0 && !m.counts(m.self) && !m.Out():
			w := writer{machine: m, yield: yield, pending: make([]outgoing, m.session.Roster.Len()+1)}
			if !w.look() {
				return
			}
			if err := w.speak(); err != nil {
				yield(Effect{}, fmt.Errorf("round %d (%s): %w", m.number, m.plan.Name, err))
			}
		}
	}
}

// Abort is the effect that ends the session with this party's last word: in the slot of the current round if it has not
// spoken in it, else in that of the next one, since the slot between may hold its word that settles the round. The culprit may
// be empty. An auditor has no word: nothing is to be done then.
func (m *Machine) Abort(culprit, reason string) (Effect, bool) {
	if m.self < 0 || m.Done() {
		return Effect{}, false
	}
	slot := m.slot(m.self, schema.All, schema.HeadPart)
	if m.counts(m.self) {
		slot.Round += m.now.length()
	}
	head := schema.Head{Seen: m.now.seen, Abort: &schema.Abort{Culprit: culprit, Reason: schema.Printable(reason)}}
	return Effect{Op: Append, Slot: slot, Data: schema.SealHead(slot, head, m.identity.sign), Loose: true}, true
}

// LastWord is the abort that is due after an error of Apply or Ready. There is none after another's last word, and none
// where only this party's input is wrong. Of a refusal the others are told no more than the reason.
func (m *Machine) LastWord(err error) (Effect, bool) {
	var aborted *Aborted
	if err == nil || errors.As(err, &aborted) || errors.Is(err, ErrInput) {
		return Effect{}, false
	}
	culprit, reason := "", err.Error()
	var blame *Blame
	if errors.As(err, &blame) {
		culprit = blame.Party
	}
	var refusal *Refusal
	if errors.As(err, &refusal) {
		reason = refusal.Reason
	}
	return m.Abort(culprit, reason)
}

// Taken judges a slot that holds something else than the effect was to write. It returns nil where that is as good; an
// [Aborted] where this party has ended the session; [ErrInput] where it has said something else; and an error that wraps
// schema.ErrUntrusted where somebody else has written.
func (m *Machine) Taken(effect Effect, there []byte) error {
	event, err := schema.Open(effect.Slot.Subject(), there, m.session.Roster)
	switch {
	case err != nil:
		return err
	case effect.Loose:
		return nil
	case event.Head != nil && event.Head.Abort != nil:
		return aborted(event)
	}
	return ErrInput
}

// aborted is the last word of a head's sender.
func aborted(event schema.Event) *Aborted {
	abort := event.Head.Abort
	return &Aborted{By: event.Slot.From, Culprit: abort.Culprit, Reason: abort.Reason}
}

// writer turns the drafts of a round into sealed parts and the head.
type writer struct {
	machine *Machine
	yield   func(Effect, error) bool
	pending []outgoing // by member; the last one is Everybody's
	refs    []schema.Ref
}

// outgoing is the rest of a message that does not fill a part yet.
type outgoing struct {
	data    []byte
	written int // elements in earlier parts
	parts   int
}

// Repeat makes anew what this party has said in the present round, if its head is on the log, and compares: [ErrInput] where it would say
// something else today. It is for the first round after a new start: later ones follow from what is on the log, and otherwise a changed
// input shows only when the round is complete.
func (m *Machine) Repeat() error {
	if m.self < 0 || m.Done() || !m.counts(m.self) {
		return nil
	}
	w := writer{machine: m, yield: func(Effect, error) bool { return true }, pending: make([]outgoing, m.session.Roster.Len()+1)}
	if err := w.speak(); err != nil {
		return err
	}
	if !slices.Equal(w.refs, m.now.heads[m.self].head.Parts) {
		return fmt.Errorf("%w: what it has said in round %d (%s) does not follow from what it brings now: use the files that it began with, or begin a new session",
			ErrInput, m.number, m.plan.Name)
	}
	return nil
}

// look yields the slots of the party's own sealed parts, of each message as far as they are there. It tells whether to go
// on. What is not sealed anybody could have written: it is computed again.
func (w *writer) look() bool {
	m := w.machine
	for _, message := range m.plan.Messages {
		if message.From != m.self || message.To == Everybody {
			continue
		}
		to := recipient(m.session.Roster, message.To)
		for part := range schema.Parts(message.Max, message.Width) {
			before := len(m.said[message.To])
			if !w.yield(Effect{Op: Look, Slot: m.slot(m.self, to, schema.Part(part))}, nil) {
				return false
			}
			if len(m.said[message.To]) == before {
				break
			}
		}
	}
	return true
}

// Recall takes note of a part that this party has said in an earlier life, as the log holds it. It tells whether it is
// what belongs there; anything else is forgotten, and will show when the same slot is written again.
func (m *Machine) Recall(slot schema.Slot, raw []byte) bool {
	to, member := m.session.Roster.Index(slot.To)
	if m.self < 0 || !member || slot != m.slot(m.self, slot.To, slot.Part) {
		return false
	}
	plain, err := m.pairs[to].Open(raw, []byte(slot.Subject()), m.now.seen[:])
	if err != nil {
		return false
	}
	batch, err := schema.Decode[schema.Batch](plain, schema.MaxRecord)
	if err != nil || batch.Mark != m.mark(slot, batch.Data) {
		return false
	}
	for _, message := range m.plan.Messages {
		if message.From != m.self || message.To != to {
			continue
		}
		data, err := schema.Join(m.said[to], batch, message.Width)
		if err != nil || len(data) > message.Max*message.Width {
			return false
		}
		if m.said == nil {
			m.said = make(map[int][]byte)
		}
		m.said[to] = data
		return true
	}
	return false
}

// speak yields all parts and the head. It returns early, without an error, when the consumer has had enough.
func (w *writer) speak() error {
	m := w.machine
	for draft, err := range m.round.Speak(m.secrets()) {
		if err != nil {
			return err
		}
		message := w.message(draft.To)
		w.out(draft.To).data = append(w.out(draft.To).data, draft.Data...)
		if !w.flush(message, false) {
			return nil
		}
	}
	for _, message := range m.plan.Messages {
		if message.From == m.self && !w.flush(message, true) {
			return nil
		}
	}
	slices.SortStableFunc(w.refs, func(a, b schema.Ref) int { return strings.Compare(a.To, b.To) })
	slot := m.slot(m.self, schema.All, schema.HeadPart)
	head := schema.Head{Seen: m.now.seen, Parts: w.refs}
	w.yield(Effect{Op: Append, Slot: slot, Data: schema.SealHead(slot, head, m.identity.sign)}, nil)
	return nil
}

// message finds the plan's entry for what this party says to a recipient. A draft without one is a bug.
func (w *writer) message(to int) Message {
	for _, message := range w.machine.plan.Messages {
		if message.From == w.machine.self && message.To == to {
			return message
		}
	}
	panic(fmt.Sprintf("party: round %s speaks to recipient %d, which it did not plan", w.machine.plan.Name, to))
}

func (w *writer) out(to int) *outgoing {
	if to == Everybody {
		return &w.pending[len(w.pending)-1]
	}
	return &w.pending[to]
}

// flush yields the full parts of a message, and at its end the rest. It tells whether to go on.
func (w *writer) flush(message Message, end bool) bool {
	out := w.out(message.To)
	full := schema.PerPart(message.Width) * message.Width
	for len(out.data) >= full || end && len(out.data) > 0 {
		if !w.part(message, out.data[:min(full, len(out.data))]) {
			return false
		}
		out.data = out.data[min(full, len(out.data)):]
	}
	if end && (out.written < message.Min || out.written > message.Max) {
		panic(fmt.Sprintf("party: round %s says %d elements, %d to %d were planned",
			w.machine.plan.Name, out.written, message.Min, message.Max))
	}
	return true
}

// mark is what only this party can write into a part of its own.
func (m *Machine) mark(slot schema.Slot, data []byte) [16]byte {
	key := seal.Derive(m.identity.seed[:], "riskprop/v1 mark", m.now.seen[:])
	return seal.Tag(key, []byte(slot.Subject()), data)
}

// part seals one part and yields it.
func (w *writer) part(message Message, data []byte) bool {
	m, out := w.machine, w.out(message.To)
	batch := schema.Batch{First: uint32(out.written), Width: uint32(message.Width), Data: data}
	to := recipient(m.session.Roster, message.To)
	slot := m.slot(m.self, to, schema.Part(out.parts))
	if message.To != Everybody {
		batch.Mark = m.mark(slot, data)
	}
	raw := schema.Encode(batch)
	if message.To != Everybody {
		raw = m.pairs[message.To].Seal(raw, []byte(slot.Subject()), m.now.seen[:])
	}
	out.written += len(data) / message.Width
	out.parts++
	w.refs = append(w.refs, schema.NewRef(to, raw))
	return w.yield(Effect{Op: Append, Slot: slot, Data: raw}, nil)
}
