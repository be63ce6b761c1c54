package party_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// votes is what a machine that is done has heard: whose words, and without whom it confirmed.
func votes(t *testing.T, m *party.Machine) string {
	t.Helper()
	if !m.Done() {
		t.Fatalf("not done: in round %d (%s), waiting for %v", m.Number(), m.Name(), m.Waiting())
	}
	in := m.Round().(*partytest.Vote).Heard
	text := ""
	for i, word := range in[0].Broadcast {
		if (word == nil) != (in[0].Absent>>i&1 == 1) {
			t.Fatalf("member %d: word %v, absent %b", i, word, in[0].Absent)
		}
		if word != nil {
			text += fmt.Sprint(i)
		}
	}
	return text
}

func (w *world) voter(t *testing.T, i int) *partytest.Reader {
	t.Helper()
	var identity *party.Identity
	if i >= 0 {
		identity = w.identities[i]
	}
	m, err := party.NewMachine(w.session(), identity, [32]byte{}, &partytest.Vote{})
	if err != nil {
		t.Fatal(err)
	}
	return partytest.NewReader(w.log, m)
}

// goAhead lets readers do all they can.
func goAhead(t *testing.T, readers ...*partytest.Reader) {
	t.Helper()
	errs := make([]error, len(readers))
	goOn(readers, make([]bool, len(readers)), errs)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func settle(t *testing.T, want bool, r *partytest.Reader) {
	t.Helper()
	if could := r.Machine.CanSettle(); could != want {
		t.Fatalf("in round %d (%s): can settle: %t", r.Machine.Number(), r.Machine.Name(), could)
	}
	if did, err := r.Machine.Settle(); err != nil || did != want {
		t.Fatalf("in round %d (%s): settled: %t, %v", r.Machine.Number(), r.Machine.Name(), did, err)
	}
}

// TestQuorum: charlie vanishes. The others wait until they are told not to, have their result without him, and he has
// his when he comes back, from the log alone. An auditor who looks on sees all three.
func TestQuorum(t *testing.T) {
	w := newWorld(t)
	alice, bob, auditor := w.voter(t, 0), w.voter(t, 1), w.voter(t, -1)
	settle(t, false, alice) // nobody has spoken
	goAhead(t, alice)
	settle(t, false, alice) // she has, but one is not enough
	goAhead(t, alice, bob, auditor)
	if got := strings.Join(alice.Machine.Waiting(), " "); got != "charlie" {
		t.Errorf("alice waits for %s", got)
	}
	settle(t, true, alice)
	settle(t, false, alice) // her word in the next round is due
	goAhead(t, alice, bob, auditor)
	if alice.Machine.Done() || strings.Join(alice.Machine.Waiting(), " ") != "bob" {
		t.Errorf("alice waits for %v: charlie is absent, bob is not", alice.Machine.Waiting())
	}
	if bob.Machine.Number() != 0 {
		t.Error("bob goes on because alice did")
	}
	settle(t, true, bob)
	goAhead(t, alice, bob, auditor)
	if a, b := votes(t, alice.Machine), votes(t, bob.Machine); a != "01" || b != "01" {
		t.Errorf("alice heard %s, bob %s", a, b)
	}
	charlie := w.voter(t, 2)
	goAhead(t, charlie, auditor)
	if c, x := votes(t, charlie.Machine), votes(t, auditor.Machine); c != "012" || x != "012" {
		t.Errorf("charlie heard %s, the auditor %s", c, x)
	}
	for _, member := range []int{0, 1, 2, -1} { // from nothing, with everything on the log
		again := w.voter(t, member)
		goAhead(t, again)
		want := "012"
		if member == 0 || member == 1 {
			want = "01" // as they went on then: their own word says so
		}
		if got := votes(t, again.Machine); got != want {
			t.Errorf("member %d, started again, heard %s", member, got)
		}
	}
	if records := len(w.log.Order); records != 3*3 {
		t.Errorf("%d records", records)
	}
}

// TestQuorumOfAnAuditor: he can settle what he reads, too, and says nothing.
func TestQuorumOfAnAuditor(t *testing.T) {
	w := newWorld(t)
	alice, bob, auditor := w.voter(t, 0), w.voter(t, 1), w.voter(t, -1)
	goAhead(t, alice, bob, auditor)
	settle(t, true, auditor)
	goAhead(t, auditor)
	settle(t, false, auditor) // in confirm nobody has spoken
	settle(t, true, alice)
	goAhead(t, alice, auditor)
	settle(t, true, auditor)
	if got := votes(t, auditor.Machine); got != "01" {
		t.Errorf("the auditor heard %s", got)
	}
}

// TestQuorumOvertaken: charlie's word arrives after alice has gone on without it and before her next head is on the log.
// Whoever reads that log later gets along with it, alice included.
func TestQuorumOvertaken(t *testing.T) {
	w := newWorld(t)
	alice, bob, charlie := w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	for len(w.log.Records[headSlot(0, "charlie").Subject()]) == 0 { // charlie speaks, and reads nothing yet
		if _, err := charlie.Step(); err != nil {
			t.Fatal(err)
		}
	}
	goAhead(t, alice, bob, charlie)
	again, auditor := w.voter(t, 0), w.voter(t, -1)
	goAhead(t, again, auditor)
	for who, c := range map[string]struct {
		reader *partytest.Reader
		want   string
	}{"alice": {alice, "01"}, "bob": {bob, "012"}, "charlie": {charlie, "012"}, "alice again": {again, "01"}, "auditor": {auditor, "012"}} {
		if got := votes(t, c.reader.Machine); got != c.want {
			t.Errorf("%s heard %s, want %s", who, got, c.want)
		}
	}
}

// TestQuorumTwins: of two copies of alice one goes on without charlie and the other waits for him. The word of the
// faster one counts for both.
func TestQuorumTwins(t *testing.T) {
	w := newWorld(t)
	one, two, bob, charlie := w.voter(t, 0), w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)
	goAhead(t, one, two, bob)
	settle(t, true, one)
	for len(w.log.Records[headSlot(0, "charlie").Subject()]) == 0 {
		if _, err := charlie.Step(); err != nil {
			t.Fatal(err)
		}
	}
	for two.Machine.Number() == 0 { // reads charlie's word, and will say in confirm that all were there
		if _, err := two.Step(); err != nil {
			t.Fatal(err)
		}
	}
	goAhead(t, one, two, bob, charlie)
	if a, b := votes(t, one.Machine), votes(t, two.Machine); a != "01" || b != "012" {
		t.Errorf("one heard %s, two %s", a, b)
	}
}

