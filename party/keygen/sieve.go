package keygen

import (
	"iter"

	"riskprop/crypto/shamir"
	"riskprop/party"
)

// sieve: protocol.md section 1, step 1; [MWB99, section 3]. For each candidate and for each of p and q, parties 1..t+1
// pick a unit of Z_M and share it with degree t. The product of the units is a unit, so no prime up to B1 divides it,
// and as long as one of the t+1 is honest nobody knows it.
type sieve struct{ *setup }

func (r *sieve) Plan() party.Plan {
	return party.Plan{Name: "sieve", Messages: party.EachToEach(r.n, r.t+1, r.unitWidth, 2*r.batch)}
}

func (r *sieve) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		if s.Self() > r.t {
			return
		}
		coefficients, out := s.Stream("coefficients"), newDealing(r.n)
		for _, unit := range r.form.Units(s.Stream("units"), 2*r.batch) {
			out.deal(shamir.Share(coefficients, unit, r.t, r.n, r.form.M), r.unitWidth)
		}
		out.yield(yield)
	}
}

func (r *sieve) Check(_ party.Message, data []byte) error {
	return checkUints(data, r.unitWidth, r.form.M)
}

func (r *sieve) Next(in party.Inbox) (party.Round, error) {
	factors, err := uints(in.Private[:r.t+1], r.unitWidth, r.form.M)
	if err != nil {
		return nil, err
	}
	return r.multiply(factors), nil
}
