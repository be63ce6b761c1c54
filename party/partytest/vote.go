package partytest

import (
	"iter"

	"riskprop/party"
)

// Vote is a small protocol of three members with a quorum: everybody broadcasts a word, two words are enough, and
// everybody confirms.
type Vote struct {
	step  int
	Heard []party.Inbox // of every round so far
}

// Plan asks for a word, then for a head, then ends.
func (r *Vote) Plan() party.Plan {
	switch r.step {
	case 0:
		return party.Plan{Name: "vote", Quorum: 2, Messages: party.EachToAll(3, 4, 1)}
	case 1:
		return party.Plan{Name: "confirm", Quorum: 1}
	}
	return party.Ended{}.Plan()
}

// Speak says a word of four bytes.
func (r *Vote) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		if r.step == 0 {
			yield(party.Draft{To: party.Everybody, Data: []byte{byte(s.Self()), 0, 0, 0}}, nil)
		}
	}
}

// Check accepts every word.
func (r *Vote) Check(party.Message, []byte) error { return nil }

// Next keeps what was heard.
func (r *Vote) Next(in party.Inbox) (party.Round, error) {
	return &Vote{r.step + 1, append(append([]party.Inbox{}, r.Heard...), in)}, nil
}
