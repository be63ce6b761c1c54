package naive

import (
	"crypto/rand"
	"errors"
	"math/big"
	"slices"
	"testing"

	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/crypto/shamir"
)

// The sharing of the tests: any three of five parties decrypt.
const parties, threshold = 5, 2

// deal makes a key of 256 bits and the parties' shares of it, as a dealer does whom everybody trusts.
func deal(t *testing.T) (*paillier.Key, []*big.Int) {
	t.Helper()
	random := sample.Hash("naive", []byte(t.Name()))
	p, q := blum(t), blum(t)
	n := new(big.Int).Mul(p, q)
	one := big.NewInt(1)
	phi := new(big.Int).Mul(p.Sub(p, one), q.Sub(q, one))
	secret := phi.Mul(phi, sample.Unit(random, n))
	shares := shamir.Integer{N: parties, T: threshold, Kappa: 40}.Share(random, secret, secret)
	theta := shamir.Combine(shamir.Points(threshold+1), shares[:threshold+1], n)
	key, err := paillier.NewKey(paillier.Params{N: n, Theta: theta, HS: paillier.RandomizerBase(big.NewInt(3), n),
		Parties: parties, Threshold: threshold, Kappa: 40})
	if err != nil {
		t.Fatal(err)
	}
	return key, shares
}

// blum returns a prime of 128 bits that is 3 modulo 4.
func blum(t *testing.T) *big.Int {
	t.Helper()
	for {
		p, err := rand.Prime(rand.Reader, 128)
		if err != nil {
			t.Fatal(err)
		}
		if p.Bit(1) == 1 {
			return p
		}
	}
}

func naiveOf(t *testing.T, key *paillier.Key) *Key {
	t.Helper()
	k, err := NewKey(key.N, key.Theta, key.Parties)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// decrypt lets the first parties decrypt together, as many as are needed.
func decrypt(t *testing.T, k *Key, shares []*big.Int, c *big.Int) *big.Int {
	t.Helper()
	var partials []*big.Int
	for _, share := range shares[:threshold+1] {
		partials = append(partials, k.Partial(c, share))
	}
	m, err := k.Combine(partials)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestWeightedSum: what was encrypted, weighted, added up and re-randomised comes out as if it had never been encrypted.
func TestWeightedSum(t *testing.T) {
	key, shares := deal(t)
	k := naiveOf(t, key)
	messages, weights := []int64{0, 1, 5, 1 << 40, 12345}, []uint64{7, 1 << 39, 0, 3, 1}
	var ciphertexts []*big.Int
	want := new(big.Int)
	for j, m := range messages {
		ciphertexts = append(ciphertexts, k.Encrypt(rand.Reader, big.NewInt(m)))
		want.Add(want, new(big.Int).Mul(big.NewInt(m), new(big.Int).SetUint64(weights[j])))
	}
	sum := k.WeightedSum(ciphertexts, weights)
	again := k.Rerandomize(rand.Reader, sum)
	if sum.Cmp(again) == 0 {
		t.Error("the re-randomised ciphertext is the same")
	}
	for _, c := range []*big.Int{sum, again} {
		if got := decrypt(t, k, shares, c); got.Cmp(want) != 0 {
			t.Errorf("the sum is %v, not %v", got, want)
		}
	}
	if first, second := k.Encrypt(rand.Reader, want), k.Encrypt(rand.Reader, want); first.Cmp(second) == 0 {
		t.Error("two encryptions are the same")
	}
	if got := decrypt(t, k, shares, k.WeightedSum(nil, nil)); got.Sign() != 0 {
		t.Errorf("the empty sum is %v", got)
	}
}

// TestLikePaillier: the values are those of package paillier, number by number.
func TestLikePaillier(t *testing.T) {
	key, shares := deal(t)
	k := naiveOf(t, key)
	message := big.NewInt(987654321)
	c := k.Encrypt(rand.Reader, message)
	batch := key.Ring().Vector([]*big.Int{c})
	if err := key.Check(batch); err != nil {
		t.Fatal(err)
	}
	var partials []*big.Int
	var batches []*modular.Vector
	for i, share := range shares[:threshold+1] {
		batches = append(batches, key.PartialDecrypt(share, batch))
		partials = append(partials, k.Partial(c, share))
		if partials[i].Cmp(batches[i].At(0)) != 0 {
			t.Errorf("the parts of party %d differ", i+1)
		}
	}
	want, err := key.Combine(shamir.Points(threshold+1), batches)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Combine(partials)
	if err != nil || got.Cmp(want[0]) != 0 || got.Cmp(message) != 0 {
		t.Errorf("%v, %v: not %v", got, err, want[0])
	}
}

// TestRefused: a wrong part is noticed, and a key that cannot decrypt is none.
func TestRefused(t *testing.T) {
	key, shares := deal(t)
	k := naiveOf(t, key)
	c := k.Encrypt(rand.Reader, big.NewInt(1))
	var partials []*big.Int
	for _, share := range shares[:threshold+1] {
		partials = append(partials, k.Partial(c, share))
	}
	for name, wrong := range map[string]*big.Int{"of another share": k.Partial(c, shares[threshold+1]), "no unit": new(big.Int).Set(key.N)} {
		for at := range partials {
			bad := slices.Clone(partials)
			bad[at] = wrong
			if m, err := k.Combine(bad); !errors.Is(err, ErrPartials) {
				t.Errorf("part %d %s: %v, %v", at+1, name, m, err)
			}
		}
	}
	if _, err := NewKey(big.NewInt(15), big.NewInt(7), 3); err == nil {
		t.Error("a modulus with a factor up to the number of parties")
	}
	if _, err := NewKey(key.N, key.N, parties); err == nil {
		t.Error("a theta that is no unit")
	}
}
