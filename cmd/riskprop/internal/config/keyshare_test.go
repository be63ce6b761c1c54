package config

import (
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/paillier"
	"riskprop/crypto/sample"
	"riskprop/party/keygen"
	"riskprop/schema"
)

// shareOf makes a share of a key that looks like one: nobody has generated it.
func shareOf(t testing.TB, c *Consortium, share *big.Int) KeyShare {
	t.Helper()
	r := sample.Stream([32]byte{3})
	n := new(big.Int).Mul(prime(128, 3), prime(128, 7)) // 3·3 ≡ 1 (mod 4)
	key, err := paillier.NewKey(paillier.Params{
		N: n, Theta: sample.Unit(r, n), HS: sample.Unit(r, new(big.Int).Mul(n, n)), Parties: c.Roster().Len(), Threshold: c.Threshold, Kappa: 80,
	})
	if err != nil {
		t.Fatal(err)
	}
	return KeyShare{
		Name: "alice", Session: "keys-2026", Key: key, ID: keygen.KeyID(key, c.Roster()), Share: share,
		Manifest: schema.KeygenManifest{
			Version: 1, Session: "keys-2026", Roster: c.Roster().Digest(), KeyBits: 256, Threshold: uint32(c.Threshold), Kappa: 80, Batch: 8, TrialTo: 100, Deadline: 1798740000,
		},
	}
}

// prime is the first prime ≡ 3 (mod 4) above 3·2^(bits-2) + offset.
func prime(bits uint, offset int64) *big.Int {
	p := new(big.Int).Lsh(big.NewInt(3), bits-2)
	p.Add(p, big.NewInt(offset<<10|3))
	for !p.ProbablyPrime(20) {
		p.Add(p, big.NewInt(4))
	}
	return p
}

func secretShare() *big.Int {
	x, _ := new(big.Int).SetString("1f3a5c7e9b2d4f60718293a4b5c6d7e8f9", 16)
	return x
}

func sameShare(t reporter, a, b KeyShare) {
	t.Helper()
	if a.Name != b.Name || a.Session != b.Session || a.Manifest != b.Manifest || a.ID != b.ID || a.Share.Cmp(b.Share) != 0 ||
		!reflect.DeepEqual(a.Key.Params, b.Key.Params) || a.Key.ShareBits() != b.Key.ShareBits() {
		t.Errorf("%v is not %v", a, b)
	}
}

func TestWriteKeyShare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	share := shareOf(t, agreed(t), secretShare())
	if err := WriteKeyShare(path, share, []byte("pass")); err != nil {
		t.Fatal(err)
	}
	realFile(t, path, share.Share.Bytes())
	says(t, WriteKeyShare(path, share, nil), path, "the passphrase is empty")
	says(t, writeEncrypted(path, nil, []byte("x"), quickWork), path, "is there already")
}

func TestKeyShareIsReadBack(t *testing.T) {
	c := agreed(t)
	path := filepath.Join(t.TempDir(), "keys.age")
	share := shareOf(t, c, secretShare())
	if err := writeEncrypted(path, share.marshal(), []byte("pass"), quickWork); err != nil {
		t.Fatal(err)
	}
	back, err := ReadKeyShare(path, []byte("pass"), c.Roster())
	if err != nil {
		t.Fatal(err)
	}
	sameShare(t, share, back)
}

// Shares are of either sign, and of any size up to the bound.
func TestKeyShareTextIsReadBack(t *testing.T) {
	c := agreed(t)
	bits := shareOf(t, c, big.NewInt(1)).Key.ShareBits()
	rapid.Check(t, func(rt *rapid.T) {
		x := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 1, bits/8).Draw(rt, "share"))
		x.Add(x, big.NewInt(1))
		if rapid.Bool().Draw(rt, "negative") {
			x.Neg(x)
		}
		share := shareOf(t, c, x)
		if rapid.Bool().Draw(rt, "forever") {
			share.Manifest.Deadline = 0
		}
		share.Name = rapid.SampledFrom(c.Roster().Names()).Draw(rt, "name")
		back, err := parseKeyShare("k", share.marshal())
		if err != nil {
			rt.Fatal(err)
		}
		if err := back.complete(c.Roster()); err != nil {
			rt.Fatal(err)
		}
		sameShare(rt, share, back)
	})
}

