package keygen

import (
	"errors"
	"iter"
	"math/big"
	"slices"

	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
	"riskprop/party"
)

// prove: protocol.md section 1, step 9. A ciphertext of a known value, both hashed from the transcript, is decrypted
// together. Where all others decrypt to it, a wrong result names the party whose share does not fit.
type prove struct {
	*derivation
	key   *paillier.Key
	share *big.Int // own S_i; nil for an auditor
}

// newProve completes the public key. Its randomiser h_s is hashed from the transcript [DJN10].
func newProve(d *derivation, opened, share *big.Int, seen [32]byte) (party.Round, error) {
	y := sample.Unit(sample.Hash("riskprop/v1 randomizer", seen[:], d.math.N.Bytes()), d.math.N)
	key, err := paillier.NewKey(paillier.Params{
		N: d.math.N, Theta: opened, HS: paillier.RandomizerBase(y, d.math.N),
		Parties: d.n, Threshold: d.t, Kappa: int(d.manifest.Kappa),
	})
	if err != nil {
		return nil, err
	}
	return &prove{d, key, share}, nil
}

func (r *prove) Plan() party.Plan {
	return party.Plan{Name: "prove", Messages: party.EachToAll(r.n, r.key.Ring().Width(), 1)}
}

// challenge is the ciphertext of a plaintext; both follow from the transcript.
func (r *prove) challenge(seen [32]byte) (*modular.Vector, *big.Int) {
	stream := sample.Hash("riskprop/v1 prove", seen[:], r.key.N.Bytes())
	plaintext := sample.Below(stream, r.key.N)
	return r.key.RerandomizeFull(stream, r.key.Embed([]*big.Int{plaintext})), plaintext
}

func (r *prove) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		ciphertext, _ := r.challenge(s.Seen())
		yield(party.Draft{To: party.Everybody, Data: r.key.PartialDecrypt(r.share, ciphertext).Append(nil)}, nil)
	}
}

func (r *prove) Check(_ party.Message, data []byte) error {
	partial, err := r.key.Ring().Decode(data)
	if err != nil {
		return err
	}
	return r.key.Check(partial)
}

func (r *prove) Next(in party.Inbox) (party.Round, error) {
	partials := make([]*modular.Vector, r.n)
	for i, data := range in.Broadcast {
		var err error
		if partials[i], err = r.key.Ring().Decode(data); err != nil {
			return nil, err
		}
	}
	_, want := r.challenge(in.Seen)
	if err := r.findCulprit(partials, want); err != nil {
		return nil, err
	}
	return &Done{Key: r.key, ID: KeyID(r.key, r.roster), Share: r.share, Stats: r.stats}, nil
}

// findCulprit names the party without which all others decrypt to the known plaintext. Together with the plaintext the
// shares of t parties determine all others, and of n-1 >= 2t parties at least t are honest: no t cheats can choose their
// shares such that an honest one does not fit.
func (r *prove) findCulprit(partials []*modular.Vector, want *big.Int) error {
	all := shamir.Points(r.n)
	if r.agree(all, partials, want) {
		return nil
	}
	for at, number := range all {
		if r.agree(slices.Delete(slices.Clone(all), at, at+1), partials, want) {
			return &party.Fault{Member: number - 1, Err: errors.New("its share of the key does not decrypt with those of the others")}
		}
	}
	return errors.New("the parties do not decrypt together: more than one has computed wrongly, and public data do not tell which")
}

// agree tells whether the first t of the parties with these numbers decrypt to the known plaintext with each of the
// others.
func (r *prove) agree(numbers []int, partials []*modular.Vector, want *big.Int) bool {
	return !slices.ContainsFunc(numbers[r.t:], func(last int) bool {
		return !r.fits(append(slices.Clone(numbers[:r.t]), last), partials, want)
	})
}

// fits tells whether the parties with these numbers decrypt to the known plaintext. It looks at the squares: a wrong
// sign comes from no share, and would show where a Lagrange coefficient is odd and nowhere else.
func (r *prove) fits(subset []int, partials []*modular.Vector, want *big.Int) bool {
	chosen := make([]*modular.Vector, len(subset))
	for k, number := range subset {
		chosen[k] = partials[number-1].Mul(partials[number-1])
	}
	plaintexts, err := r.key.Combine(subset, chosen)
	if err != nil {
		return false
	}
	double := new(big.Int).Lsh(want, 1)
	return plaintexts[0].Cmp(double.Mod(double, r.key.N)) == 0
}
