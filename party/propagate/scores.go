package propagate

import (
	"fmt"
	"iter"
	"math/big"
	"slices"

	"riskprop/crypto/fixed"
	"riskprop/crypto/modular"
	"riskprop/party"
)

// scores: protocol.md section 2, step 2, once for every period and iteration. A party computes its encrypted scores
// of this step, keeps them as a message to itself, and sends to every other the re-randomised ciphertexts of the
// source accounts that it needs, in the agreed order.
type scores struct {
	*agreement
	step     int        // from 0; period = step / iterations
	previous *encrypted // nil before the first update
}

// encrypted is what a party has at the end of a round of scores.
type encrypted struct {
	step    int
	sources *modular.Vector // the scores of its own accounts, then what each member has sent: numbered as in flows
}

func (a *agreement) iterations() int { return len(a.Manifest.Delta) }

// updates folds the scores of one step into those of the next, for a range of accounts: one multi-exponentiation each.
func (a *agreement) updates(e *encrypted) func(from, to int) *modular.Vector {
	delta := a.Manifest.Delta[e.step%a.iterations()]
	network := &a.flows[e.step/a.iterations()]
	return func(from, to int) *modular.Vector {
		return e.sources.MultiExp(network.sums(delta, int(a.Manifest.WeightBits), from, to))
	}
}

// current are the encrypted scores of this step for a range of accounts. The first ones carry no randomness: they go to
// nobody as they are.
func (r *scores) current() func(from, to int) *modular.Vector {
	if r.previous != nil {
		return r.updates(r.previous)
	}
	return func(from, to int) *modular.Vector {
		initial := make([]*big.Int, to-from)
		for i := range initial {
			initial[i] = fixed.Score(r.Ledger.Accounts[from+i].Score, int(r.Manifest.ScoreBits))
		}
		return r.Key.Embed(initial)
	}
}

func (r *scores) period() int { return r.step / r.iterations() }

func (r *scores) Plan() party.Plan {
	plan := party.Plan{Name: fmt.Sprintf("scores.%d.%d", r.period(), r.step%r.iterations())}
	for from := range r.n {
		for to := range r.n {
			low, high := r.due(from, to)
			plan.Messages = append(plan.Messages, party.Message{From: from, To: to, Width: r.width(), Min: low, Max: high})
		}
	}
	return plan
}

// due is the number of ciphertexts that one member sends to another, as far as this party knows.
func (r *scores) due(from, to int) (low, high int) {
	switch {
	case r.self < 0 || from != r.self && to != r.self:
		return 0, int(r.Manifest.MaxAccounts)
	case from == to:
		return r.accounts(), r.accounts()
	case from == r.self:
		count := len(r.flows[r.period()].send[to])
		return count, count
	}
	count := r.flows[r.period()].receive[from]
	return count, count
}

func (r *scores) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		current, more, err := r.speakOwn(s, yield)
		if err != nil {
			yield(party.Draft{}, err)
		}
		if !more || err != nil {
			return
		}
		fresh := r.randomized(s, current)
		for to, accounts := range r.flows[r.period()].send {
			selected := func(from, to int) *modular.Vector { return fresh(accounts[from:to]) }
			if !r.speakParts(s, to, len(accounts), selected, yield) {
				return
			}
		}
	}
}

// speakOwn computes the scores of this step and says them to the party itself. What it has said before is read back. It
// tells whether the machine wants more.
func (r *scores) speakOwn(s *party.Secrets, yield func(party.Draft, error) bool) (*modular.Vector, bool, error) {
	said, err := r.saidVector(s, r.self)
	if err != nil {
		return nil, false, err
	}
	own, compute := r.Key.Ring().Buffer(r.accounts()), r.current()
	own.Append(said)
	more := r.speakParts(s, r.self, r.accounts(), func(from, to int) *modular.Vector {
		piece := compute(from, to)
		own.Append(piece)
		return piece
	}, yield)
	return own.Vector(), more, nil
}

// randomized returns the re-randomised ciphertexts of accounts. An account that is asked for several times, for several
// members, is randomised once.
func (r *scores) randomized(s *party.Secrets, current *modular.Vector) func(accounts []int) *modular.Vector {
	done := r.Key.Ring().Buffer(r.accounts())
	position := make([]uint32, r.accounts()) // in done, from 1; 0: not there yet
	return func(accounts []int) *modular.Vector {
		var missing []int
		for _, account := range accounts {
			if position[account] == 0 {
				missing = append(missing, account)
				position[account] = uint32(done.Len() + len(missing))
			}
		}
		done.Append(r.rerandomize(s, current.Select(missing), func(i int) int { return missing[i] }))
		index := make([]int, len(accounts))
		for i, account := range accounts {
			index[i] = int(position[account]) - 1
		}
		return done.Vector().Select(index)
	}
}

// Check leaves the ciphertexts to Next, which has to decode them anyway.
func (r *scores) Check(party.Message, []byte) error { return nil }

func (r *scores) Next(in party.Inbox) (party.Round, error) {
	var kept *encrypted
	if in.Self >= 0 {
		received, err := r.receive(in.Private, true, 0)
		if err != nil {
			return nil, err
		}
		own := received[r.self]
		kept = &encrypted{step: r.step, sources: modular.Concat(append([]*modular.Vector{own}, slices.Delete(received, r.self, r.self+1)...)...)}
	}
	if r.step+1 < r.scale.Steps {
		return &scores{agreement: r.agreement, step: r.step + 1, previous: kept}, nil
	}
	return &final{agreement: r.agreement, previous: kept}, nil
}
