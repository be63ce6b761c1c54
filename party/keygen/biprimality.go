package keygen

import (
	"fmt"
	"iter"
	"math/big"
	"slices"

	"riskprop/crypto/biprime"
	"riskprop/crypto/modular"
	"riskprop/party"
)

// biprimality: protocol.md section 1, steps 4 and 5; [BF97, section 3]. Every party raises bases to its part of
// (N - p - q + 1)/4 and publishes the powers. The round serves twice: "biprime" screens every survivor with one base, the
// same for all, which nearly all composites fail; "confirm" tests those that passed with as many as an error of 2^-κ needs,
// all derived from the transcript.
type biprimality struct {
	*setup
	stats      Stats
	candidates []candidate
	confirm    bool
}

// bases is the number of bases for each candidate.
func (r *biprimality) bases() int {
	if r.confirm {
		return biprime.Tests(int(r.manifest.Kappa))
	}
	return 1
}

func (r *biprimality) width() int { return (r.form.Bits + 7) / 8 }

func (r *biprimality) Plan() party.Plan {
	name := "biprime"
	if r.confirm {
		name = "confirm"
	}
	return party.Plan{Name: name, Messages: party.EachToAll(r.n, r.width(), len(r.candidates)*r.bases())}
}

func (r *biprimality) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		seen := s.Seen()
		ns := make([]*big.Int, len(r.candidates))
		exponents := make([]*big.Int, len(r.candidates))
		for c, one := range r.candidates {
			ns[c] = one.n
			exponents[c] = biprime.Exponent(s.Self()+1, one.n, one.pieces[0], one.pieces[1])
		}
		for index := range r.bases() {
			bases := slices.Repeat([]*big.Int{biprime.ScreenBase()}, len(ns))
			if r.confirm {
				bases = biprime.Bases(seen[:], ns, index)
			}
			powers := modular.ExpBatch(bases, exponents, ns)
			if !broadcast(powers, r.width(), yield) {
				return
			}
		}
	}
}

// Check: every power of a unit is a unit.
func (r *biprimality) Check(_ party.Message, data []byte) error {
	values, err := r.values(data)
	if err != nil {
		return err
	}
	gcd := new(big.Int)
	for i, v := range values {
		if c := i % len(r.candidates); v.Sign() == 0 || gcd.GCD(nil, nil, v, r.candidates[c].n).BitLen() != 1 {
			return fmt.Errorf("value for candidate %d is not a unit", c)
		}
	}
	return nil
}

// values splits a message: one value a candidate for the first base, then for the second, …
func (r *biprimality) values(data []byte) ([]*big.Int, error) {
	size := len(r.candidates) * r.width()
	var values []*big.Int
	for index := range r.bases() {
		for c, one := range r.candidates {
			at := index*size + c*r.width()
			v := new(big.Int).SetBytes(data[at : at+r.width()])
			if v.Cmp(one.n) >= 0 {
				return nil, fmt.Errorf("value for candidate %d is not below its modulus", c)
			}
			values = append(values, v)
		}
	}
	return values, nil
}

func (r *biprimality) Next(in party.Inbox) (party.Round, error) {
	values := make([][]*big.Int, r.n)
	for i, data := range in.Broadcast {
		var err error
		if values[i], err = r.values(data); err != nil {
			return nil, err
		}
	}
	var passed []candidate
	for c, one := range r.candidates {
		if r.passes(values, c) {
			passed = append(passed, one)
		}
	}
	switch {
	case len(passed) == 0:
		return r.anew(r.stats), nil
	case r.confirm:
		return newShare(r.setup, r.stats, passed[0]), nil
	}
	return &biprimality{setup: r.setup, stats: r.stats, candidates: passed, confirm: true}, nil
}

// passes tells whether candidate c passes with every base.
func (r *biprimality) passes(values [][]*big.Int, c int) bool {
	for index := range r.bases() {
		if !biprime.Passes(r.candidates[c].n, column(values, index*len(r.candidates)+c)) {
			return false
		}
	}
	return true
}
