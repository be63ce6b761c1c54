package propagate

import (
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"

	"riskprop/crypto/fixed"
	"riskprop/crypto/modular"
	"riskprop/crypto/shamir"
	"riskprop/party"
	"riskprop/party/ledger"
)

// open: protocol.md section 2, step 4; [TNO19]. Every party decrypts everybody's packed scores partially and seals the
// result for their owner, who needs t+1 such shares, its own among them: the round can do without the rest.
type open struct {
	*agreement
	packed []*modular.Vector // by owner
}

func (r *open) Plan() party.Plan {
	plan := party.Plan{Name: "open", Quorum: r.Key.Threshold + 1}
	for from := range r.n {
		for to, v := range r.packed {
			plan.Messages = append(plan.Messages,
				party.Message{From: from, To: to, Width: r.width(), Min: v.Len(), Max: v.Len()})
		}
	}
	return plan
}

func (r *open) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		for owner, v := range r.packed {
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
	if in.Self < 0 {
		return &confirm{r.agreement, nil, in.Absent}, nil
	}
	partials, err := r.receive(in.Private, true, in.Absent)
	if err != nil {
		return nil, err
	}
	opened, err := r.decrypt(partials)
	if err != nil {
		return nil, err
	}
	return &confirm{r.agreement, opened, in.Absent}, nil
}

// decrypt opens the party's scores with its own share and those of t others, and checks that the shares of all the
// rest that are there say the same: with more than t+1 a wrong share cannot go unnoticed. Which one is wrong can be told where the others are
// 2t+1 or more and agree: t+1 of them are honest. Otherwise nobody is blamed.
func (r *open) decrypt(partials []*modular.Vector) ([]ledger.Score, error) {
	numbers := slices.DeleteFunc(r.ownFirst(), func(number int) bool { return partials[number-1] == nil })
	if plaintexts, ok := r.agree(numbers, partials); ok {
		return r.scoresOf(plaintexts)
	}
	var culprits []int
	for at := 1; at < len(numbers); at++ { // the party trusts itself
		rest := slices.Delete(slices.Clone(numbers), at, at+1)
		if len(rest) < 2*r.Key.Threshold+1 {
			break // the cheats could have chosen theirs such that an honest one does not fit
		}
		if _, ok := r.agree(rest, partials); ok {
			culprits = append(culprits, numbers[at])
		}
	}
	err := errors.New("its partial decryptions do not fit those of the others")
	if len(culprits) == 1 {
		return nil, &party.Fault{Member: culprits[0] - 1, Private: true, Err: err}
	}
	return nil, r.refuse(errors.New("the partial decryptions do not fit together: a party has computed wrongly, and what is known here does not tell which"))
}

// ownFirst lists the numbers of the parties, 1 to n, with the party's own at the beginning.
func (r *open) ownFirst() []int {
	numbers := []int{r.self + 1}
	for _, number := range shamir.Points(r.n) {
		if number != r.self+1 {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// agree decrypts with the first t+1 of the parties with these numbers, and again with each further one in the place of
// the last. Two polynomials of degree t that agree in t points and in the secret are the same, so the shares lie on one
// polynomial if and only if all results are equal.
func (r *open) agree(numbers []int, partials []*modular.Vector) ([]*big.Int, bool) {
	t := r.Key.Threshold
	var plaintexts []*big.Int
	for _, last := range numbers[t:] {
		subset := append(slices.Clone(numbers[:t]), last)
		chosen := make([]*modular.Vector, len(subset))
		for k, number := range subset {
			chosen[k] = partials[number-1]
		}
		opened, err := r.Key.Combine(subset, chosen)
		if err != nil || plaintexts != nil && !slices.EqualFunc(plaintexts, opened, equal) {
			return nil, false
		}
		plaintexts = opened
	}
	return plaintexts, true
}

func equal(a, b *big.Int) bool { return a.Cmp(b) == 0 }

// scoresOf unpacks the scores. One beyond its range is an error that names the account's row, never a wrong score.
func (r *open) scoresOf(plaintexts []*big.Int) ([]ledger.Score, error) {
	out := make([]ledger.Score, 0, r.accounts())
	for j, plaintext := range plaintexts {
		count := min(r.per, r.accounts()-j*r.per)
		slots, err := r.scale.Unpack(plaintext, count)
		if err != nil {
			return nil, r.refuse(fmt.Errorf("the encrypted scores are wrong at the accounts in rows %d to %d: %w", j*r.per+1, j*r.per+count, err))
		}
		for _, slot := range slots {
			account := r.Ledger.Accounts[len(out)]
			out = append(out, ledger.Score{ID: account.ID, Initial: account.Score, Final: fixed.Float(slot, r.scale.ScaleBits())})
		}
	}
	return out, nil
}

// refuse tells the others nothing of what was decrypted.
func (r *open) refuse(err error) error {
	return &party.Refusal{Reason: "its scores cannot be opened", Err: fmt.Errorf("opening the scores: %w", err)}
}
