package keygen

import (
	"iter"
	"math/big"

	"riskprop/crypto/paillier"
	"riskprop/party"
	"riskprop/schema"
)

// share: protocol.md section 1, step 6; [TNO19]. Every party shares its piece of φ(N) and a random β over the integers
// with degree t.
type share struct {
	*derivation
	pieces [2]*big.Int // own pieces of p and q; nil for an auditor
}

// derivation is what the rounds after the search have in common: the modulus and the arithmetic of the key shares.
type derivation struct {
	*setup
	stats Stats
	math  paillier.Derivation
}

func newShare(s *setup, stats Stats, chosen candidate) *share {
	math := paillier.Derivation{Parties: s.n, Threshold: s.t, Kappa: int(s.manifest.Kappa), N: chosen.n}
	return &share{&derivation{setup: s, stats: stats, math: math}, chosen.pieces}
}

// shareWidth is the width of one share of φ or β.
func (d *derivation) shareWidth() int { return schema.IntWidth(d.math.ShareBound()) }

func (r *share) Plan() party.Plan {
	return party.Plan{Name: "share", Messages: party.EachToEach(r.n, r.n, r.shareWidth(), 2)}
}

func (r *share) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		phi := r.math.Phi(s.Self()+1, r.pieces[0], r.pieces[1])
		phiShares, betaShares := r.math.ShareSecrets(s.Stream("shares"), phi)
		out := newDealing(r.n)
		out.dealInt(phiShares, r.shareWidth())
		out.dealInt(betaShares, r.shareWidth())
		out.yield(yield)
	}
}

func (r *share) Check(_ party.Message, data []byte) error {
	_, err := schema.Ints(data, r.shareWidth(), r.math.ShareBound())
	return err
}

func (r *share) Next(in party.Inbox) (party.Round, error) {
	next := &product{derivation: r.derivation}
	if in.Self < 0 {
		return next, nil
	}
	sums, err := sumInts(in.Private, r.shareWidth(), r.math.ShareBound())
	if err != nil {
		return nil, err
	}
	next.phi, next.beta = sums[0], sums[1]
	return next, nil
}

// sumInts adds up messages of signed integers, element by element.
func sumInts(messages [][]byte, width int, bound *big.Int) ([]*big.Int, error) {
	var sums []*big.Int
	for _, data := range messages {
		values, err := schema.Ints(data, width, bound)
		if err != nil {
			return nil, err
		}
		if sums == nil {
			sums = values
			continue
		}
		for k, value := range values {
			sums[k].Add(sums[k], value)
		}
	}
	return sums, nil
}
