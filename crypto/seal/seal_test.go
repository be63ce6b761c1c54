package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// key is the private key of a test party.
func key(name string) *PrivateKey { return NewPrivateKey(sha256.Sum256([]byte(name))) }

// pair is the pair of two test parties, from the first one's side.
func pair(t interface{ Fatal(...any) }, own, peer string) *Pair {
	p, err := NewPair(key(own), key(peer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var (
	texts    = rapid.SliceOfN(rapid.Byte(), 0, 200)
	contexts = rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 5), 0, 4)
)

func TestOpenInvertsSeal(t *testing.T) {
	ends := [][2]*Pair{
		{pair(t, "alice", "bob"), pair(t, "bob", "alice")},
		{pair(t, "alice", "alice"), pair(t, "alice", "alice")}, // what a party keeps for itself
	}
	rapid.Check(t, func(t *rapid.T) {
		pairs := rapid.SampledFrom(ends).Draw(t, "pair")
		text, context := texts.Draw(t, "text"), contexts.Draw(t, "context")
		box := pairs[0].Seal(text, context...)
		if len(box) != len(text)+Overhead {
			t.Fatalf("%d bytes became %d", len(text), len(box))
		}
		if again := pairs[0].Seal(text, context...); !bytes.Equal(box, again) {
			t.Fatal("sealed twice, two boxes")
		}
		for end, p := range pairs {
			got, err := p.Open(box, context...)
			if err != nil || !bytes.Equal(got, text) {
				t.Fatalf("end %d: %x, %v; want %x", end, got, err, text)
			}
		}
	})
}

func TestSealAndOpenLeaveTheirArgumentsAlone(t *testing.T) {
	p := pair(t, "alice", "bob")
	text := make([]byte, 5, 100)
	copy(text, "hello")
	// A context slice with room behind it must not be written to.
	context := append(make([][]byte, 0, 8), []byte("slot"), []byte("seen"))
	box := p.Seal(text, context...)
	before := bytes.Clone(box)
	if _, err := p.Open(box, context...); err != nil || !bytes.Equal(box, before) {
		t.Errorf("the box changed: %v", err)
	}
	if string(text[:cap(text)][:6]) != "hello\x00" || string(context[0]) != "slot" || context[:3][2] != nil {
		t.Error("an argument changed")
	}
}

// sealed fails if the box opens.
func sealed(t *testing.T, what string, p *Pair, box []byte, context ...[]byte) {
	t.Helper()
	text, err := p.Open(box, context...)
	if !errors.Is(err, ErrOpen) || text != nil {
		t.Errorf("%s: %q, %v", what, text, err)
	}
}

func TestOpenRefusesEveryChange(t *testing.T) {
	p := pair(t, "alice", "bob")
	context := []byte("slot")
	for _, text := range []string{"", "x", "a share of the decryption key"} {
		box := p.Seal([]byte(text), context)
		for bit := range 8 * len(box) {
			changed := bytes.Clone(box)
			changed[bit/8] ^= 1 << (bit % 8)
			sealed(t, fmt.Sprintf("bit %d flipped", bit), p, changed, context)
		}
		for n := range box {
			sealed(t, fmt.Sprintf("the first %d bytes", n), p, box[:n], context)
			sealed(t, fmt.Sprintf("without the first %d bytes", n+1), p, box[n+1:], context)
		}
		sealed(t, "a byte more", p, append(bytes.Clone(box), 0), context)
	}
	one, two := p.Seal([]byte("one"), context), p.Seal([]byte("two"), context)
	sealed(t, "the vector of another box", p, append(bytes.Clone(one[:sha256.Size]), two[sha256.Size:]...), context)
}

// The other end has the keys to make a box by other rules: with a vector of its choice, one text would have many boxes,
// and two texts one key.
func TestOpenRefusesVectorsOfChoice(t *testing.T) {
	p := pair(t, "alice", "bob")
	context := [][]byte{[]byte("slot")}
	text := []byte("text")
	for _, vector := range [][32]byte{{}, {1}, p.vector([]byte("another text"), context)} {
		box := p.aead(vector, context).Seal(vector[:], make([]byte, 12), text, nil)
		sealed(t, "a vector of choice", p, box, context...)
	}
	vector := p.vector(text, context)
	box := p.aead(vector, context).Seal(vector[:], make([]byte, 12), text, nil)
	if got, err := p.Open(box, context...); err != nil || !bytes.Equal(got, text) {
		t.Errorf("the control: %q, %v", got, err)
	}
}

func TestOpenRefusesOtherPairs(t *testing.T) {
	box := pair(t, "alice", "bob").Seal([]byte("text"), []byte("slot"))
	for _, ends := range []string{"alice alice", "bob bob", "alice carol", "bob carol", "carol alice", "carol bob", "carol carol"} {
		own, peer, _ := strings.Cut(ends, " ")
		sealed(t, ends, pair(t, own, peer), box, []byte("slot"))
	}
}

// A pair has no direction of its own: the context gives it one, for a slot names sender and recipient.
func TestContextGivesTheDirection(t *testing.T) {
	alice, bob := pair(t, "alice", "bob"), pair(t, "bob", "alice")
	there, back := []byte("risk.s.keygen.1.bob.alice.0"), []byte("risk.s.keygen.1.alice.bob.0")
	box := alice.Seal([]byte("text"), there)
	sealed(t, "reflected to alice", alice, box, back)
	sealed(t, "in the other direction", bob, box, back)
	if bytes.Equal(box, bob.Seal([]byte("text"), back)) {
		t.Error("both directions give one box")
	}
}

func TestContextIsInjective(t *testing.T) {
	alice, bob := pair(t, "alice", "bob"), pair(t, "bob", "alice")
	list := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]byte("ab\x00")), 0, 2), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		one, other := list.Draw(t, "one"), list.Draw(t, "other")
		text, err := bob.Open(alice.Seal([]byte("text"), one...), other...)
		if same := sameList(one, other); same != (err == nil) || same != (string(text) == "text") {
			t.Fatalf("sealed with %q, opened with %q: %q, %v", one, other, text, err)
		}
	})
}

