package keygen

import (
	"errors"
	"fmt"
	"iter"
	"math/big"

	"riskprop/crypto/paillier"
	"riskprop/party"
)

// theta: protocol.md section 1, step 8; [TNO19]. The sums S_i are an integer sharing of degree t of Δ⁴·φ·β. Their
// residues modulo N open θ, which everybody needs to decrypt and which says nothing about φ, since β is uniform. A θ
// that is not a unit means that N fails the last condition of [BF97]; the search goes on.
type theta struct {
	*derivation
	share *big.Int // own S_i; nil for an auditor
}

func (r *theta) width() int { return (r.math.N.BitLen() + 7) / 8 }

func (r *theta) Plan() party.Plan {
	return party.Plan{Name: "theta", Messages: party.EachToAll(r.n, r.width(), 1)}
}

func (r *theta) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		broadcast([]*big.Int{new(big.Int).Mod(r.share, r.math.N)}, r.width(), yield)
	}
}

func (r *theta) Check(_ party.Message, data []byte) error {
	return checkUints(data, r.width(), r.math.N)
}

func (r *theta) Next(in party.Inbox) (party.Round, error) {
	values, err := uints(in.Broadcast, r.width(), r.math.N)
	if err != nil {
		return nil, err
	}
	opened, err := r.math.Theta(column(values, 0))
	switch {
	case errors.Is(err, paillier.ErrDiscard):
		return r.anew(r.stats), nil
	case err != nil:
		return nil, fmt.Errorf("%w: a party has computed wrongly, and public data do not tell which", err)
	}
	return newProve(r.derivation, opened, r.share, in.Seen)
}
