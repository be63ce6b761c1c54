package propagate

import (
	"riskprop/crypto/modular"
	"riskprop/party"
)

// outgoing holds those of the party's own scores that others need, while a round is being said.
type outgoing struct {
	*setup
	place  []int32 // by account: position in scores, or -1: nobody needs it
	state  []state // by position
	scores *modular.Buffer
}

// state tells what is to be done with a score that goes out.
type state uint8

const (
	once   state = iota // one member needs it: it is re-randomised when it goes
	shared              // several members need it, and get the same: it is kept as it went first
	made                // this has happened
)

// newOutgoing makes room for what send lists by member.
func newOutgoing(s *setup, send [][]int) *outgoing {
	o := &outgoing{setup: s, place: make([]int32, s.accounts())}
	for _, accounts := range send {
		for _, account := range accounts {
			o.place[account]++
		}
	}
	for account, asked := range o.place {
		o.place[account] = -1
		switch {
		case asked == 1:
			o.place[account], o.state = int32(len(o.state)), append(o.state, once)
		case asked > 1:
			o.place[account], o.state = int32(len(o.state)), append(o.state, shared)
		}
	}
	o.scores = s.Key.Ring().Buffer(len(o.state))
	return o
}

// add takes what others need of the scores of accounts from, from+1, …, which follow those that were added before.
func (o *outgoing) add(from int, scores *modular.Vector) {
	var needed []int
	for i := range scores.Len() {
		if o.place[from+i] >= 0 {
			needed = append(needed, i)
		}
	}
	o.scores.Append(scores.Select(needed))
}

// fresh returns the re-randomised ciphertexts of accounts. An account that several members need is randomised once.
func (o *outgoing) fresh(s *party.Secrets, accounts []int) *modular.Vector {
	positions := make([]int, len(accounts))
	var plain, where []int // what is to be randomised now: positions, and indices in accounts
	for i, account := range accounts {
		positions[i] = int(o.place[account])
		if o.state[positions[i]] != made {
			plain, where = append(plain, positions[i]), append(where, i)
		}
	}
	out := o.Key.Ring().Buffer(len(accounts))
	out.Append(o.scores.Vector().Select(positions))
	fresh := o.rerandomize(s, o.scores.Vector().Select(plain), func(k int) int { return accounts[where[k]] })
	for k, at := range plain {
		one := fresh.Slice(k, k+1)
		out.Put(where[k], one)
		if o.state[at] == shared {
			o.scores.Put(at, one)
			o.state[at] = made
		}
	}
	return out.Vector()
}
