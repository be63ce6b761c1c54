package party

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"riskprop/schema"
)

// roll is what the members have stated in one round, and the history that they sign.
type roll struct {
	seen   [32]byte    // the transcript before the round
	quorum int         // of the round's plan; 0: all members are needed
	heads  []statement // by member
}

// statement is a member's head, once it has been seen.
type statement struct {
	head   *schema.Head
	digest [32]byte
}

func newStatement(event schema.Event) statement {
	return statement{event.Head, sha256.Sum256(event.Raw)}
}

// unspoken is the set of members whose head is missing: bit i for member i.
func (r *roll) unspoken() uint32 {
	var set uint32
	for i := range r.heads {
		if r.heads[i].head == nil {
			set |= 1 << i
		}
	}
	return set
}

// enough tells whether the round can do without the members in a set.
func (r *roll) enough(absent uint32) bool {
	return r.quorum > 0 && len(r.heads)-bits.OnesCount32(absent) >= r.quorum
}

// length is how many numbers the round takes: with a quorum a second one, for the word that settles it.
func (r *roll) length() int {
	if r.quorum > 0 {
		return 2
	}
	return 1
}

// after is the transcript after the round, with a digest of zero for those who have not spoken.
func (r *roll) after(number int) [32]byte {
	digests := make([][32]byte, len(r.heads))
	for i := range r.heads {
		digests[i] = r.heads[i].digest
	}
	return schema.NextSeen(r.seen, number, digests)
}

func (r *roll) clone() roll {
	copied := *r
	copied.heads = slices.Clone(r.heads)
	return copied
}

// hidden words a head that comes before one that it must follow. Either its sender speaks too early, or the log hides a
// head from us; that cannot be told apart, and nobody is blamed.
func (m *Machine) hidden(event schema.Event, what string) error {
	err := fmt.Errorf("in round %d %s speaks, while here %s: it is too early, or the log hides a record from this party",
		event.Slot.Round, event.Slot.From, what)
	if event.Sender == m.self {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	return fmt.Errorf("%w: %w", ErrSplit, err)
}

// leave is a member's last word. It ends the session, unless that can do without the member: it went on without it before,
// or a quorum can now. The others learn of it from the inbox. It is the same for the member itself, which reads on: all come to the
// same end.
func (m *Machine) leave(event schema.Event) error {
	word, gone := aborted(event), has(m.gone, event.Sender)
	switch {
	case m.now.quorum == 0 && !gone:
		return word
	case has(m.left, event.Sender):
		return ErrStale
	}
	m.left |= 1 << event.Sender
	m.words = append(m.words, word)
	switch {
	case gone || m.closed:
		return nil
	case !m.now.enough(m.now.unspoken() & (m.gone | m.left)):
		return word
	}
	return m.closeIfSpoken()
}

// settle is a member's word that it has waited long enough: the round is closed with those who have spoken before it, in the
// order of the log. So all parties go on without the same members.
func (m *Machine) settle(event schema.Event) error {
	switch {
	case event.Head.Seen != m.now.seen:
		return m.otherHistory(event)
	case m.now.quorum == 0 || event.Slot.Round == m.number:
		return m.broke(event, errors.New("it closes a round that needs all members"))
	case !m.counts(event.Sender) || !m.now.enough(m.now.unspoken()):
		return m.hidden(event, fmt.Sprintf("round %d lacks %v", m.number, m.names(m.now.unspoken())))
	}
	return m.close()
}

// CanSettle tells whether the round's quorum is there, and this party is part of it.
func (m *Machine) CanSettle() bool {
	spoken := m.self < 0 || m.counts(m.self)
	return !m.Done() && !m.closed && spoken && m.now.enough(m.now.unspoken())
}

// Settle is the effect by which this party closes the round for all, without the members that have not spoken, if it can.
// The core has no clock: that enough time has passed is for the shell to say.
func (m *Machine) Settle() (Effect, bool) {
	if m.self < 0 || !m.CanSettle() {
		return Effect{}, false
	}
	slot := m.slot(m.self, schema.All, schema.HeadPart)
	slot.Round++
	head := schema.Head{Seen: m.now.seen, Kind: schema.Settles}
	return Effect{Op: Append, Slot: slot, Data: schema.SealHead(slot, head, m.identity.sign), Loose: true}, true
}

// close decides on the heads of the round: nobody who has not spoken is waited for.
func (m *Machine) close() error {
	m.closed = true
	return m.advance()
}

// broke blames the sender of a head. A party does not blame itself.
func (m *Machine) broke(event schema.Event, err error) error {
	if event.Sender == m.self {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	return &Blame{Party: event.Slot.From, Slot: event.Slot, Err: err}
}
