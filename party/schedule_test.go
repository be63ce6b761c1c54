package party_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"iter"
	"math/rand/v2"
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
func TestTwins(t *testing.T) {
	if err := partytest.TryKept("echo twins", 300, rand.Uint64, echoes(t).Twins); err != nil {
		t.Fatal(err)
	}
}

func TestSchedules(t *testing.T) {
	if err := partytest.TryKept("echo schedule", 2000, rand.Uint64, echoes(t).Schedule); err != nil {
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
	if want := "all 0: 500030, alice 0: 500078, all 1: 100030, alice 1: 100078, all -1: 288, "; sizes != want {
		t.Errorf("bob writes %s\nwant %s", sizes, want)
	}
	if runs, err := ref.CrashEverywhere(1, partytest.Live, 1); err != nil {
		t.Error(err)
	} else if want := 2 * (5 + 3 + 6); runs != want { // five records written, three heads read, two parts each fetched
		t.Errorf("%d runs, want %d", runs, want)
	}
}

// TestRecall: of its own parts a party takes back what it has sealed in this very place, in order, and nothing else.
func TestRecall(t *testing.T) {
	w := newWorld(t)
	machine := func(i int) *party.Machine {
		m, err := party.NewMachine(w.session(), w.identities[i], [32]byte{}, &bulk{})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	w.say(t, machine(1))
	slot := func(part schema.Part) schema.Slot {
		return schema.Slot{Session: "s", Proto: schema.Keygen, To: "alice", From: "bob", Part: part}
	}
	record := func(part schema.Part) []byte { return w.log.Records[slot(part).Subject()] }
	broadcast := slot(0)
	broadcast.To = schema.All
	head := slot(schema.HeadPart)
	head.To = schema.All
	other := slot(0)
	other.From = "charlie"
	later := slot(0)
	later.Round = 1
	foreign := slot(0)
	foreign.To = "charlie" // to whom nothing is said
	damaged := bytes.Clone(record(0))
	damaged[len(damaged)-1] ^= 1
	m := machine(1)
	for name, c := range map[string]struct {
		slot schema.Slot
		raw  []byte
	}{
		"a broadcast, which anybody could have written": {broadcast, w.log.Records[broadcast.Subject()]},
		"a head":                     {head, w.log.Records[head.Subject()]},
		"another's part":             {other, record(0)},
		"a part of another round":    {later, record(0)},
		"the second part first":      {slot(1), record(1)},
		"a part in another place":    {slot(0), record(1)},
		"a part for somebody else":   {foreign, record(0)},
		"a part that was damaged":    {slot(0), damaged},
		"nothing":                    {slot(0), nil},
		"a part without its sealing": {slot(0), schema.Encode(schema.Batch{Width: 100_000, Data: make([]byte, 500_000)})},
	} {
		if m.Recall(c.slot, c.raw) {
			t.Errorf("%s is taken back", name)
		}
	}
	if !m.Recall(slot(0), record(0)) || m.Recall(slot(0), record(0)) || !m.Recall(slot(1), record(1)) {
		t.Error("its own parts, in order, are not taken back once each")
	}
	auditor, err := party.NewMachine(w.session(), nil, [32]byte{}, &bulk{})
	if err != nil {
		t.Fatal(err)
	}
	if auditor.Recall(slot(0), record(0)) {
		t.Error("an auditor has said something")
	}
	var looks []string
	for effect, err := range machine(1).Ready() {
		if err != nil || effect.Op != party.Look {
			break
		}
		looks = append(looks, effect.Slot.Subject())
	}
	if want := slot(0).Subject(); len(looks) != 1 || looks[0] != want {
		t.Errorf("a machine that recalls nothing looks at %v, want %s alone", looks, want)
	}
}
