package party

import (
	"errors"
	"fmt"

	"riskprop/schema"
)

// advance goes to the next round once every part that this party can read is there.
func (m *Machine) advance() error {
	if len(m.missing) > 0 {
		return nil
	}
	inbox, err := m.inbox()
	if err != nil {
		return err
	}
	next, err := m.round.Next(inbox)
	var fault *Fault
	if errors.As(err, &fault) {
		to := Everybody
		if fault.Private {
			to = m.self
		}
		return m.blame(Message{From: fault.Member, To: to}, fault.Err)
	}
	if err != nil {
		return fmt.Errorf("round %d (%s): %w", m.number, m.plan.Name, err)
	}
	seen := m.now.after(m.number)
	m.gone |= m.now.unspoken() | m.left
	m.oldest, m.number = m.number, m.number+m.now.length()
	if m.now.quorum == 0 {
		m.oldest = m.number // all have spoken in the round before
	}
	m.enter(next, seen)
	if m.now.quorum > 0 && !m.now.enough(m.gone) {
		return m.words[len(m.words)-1] // they were enough for the round before, and then one of them left
	}
	return m.closeIfSpoken()
}

// enter begins a round.
func (m *Machine) enter(round Round, seen [32]byte) {
	m.round, m.plan = round, round.Plan()
	m.now = roll{seen: seen, quorum: m.plan.Quorum, heads: make([]statement, m.session.Roster.Len())}
	m.closed, m.arrivals, m.missing, m.said, m.intake = false, nil, make(map[schema.Slot]int), nil, nil
}

// inbox joins the parts of every readable message and checks it.
func (m *Machine) inbox() (Inbox, error) {
	members := m.session.Roster.Len()
	inbox := Inbox{Self: m.self, Seen: m.now.seen, Absent: m.now.unspoken(), Left: m.words, Broadcast: make([][]byte, members), Private: make([][]byte, members)}
	if inbox.Collected = m.collector(); inbox.Collected != nil {
		return inbox, m.countAll()
	}
	var differences []string
	for i, message := range m.plan.Messages {
		if !m.readable(message) || !m.counts(message.From) {
			continue
		}
		data, err := m.join(i, message)
		if err != nil {
			return Inbox{}, err
		}
		err = m.round.Check(message, data)
		var one *schema.Disagreement
		switch {
		case errors.As(err, &one) && message.From != m.self:
			differences = append(differences, one.Differences...) // all members are named, not only the first
		case err != nil:
			return Inbox{}, m.blame(message, err)
		}
		if message.To == Everybody {
			inbox.Broadcast[message.From] = data
		} else {
			inbox.Private[message.From] = data
		}
	}
	if differences != nil {
		return Inbox{}, &schema.Disagreement{Differences: differences}
	}
	return inbox, nil
}

// countAll sees whether the parts of every readable message follow one another, and are as many elements as are planned.
func (m *Machine) countAll() error {
	for i, message := range m.plan.Messages {
		if m.readable(message) && m.counts(message.From) {
			if _, err := m.count(i, message); err != nil {
				return err
			}
		}
	}
	return nil
}

// count returns the number of elements in the parts of message i, which must follow one another, and compares it with the plan.
func (m *Machine) count(i int, message Message) (total int, err error) {
	for _, a := range m.arrivals {
		if a.message != i {
			continue
		}
		if err := a.batch.Follows(total); err != nil {
			return 0, m.blame(message, err)
		}
		total += a.count
	}
	if total < message.Min || total > message.Max {
		return 0, m.blame(message, fmt.Errorf("%d elements, %d to %d are due", total, message.Min, message.Max))
	}
	return total, nil
}

// join puts the parts of message i together.
func (m *Machine) join(i int, message Message) ([]byte, error) {
	total, err := m.count(i, message)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, total*message.Width)
	for _, a := range m.arrivals {
		if a.message == i {
			data = append(data, a.batch.Data...)
		}
	}
	return data, nil
}

// blame makes a Blame of an error about a message. A disagreement is nobody's fault and stays what it is. A party does
// not blame itself: what it said earlier does not fit what it brings now.
func (m *Machine) blame(message Message, err error) error {
	if message.From == m.self {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	if errors.Is(err, schema.ErrDisagree) {
		return err
	}
	if errors.Is(err, schema.ErrUntrusted) {
		err = errors.New(err.Error()) // what a member has signed is no noise
	}
	return &Blame{
		Party:   m.session.Roster.Member(message.From).Name,
		Slot:    m.slot(message.From, recipient(m.session.Roster, message.To), schema.HeadPart),
		Private: message.To != Everybody,
		Err:     err,
	}
}
