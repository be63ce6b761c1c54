package party_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// echoes is an undisturbed session of two rounds. A machine that has not begun points to nothing that it changes later,
// so a copy of one is as good as a new one, and saves the arithmetic of its keys.
func echoes(t *testing.T) *partytest.Reference {
	t.Helper()
	w, first := newWorld(t), echo{rounds: 2, count: 1}
	machines := append(w.machines(t, first), w.machine(t, -1, 0, first))
	ref, err := partytest.Session{
		Roster: w.roster,
		Start: func(member int) (*party.Machine, error) {
			fresh := *machines[(member+len(machines))%len(machines)]
			return &fresh, nil
		},
		Result: func(r party.Round) string { return fmt.Sprintf("%x", r.(*echo).heard) },
	}.Run()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestTwins runs two copies of every party in random interleavings, and TestSchedules one with delays and crashes,
// thousands of times: whatever the order, the log is the same and nothing arrives early. The seeds are new in every run.
// One that fails belongs into the file of cases, which come first.
func TestTwins(t *testing.T) { try(t, "echo twins", 300, echoes(t).Twins) }

func TestSchedules(t *testing.T) { try(t, "echo schedule", 2000, echoes(t).Schedule) }

// try runs a rule with the kept seeds and with new ones.
func try(t *testing.T, rule string, count int, run func(seed uint64) error) {
	t.Helper()
	cases, err := os.ReadFile("testdata/seeds.csv")
	if err != nil {
		t.Fatal(err)
	}
	fresh := make([]uint64, count/partytest.Stride)
	for i := range fresh {
		fresh[i] = rand.Uint64()
	}
	if err := partytest.Try(cases, rule, fresh, run); err != nil {
		t.Fatal(err)
	}
}

// bulk is a protocol of one round, in which every member says the same six elements of 100 kB to everybody and to alice.
// They do not fit one part.
type bulk struct {
	party.Ended
	heard [32]byte
}

func (r *bulk) Plan() party.Plan {
	if r.heard != [32]byte{} {
		return r.Ended.Plan()
	}
	plan := party.Plan{Name: "bulk", Messages: party.EachToAll(3, 100_000, 6)}
	for from := range 3 {
		plan.Messages = append(plan.Messages, party.Message{From: from, To: 0, Width: 100_000, Min: 6, Max: 6})
	}
	return plan
}

func (r *bulk) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		for element := range byte(6) { // by turns
			for _, to := range []int{party.Everybody, 0} {
				if !yield(party.Draft{To: to, Data: bytes.Repeat([]byte{element}, 100_000)}, nil) {
					return
				}
			}
		}
	}
}

func (r *bulk) Check(party.Message, []byte) error { return nil }

func (r *bulk) Next(in party.Inbox) (party.Round, error) {
	return &bulk{heard: sha256.Sum256(bytes.Join(append(in.Broadcast, in.Private...), nil))}, nil
}

// TestCrashBetweenParts ends a party between the parts of one message. Where a message is divided is part of the
// protocol: parties that divide it otherwise would write other bytes to the same place.
func TestCrashBetweenParts(t *testing.T) {
	w := newWorld(t)
	ref, err := partytest.Session{
		Roster: w.roster,
		Start: func(member int) (*party.Machine, error) {
			var id *party.Identity
			if member >= 0 {
				id = w.identities[member]
			}
			return party.NewMachine(w.session(), id, [32]byte{}, &bulk{})
		},
		Result: func(r party.Round) string { return fmt.Sprintf("%x", r.(*bulk).heard) },
	}.Run()
	if err != nil {
		t.Fatal(err)
	}
	sizes := ""
	for _, subject := range ref.Log.Order {
		if slot, err := schema.ParseSubject(subject); err == nil && slot.From == "bob" {
			sizes += fmt.Sprintf("%s %d: %d, ", slot.To, slot.Part, len(ref.Log.Records[subject]))
		}
	}
	if want := "all 0: 500012, alice 0: 500060, all 1: 100012, alice 1: 100060, all -1: 288, "; sizes != want {
		t.Errorf("bob writes %s\nwant %s", sizes, want)
	}
	if runs, err := ref.CrashEverywhere(1, partytest.Live, 1); err != nil {
		t.Error(err)
	} else if want := 2 * (5 + 3 + 6); runs != want { // five records written, three heads read, two parts each fetched
		t.Errorf("%d runs, want %d", runs, want)
	}
}
