package partytest

import (
	"cmp"
	"iter"

	"riskprop/party"
)

// Vote is a small protocol with a quorum: everybody broadcasts a word, once or several times, some words are enough, and everybody
// confirms.
type Vote struct {
	Members int // 3 by default
	Quorum  int // 2 by default
	Before  int // rounds before the vote, in each of which everybody broadcasts a word and all are needed
	Again   int // rounds like the vote after it

	step  int
	Heard []party.Inbox // of every round so far
}

// Plan asks for the words that all are needed for, for the vote, then for a head, then ends.
func (r *Vote) Plan() party.Plan {
	members := cmp.Or(r.Members, 3)
	switch {
	case r.step < r.Before:
		return party.Plan{Name: "before", Messages: party.EachToAll(members, 4, 1)}
	case r.step <= r.Before+r.Again:
		return party.Plan{Name: "vote", Quorum: cmp.Or(r.Quorum, 2), Messages: party.EachToAll(members, 4, 1)}
	case r.step == r.Before+r.Again+1:
		return party.Plan{Name: "confirm", Quorum: 1}
	}
	return party.Ended{}.Plan()
}

// Speak says a word of four bytes.
func (r *Vote) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		if r.step <= r.Before+r.Again {
			yield(party.Draft{To: party.Everybody, Data: []byte{byte(s.Self()), 0, 0, 0}}, nil)
		}
	}
}

// Check accepts every word.
func (r *Vote) Check(party.Message, []byte) error { return nil }

// Next keeps what was heard.
func (r *Vote) Next(in party.Inbox) (party.Round, error) {
	next := *r
	next.step, next.Heard = r.step+1, append(append([]party.Inbox{}, r.Heard...), in)
	return &next, nil
}
