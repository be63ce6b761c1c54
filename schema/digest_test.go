package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// input draws a label and parts from so few letters that different lists often have the same concatenation.
func input(t *rapid.T, name string) []string {
	return rapid.SliceOfN(rapid.StringMatching("[ab\x00]{0,3}"), 1, 4).Draw(t, name)
}

func digestOf(list []string) [32]byte {
	parts := make([][]byte, len(list)-1)
	for i := range parts {
		parts[i] = []byte(list[i+1])
	}
	return Digest(list[0], parts...)
}

func TestDigestIsInjective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := input(t, "a"), input(t, "b")
		if (digestOf(a) == digestOf(b)) != reflect.DeepEqual(a, b) {
			t.Fatalf("%q and %q: one digest %t", a, b, digestOf(a) == digestOf(b))
		}
	})
	lists := [][]string{{""}, {"", ""}, {"", "", ""}, {"a"}, {"a", ""}, {"", "a"}, {"ab"}, {"a", "b"}, {"b", "a"}, {"", "ab"}, {"", "a", "b"}}
	seen := map[[32]byte]int{}
	for i, list := range lists {
		if j, taken := seen[digestOf(list)]; taken {
			t.Errorf("%q and %q have one digest", list, lists[j])
		}
		seen[digestOf(list)] = i
	}
}

// Digest written down plainly: lengths of 8 bytes before label and parts.
func TestDigestAsDocumented(t *testing.T) {
	want := sha256.Sum256([]byte("\x00\x00\x00\x00\x00\x00\x00\x05label\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03abc"))
	if got := Digest("label", nil, []byte("abc")); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestFirstSeenBindsTheSession(t *testing.T) {
	roster := testRoster(t)
	other, err := NewRoster(testMembers(t, "alice", "bob", "dave"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]bool{
		FirstSeen(Keygen, "s", roster): true, FirstSeen(Propagate, "s", roster): true, FirstSeen(Keygen, "t", roster): true,
		FirstSeen(Keygen, "s", other): true, FirstSeen(Keygen+"s", "", roster): true, FirstSeen("", Keygen+"s", roster): true,
	}
	if len(seen) != 6 {
		t.Errorf("%d transcripts of 6 sessions", len(seen))
	}
	if !seen[FirstSeen(Keygen, "s", testRoster(t))] {
		t.Error("one session, two transcripts")
	}
}

func TestNextSeenIsInjective(t *testing.T) {
	small := rapid.Custom(func(t *rapid.T) [32]byte { return [32]byte{byte(rapid.IntRange(0, 1).Draw(t, "byte"))} })
	type step struct {
		Seen  [32]byte
		Round int
		Heads [][32]byte
	}
	steps := rapid.Custom(func(t *rapid.T) step {
		return step{small.Draw(t, "seen"), rapid.SampledFrom([]int{0, 1, 256, MaxRound}).Draw(t, "round"),
			rapid.SliceOfN(small, 0, 3).Draw(t, "heads")}
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := steps.Draw(t, "a"), steps.Draw(t, "b")
		same := NextSeen(a.Seen, a.Round, a.Heads) == NextSeen(b.Seen, b.Round, b.Heads)
		if same != reflect.DeepEqual(a, b) {
			t.Fatalf("%v and %v: one transcript %t", a, b, same)
		}
	})
	// Order matters, every digest matters, and a member that is not waited for is not a member that is absent.
	a, b, zero := [32]byte{1}, [32]byte{2}, [32]byte{}
	seen := map[[32]byte]bool{}
	for _, heads := range [][][32]byte{{a, b}, {b, a}, {a}, {a, zero}, {zero, a}, {zero, zero}, {zero}, {}} {
		seen[NextSeen(zero, 1, heads)] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d transcripts of 8 rounds", len(seen))
	}
	if got := NextSeen(a, 7, [][32]byte{b}); got != Digest("riskprop/v1 round", a[:], binary.BigEndian.AppendUint64(nil, 7), b[:]) {
		t.Errorf("got %x", got)
	}
}
