package party

import (
	"fmt"
	"maps"
	"slices"

	"riskprop/crypto/seal"
	"riskprop/schema"
)

// Session is the public frame of a machine.
type Session struct {
	Proto  string // schema.Keygen or schema.Propagate
	ID     string
	Roster *schema.Roster
}

// Machine folds the log of one session. It is not safe for concurrent use.
type Machine struct {
	session  Session
	identity *Identity // nil for an auditor, who reads and speaks nothing
	self     int       // index in the roster, or -1
	pairs    []*seal.Pair
	input    [32]byte

	round  Round
	plan   Plan
	number int
	now    roll

	gone   uint32     // members that have no part in this round and those after it: a quorum went on without them. Bit i for member i
	left   uint32     // members that have ended the session where it could do without them
	words  []*Aborted // their last words, in the order of the log
	oldest int        // the lowest round in which a last word is still news: that before this one, where it had a quorum

	said     map[int][]byte      // what the log holds of this party's messages in this round, by recipient; see Recall
	closed   bool                // the heads of the round are complete, or enough
	arrivals []arrival           // parts to be fetched until then; in the order of the heads, by message of the plan, then by number
	missing  map[schema.Slot]int // those that are not there yet: index in arrivals
	intake   Collector           // what the plan says to collect, once there is something
}

// NewMachine starts at the first round of a session. The input is the digest of everything that the party brings
// (its data and its manifest): randomness depends on it. An identity of nil makes an auditor. The identity must be a
// member of the roster, with the same keys.
func NewMachine(session Session, identity *Identity, input [32]byte, first Round) (*Machine, error) {
	slot := schema.Slot{Session: session.ID, Proto: session.Proto, To: schema.All, From: session.Roster.Member(0).Name}
	if err := slot.Validate(); err != nil {
		return nil, err
	}
	m := &Machine{session: session, identity: identity, self: -1, input: input}
	m.enter(first, schema.FirstSeen(session.Proto, session.ID, session.Roster))
	if identity == nil {
		return m, nil
	}
	self, ok := session.Roster.Index(identity.name)
	if !ok {
		return nil, fmt.Errorf("%s is no member of the consortium (%v)", identity.name, session.Roster.Names())
	}
	if session.Roster.Member(self) != identity.Public() {
		return nil, fmt.Errorf("the roster lists other keys for %s than its identity has", identity.name)
	}
	var err error
	m.self = self
	m.pairs, err = identity.pairs(session.Roster)
	return m, err
}

// Session is the frame of the machine's session.
func (m *Machine) Session() Session { return m.session }

// Self is the name of this party; an auditor has none.
func (m *Machine) Self() string {
	if m.identity == nil {
		return ""
	}
	return m.identity.name
}

// Round is the round that the machine is in; after the session the final one, which holds the result.
func (m *Machine) Round() Round { return m.round }

// Number is that of the current round, from 0. A round with a quorum takes two: the second one is for the word that settles it.
func (m *Machine) Number() int { return m.number }

// Name is the name of the current round.
func (m *Machine) Name() string { return m.plan.Name }

// Done tells whether the session has ended well.
func (m *Machine) Done() bool { return m.plan.Final }

// Waiting lists the members whose head of the current round is missing and awaited.
func (m *Machine) Waiting() []string {
	if m.Done() || m.closed {
		return nil
	}
	return m.names(m.now.unspoken() &^ (m.gone | m.left))
}

// Gone lists the members that have no part in the current round and those after it: a quorum went on without them. They can
// still read what is said to them.
func (m *Machine) Gone() []string { return m.names(m.gone) }

// Out tells whether the session goes on without this party, which went missing or has said its last word. It can still read.
func (m *Machine) Out() bool { return m.self >= 0 && has(m.gone|m.left, m.self) }

