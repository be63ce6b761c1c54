package schema

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"math"
	"runtime"
	"testing"

	"pgregory.net/rapid"
)

// signer is the signing key of a test member.
func signer(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("sign " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// testMember is the public side of a test member.
func testMember(t testing.TB, name string) Member {
	t.Helper()
	seed := sha256.Sum256([]byte("seal " + name))
	key, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		t.Fatal(err)
	}
	return Member{
		Name: name,
		Sign: [32]byte(signer(name).Public().(ed25519.PublicKey)),
		Seal: [32]byte(key.PublicKey().Bytes()),
	}
}

func testMembers(t testing.TB, names ...string) []Member {
	t.Helper()
	members := make([]Member, len(names))
	for i, name := range names {
		members[i] = testMember(t, name)
	}
	return members
}

// testRoster holds alice, bob and charlie.
func testRoster(t testing.TB) *Roster {
	t.Helper()
	roster, err := NewRoster(testMembers(t, "alice", "bob", "charlie"))
	if err != nil {
		t.Fatal(err)
	}
	return roster
}

// wantUntrusted fails unless err is noise, as everything is that a stranger could have written.
func wantUntrusted(t testing.TB, err error) {
	t.Helper()
	if !errors.Is(err, ErrUntrusted) {
		t.Errorf("error = %v, want one that wraps ErrUntrusted", err)
	}
}

// wantPanic fails unless f panics.
func wantPanic(t testing.TB, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s did not panic", what)
		}
	}()
	f()
}

// allocated is the number of bytes that f allocates: the least of some runs, as other goroutines may allocate too.
func allocated(f func()) uint64 {
	least := uint64(math.MaxUint64)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

var (
	digests = rapid.Custom(func(t *rapid.T) [32]byte {
		return [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "digest"))
	})
	names = rapid.StringMatching(`[A-Za-z0-9_-]{1,32}`).Filter(func(s string) bool { return s != All })
)

// blobs are nil, empty, short, or on either side of the lengths at which msgpack changes its form.
var blobs = rapid.OneOf(
	rapid.Just[[]byte](nil),
	rapid.SliceOfN(rapid.Byte(), 0, 40),
	rapid.Map(rapid.SampledFrom([]int{255, 256, 65535, 65536, 300000}), func(n int) []byte { return bytes.Repeat([]byte{0xc1}, n) }),
)

var heads = rapid.Custom(func(t *rapid.T) Head {
	ref := rapid.Custom(func(t *rapid.T) Ref {
		return Ref{To: rapid.String().Draw(t, "to"), Size: rapid.Uint32().Draw(t, "size"), Digest: digests.Draw(t, "of")}
	})
	head := Head{Seen: digests.Draw(t, "seen")}
	if rapid.Bool().Draw(t, "parts") {
		head.Parts = rapid.SliceOfN(ref, 0, 20).Draw(t, "refs")
	}
	if rapid.Bool().Draw(t, "abort") {
		head.Abort = &Abort{Culprit: rapid.String().Draw(t, "culprit"), Reason: rapid.String().Draw(t, "reason")}
	}
	return head
})

var batches = rapid.Custom(func(t *rapid.T) Batch {
	return Batch{First: rapid.Uint32().Draw(t, "first"), Width: rapid.Uint32().Draw(t, "width"), Data: blobs.Draw(t, "data")}
})

var envelopes = rapid.Custom(func(t *rapid.T) envelope {
	half := digests.Draw(t, "signature")
	return envelope{
		Version: rapid.Uint8().Draw(t, "version"), Payload: blobs.Draw(t, "payload"),
		Signature: [64]byte(append(half[:], half[:]...)),
	}
})

var keygenManifests = rapid.Custom(func(t *rapid.T) KeygenManifest {
	number := func(name string) uint32 { return rapid.Uint32().Draw(t, name) }
	return KeygenManifest{
		Version: rapid.Uint8().Draw(t, "version"), Session: rapid.String().Draw(t, "session"), Roster: digests.Draw(t, "roster"),
		KeyBits: number("key bits"), Threshold: number("threshold"), Kappa: number("kappa"),
		Batch: number("batch"), TrialTo: number("trial to"),
	}
})

var propagateManifests = rapid.Custom(func(t *rapid.T) PropagateManifest {
	number := func(name string) uint32 { return rapid.Uint32().Draw(t, name) }
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	var delta []uint64
	if flag("has delta") {
		delta = rapid.SliceOfN(rapid.Uint64(), 0, 30).Draw(t, "delta")
	}
	return PropagateManifest{
		Version: rapid.Uint8().Draw(t, "version"), Session: rapid.String().Draw(t, "session"),
		Roster: digests.Draw(t, "roster"), Key: digests.Draw(t, "key"),
		KeySession: rapid.String().Draw(t, "key session"), Deadline: rapid.Uint64().Draw(t, "deadline"), Periods: number("periods"), Delta: delta,
		ScoreBits: number("score bits"), WeightBits: number("weight bits"), FailOnMismatch: flag("fail"),
		FullRandomizer: flag("full"), LimitDisclosure: flag("limit"), MaxSingleSource: number("single"),
		MaxAccounts: number("accounts"), MaxEdges: number("edges"),
	}
})

var announcements = rapid.Custom(func(t *rapid.T) Announcement {
	return Announcement{
		Manifest: propagateManifests.Draw(t, "manifest"), Ciphertexts: rapid.Uint32().Draw(t, "ciphertexts"),
		Commitment: digests.Draw(t, "commitment"),
	}
})
