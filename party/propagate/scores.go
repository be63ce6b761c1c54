package propagate

import (
	"fmt"
	"iter"
	"math/big"

	"riskprop/crypto/fixed"
	"riskprop/crypto/modular"
	"riskprop/party"
	"riskprop/schema"
)

// scores: protocol.md section 2, step 2, once for every period and iteration. A party computes its encrypted scores
// of this step, keeps them as a message to itself, and sends to every other the re-randomised ciphertexts of the
// source accounts that it needs, in the agreed order.
type scores struct {
	*agreement
	step     int        // from 0; period = step / iterations
	previous *encrypted // nil before the first update, and once this party has spoken
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
	agreed, period := r.agreement, r.period() // the plan outlives what Spoken drops
	plan.Collect = func() party.Collector { return newIntake(agreed.setup, agreed.flows[period].receive) }
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
		send := r.flows[r.period()].send
		out := newOutgoing(r.setup, send)
		more, err := r.speakOwn(s, out, yield)
		if err != nil {
			yield(party.Draft{}, err)
		}
		if !more || err != nil {
			return
		}
		for to, accounts := range send {
			selected := func(from, to int) *modular.Vector { return out.fresh(s, accounts[from:to]) }
			if !r.speakParts(s, to, len(accounts), selected, yield) {
				return
			}
		}
	}
}

// speakOwn computes the scores of this step and says them to the party itself; those that others need go out as well. What it has
// said before is read back. It tells whether the machine wants more.
func (r *scores) speakOwn(s *party.Secrets, out *outgoing, yield func(party.Draft, error) bool) (bool, error) {
	compute, width, said := r.current(), r.width(), s.Said(r.self)
	for at, step := 0, schema.PerPart(width)*width; at < len(said); at += step {
		piece, err := r.decode(said[at:min(at+step, len(said))])
		if err != nil {
			return false, err
		}
		out.add(at/width, piece)
	}
	more := r.speakParts(s, r.self, r.accounts(), func(from, to int) *modular.Vector {
		piece := compute(from, to)
		out.add(from, piece)
		return piece
	}, yield)
	return more, nil
}

// Spoken drops the scores of the step before.
func (r *scores) Spoken() party.Round { return &scores{agreement: r.agreement, step: r.step} }

// Check is not asked: the plan says to collect.
func (r *scores) Check(party.Message, []byte) error { panic("propagate: the messages were collected") }

func (r *scores) Next(in party.Inbox) (party.Round, error) {
	var kept *encrypted
	if in.Self >= 0 {
		sources, err := in.Collected.(*intake).checked()
		if err != nil {
			return nil, err
		}
		kept = &encrypted{step: r.step, sources: sources}
	}
	if r.step+1 < r.scale.Steps {
		return &scores{agreement: r.agreement, step: r.step + 1, previous: kept}, nil
	}
	return &final{agreement: r.agreement, previous: kept}, nil
}
