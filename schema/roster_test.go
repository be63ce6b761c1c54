package schema

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRosterIsSorted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		list := rapid.SliceOfNDistinct(names, MinMembers, 8, rapid.ID).Draw(rt, "names")
		members := testMembers(t, list...)
		roster, err := NewRoster(members)
		if err != nil {
			rt.Fatal(err)
		}
		if !slices.EqualFunc(members, list, func(m Member, name string) bool { return m.Name == name }) {
			rt.Fatal("the caller's list was changed")
		}
		again, err := NewRoster(rapid.Permutation(members).Draw(rt, "order"))
		if err != nil || again.Digest() != roster.Digest() {
			rt.Fatalf("the order of the list matters: %v", err)
		}
		slices.Sort(list)
		if !slices.Equal(roster.Names(), list) || roster.Len() != len(list) {
			rt.Fatalf("names %q, want %q", roster.Names(), list)
		}
		for i, name := range list {
			if at, ok := roster.Index(name); !ok || at != i || roster.Member(i) != testMember(t, name) {
				rt.Fatalf("%q is at %d, %t; want %d", name, at, ok, i)
			}
		}
		other := names.Filter(func(s string) bool { return !slices.Contains(list, s) }).Draw(rt, "stranger")
		if _, ok := roster.Index(other); ok {
			rt.Fatalf("%q is a member", other)
		}
	})
}

func TestRosterIndexRefusesStrangers(t *testing.T) {
	roster := testRoster(t)
	for _, name := range []string{"", All, "Alice", "alic", "alicea", "zoe", "bob ", "\xff"} {
		if _, ok := roster.Index(name); ok {
			t.Errorf("%q is a member", name)
		}
	}
}

func TestNewRosterRefuses(t *testing.T) {
	for what, spoil := range map[string]func([]Member) []Member{
		"nobody":              func(m []Member) []Member { return nil },
		"two members":         func(m []Member) []Member { return m[:2] },
		"no name":             func(m []Member) []Member { m[1].Name = ""; return m },
		"all as a name":       func(m []Member) []Member { m[1].Name = All; return m },
		"a name with a dot":   func(m []Member) []Member { m[1].Name = "b.c"; return m },
		"a name too long":     func(m []Member) []Member { m[1].Name = strings.Repeat("b", MaxName+1); return m },
		"a name twice":        func(m []Member) []Member { m[2].Name = m[0].Name; return m },
		"a shared sign key":   func(m []Member) []Member { m[2].Sign = m[0].Sign; return m },
		"a shared seal key":   func(m []Member) []Member { m[2].Seal = m[0].Seal; return m },
		"one key for both":    func(m []Member) []Member { m[1].Seal = m[1].Sign; return m },
		"another's other key": func(m []Member) []Member { m[1].Seal = m[2].Sign; return m },
		"no sign key":         func(m []Member) []Member { m[1].Sign = [32]byte{}; return m },
		"no seal key":         func(m []Member) []Member { m[1].Seal = [32]byte{}; return m },
		"a member twice":      func(m []Member) []Member { return append(m, m[0]) },
	} {
		if roster, err := NewRoster(spoil(testMembers(t, "alice", "bob", "charlie"))); err == nil || roster != nil {
			t.Errorf("%s is accepted", what)
		}
	}
}

func TestRosterSizes(t *testing.T) {
	for n := range MaxMembers + 2 {
		members := make([]Member, n)
		for i := range members {
			members[i] = testMember(t, fmt.Sprintf("bank%02d", i))
		}
		if _, err := NewRoster(members); (err == nil) != (n >= MinMembers && n <= MaxMembers) {
			t.Errorf("%d members: %v", n, err)
		}
	}
}

// lowOrderSeal are the encodings of the points of low order of Curve25519 and its twist (RFC 7748, section 6.1): the
// secret shared with one of them is zero, whatever the other key.
var lowOrderSeal = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// lowOrderSign are the encodings of the eight points of low order of Ed25519, without the sign of x: with one of them
// as a key, anybody can sign.
var lowOrderSign = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestNewRosterRefusesKeysOfLowOrder(t *testing.T) {
	private, err := ecdh.X25519().NewPrivateKey(repeat(7, 32))
	if err != nil {
		t.Fatal(err)
	}
	for _, high := range []byte{0, 0x80} { // the top bit: ignored by X25519, the sign of x in Ed25519
		for _, text := range lowOrderSeal {
			members := testMembers(t, "alice", "bob", "charlie")
			members[1].Seal = [32]byte(unhex(t, text))
			members[1].Seal[31] |= high
			if public, err := ecdh.X25519().NewPublicKey(members[1].Seal[:]); err == nil {
				if _, err := private.ECDH(public); err == nil {
					t.Fatalf("%x is not of low order", members[1].Seal)
				}
			}
			if _, err := NewRoster(members); err == nil {
				t.Errorf("sealing key %x is accepted", members[1].Seal)
			}
		}
		for _, text := range lowOrderSign {
			members := testMembers(t, "alice", "bob", "charlie")
			members[1].Sign = [32]byte(unhex(t, text))
			members[1].Sign[31] |= high
			if _, err := NewRoster(members); err == nil {
				t.Errorf("signing key %x is accepted; a signature without a private key is valid: %t",
					members[1].Sign, forgeable(members[1].Sign))
			}
		}
	}
}

// forgeable tells whether the trivial signature (R = identity, s = 0) passes for one of many messages.
func forgeable(key [32]byte) bool {
	signature := make([]byte, 64)
	signature[0] = 1
	for i := range 256 {
		if ed25519.Verify(key[:], []byte{byte(i)}, signature) {
			return true
		}
	}
	return false
}

// The danger is real: a key of low order is one for which nobody needs the private key.
func TestKeysOfLowOrderCanBeForged(t *testing.T) {
	forged := 0
	for _, text := range lowOrderSign {
		if forgeable([32]byte(unhex(t, text))) {
			forged++
		}
	}
	if forged != len(lowOrderSign) {
		t.Errorf("only %d of %d keys could be forged for", forged, len(lowOrderSign))
	}
	if forgeable(testMember(t, "alice").Sign) {
		t.Error("an honest key can be forged for")
	}
}

func TestRosterDigestCoversEveryField(t *testing.T) {
	base := testRoster(t).Digest()
	if base != testRoster(t).Digest() {
		t.Error("the same members give two digests")
	}
	seen := map[[32]byte]string{base: "the original"}
	for i := range 3 {
		for field, change := range map[string]func(*Member){
			"name": func(m *Member) { m.Name += "x" },
			"sign": func(m *Member) { m.Sign = testMember(t, "other").Sign },
			"seal": func(m *Member) { m.Seal = testMember(t, "other").Seal },
		} {
			members := testMembers(t, "alice", "bob", "charlie")
			change(&members[i])
			roster, err := NewRoster(members)
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%s of member %d", field, i)
			if other, taken := seen[roster.Digest()]; taken {
				t.Errorf("%s and %s have one digest", what, other)
			}
			seen[roster.Digest()] = what
		}
	}
	members := testMembers(t, "alice", "bob", "charlie")
	members[0].Sign, members[1].Sign = members[1].Sign, members[0].Sign
	swapped, err := NewRoster(members)
	if err != nil || seen[swapped.Digest()] != "" {
		t.Errorf("swapped keys: %v, %q", err, seen[swapped.Digest()])
	}
}