// sameList compares parts; nil and empty ones are the same.
func sameList(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// Equal keys and nonces with different plaintexts would give both away. So no two boxes may share a vector, of which
// the key is made, unless they are equal altogether.
func TestNoKeyServesTwoTexts(t *testing.T) {
	p := pair(t, "alice", "bob")
	seen := map[[32]byte]string{}
	for _, context := range []string{"", "slot 0", "slot 1"} {
		for _, text := range []string{"", "\x00", "\x00\x00", "0", "1", "10", strings.Repeat("0", 64)} {
			box := p.Seal([]byte(text), []byte(context))
			what := fmt.Sprintf("%q in %q", text, context)
			if other, taken := seen[[32]byte(box)]; taken {
				t.Errorf("%s and %s have one vector", what, other)
			}
			seen[[32]byte(box)] = what
		}
	}
	// Two texts with a common beginning: the ciphertexts, xored, do not give the texts, xored.
	one, two := p.Seal(bytes.Repeat([]byte{0}, 64)), p.Seal(append(bytes.Repeat([]byte{0}, 63), 1))
	equal := 0
	for i := range 63 {
		if one[sha256.Size+i] == two[sha256.Size+i] {
			equal++
		}
	}
	if equal > 10 {
		t.Errorf("%d of 63 bytes of the keystream are the same", equal)
	}
}

// lowOrder are the encodings of the points with which any private key has the secret zero (RFC 7748, section 6.1).
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestNewPairRefusesKeysOfLowOrder(t *testing.T) {
	for _, text := range lowOrder {
		for _, high := range []byte{0, 0x80} { // X25519 ignores the top bit
			peer := [32]byte(unhex(t, text))
			peer[31] |= high
			if p, err := NewPair(key("alice"), peer); err == nil || p != nil {
				t.Errorf("%x is accepted", peer)
			}
		}
	}
}

// A key in another encoding is the same point, but not the same party: the secret depends on the bytes.
func TestPairBindsTheEncodingOfThePeer(t *testing.T) {
	peer := key("bob").Public()
	peer[31] ^= 0x80
	p, err := NewPair(key("alice"), peer)
	if err != nil {
		t.Fatal(err)
	}
	sealed(t, "the peer's top bit set", pair(t, "bob", "alice"), p.Seal([]byte("text")))
}

func TestKeysOfAPair(t *testing.T) {
	alice, bob := pair(t, "alice", "bob"), pair(t, "bob", "alice")
	if alice.Key("tags", []byte("s")) != bob.Key("tags", []byte("s")) {
		t.Error("the ends derive different keys")
	}
	seen := map[[32]byte]int{}
	for i, k := range [][32]byte{
		alice.Key("tags"), alice.Key("tags", nil), alice.Key("tags", []byte("s")), alice.Key("tag", []byte("ss")), alice.Key("tagss"),
		alice.Key(""), alice.Key("other", []byte("s")), pair(t, "alice", "carol").Key("tags"), pair(t, "alice", "alice").Key("tags"),
	} {
		if j, taken := seen[k]; taken {
			t.Errorf("keys %d and %d are the same", j, i)
		}
		seen[k] = i
	}
}

// What is printed by mistake must not give a secret away.
func TestSecretsDoNotPrint(t *testing.T) {
	private, p := key("alice"), pair(t, "alice", "bob")
	secrets := [][]byte{p.secret[:], private.key.Bytes()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b"} {
		for _, value := range []any{p, *p, []*Pair{p}, []Pair{*p}, private, *private} {
			text := fmt.Sprintf(verb, value)
			for _, secret := range secrets {
				for _, form := range []string{"%v", "%x", "%X", "%s", "%q", "%o", "%b", "%#v"} {
					if shown := strings.Trim(fmt.Sprintf(form, secret[:4]), "[]"); strings.Contains(text, shown) {
						t.Errorf("%s of a %v shows a secret: %s", verb, reflect.TypeOf(value), text)
					}
				}
			}
		}
	}
}

func TestDeriveIsInjective(t *testing.T) {
	list := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]byte("ab\x00")), 0, 2), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		one, other := list.Draw(t, "one"), list.Draw(t, "other")
		same := Derive([]byte("secret"), string(one[0]), one[1:]...) == Derive([]byte("secret"), string(other[0]), other[1:]...)
		if same != sameList(one, other) {
			t.Fatalf("%q and %q: one key %t", one, other, same)
		}
	})
	if Derive([]byte("secret"), "label") == Derive([]byte("secre"), "label") {
		t.Error("the secret does not matter")
	}
}

func TestTagIsInjective(t *testing.T) {
	k := sha256.Sum256([]byte("key"))
	list := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]byte("ab\x00")), 0, 2), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		one, other := list.Draw(t, "one"), list.Draw(t, "other")
		if same := Tag(k, one...) == Tag(k, other...); same != sameList(one, other) {
			t.Fatalf("%q and %q: one tag %t", one, other, same)
		}
	})
	if Tag(k, []byte("x")) == Tag(sha256.Sum256([]byte("another key")), []byte("x")) {
		t.Error("the key does not matter")
	}
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func BenchmarkSeal(b *testing.B) {
	p := pair(b, "alice", "bob")
	text := make([]byte, 512<<10-Overhead)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		p.Seal(text, []byte("slot"), []byte("seen"))
	}
}
