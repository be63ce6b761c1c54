package propagate_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
)

// ring is a session of two periods with two iterations each, in which every bank sends scores to another one and gets
// some, banks disagree about a transaction, and one account has no income.
func ring(t *testing.T) *partytest.Reference {
	t.Helper()
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(t, names, 512)
	ab, bc, ca := "a,alice,x,bob,5,0\n", "x,bob,p,charlie,3,0\ny,bob,p,charlie,1,1\n", "p,charlie,a,alice,2.5,0\np,charlie,b,alice,1,1\n"
	ledgers := read(t, map[string]bank{
		"alice":   {"a,0.5\nb,1\n", ab + ca + "a,alice,b,alice,7,1\n"},
		"bob":     {"x,0.25\ny,0.75\n", ab + bc + "x,bob,p,charlie,9,1\n"},
		"charlie": {"p,0.125\n", bc + ca},
	}, names)
	configs := c.configs(ledgers, 2, 0.5, 0.25)
	ref, err := partytest.Session{
		Roster: c.roster,
		Start: func(member int) (*party.Machine, error) {
			return c.machine(t, member, configs[max(member, 0)]), nil
		},
		Result: func(r party.Round) string { return fmt.Sprintf("%+v", *r.(*propagate.Done)) },
	}.Run()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestCrashEverywhere ends a party before and after every operation of a propagation, each time in a session of its
// own, and starts it again from nothing.
func TestCrashEverywhere(t *testing.T) {
	runs, lives, err := ring(t).AllCrashes(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d crashes of bob, %d lives in one session", runs, lives)
}

// TestTakeOver ends a party before and after every record that it writes, while a second copy of it goes on.
func TestTakeOver(t *testing.T) {
	runs, err := ring(t).TakeOver(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d ends of bob's first copy", runs)
}

// TestTwins runs two copies of every party in random interleavings, and TestSchedules one with delays and crashes. The
// seeds are new in every run. One that fails belongs into the file of cases, which come first.
func TestTwins(t *testing.T) {
	if err := partytest.TryKept("propagate twins", 30, rand.Uint64, ring(t).Twins); err != nil {
		t.Fatal(err)
	}
}

func TestSchedules(t *testing.T) {
	if err := partytest.TryKept("propagate schedule", 100, rand.Uint64, ring(t).Schedule); err != nil {
		t.Fatal(err)
	}
}

// TestProcessors: how many processors share the arithmetic makes no difference to the log.
func TestProcessors(t *testing.T) {
	ref := ring(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(processors)
		if other := ring(t); !ref.Log.Equal(other.Log) {
			t.Errorf("with %d processors the log is another one", processors)
		}
	}
}
