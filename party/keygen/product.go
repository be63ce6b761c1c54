package keygen

import (
	"iter"
	"math/big"

	"riskprop/party"
	"riskprop/schema"
)

// product: protocol.md section 1, step 7; [GRR98] over the integers. The products f_φ(j)·f_β(j) lie on a polynomial of
// degree 2t that must never be opened, not even modulo N: with one party's own two shares it leaves a quadratic
// equation whose small root is p+q-1. So parties 1..2t+1 share theirs again, with degree t and a mask.
type product struct {
	*derivation
	phi, beta *big.Int // sums of the shares received; nil for an auditor
}

// reshareWidth is the width of one share of a product.
func (d *derivation) reshareWidth() int { return schema.IntWidth(d.math.ReshareBound()) }

func (r *product) Plan() party.Plan {
	return party.Plan{Name: "product", Messages: party.EachToEach(r.n, r.multipliers(), r.reshareWidth(), 1)}
}

func (r *product) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		if s.Self() >= r.multipliers() {
			return
		}
		out := newDealing(r.n)
		out.dealInt(r.math.Reshare(s.Stream("coefficients"), s.Self()+1, r.phi, r.beta), r.reshareWidth())
		out.yield(yield)
	}
}

func (r *product) Check(_ party.Message, data []byte) error {
	_, err := schema.Ints(data, r.reshareWidth(), r.math.ReshareBound())
	return err
}

func (r *product) Next(in party.Inbox) (party.Round, error) {
	next := &theta{derivation: r.derivation}
	if in.Self < 0 {
		return next, nil
	}
	sums, err := sumInts(in.Private[:r.multipliers()], r.reshareWidth(), r.math.ReshareBound())
	if err != nil {
		return nil, err
	}
	next.share = sums[0]
	return next, nil
}