// Whatever is changed in a share, by whoever knows the passphrase, is found or is the share itself, which nothing public vouches for.
func TestKeyShareRefused(t *testing.T) {
	c := agreed(t)
	share := shareOf(t, c, secretShare())
	good := string(share.marshal())
	path := filepath.Join(t.TempDir(), "keys.age")
	refused := func(text string, roster *schema.Roster, fragments ...string) {
		t.Helper()
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		if err := writeEncrypted(path, []byte(text), []byte("pass"), quickWork); err != nil {
			t.Fatal(err)
		}
		got, err := ReadKeyShare(path, []byte("pass"), roster)
		says(t, err, append(fragments, path)...)
		silent(t, err.Error(), share.Share.Bytes())
		if got.Share != nil {
			t.Error("there is a share")
		}
	}
	for _, x := range []struct{ from, to, says string }{
		{"version: 1", "version: 2", ":1:10: version: 2 is unknown"},
		{"name: alice", "name: dora", "name: the share is of dora, who is no member of the consortium"},
		{"name: alice", "name: a b", ":2:7: name: not what it must be"},
		{"session: keys-2026", "session: k.k", ":3:10: session: not what it must be"},
		{"key_bits: 256", "key_bits: 512", "n: a number of 256 bits, and key_bits is 512"},
		{"key_bits: 256", "key_bits: 257", "key_bits is 257"},
		{"threshold: 1", "threshold: 2", "threshold 2 with 3 members"},
		{"kappa: 80", "kappa: 81", "key: the id is not that of the key"},
		{"kappa: 80", "kappa: 10", "kappa 10 is not between"},
		{"deadline: ", "deadline: x", ":10:11: deadline: this must be a time"},
		{"key: ", "key: 0", ":11:6: key: this must be 64"},
		{"n: 9", "n: d", "key: the id is not that of the key"},
		{"n: 9", "n: 09", ":12:4: n: this must be a number in lower-case hexadecimal digits"},
		{"n: 9", "n: A", ":12:4: n: this must be a number"},
		{"n: 9", "n: +9", ":12:4: n: this must be a number"},
		{"n: 9", "n: g", ":12:4: n: this must be a number"},
		{"theta: ", "theta: -", "theta must be a unit"},
		{"theta: ", "theta: 1", "theta must be a unit"},
		{"h_s: ", "h_s: -", "h_s must be a unit"},
		{"share: 1f", "share: 0x1f", ":15:8: share: this must be a number in lower-case hexadecimal digits"},
		{"share: 1f", "share: " + strings.Repeat("1f", 1000), "share: out of the range that a share of this key has"},
		{"share: 1f", "share: 0\nshare: 1f", "comes twice"},
		{"share: 1f", "shares: 1f", "a key that is unknown here"},
		{"share: 1f", "share: [1f", "not YAML"},
	} {
		if !strings.Contains(good, x.from) {
			t.Fatalf("no %q", x.from)
		}
		refused(strings.Replace(good, x.from, x.to, 1), c.Roster(), x.says)
	}
	refused(good[:strings.Index(good, "share: ")]+"share: 0\n", c.Roster(), "share: out of the range")
	refused(good[:strings.Index(good, "share: ")], c.Roster(), "share is missing")
	other, err := NewConsortium(append(publics(t), known(t, "dora", Member).Public()), 0, "RISK")
	if err != nil {
		t.Fatal(err)
	}
	refused(good, other.Roster(), fmt.Sprintf("%x", other.Roster().Digest()), fmt.Sprintf("%x", c.Roster().Digest()), "another consortium")

	_, err = ReadKeyShare(path, []byte("wrong"), c.Roster())
	says(t, err, path+": the passphrase does not open it")
	put(t, path, good, 0o600)
	_, err = ReadKeyShare(path, []byte("pass"), c.Roster())
	says(t, err, path+": this is no encrypted file", "riskprop key export")
	silent(t, err.Error(), share.Share.Bytes())
}

func TestKeyShareIsNotPrinted(t *testing.T) {
	share := shareOf(t, agreed(t), secretShare())
	decimal := share.Share.String()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, text := range []string{fmt.Sprintf(verb, share), fmt.Sprintf(verb, &share), fmt.Sprintf(verb, []KeyShare{share}), fmt.Sprintf(verb, struct{ inner KeyShare }{share})} {
			silent(t, text, share.Share.Bytes())
			if strings.Contains(text, decimal[:8]) {
				t.Errorf("%s tells the share", text)
			}
		}
	}
	if got := fmt.Sprint(share); got != "the key share of alice from session keys-2026" {
		t.Error(got)
	}
}
