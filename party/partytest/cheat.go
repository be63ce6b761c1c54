package partytest

import (
	"iter"

	"riskprop/party"
)

// Cheat lets a party follow the protocol, but for what it says: alter is shown every draft, with the name of its
// round, and returns what is said in its place; nil data say nothing. The result is sealed and signed as if it were
// honest, so it is for the others to find out.
func Cheat(first party.Round, alter func(round string, draft party.Draft) party.Draft) party.Round {
	return &cheat{first, alter}
}

type cheat struct {
	party.Round
	alter func(string, party.Draft) party.Draft
}

// Plan gives the cheat's messages any length up to twice what is due, so that its own machine lets them pass.
func (c *cheat) Plan() party.Plan {
	plan := c.Round.Plan()
	messages := make([]party.Message, len(plan.Messages))
	for i, message := range plan.Messages {
		message.Min, message.Max = 0, 2*message.Max+1
		messages[i] = message
	}
	plan.Messages = messages
	return plan
}

// Speak alters what the round says.
func (c *cheat) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	name := c.Round.Plan().Name
	return func(yield func(party.Draft, error) bool) {
		for draft, err := range c.Round.Speak(s) {
			if err == nil {
				draft = c.alter(name, draft)
			}
			if !yield(draft, err) {
				return
			}
		}
	}
}

// Next goes on cheating. The unaltered final round is needed for its result.
func (c *cheat) Next(in party.Inbox) (party.Round, error) {
	next, err := c.Round.Next(in)
	if err != nil || next.Plan().Final {
		return next, err
	}
	return &cheat{next, c.alter}, nil
}