// TestQuorumStale: heads that come twice around a quorum change nothing, and an abort by one who was left behind ends
// nothing that is over.
func TestQuorumStale(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, alice, bob)
	settle(t, true, bob)
	goAhead(t, bob, alice)
	stale := func(slot schema.Slot) {
		t.Helper()
		if err := alice.Machine.Apply(w.event(t, slot)); !errors.Is(err, party.ErrStale) {
			t.Errorf("%s again: %v", slot.Subject(), err)
		}
	}
	stale(headSlot(1, "bob")) // early
	settle(t, true, alice)
	for alice.Machine.Complete() { // fetches the words
		if _, err := alice.Step(); err != nil {
			t.Fatal(err)
		}
	}
	goAhead(t, w.voter(t, 2))
	if err := alice.Machine.Apply(w.event(t, headSlot(0, "charlie"))); err != nil {
		t.Error(err)
	}
	stale(headSlot(0, "charlie")) // late
	word := w.signed(t, headSlot(0, "charlie"), schema.Head{Abort: &schema.Abort{Reason: "gone"}})
	if err := alice.Machine.Apply(word); !errors.Is(err, party.ErrStale) {
		t.Errorf("an abort in a round that is over: %v", err)
	}
	ahead := w.signed(t, headSlot(2, "charlie"), schema.Head{Abort: &schema.Abort{Reason: "gone"}})
	back := w.voterAt(t, 1).Machine
	if err := back.Apply(ahead); err != nil || back.Name() != "confirm" && !back.Complete() {
		t.Errorf("an abort of one who is ahead keeps bob from what is there: %v, in %s", err, back.Name())
	}
}

// voterAt is a member started again, who has read everything and not gone on.
func (w *world) voterAt(t *testing.T, i int) *partytest.Reader {
	t.Helper()
	log := partytest.NewLog(w.roster)
	for _, subject := range w.log.Order {
		if slot, err := schema.ParseSubject(subject); err == nil && slot.Round == 0 && slot.From != "charlie" {
			if err := log.Put(subject, w.log.Records[subject]); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := (&world{w.roster, w.identities, log}).voter(t, i)
	goAhead(t, r)
	return r
}

// TestAfterAQuorumNothingIsSaid: a protocol that plans it has a bug.
func TestAfterAQuorumNothingIsSaid(t *testing.T) {
	w := newWorld(t)
	m, err := party.NewMachine(w.session(), nil, [32]byte{}, &talkative{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		id := w.identities[i]
		speaker, err := party.NewMachine(w.session(), id, [32]byte{}, &talkative{})
		if err != nil {
			t.Fatal(err)
		}
		w.say(t, speaker)
	}
	defer func() {
		if fmt.Sprint(recover()) != "party: after a round with a quorum nothing can be said" {
			t.Error("no panic")
		}
	}()
	goAhead(t, partytest.NewReader(w.log, m))
}

// talkative votes twice.
type talkative struct{ partytest.Vote }

func (r *talkative) Plan() party.Plan { return (&partytest.Vote{}).Plan() }

func (r *talkative) Next(party.Inbox) (party.Round, error) { return r, nil }