// names lists the members of a set in the roster's order.
func (m *Machine) names(set uint32) []string {
	var names []string
	for i, name := range m.session.Roster.Names() {
		if set>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}

// Complete tells whether the heads of the round are complete, or enough, so that parts must be fetched before the next
// event.
func (m *Machine) Complete() bool { return m.closed && !m.Done() }

// Filter matches the heads of the session: what the shell tails.
func (m *Machine) Filter() string { return schema.HeadFilter(m.session.ID, m.session.Proto) }

// Apply folds one event. It returns nil, [ErrStale], an error that wraps schema.ErrUntrusted (noise), or one that ends
// the session: [ErrSplit], a [Blame], an [Aborted], schema.ErrDisagree or an error of the round. On any error the
// state is as it was.
func (m *Machine) Apply(event schema.Event) error {
	if event.Slot.Session != m.session.ID || event.Slot.Proto != m.session.Proto || m.Done() {
		return ErrStale
	}
	if event.Head == nil {
		return m.applyPart(event)
	}
	trial := m.clone()
	if err := trial.applyHead(event); err != nil {
		return err
	}
	*m = *trial
	return nil
}

// clone copies what folding a head may change.
func (m *Machine) clone() *Machine {
	copied := *m
	copied.now, copied.words, copied.missing = m.now.clone(), slices.Clone(m.words), maps.Clone(m.missing)
	return &copied
}

func (m *Machine) applyHead(event schema.Event) error {
	head, round := event.Head, event.Slot.Round
	switch {
	case round < m.number && (head.Abort == nil || round < m.oldest):
		return ErrStale
	case head.Abort != nil && round <= m.number+m.now.length():
		return m.leave(event)
	case m.closed && (round > m.number || !m.counts(event.Sender)):
		panic("party: the parts of a complete round must be applied before the next head")
	case has(m.gone, event.Sender):
		return ErrStale
	case head.Kind == schema.Settles && round <= m.number+1:
		return m.settle(event)
	case round > m.number:
		return m.hidden(event, fmt.Sprintf("round %d is not complete", m.number))
	case m.counts(event.Sender):
		return ErrStale
	case head.Seen != m.now.seen:
		return m.otherHistory(event)
	}
	if private, err := m.checkRefs(event); err != nil {
		return &Blame{Party: event.Slot.From, Slot: event.Slot, Private: private, Err: err}
	}
	m.now.heads[event.Sender] = newStatement(event)
	m.expect(event.Sender)
	if spent, ok := m.round.(Spent); ok && event.Sender == m.self {
		m.round = spent.Spoken()
	}
	return m.closeIfSpoken()
}

// closeIfSpoken closes the round when nobody is awaited any more.
func (m *Machine) closeIfSpoken() error {
	if m.Done() || len(m.Waiting()) > 0 {
		return nil
	}
	return m.close()
}

// otherHistory words a head that signs another transcript than ours. In round 0 that can only be another roster.
func (m *Machine) otherHistory(event schema.Event) error {
	ours, theirs, where := m.now.seen, event.Head.Seen, fmt.Sprintf("round %d (%s)", m.number, m.plan.Name)
	switch {
	case event.Sender == m.self:
		return fmt.Errorf("%w: in %s it signed the history %x, now it is %x", ErrInput, where, theirs[:6], ours[:6])
	case event.Slot.Round == 0:
		return fmt.Errorf("%w: %s has another roster than this party", schema.ErrDisagree, event.Slot.From)
	}
	return fmt.Errorf("%w: in %s %s signs the history %x, ours is %x", ErrSplit, where, event.Slot.From, theirs[:6], ours[:6])
}

// readable tells whether this party can read a message.
func (m *Machine) readable(message Message) bool {
	return message.To == Everybody || message.To == m.self
}

func (m *Machine) slot(from int, to string, part schema.Part) schema.Slot {
	return schema.Slot{
		Session: m.session.ID, Proto: m.session.Proto, Round: m.number,
		To: to, From: m.session.Roster.Member(from).Name, Part: part,
	}
}

// has tells whether a member is in a set.
func has(set uint32, member int) bool { return set>>member&1 == 1 }

// counts tells whether a member has spoken in the round, so that its messages are part of it.
func (m *Machine) counts(member int) bool { return m.now.heads[member].head != nil }
