package keygen

import (
	"iter"
	"math/big"

	"riskprop/crypto/shamir"
	"riskprop/party"
)

// reduce: protocol.md section 1, step 1, for t > 1. The t+1 shared units are multiplied in a tree. The product of two
// shares lies on a polynomial of degree 2t; before it can be multiplied again, every party re-shares its product with
// degree t, and the same linear combination that would open the polynomial of degree 2t makes shares of degree t of
// it [GRR98, section 3].
type reduce struct {
	*setup
	factors [][]*big.Int // shares of the factors that are left, by factor; empty lists for an auditor
}

// multiply is the round that makes fewer factors of many. The last two are multiplied in the next round's first step.
func (s *setup) multiply(factors [][]*big.Int) party.Round {
	if len(factors) == 2 {
		return &candidates{s, factors}
	}
	return &reduce{s, factors}
}

// pairs is the number of products of this level.
func (r *reduce) pairs() int { return len(r.factors) / 2 }

func (r *reduce) Plan() party.Plan {
	messages := party.EachToEach(r.n, r.multipliers(), r.unitWidth, r.pairs()*2*r.batch)
	return party.Plan{Name: "sieve-reduce", Messages: messages}
}

func (r *reduce) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		if s.Self() >= r.multipliers() {
			return
		}
		coefficients, out := s.Stream("coefficients"), newDealing(r.n)
		for pair := range r.pairs() {
			for _, product := range mulMod(r.factors[2*pair], r.factors[2*pair+1], r.form.M) {
				out.deal(shamir.Share(coefficients, product, r.t, r.n, r.form.M), r.unitWidth)
			}
		}
		out.yield(yield)
	}
}

func (r *reduce) Check(_ party.Message, data []byte) error {
	return checkUints(data, r.unitWidth, r.form.M)
}

func (r *reduce) Next(in party.Inbox) (party.Round, error) {
	subshares, err := uints(in.Private[:r.multipliers()], r.unitWidth, r.form.M)
	if err != nil {
		return nil, err
	}
	left := make([][]*big.Int, r.pairs(), r.pairs()+1)
	if in.Self >= 0 {
		reduced := combine(subshares, shamir.Lagrange(shamir.Points(r.multipliers()), r.form.M), r.form.M)
		for pair := range left {
			left[pair] = reduced[pair*2*r.batch : (pair+1)*2*r.batch]
		}
	}
	if len(r.factors)%2 == 1 {
		left = append(left, r.factors[len(r.factors)-1])
	}
	return r.multiply(left), nil
}

// mulMod multiplies two lists element by element.
func mulMod(a, b []*big.Int, m *big.Int) []*big.Int {
	products := make([]*big.Int, len(a))
	for k := range a {
		products[k] = new(big.Int).Mul(a[k], b[k])
		products[k].Mod(products[k], m)
	}
	return products
}

// combine is the linear combination of lists, element by element.
func combine(lists [][]*big.Int, coefficients []*big.Int, m *big.Int) []*big.Int {
	out := make([]*big.Int, len(lists[0]))
	for k := range out {
		sum, term := new(big.Int), new(big.Int)
		for j, list := range lists {
			sum.Add(sum, term.Mul(list[k], coefficients[j]))
		}
		out[k] = sum.Mod(sum, m)
	}
	return out
}
