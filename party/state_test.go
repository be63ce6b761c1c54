package party_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// TestStateAfterRefusal: whatever a machine refuses, at whatever moment, leaves its whole state as it was. Before every
// operation of every party, in a key generation and in a propagation, it is shown all that is wrong at that moment; and
// the session ends as if nothing had happened.
func TestStateAfterRefusal(t *testing.T) {
	for name, begin := range sessions() {
		session, _ := begin(t)
		ref, err := session.Run()
		if err != nil {
			t.Fatal(err)
		}
		log, refused, events := partytest.NewLog(session.Roster), 0, make(map[moment][]schema.Event)
		var readers []*partytest.Reader
		for member := -1; member < session.Roster.Len(); member++ {
			m, err := session.Start(member)
			if err != nil {
				t.Fatal(err)
			}
			r := partytest.NewReader(log, m)
			r.Fault = func(step partytest.Step) error {
				if step.After {
					return nil
				}
				at := moment{m.Number(), strings.Join(m.Waiting(), " ")}
				if events[at] == nil {
					events[at] = wrong(t, session.Roster, ref, m)
				}
				refused += refuseAll(t, m, events[at])
				return nil
			}
			readers = append(readers, r)
		}
		if err := partytest.RunReaders(readers...); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !log.Equal(ref.Log) {
			t.Errorf("%s: another log", name)
		}
		t.Logf("%s: %d events refused", name, refused)
	}
}

type makeSession func(*testing.T) (partytest.Session, func(int, alteration) *party.Machine)

func sessions() map[string]makeSession {
	return map[string]makeSession{"keygen": searching, "propagate": sharing}
}

// statedHead is a head and where it is said.
type statedHead struct {
	slot schema.Slot
	head schema.Head
}

// moment is what the wrong events depend on.
type moment struct {
	round   int
	waiting string // for whom
}

// refuseAll applies events each of which must be refused, and returns how many there were.
func refuseAll(t *testing.T, m *party.Machine, events []schema.Event) int {
	t.Helper()
	before := m.StateDigest()
	for _, event := range events {
		if err := m.Apply(event); err == nil {
			t.Fatalf("%s is accepted in round %d", event.Slot.Subject(), m.Number())
		}
	}
	if m.StateDigest() != before {
		t.Fatalf("one of %d refused events has changed the state in round %d", len(events), m.Number())
	}
	return len(events)
}

// wrong is all that is wrong at this moment of a session.
func wrong(t *testing.T, roster *schema.Roster, ref *partytest.Reference, m *party.Machine) []schema.Event {
	t.Helper()
	var events []schema.Event
	for _, subject := range ref.Log.Order {
		event, err := ref.Log.Event(subject)
		if err != nil {
			t.Fatal(err)
		}
		if event.Slot.Round != m.Number() {
			if event.Slot.Round < m.Number() && event.Slot.From == "bob" {
				events = append(events, event) // over
			}
			continue
		}
		if event.Head == nil {
			events = append(events, changed(event))
			continue
		}
		session, protocol := event, event
		session.Slot.Session, protocol.Slot.Proto = "other", "other"
		events = append(events, session, protocol)
		if !slices.Contains(m.Waiting(), event.Slot.From) {
			events = append(events, event) // again
		}
		events = append(events, forged(t, roster, m, event)...)
	}
	return events
}

// changed is a part with other bytes than its sender has signed.
func changed(event schema.Event) schema.Event {
	event.Raw = slices.Clone(event.Raw)
	event.Raw[len(event.Raw)/2] ^= 1
	return event
}

