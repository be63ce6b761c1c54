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
// spoken: it fails with the first one that has not.
func (r *roll) after(number int, absent uint32) (seen [32]byte, missing int) {
	digests := make([][32]byte, len(r.heads))
	for i := range r.heads {
		if absent>>i&1 == 1 {
			continue // a zero digest
		}
		if r.heads[i].head == nil {
			return [32]byte{}, i
		}
		digests[i] = r.heads[i].digest
	}
	return schema.NextSeen(r.seen, number, digests), -1
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
	if !last.enough(absent) {
		return m.broke(event, fmt.Errorf("it went on in round %d without members that are needed", number))
	}
	expected, missing := last.after(number, absent)
	if missing >= 0 {
		return m.hidden(event, fmt.Sprintf("%s has not spoken in round %d", m.session.Roster.Member(missing).Name, number))
	}
	if event.Head.Seen != expected {
		return m.otherHistory(event, expected)
	}
	return nil
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

// signsHistory verifies the history that a head of the current round signs. After a round with a quorum it may be that
// of a party that went on without other members than we did.
func (m *Machine) signsHistory(event schema.Event) error {
	if m.number > 0 && (event.Head.Absent != m.absent || event.Head.Absent != 0) {
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

// tardy keeps the head of a member that we went on without: others may count it. It is nothing to us if it is not as it must be: what we have
// does not depend on it. Those to whom it matters will say so.
func (m *Machine) tardy(event schema.Event, round *roll, plan Plan) error {
	_, err := m.checkRefs(plan, event)
	if round.heads[event.Sender].head != nil || event.Head.Seen != round.seen || event.Head.Absent != 0 || err != nil {
		return ErrStale
	}
	round.heads[event.Sender] = newStatement(event)
	return nil
}

// leave is another member's last word. It ends the session, except around a round with a quorum while enough are left: the
// others have, or will have, what they need, and learn of it from the inbox.
func (m *Machine) leave(event schema.Event) error {
	word := aborted(event)
	if m.now.quorum == 0 || event.Sender == m.self {
		return word
	}
	if m.left>>event.Sender&1 == 1 {
		return ErrStale
	}
	m.left |= 1 << event.Sender
	m.words = append(m.words, word)
	if m.foreseen == nil && !m.now.enough(m.now.unspoken()&m.left) {
		return word
	}
	if m.closed {
		return nil
	}
	return m.closeIfSpoken()
}

// Foresight tells the shell to look for this party's own next head before it folds on, and hand it to Foresee: the party has
// come to a round that a quorum can complete. If it went on from here in an earlier life, that head says without whom, and
// nothing of what those have said since may count.
func (m *Machine) Foresight() (schema.Slot, bool) {
	if m.self < 0 || m.Done() || m.foresaw || m.now.quorum == 0 || m.before.quorum > 0 {
		return schema.Slot{}, false
	}
	slot := m.slot(m.self, schema.All, schema.HeadPart)
	slot.Round++
	return slot, true
}

// Foresee takes what the log holds in the slot of Foresight, or nil.
func (m *Machine) Foresee(raw []byte) {
	slot, due := m.Foresight()
	if !due {
		return
	}
	m.foresaw = true
	event, err := schema.Open(slot.Subject(), raw, m.session.Roster)
	if err == nil && event.Head.Abort == nil {
		m.foreseen = event.Head
	}
}

// isForeseen tells whether this party went on without a member in an earlier life.
func (m *Machine) isForeseen(member int) bool {
	return m.foreseen != nil && m.foreseen.Absent>>member&1 == 1
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
