package party

import (
	"fmt"
	"iter"

	"riskprop/schema"
)

// Round is one step of a protocol, the same for all members. Its methods do not change it.
type Round interface {
	// Plan says who speaks to whom in this round. Every member signs a head, also one without a message.
	Plan() Plan
	// Speak yields what this party says, in drafts of any size: the elements of one message are yielded in order.
	Speak(*Secrets) iter.Seq2[Draft, error]
	// Check looks at one whole message; an error is the sender's fault. Size and width are already those of the plan.
	Check(Message, []byte) error
	// Next makes the following round of the messages that this party can read. It computes only what the next plan
	// depends on. Its errors are nobody's fault, or a Blame.
	Next(Inbox) (Round, error)
}

// Collector takes over the elements of the messages of a round that this party can read, part by part as they come: where they are
// large they are not kept until the round is complete. What it has is of use only when all are there, and Next gets it with its Inbox. An element can be added more than once, also with another value where its sender has broken the rules: the last one counts.
type Collector interface {
	// Add takes elements of a message, from the one numbered first on; they are within the plan. An error is the sender's fault.
	Add(message Message, first int, data []byte) error
}

// Spent is a Round that holds something for Speak alone.
type Spent interface {
	Round
	// Spoken returns the round without what Speak needs. It is asked when what this party has said is on the log: Speak is not
	// called any more.
	Spoken() Round
}

// Plan is what a round is made of. A member without which a quorum went on is not heard any more: what is planned from it in later
// rounds does not come.
type Plan struct {
	Name     string
	Final    bool // the session has ended: nobody speaks any more, and the round holds the result
	Quorum   int  // so many members are enough, if one of them settles the round; 0: all are needed
	Messages []Message
	Collect  func() Collector // makes an empty one, which gets all messages; Check is not asked about them then. Nil: they are kept
}

// Message is what one member says to another, or to all, in a round: a list of elements of one width.
type Message struct {
	From, To int // indices in the roster; To may be Everybody
	Width    int // bytes of an element
	Min, Max int // number of elements
}

// Everybody is the recipient of a broadcast.
const Everybody = -1

// Draft is a piece of the message to one recipient: any number of whole elements.
type Draft struct {
	To   int
	Data []byte
}

// Inbox holds the messages of a round that a party can read, by sender.
type Inbox struct {
	Self      int        // index of this party, or -1 for an auditor
	Seen      [32]byte   // the transcript before the round
	Absent    uint32     // bit i is set for a member without which the round was completed: it has no message
	Left      []*Aborted // the last words of members who have ended the session, which could do without them
	Broadcast [][]byte   // to everybody
	Private   [][]byte   // to this party, its own to itself included
	Collected Collector  // where the plan says to collect: all messages, in place of the two before
}

// EachToEach plans the same kind of message from every one of the first speakers to every member.
func EachToEach(members, speakers, width, count int) []Message {
	var messages []Message
	for from := range speakers {
		for to := range members {
			messages = append(messages, Message{from, to, width, count, count})
		}
	}
	return messages
}

// EachToAll plans the same kind of broadcast from every member.
func EachToAll(members, width, count int) []Message {
	messages := make([]Message, members)
	for from := range messages {
		messages[from] = Message{from, Everybody, width, count, count}
	}
	return messages
}

// recipient is the token of a message's recipient.
func recipient(roster *schema.Roster, to int) string {
	if to == Everybody {
		return schema.All
	}
	return roster.Member(to).Name
}

// checkRefs compares what a head announces with the plan: neither a message that was not planned nor one of another
// size. It tells whether the trouble is with a message to this party, of which the others may know less.
func (m *Machine) checkRefs(event schema.Event) (private bool, err error) {
	planned := 0
	for _, message := range m.plan.Messages {
		if message.From != event.Sender {
			continue
		}
		to := recipient(m.session.Roster, message.To)
		parts := len(event.Head.For(to))
		low, high := schema.Parts(message.Min, message.Width), schema.Parts(message.Max, message.Width)
		if parts < low || parts > high {
			return message.To != Everybody && message.To == m.self, fmt.Errorf("%d parts for %s, %d to %d are due", parts, to, low, high)
		}
		planned += parts
	}
	if planned != len(event.Head.Parts) {
		return false, fmt.Errorf("%d parts for recipients to whom it has nothing to say", len(event.Head.Parts)-planned)
	}
	return false, nil
}

// Ended is the part of a final round that all protocols have in common: nobody speaks any more.
type Ended struct{}

// Plan says that the session has ended.
func (Ended) Plan() Plan { return Plan{Name: "done", Final: true} }

// Speak says nothing.
func (Ended) Speak(*Secrets) iter.Seq2[Draft, error] { return func(func(Draft, error) bool) {} }

// Check panics: no machine asks it after the end.
func (Ended) Check(Message, []byte) error { panic("party: the session has ended") }

// Next panics: no machine asks it after the end.
func (Ended) Next(Inbox) (Round, error) { panic("party: the session has ended") }
