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
	digests := make([][32]byte, len(m.heads))
	for i := range m.heads {
		digests[i] = m.heads[i].digest
	}
	m.seen = schema.NextSeen(m.seen, m.number, digests)
	m.round, m.plan = next, next.Plan()
	m.number++
	m.heads = make([]statement, len(digests))
	m.arrivals, m.missing = nil, nil
	return nil
}

// inbox joins the parts of every readable message and checks it.
func (m *Machine) inbox() (Inbox, error) {
	members := m.session.Roster.Len()
	inbox := Inbox{Self: m.self, Seen: m.seen, Broadcast: make([][]byte, members), Private: make([][]byte, members)}
	for i, message := range m.plan.Messages {
		if !m.readable(message) {
			continue
		}
		data, err := m.join(i, message)
		if err != nil {
			return Inbox{}, err
		}
		if err := m.round.Check(message, data); err != nil {
			return Inbox{}, m.blame(message, err)
		}
		if message.To == Everybody {
			inbox.Broadcast[message.From] = data
		} else {
			inbox.Private[message.From] = data
		}
	}
	return inbox, nil
}

// join puts the parts of message i together and compares its length with the plan.
func (m *Machine) join(i int, message Message) ([]byte, error) {
	var data []byte
	for _, a := range m.arrivals {
		if a.message != i {
			continue
		}
		var err error
		if data, err = schema.Join(data, *a.batch, message.Width); err != nil {
			return nil, m.blame(message, err)
		}
	}
	if count := len(data) / message.Width; count < message.Min || count > message.Max {
		return nil, m.blame(message, fmt.Errorf("%d elements, %d to %d are due", count, message.Min, message.Max))
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
