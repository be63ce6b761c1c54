package propagate

import (
	"fmt"
	"iter"

	"riskprop/crypto/modular"
	"riskprop/party"
)

// open: protocol.md section 2, step 4; [TNO19]. Every party decrypts its own packed scores partially, and its blocks of
// everybody else's, and seals the result for the owner. Where members have gone, the round is repeated among the rest, who
// stand in for them, until every block is made.
type open struct {
	*opening
	again int                 // how often the round has been repeated
	own   *modular.Vector     // this party's partial decryptions of its own scores; nil: it was gone
	got   [][]*modular.Vector // partial decryptions of them by others: by block and member
}

func (r *open) Plan() party.Plan {
	plan := party.Plan{Name: "open", Quorum: r.Key.Threshold + 1}
	if r.again > 0 {
		plan.Name = fmt.Sprintf("stand-in.%d", r.again)
	}
	for from := range r.n {
		for owner := range r.n {
			count := r.count(owner, r.blocks(owner, from))
			if from == owner && r.again == 0 {
				count = r.packed[owner].Len()
			}
			plan.Messages = append(plan.Messages, party.Message{From: from, To: owner, Width: r.width(), Min: count, Max: count})
		}
	}
	return plan
}

// share are the ciphertexts of an owner that this party decrypts partially in this round.
func (r *open) share(owner int) *modular.Vector {
	if owner == r.self && r.again == 0 {
		return r.packed[owner]
	}
	return r.inBlocks(owner, r.blocks(owner, r.self))
}

func (r *open) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		for owner := range r.n {
			v := r.share(owner)
			partial := func(from, to int) *modular.Vector { return r.Key.PartialDecrypt(r.Share, v.Slice(from, to)) }
			if !r.speakParts(s, owner, v.Len(), partial, yield) {
				return
			}
		}
	}
}

// Check leaves the partial decryptions to Next, which has to decode them anyway.
func (r *open) Check(party.Message, []byte) error { return nil }

func (r *open) Next(in party.Inbox) (party.Round, error) {
	own, got := r.own, r.got
	if in.Self >= 0 {
		partials, err := r.receive(in.Private, true, in.Absent)
		if err != nil {
			return nil, err
		}
		if r.again == 0 {
			own = partials[r.self]
		}
		got = r.keep(partials)
	}
	opening := r.after(in.Absent)
	if !opening.complete() {
		return &open{opening, r.again + 1, own, got}, nil
	}
	return &check{opening, own, got}, nil
}

// keep sorts what this party has received in the round into its blocks.
func (r *open) keep(partials []*modular.Vector) [][]*modular.Vector {
	got := make([][]*modular.Vector, r.n-1)
	for b := range got {
		got[b] = make([]*modular.Vector, r.n)
		if r.got != nil {
			copy(got[b], r.got[b])
		}
	}
	for member, v := range partials {
		if member == r.self || v == nil {
			continue
		}
		at := 0
		for _, b := range r.blocks(r.self, member) {
			from, to := r.block(r.self, b)
			got[b][member] = v.Slice(at, at+to-from)
			at += to - from
		}
	}
	return got
}
