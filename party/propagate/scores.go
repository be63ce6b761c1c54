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
	step     int
	own      *modular.Vector   // the scores of its own accounts
	received []*modular.Vector // by member; nil for itself
}

func (a *agreement) iterations() int { return len(a.Manifest.Delta) }

// update folds the scores of one step into those of the next: one multi-exponentiation an account.
func (a *agreement) update(e *encrypted) *modular.Vector {
	all := []*modular.Vector{e.own}
	for member, v := range e.received {
		if member != a.self {
			all = append(all, v)
		}
	}
	delta := a.Manifest.Delta[e.step%a.iterations()]
	sums := a.flows[e.step/a.iterations()].sums(delta, int(a.Manifest.WeightBits))
	return modular.Concat(all...).MultiExp(sums)
}

// current are the encrypted scores of this step. The first ones carry no randomness: they go to nobody as they are.
func (r *scores) current() *modular.Vector {
	if r.previous != nil {
		return r.update(r.previous)
	}
	initial := make([]*big.Int, r.accounts())
	for i, account := range r.Ledger.Accounts {
		initial[i] = fixed.Score(account.Score, int(r.Manifest.ScoreBits))
	}
	return r.Key.Embed(initial)
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
		current := r.current()
		if !r.yieldVector(r.self, current, yield) {
			return
		}
		send := r.flows[r.period()].send
		sources := slices.Concat(send...)
		slices.Sort(sources)
		sources = slices.Compact(sources) // an account that goes to several members is randomised once
		randomized := r.rerandomize(s, current.Select(sources))
		for to, accounts := range send {
			positions := make([]int, len(accounts))
			for k, account := range accounts {
				positions[k], _ = slices.BinarySearch(sources, account)
			}
			if !r.yieldVector(to, randomized.Select(positions), yield) {
				return
			}
		}
	}
}

func (r *scores) Check(_ party.Message, data []byte) error { return r.checkCiphertexts(data) }

func (r *scores) Next(in party.Inbox) (party.Round, error) {
	var kept *encrypted
	if in.Self >= 0 {
		kept = &encrypted{step: r.step, received: make([]*modular.Vector, r.n)}
		for member, data := range in.Private {
			v, err := r.decode(data)
			if err != nil {
				return nil, err
			}
			if member == r.self {
				kept.own = v
			} else {
				kept.received[member] = v
			}
		}
	}
	if r.step+1 < r.scale.Steps {
		return &scores{agreement: r.agreement, step: r.step + 1, previous: kept}, nil
	}
	return &final{agreement: r.agreement, previous: kept}, nil
}
