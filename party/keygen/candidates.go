package keygen

import (
	"io"
	"iter"
	"math/big"

	"riskprop/crypto/shamir"
	"riskprop/party"
	"riskprop/schema"
)

// candidates: protocol.md section 1, step 2; [BF97, section 2]. Every party turns its share of the sieved residue into
// an additive one, makes its pieces of p and q of it, and shares them with degree t over a field in which N fits; and
// a zero with degree 2t, which will hide the product of the shares. To itself it keeps the pieces.
type candidates struct {
	*setup
	factors [][]*big.Int // shares of the two last factors of the residues, p and q by turns; empty lists for an auditor
}

// Elements of one candidate, in this order. The pieces go to the party itself only.
const (
	shareP = iota
	shareQ
	shareZero
	columns
	pieceP     = columns
	pieceQ     = columns + 1
	ownColumns = columns + 2
)

func (r *candidates) Plan() party.Plan {
	messages := party.EachToEach(r.n, r.n, r.form.FieldWidth(), columns*r.batch)
	for i := range messages {
		if messages[i].From == messages[i].To {
			messages[i].Min, messages[i].Max = ownColumns*r.batch, ownColumns*r.batch
		}
	}
	return party.Plan{Name: "candidates", Messages: messages}
}

func (r *candidates) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		residues := r.residues(s.Self())
		pieces, out := s.Stream("pieces"), newDealing(r.n)
		coefficients, zeros := s.Stream("coefficients"), s.Stream("zeros")
		for c := range r.batch {
			p := r.form.Piece(s.Self()+1, residues[2*c], pieces)
			q := r.form.Piece(s.Self()+1, residues[2*c+1], pieces)
			r.share(out, coefficients, p, r.t)
			r.share(out, coefficients, q, r.t)
			r.share(out, zeros, new(big.Int), 2*r.t)
			own := schema.AppendUint(out.data[s.Self()], p, r.form.FieldWidth())
			out.data[s.Self()] = schema.AppendUint(own, q, r.form.FieldWidth())
		}
		out.yield(yield)
	}
}

func (r *candidates) share(out *dealing, stream io.Reader, secret *big.Int, degree int) {
	out.deal(shamir.Share(stream, secret, degree, r.n, r.form.Field), r.form.FieldWidth())
}

// residues are the party's additive shares b_i = λ_i·s_i of all residues modulo M; beyond the multipliers they are 0.
func (r *candidates) residues(self int) []*big.Int {
	residues := mulMod(r.factors[0], r.factors[1], r.form.M)
	lambda := new(big.Int)
	if self < r.multipliers() {
		lambda = shamir.Lagrange(shamir.Points(r.multipliers()), r.form.M)[self]
	}
	for _, residue := range residues {
		residue.Mod(residue.Mul(residue, lambda), r.form.M)
	}
	return residues
}

func (r *candidates) Check(_ party.Message, data []byte) error {
	return checkUints(data, r.form.FieldWidth(), r.form.Field)
}

func (r *candidates) Next(in party.Inbox) (party.Round, error) {
	next := &moduli{setup: r.setup}
	if in.Self < 0 {
		return next, nil
	}
	lists, err := uints(in.Private, r.form.FieldWidth(), r.form.Field)
	if err != nil {
		return nil, err
	}
	own := lists[in.Self]
	shares := make([]*big.Int, 0, columns*r.batch)
	for c := range r.batch {
		shares = append(shares, own[c*ownColumns:c*ownColumns+columns]...)
		next.pieces = append(next.pieces, [2]*big.Int{own[c*ownColumns+pieceP], own[c*ownColumns+pieceQ]})
	}
	lists[in.Self] = shares
	next.sums = sumMod(lists, r.form.Field)
	return next, nil
}
