package propagate

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"riskprop/crypto/fixed"
	"riskprop/crypto/modular"
	"riskprop/crypto/shamir"
	"riskprop/party"
	"riskprop/party/ledger"
)

// open: protocol.md section 2, step 4; [TNO19]. Every party decrypts everybody's packed scores partially and seals the
// result for their owner, who needs t+1 such shares, its own among them.
type open struct {
	*agreement
	packed []*modular.Vector // by owner
}

func (r *open) Plan() party.Plan {
	plan := party.Plan{Name: "open"}
	for from := range r.n {
		for to, v := range r.packed {
			plan.Messages = append(plan.Messages,
				party.Message{From: from, To: to, Width: r.width(), Min: v.Len(), Max: v.Len()})
		}
	}
	return plan
}

func (r *open) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		for to, v := range r.packed {
			if !r.yieldVector(to, r.Key.PartialDecrypt(r.Share, v), yield) {
				return
			}
		}
	}
}

func (r *open) Check(_ party.Message, data []byte) error { return r.checkCiphertexts(data) }

func (r *open) Next(in party.Inbox) (party.Round, error) {
	if in.Self < 0 {
		return &confirm{r.agreement, nil}, nil
	}
	partials := make([]*modular.Vector, r.n)
	for i, data := range in.Private {
		var err error
		if partials[i], err = r.decode(data); err != nil {
			return nil, err
		}
	}
	opened, err := r.decrypt(partials)
	if err != nil {
		return nil, err
	}
	return &confirm{r.agreement, opened}, nil
}

// decrypt opens the party's scores with the first t+1 shares. Where they give no scores it tries the others: with
// enough of them it can tell whose share is wrong.
func (r *open) decrypt(partials []*modular.Vector) ([]ledger.Score, error) {
	first := shamir.Points(r.Key.Threshold + 1)
	opened, failure := r.combine(first, partials)
	if failure == nil {
		return opened, nil
	}
	for subset := range shamir.Subsets(r.n, r.Key.Threshold+1) {
		if _, err := r.combine(subset, partials); err != nil {
			continue
		}
		for _, suspect := range first {
			swapped := append([]int{suspect}, subset[1:]...)
			if slices.Contains(subset, suspect) {
				continue
			}
			if _, err := r.combine(swapped, partials); err != nil {
				return nil, &party.Fault{Member: suspect - 1, Private: true,
					Err: errors.New("its partial decryptions do not fit those of the others")}
			}
		}
	}
	return nil, fmt.Errorf("opening the scores: %w: more than one party has computed wrongly, or the encrypted scores are wrong", failure)
}

// combine decrypts with the shares of the parties with these numbers. A score beyond its range is an error that names
// the account's row, never a wrong score.
func (r *open) combine(numbers []int, partials []*modular.Vector) ([]ledger.Score, error) {
	chosen := make([]*modular.Vector, len(numbers))
	for k, number := range numbers {
		chosen[k] = partials[number-1]
	}
	plaintexts, err := r.Key.Combine(numbers, chosen)
	if err != nil {
		return nil, err
	}
	out := make([]ledger.Score, 0, r.accounts())
	for j, plaintext := range plaintexts {
		count := min(r.per, r.accounts()-j*r.per)
		slots, err := r.scale.Unpack(plaintext, count)
		if err != nil {
			return nil, fmt.Errorf("accounts %d to %d: %w", j*r.per+1, j*r.per+count, err)
		}
		for _, slot := range slots {
			account := r.Ledger.Accounts[len(out)]
			out = append(out, ledger.Score{ID: account.ID, Initial: account.Score, Final: fixed.Float(slot, r.scale.ScaleBits())})
		}
	}
	return out, nil
}
