package keygen_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/partytest"
)

// searching is a small session whose first attempt finds no modulus and whose second one does, so that every round of
// the protocol is in it and the search begins anew once. Its name was looked for; another protocol needs another one.
func searching(t *testing.T, n, threshold int, session string) *partytest.Reference {
	t.Helper()
	c := newConsortium(t, n, threshold, 256)
	c.manifest.Batch, c.manifest.Session = 4, session
	ref, err := partytest.Session{
		Roster: c.roster,
		Start: func(member int) (*party.Machine, error) {
			var id *party.Identity
			if member >= 0 {
				id = c.ids[member]
			}
			return c.machine(t, id, c.manifest), nil
		},
		Result: func(r party.Round) string {
			done := r.(*keygen.Done)
			return fmt.Sprintf("key %x, share %v, %+v", done.ID, done.Share, done.Stats)
		},
	}.Run()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(ref.Results[0], "{Attempts:2 ") {
		t.Fatalf("session %s ends with %s: it does not need two attempts, choose another name", session, ref.Results[0])
	}
	return ref
}

// TestCrashEverywhere ends a party before and after every operation of a key generation, each time in a session of its
// own, and starts it again from nothing.
func TestCrashEverywhere(t *testing.T) {
	runs, lives, err := searching(t, 3, 1, "s214").AllCrashes(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d crashes of bob, %d lives in one session", runs, lives)
}

// TestCrashEverywhereOfFive is the same with t = 2, which has the round sieve-reduce. Dave deals no units (t+1 do) and
// multiplies (2t+1 do).
func TestCrashEverywhereOfFive(t *testing.T) {
	runs, err := searching(t, 5, 2, "s288").CrashEverywhere(3, partytest.Recorded, partytest.Stride)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d crashes of dave", runs)
}

// TestTakeOver ends a party before and after every record that it writes, while a second copy of it goes on.
func TestTakeOver(t *testing.T) {
	ref := searching(t, 3, 1, "s214")
	runs, err := ref.TakeOver(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d ends of bob's first copy", runs)
}

// TestTwins runs two copies of every party in random interleavings, and TestSchedules one with delays and crashes. The
// seeds are new in every run. One that fails belongs into the file of cases, which come first.
func TestTwins(t *testing.T) {
	ref := searching(t, 3, 1, "s214")
	if err := partytest.TryKept("keygen twins", 40, rand.Uint64, ref.Twins); err != nil {
		t.Fatal(err)
	}
}

func TestSchedules(t *testing.T) {
	ref := searching(t, 3, 1, "s214")
	if err := partytest.TryKept("keygen schedule", 150, rand.Uint64, ref.Schedule); err != nil {
		t.Fatal(err)
	}
}

// TestProcessors: how many processors share the arithmetic makes no difference to the log.
func TestProcessors(t *testing.T) {
	ref := searching(t, 3, 1, "s214")
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(processors)
		if other := searching(t, 3, 1, "s214"); !ref.Log.Equal(other.Log) {
			t.Errorf("with %d processors the log is another one", processors)
		}
	}
}
