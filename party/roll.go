package party

import (
	"crypto/sha256"
	"errors"
	"fmt"
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
	needed := len(r.heads)
	if r.quorum > 0 {
		needed = r.quorum
	}
	present := 0
	for i := range r.heads {
		present += int(1 - absent>>i&1)
	}
	return present >= needed
}

// after is the transcript after the round, for a party that went on without the members in a set. All others must have
// spoken, and they must be enough.
func (r *roll) after(number int, absent uint32) ([32]byte, error) {
	if !r.enough(absent) {
		return [32]byte{}, fmt.Errorf("it went on in round %d without members that are needed", number)
	}
	digests := make([][32]byte, len(r.heads))
	for i := range r.heads {
		if absent>>i&1 == 1 {
			continue // a zero digest
		}
		if r.heads[i].head == nil {
			return [32]byte{}, fmt.Errorf("it counts a head of round %d that is not there", number)
		}
		digests[i] = r.heads[i].digest
	}
	return schema.NextSeen(r.seen, number, digests), nil
}

func (r *roll) clone() roll {
	copied := *r
	copied.heads = slices.Clone(r.heads)
	return copied
}

// follows verifies that a head signs the history that we know up to the given round, whichever members its sender
// found absent in it.
func (m *Machine) follows(event schema.Event, last *roll, number int) error {
	absent := event.Head.Absent
	if absent>>event.Sender&1 == 1 {
		return m.broke(event, errors.New("it counts itself as absent"))
	}
	expected, err := last.after(number, absent)
	if err != nil {
		return m.broke(event, err)
	}
	if event.Head.Seen != expected {
		return m.otherHistory(event, expected)
	}
	return nil
}

// signsHistory verifies the history that a head of the current round signs. After a round with a quorum it may be that
// of a party that went on without other members than we did.
func (m *Machine) signsHistory(event schema.Event) error {
	if m.number > 0 && event.Head.Absent != m.absent {
		return m.follows(event, &m.before, m.number-1)
	}
	if m.number == 0 && event.Head.Absent != 0 {
		return m.broke(event, errors.New("it counts members as absent before the first round"))
	}
	if event.Head.Seen != m.now.seen {
		return m.otherHistory(event, m.now.seen)
	}
	return nil
}

// late takes note of a member that speaks in a round which a quorum completed without it: others may count it.
func (m *Machine) late(event schema.Event) error {
	if m.before.heads[event.Sender].head != nil {
		return ErrStale
	}
	if event.Head.Seen != m.before.seen {
		return m.otherHistory(event, m.before.seen)
	}
	m.before.heads[event.Sender] = newStatement(event)
	return nil
}

// early keeps the head of a member that went on with a quorum while we still wait for the rest. If it is our own, of an
// earlier life, we go on as we did then.
func (m *Machine) early(event schema.Event) error {
	if m.ahead[event.Sender].head != nil {
		return ErrStale
	}
	if len(event.Head.Parts) > 0 {
		return m.broke(event, fmt.Errorf("%d parts after a round with a quorum, where nothing is said", len(event.Head.Parts)))
	}
	if err := m.follows(event, &m.now, m.number); err != nil {
		return err
	}
	m.ahead[event.Sender] = newStatement(event)
	if event.Sender == m.self {
		return m.close(event.Head.Absent)
	}
	return nil
}

// Settle goes on without the members that have not spoken, if the round's quorum is there and this party is part of it.
// It tells whether it did. The core has no clock: that enough time has passed is for the shell to say.
func (m *Machine) Settle() (bool, error) {
	if !m.CanSettle() {
		return false, nil
	}
	trial := m.clone()
	if err := trial.close(trial.now.unspoken()); err != nil {
		return false, err
	}
	*m = *trial
	return true, nil
}

// CanSettle tells whether Settle would go on.
func (m *Machine) CanSettle() bool {
	spoken := m.self < 0 || m.now.heads[m.self].head != nil
	return !m.Done() && !m.closed && m.now.quorum > 0 && spoken && m.now.enough(m.now.unspoken())
}

// close decides on the heads of the round: nobody who is absent now is waited for.
func (m *Machine) close(absent uint32) error {
	m.closed, m.gone = true, absent
	m.arrivals = m.expectedParts()
	m.missing = make(map[schema.Slot]int, len(m.arrivals))
	for i, a := range m.arrivals {
		m.missing[a.slot] = i
	}
	return m.advance()
}

// broke blames the sender of a head. A party does not blame itself.
func (m *Machine) broke(event schema.Event, err error) error {
	if event.Sender == m.self {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	return &Blame{Party: event.Slot.From, Slot: event.Slot, Err: err}
}
