package keygen

import (
	"math/big"

	"riskprop/party"
)

// Watched is what a test sees of a session from above: the secrets of all parties.
type Watched struct {
	Attempts []*Attempt
	Phi      []*big.Int // f_φ(j) of step 6: what party j adds up
	Beta     []*big.Int
	Shares   []*big.Int // S_j of step 8
}

// Attempt is one batch of candidates: element c of member j.
type Attempt struct {
	Pieces [][][2]*big.Int // of p and q
	P      [][]*big.Int    // shares of p, q and the zero of step 2, added up
	Q      [][]*big.Int
	Zero   [][]*big.Int
	Public [][]*big.Int // what step 3 publishes
	Opened []*big.Int   // N of every candidate
}

// NewWatched watches a session of n members.
func NewWatched(n int) *Watched {
	return &Watched{Phi: make([]*big.Int, n), Beta: make([]*big.Int, n), Shares: make([]*big.Int, n)}
}

// Watch lets a member follow the protocol and notes what it has.
func (w *Watched) Watch(first party.Round, member int) party.Round { return &watched{first, w, member} }

type watched struct {
	party.Round
	seen   *Watched
	member int
}

func (r *watched) Next(in party.Inbox) (party.Round, error) {
	next, err := r.Round.Next(in)
	if err != nil {
		return nil, err
	}
	if current, ok := r.Round.(*search); ok {
		if opened, ok := current.test.(*moduli); ok {
			if err := r.seen.moduli(opened, in, r.member); err != nil {
				return nil, err
			}
		}
	}
	switch found := next.(type) {
	case *product:
		r.seen.Phi[r.member], r.seen.Beta[r.member] = found.phi, found.beta
	case *theta:
		r.seen.Shares[r.member] = found.share
	}
	if next.Plan().Final {
		return next, nil
	}
	return &watched{next, r.seen, r.member}, nil
}

// moduli notes what a member has at the end of step 3.
func (w *Watched) moduli(r *moduli, in party.Inbox, member int) error {
	for len(w.Attempts) < r.stats.Attempts {
		w.Attempts = append(w.Attempts, &Attempt{Pieces: make([][][2]*big.Int, r.n),
			P: make([][]*big.Int, r.n), Q: make([][]*big.Int, r.n), Zero: make([][]*big.Int, r.n)})
	}
	a := w.Attempts[r.stats.Attempts-1]
	a.Pieces[member] = r.pieces
	for c := range r.batch {
		a.P[member] = append(a.P[member], r.sums[c*columns+shareP])
		a.Q[member] = append(a.Q[member], r.sums[c*columns+shareQ])
		a.Zero[member] = append(a.Zero[member], r.sums[c*columns+shareZero])
	}
	values, err := uints(in.Broadcast, r.form.FieldWidth(), r.form.Field)
	if err != nil {
		return err
	}
	a.Public = values
	a.Opened, err = r.open(values)
	return err
}
