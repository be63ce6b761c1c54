package propagate

import (
	"encoding/binary"
	"errors"
	"iter"
	"math/big"
	"slices"

	"riskprop/crypto/modular"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
	"riskprop/party"
)

// check: that the partial decryptions fit together, which t+1 of them alone cannot show. The ciphertexts of every block are
// combined into one, ∏ c_j^e_j, with coefficients e_j that nobody knew before all partial decryptions were on the log, and
// those members that have not decrypted the block decrypt the combination partially: it takes n-1-t exponentiations a
// block, however long that is. The owner combines what it has received for the block in the same way. A wrong
// partial decryption gives a wrong combination, but for a probability of about 2^-64 and for errors of a small order. Of those
// one finds -1 alone without the factors of N: it changes no plaintext, or leaves one that Combine refuses. Who speaks last can try
// transcripts until an error passes, which takes it about 2^64 of them.
//
// That holds where 2t+1 members' points are there: t+1 of them are honest and fix the polynomial. With fewer, t who collude can
// choose theirs such that all fit; the report says when that was so.
type check struct {
	*opening
	own *modular.Vector // see open
	got [][]*modular.Vector
}

func (r *check) Plan() party.Plan {
	plan := party.Plan{Name: "check", Quorum: r.Key.Threshold + 1}
	for from := range r.n {
		for owner := range r.n {
			if count := len(r.others(owner, from)); from != owner {
				plan.Messages = append(plan.Messages, party.Message{From: from, To: owner, Width: r.width(), Min: count, Max: count})
			}
		}
	}
	return plan
}

// others lists the blocks of an owner that a member has not decrypted.
func (r *check) others(owner, member int) []int {
	return r.filled(owner, func(b int) bool { return r.made[owner][b]>>member&1 == 0 })
}

func (r *check) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		for owner := range r.n {
			if owner == r.self {
				continue
			}
			blocks, weights := r.others(owner, r.self), r.weights(s.Seen(), owner)
			partial := func(from, to int) *modular.Vector {
				combined := []*modular.Vector{r.packed[owner].Slice(0, 0)}
				for _, b := range blocks[from:to] {
					at, end := r.block(owner, b)
					combined = append(combined, product(r.packed[owner].Slice(at, end), weights[at:end]))
				}
				return r.Key.PartialDecrypt(r.Share, modular.Concat(combined...))
			}
			if !r.speakParts(s, owner, len(blocks), partial, yield) {
				return
			}
		}
	}
}

// weights are the coefficients of an owner's ciphertexts, of 64 bits each.
func (r *check) weights(seen [32]byte, owner int) []uint64 {
	stream := sample.Hash("riskprop/v1 check", seen[:], binary.BigEndian.AppendUint64(nil, uint64(owner)))
	text := make([]byte, 8*r.packed[owner].Len())
	stream.Read(text) // never fails
	weights := make([]uint64, r.packed[owner].Len())
	for i := range weights {
		weights[i] = binary.BigEndian.Uint64(text[8*i:])
	}
	return weights
}

// product is ∏ v_j^weights_j.
func product(v *modular.Vector, weights []uint64) *modular.Vector {
	sums := modular.Sums{Offsets: []int{0, v.Len()}, Index: make([]uint32, v.Len()), Weights: weights}
	for i := range sums.Index {
		sums.Index[i] = uint32(i)
	}
	return v.MultiExp(sums)
}

// Check leaves the partial decryptions to Next, which has to decode them anyway.
func (r *check) Check(party.Message, []byte) error { return nil }