// forged are heads that a member could sign in place of its honest one.
func forged(t *testing.T, roster *schema.Roster, m *party.Machine, honest schema.Event) []schema.Event {
	t.Helper()
	many := slices.Repeat([]schema.Ref{schema.NewRef("alice", []byte("x"))}, 1000)
	next := honest.Slot
	next.Round++
	heads := []statedHead{
		{honest.Slot, schema.Head{Parts: honest.Head.Parts}}, // another history
		{honest.Slot, schema.Head{Seen: honest.Head.Seen, Parts: many}},
		{honest.Slot, schema.Head{Seen: honest.Head.Seen, Abort: &schema.Abort{Culprit: "bob", Reason: "x"}}},
		{next, schema.Head{Abort: &schema.Abort{Reason: "x"}}},
		{honest.Slot, schema.Head{Seen: honest.Head.Seen, Kind: schema.Settles}},
		{next, schema.Head{Kind: schema.Settles}},   // of another history
		{next, schema.Head{Seen: honest.Head.Seen}}, // early
	}
	if m.Complete() {
		heads = heads[:len(heads)-2] // the shell fetches before it reads on
	}
	if m.Session().Proto == schema.Propagate && slices.Contains([]string{"open", "check", "confirm"}, m.Name()) {
		heads = slices.DeleteFunc(heads, func(h statedHead) bool { return h.head.Abort != nil }) // these rounds can do without
	}
	var events []schema.Event
	for _, h := range heads {
		raw := partytest.SignHead(h.slot, h.head)
		event, err := schema.Open(h.slot.Subject(), raw, roster)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	return events
}

// TestStateAfterCheat lets bob say nonsense, well signed, in every round in turn: to everybody, to alice, to charlie. In
// every round with a message somebody refuses it, and the state of those that do is as it was before.
func TestStateAfterCheat(t *testing.T) {
	for name, begin := range sessions() {
		_, start := begin(t)
		var rounds []string
		for _, round := range spoken(t, start) {
			refused := 0
			for _, to := range []int{party.Everybody, 0, 2} {
				refused += refusals(t, start, func(name string, draft party.Draft) party.Draft {
					if name == round && draft.To == to {
						draft.Data = bytes.Repeat([]byte{0xff}, len(draft.Data))
					}
					return draft
				})
			}
			if refused > 0 {
				rounds = append(rounds, round)
			}
		}
		want := map[string]string{
			"keygen":    "agree sieve candidates moduli biprime confirm share product theta prove",
			"propagate": "agree scores.0.0 scores.0.1 final open check",
		}[name]
		if got := strings.Join(rounds, " "); got != want {
			t.Errorf("%s: nonsense is refused in the rounds %q, want %q", name, got, want)
		}
	}
}

// TestStateAfterWrongValue lets bob say values that are in their range and wrong: only the end of the round shows that.
func TestStateAfterWrongValue(t *testing.T) {
	_, start := searching(t)
	for _, round := range []string{"moduli", "theta", "prove"} {
		refused := refusals(t, start, func(name string, draft party.Draft) party.Draft {
			if name == round && draft.To == party.Everybody {
				draft.Data = slices.Clone(draft.Data)
				draft.Data[len(draft.Data)-1] ^= 1
			}
			return draft
		})
		if refused != 4 { // bob's own machine computes with what he said
			t.Errorf("%d machines refuse a wrong value in %s, want all", refused, round)
		}
	}
}

// spoken lists the names of the rounds in which bob says something besides his head.
func spoken(t *testing.T, start func(int, alteration) *party.Machine) []string {
	t.Helper()
	var names []string
	refusals(t, start, func(name string, draft party.Draft) party.Draft {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return draft
	})
	return names
}

// refusals runs a session in which bob cheats until nobody goes on, and counts who stops with an error. An error must
// leave the state as it was before the operation.
func refusals(t *testing.T, start func(int, alteration) *party.Machine, alter alteration) int {
	t.Helper()
	machines := []*party.Machine{start(0, nil), start(1, alter), start(2, nil), start(-1, nil)}
	log, refused := partytest.NewLog(newWorld(t).roster), 0
	readers, before := make([]*partytest.Reader, len(machines)), make([][32]byte, len(machines))
	for i, m := range machines {
		readers[i] = partytest.NewReader(log, m)
		readers[i].Fault = func(step partytest.Step) error {
			if !step.After {
				before[i] = m.StateDigest()
			}
			return nil
		}
		defer readers[i].Close()
	}
	for moved := true; moved; {
		moved = false
		for i, r := range readers {
			if r == nil {
				continue
			}
			stepped, err := r.Step()
			moved = moved || stepped
			if err == nil {
				continue
			}
			if refused++; machines[i].StateDigest() != before[i] {
				t.Errorf("machine %d: %v: the state has changed", i, err)
			}
			readers[i] = nil
		}
	}
	return refused
}

// silent is a round in which nobody says anything, and which nothing can follow.
type silent struct{ party.Ended }

func (silent) Plan() party.Plan { return party.Plan{Name: "silent"} }

func (silent) Next(party.Inbox) (party.Round, error) { return nil, errTest }

// TestStateAfterLastHead: without a part to wait for, the last head ends the round. Where the round finds then that it
// cannot go on, the head is as if it had not been applied.
func TestStateAfterLastHead(t *testing.T) {
	w := newWorld(t)
	m := w.begin(t, w.session(), 0, [32]byte{}, silent{})
	for i, from := range w.roster.Names() {
		before := m.StateDigest()
		err := m.Apply(w.signed(t, headSlot(0, from), schema.Head{Seen: w.seen()}))
		if i < 2 && (err != nil || m.StateDigest() == before) {
			t.Errorf("head of %s: %v", from, err)
		}
		if i == 2 && (!errors.Is(err, errTest) || m.StateDigest() != before || m.Complete()) {
			t.Errorf("last head: %v, the round is complete: %t", err, m.Complete())
		}
	}
}

// TestStateDigest: the digest of the state changes with every operation that changes it, and is the same for machines
// that have read the same.
func TestStateDigest(t *testing.T) {
	session, start := searching(t)
	ref, err := session.Run()
	if err != nil {
		t.Fatal(err)
	}
	one, other := start(1, nil), start(1, nil)
	digests := make(map[[32]byte]bool)
	readers := []*partytest.Reader{partytest.NewReader(ref.Log, one), partytest.NewReader(ref.Log, other)}
	for !one.Done() {
		if one.StateDigest() != other.StateDigest() {
			t.Fatalf("round %d (%s): machines that have read the same have different digests", one.Number(), one.Name())
		}
		digests[one.StateDigest()] = true
		for _, r := range readers {
			if _, err := r.Step(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(digests) < 3*one.Number() {
		t.Errorf("only %d states in %d rounds", len(digests), one.Number())
	}
}
