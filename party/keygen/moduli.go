package keygen

import (
	"fmt"
	"iter"
	"math/big"

	"riskprop/crypto/shamir"
	"riskprop/party"
)

// moduli: protocol.md section 1, step 3; [BF97, section 2]. Every party multiplies its shares of p and q, adds the
// zero, and publishes; the polynomial of degree 2t through the values opens N. Everybody divides the moduli by the
// primes from B1 to B2 and keeps the same survivors.
type moduli struct {
	*setup
	stats  Stats         // this batch included, once it is at hand
	sums   []*big.Int    // own shares of p, q and zero of every candidate; nil for an auditor
	pieces [][2]*big.Int // own pieces of p and q of every candidate; nil for an auditor
}

// candidate is a modulus with the party's own pieces of its factors; an auditor has none.
type candidate struct {
	n      *big.Int
	pieces [2]*big.Int
}

// counted is the round of a batch whose turn has come.
func (r *moduli) counted(stats Stats) *moduli {
	opened := *r
	opened.stats = stats
	opened.stats.Attempts++
	opened.stats.Candidates += r.batch
	return &opened
}

func (r *moduli) Plan() party.Plan {
	return party.Plan{Name: "moduli", Messages: party.EachToAll(r.n, r.form.FieldWidth(), r.batch)}
}

func (r *moduli) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		values := make([]*big.Int, r.batch)
		for c := range values {
			row := r.sums[c*columns : (c+1)*columns]
			value := new(big.Int).Mul(row[shareP], row[shareQ])
			value.Add(value, row[shareZero])
			values[c] = value.Mod(value, r.form.Field)
		}
		broadcast(values, r.form.FieldWidth(), yield)
	}
}

func (r *moduli) Check(_ party.Message, data []byte) error {
	return checkUints(data, r.form.FieldWidth(), r.form.Field)
}

func (r *moduli) Next(in party.Inbox) (party.Round, error) {
	values, err := uints(in.Broadcast, r.form.FieldWidth(), r.form.Field)
	if err != nil {
		return nil, err
	}
	ns, err := r.open(values)
	if err != nil {
		return nil, err
	}
	var survivors []candidate
	for c, survives := range r.trial.Survivors(ns) {
		if !survives {
			continue
		}
		one := candidate{n: ns[c]}
		if in.Self >= 0 {
			one.pieces = r.pieces[c]
		}
		survivors = append(survivors, one)
	}
	if len(survivors) == 0 {
		return r.anew(r.stats), nil
	}
	stats := r.stats
	stats.Tested += len(survivors)
	return &biprimality{setup: r.setup, stats: stats, candidates: survivors}, nil
}

// open interpolates every N. The values of more than 2t+1 parties must agree, and N must be of the form.
func (r *moduli) open(values [][]*big.Int) ([]*big.Int, error) {
	ns := combine(values[:r.multipliers()], shamir.Lagrange(shamir.Points(r.multipliers()), r.form.Field), r.form.Field)
	for c, n := range ns {
		if r.n > r.multipliers() && !shamir.Consistent(shamir.Points(r.n), column(values, c), 2*r.t, r.form.Field) {
			return nil, fmt.Errorf("the shares of modulus %d do not fit together: a party has computed wrongly, and public data do not tell which", c)
		}
		if err := r.form.CheckModulus(n); err != nil {
			return nil, fmt.Errorf("modulus %d: %w: a party has computed wrongly, and public data do not tell which", c, err)
		}
	}
	return ns, nil
}

// column is element c of every list.
func column(lists [][]*big.Int, c int) []*big.Int {
	elements := make([]*big.Int, len(lists))
	for i, list := range lists {
		elements[i] = list[c]
	}
	return elements
}