func (r *check) Next(in party.Inbox) (party.Round, error) {
	if in.Self < 0 {
		return &confirm{agreement: r.agreement, absent: in.Absent}, nil
	}
	combined, err := r.receive(in.Private, true, in.Absent)
	if err != nil {
		return nil, err
	}
	own := r.own
	if own == nil { // it was gone, and others have done the rest
		own = r.Key.PartialDecrypt(r.Share, r.packed[r.self])
	}
	var plaintexts []*big.Int
	weak := false
	weights := r.weights(in.Seen, r.self)
	for _, b := range r.filled(r.self, func(int) bool { return true }) {
		from, to := r.block(r.self, b)
		received := slices.Clone(r.got[b])
		received[r.self] = own.Slice(from, to)
		points := r.points(b, received, combined, weights[from:to])
		weak = weak || len(r.ownFirst(points)) < 2*r.Key.Threshold+1
		if err := r.fit(points); err != nil {
			return nil, err
		}
		opened, err := r.decrypt(received)
		if err != nil {
			return nil, err
		}
		plaintexts = append(plaintexts, opened...)
	}
	scores, err := r.scoresOf(plaintexts)
	if err != nil {
		return nil, err
	}
	return &confirm{r.agreement, scores, in.Absent, weak}, nil
}

// points are all members' partial decryptions of the combination of block b, as far as they are there: of those that have
// decrypted the block, the combination of what they have made of it.
func (r *check) points(b int, received, combined []*modular.Vector, weights []uint64) []*modular.Vector {
	points := make([]*modular.Vector, r.n)
	for member := range points {
		if received[member] != nil {
			points[member] = product(received[member], weights)
		} else if at := slices.Index(r.others(r.self, member), b); at >= 0 && combined[member] != nil {
			points[member] = combined[member].Slice(at, at+1)
		}
	}
	return points
}

// fit checks that the partial decryptions of a combination lie on one polynomial. Which is wrong can be told where the others
// are 2t+1 or more and agree: t+1 of them are honest. Otherwise nobody is blamed.
func (r *check) fit(points []*modular.Vector) error {
	numbers := r.ownFirst(points)
	if r.agree(numbers, points) {
		return nil
	}
	var culprits []int
	for at := 1; at < len(numbers); at++ { // the party trusts itself
		rest := slices.Delete(slices.Clone(numbers), at, at+1)
		if len(rest) < 2*r.Key.Threshold+1 {
			break // the cheats could have chosen theirs such that an honest one does not fit
		}
		if r.agree(rest, points) {
			culprits = append(culprits, numbers[at])
		}
	}
	if len(culprits) == 1 {
		return &party.Fault{Member: culprits[0] - 1, Private: true, Err: errors.New("its partial decryptions do not fit those of the others")}
	}
	return r.refuse(errMisfit)
}

// errMisfit is wrapped where it cannot be told whose partial decryptions are wrong.
var errMisfit = errors.New("the partial decryptions do not fit together: a party has computed wrongly, and what is known here does not tell which")

// ownFirst lists the numbers of the parties, 1 to n, of whom there is something, with the party's own at the beginning.
func (r *check) ownFirst(there []*modular.Vector) []int {
	numbers := []int{r.self + 1}
	for _, number := range shamir.Points(r.n) {
		if number != r.self+1 && there[number-1] != nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// agree decrypts with the first t+1 of the parties with these numbers, and again with each further one in the place of
// the last. Two polynomials of degree t that agree in t points and in the secret are the same, so the shares lie on one
// polynomial if and only if all results are equal.
func (r *check) agree(numbers []int, points []*modular.Vector) bool {
	t := r.Key.Threshold
	var first *big.Int
	for _, last := range numbers[t:] {
		opened, err := r.combine(append(slices.Clone(numbers[:t]), last), points)
		if err != nil || first != nil && first.Cmp(opened[0]) != 0 {
			return false
		}
		first = opened[0]
	}
	return true
}

// combine decrypts with the partial decryptions of the parties with these numbers.
func (r *check) combine(numbers []int, partials []*modular.Vector) ([]*big.Int, error) {
	chosen := make([]*modular.Vector, len(numbers))
	for k, number := range numbers {
		chosen[k] = partials[number-1]
	}
	return r.Key.Combine(numbers, chosen)
}

// decrypt opens a block with the party's own partial decryptions and those of the t others that have made it.
func (r *check) decrypt(partials []*modular.Vector) ([]*big.Int, error) {
	plaintexts, err := r.combine(r.ownFirst(partials), partials)
	if err != nil {
		return nil, r.refuse(errMisfit)
	}
	return plaintexts, nil
}
