package propagate

import (
	"iter"

	"riskprop/crypto/modular"
	"riskprop/party"
)

// final: protocol.md section 2, step 3. Every party packs the final scores of its accounts, several into a ciphertext,
// and publishes them re-randomised: without ids, in its own order. It keeps a sealed copy: a party that is started again
// believes that, and not what somebody may have published in its name.
type final struct {
	*agreement
	previous *encrypted // nil for an auditor, and once this party has spoken
}

func (r *final) Plan() party.Plan {
	plan := party.Plan{Name: "final"}
	for from, count := range r.packedCounts {
		plan.Messages = append(plan.Messages,
			party.Message{From: from, To: from, Width: r.width(), Min: count, Max: count},
			party.Message{From: from, To: party.Everybody, Width: r.width(), Min: count, Max: count})
	}
	return plan
}

func (r *final) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		update := r.updates(r.previous)
		pack := func(from, to int) *modular.Vector { // ciphertexts, of r.per accounts each
			packed := update(from*r.per, min(to*r.per, r.accounts())).Horner(r.per, r.scale.SlotBits())
			return r.rerandomize(s, packed, func(i int) int { return from + i })
		}
		r.speakParts(s, r.self, r.packedCounts[r.self], pack, func(draft party.Draft, err error) bool {
			return yield(draft, err) && yield(party.Draft{To: party.Everybody, Data: draft.Data}, nil)
		})
	}
}

// Spoken drops the scores of the last step.
func (r *final) Spoken() party.Round { return &final{agreement: r.agreement} }

// Check leaves the ciphertexts to Next, which has to decode them anyway.
func (r *final) Check(party.Message, []byte) error { return nil }

func (r *final) Next(in party.Inbox) (party.Round, error) {
	packed, err := r.receive(in.Broadcast, false, 0)
	if err != nil {
		return nil, err
	}
	return &open{opening: newOpening(r.agreement, packed)}, nil
}
