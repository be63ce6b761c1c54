package propagate

import (
	"riskprop/crypto/modular"
	"riskprop/party"
)

// outgoing holds those of the party's own scores that others need, while a round is being said: as they are, and re-randomised where
// several members get the same.
type outgoing struct {
	*setup
	place   []int32 // by account: position in plain, or -1: nobody needs it
	several []int32 // by position in plain: position in done, -1: it is not there yet, -2: one member alone needs it
	plain   *modular.Buffer
	done    *modular.Buffer
}

// newOutgoing makes room for what send lists by member.
func newOutgoing(s *setup, send [][]int) *outgoing {
	o := &outgoing{setup: s, place: make([]int32, s.accounts())}
	for _, accounts := range send {
		for _, account := range accounts {
			o.place[account]++
		}
	}
	shared := 0
	for account, asked := range o.place {
		o.place[account] = -1
		if asked == 0 {
			continue
		}
		o.place[account] = int32(len(o.several))
		if asked > 1 {
			shared++
			o.several = append(o.several, -1)
		} else {
			o.several = append(o.several, -2)
		}
	}
	o.plain, o.done = s.Key.Ring().Buffer(len(o.several)), s.Key.Ring().Buffer(shared)
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
	o.plain.Append(scores.Select(needed))
}

// fresh returns the re-randomised ciphertexts of accounts. An account that several members need is randomised once.
func (o *outgoing) fresh(s *party.Secrets, accounts []int) *modular.Vector {
	var missing, positions []int // of those to be randomised now: the account, and its position in plain
	for _, account := range accounts {
		if at := o.place[account]; o.several[at] < 0 {
			missing, positions = append(missing, account), append(positions, int(at))
		}
	}
	made := o.rerandomize(s, o.plain.Vector().Select(positions), func(i int) int { return missing[i] })
	out := o.Key.Ring().Buffer(len(accounts))
	next := 0 // in made
	for _, account := range accounts {
		at := o.place[account]
		if o.several[at] >= 0 {
			k := int(o.several[at])
			out.Append(o.done.Vector().Slice(k, k+1))
			continue
		}
		one := made.Slice(next, next+1)
		next++
		out.Append(one)
		if o.several[at] == -1 {
			o.several[at] = int32(o.done.Len())
			o.done.Append(one)
		}
	}
	return out.Vector()
}
