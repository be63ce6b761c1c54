package keygen

import (
	"math/big"
	"testing"

	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/party"
	"riskprop/schema"
)

// FindCulprit is the verdict of the prove round on partial decryptions of a ciphertext of `want`.
func FindCulprit(roster *schema.Roster, key *paillier.Key, partials []*modular.Vector, want *big.Int) error {
	s := &setup{roster: roster, n: key.Parties, t: key.Threshold}
	return (&prove{&derivation{setup: s}, key, nil}).findCulprit(partials, want)
}

// AfterTheta is the name of the round that follows on these values of S_i mod n, or the error.
func AfterTheta(t *testing.T, n *big.Int, values []*big.Int) string {
	t.Helper()
	s := &setup{n: len(values), t: 1, manifest: schema.KeygenManifest{Kappa: 80}}
	r := newTheta(s, n)
	in := party.Inbox{Self: -1, Broadcast: make([][]byte, len(values))}
	for i, value := range values {
		in.Broadcast[i] = schema.AppendUint(nil, value, r.width())
	}
	next, err := r.Next(in)
	if err != nil {
		return err.Error()
	}
	return next.Plan().Name
}

func newTheta(s *setup, n *big.Int) *theta {
	return &theta{derivation: newShare(s, Stats{}, candidate{n: n}).derivation}
}
