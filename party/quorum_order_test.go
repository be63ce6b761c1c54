package party_test

import (
	"crypto/sha256"
	"errors"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// The tests of this file are about the order of records around a round with a quorum: what a party came to once it comes to
// again, whatever others have said in between, and nobody is blamed for what the log may have hidden.

// ends lets readers do all they can, and returns what stops each.
func ends(readers ...*partytest.Reader) []error {
	errs := make([]error, len(readers))
	goOn(readers, make([]bool, len(readers)), errs)
	return errs
}

// fetched takes a reader to the end of the round that it has settled.
func fetched(t *testing.T, r *partytest.Reader) {
	t.Helper()
	for r.Machine.Complete() {
		if _, err := r.Step(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestDoneThenAborted: an abort of charlie lies on the log between the words of alice, who has gone on without him.
func TestDoneThenAborted(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	// charlie, honest, had to give up in round 0
	effect, ok := w.voter(t, 2).Machine.Abort("", "the deadline has passed in the round before")
	if !ok || effect.Slot.Round != 0 {
		t.Fatal(effect.Slot)
	}
	if err := w.log.Append(effect); err != nil {
		t.Fatal(err)
	}
	errs := ends(alice, bob)
	if errs[0] != nil || errs[1] != nil || votes(t, alice.Machine) != "01" || votes(t, bob.Machine) != "01" {
		t.Errorf("alice and bob, who are enough: %v", errs)
	}
	again := w.voter(t, 0)
	errs = ends(again)
	if errs[0] != nil {
		t.Error("alice, who has had her result, cannot come to it again")
	}
}

// TestDoneThenAbortedInConfirm: bob ends the session when alice has confirmed.
func TestDoneThenAbortedInConfirm(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	goAhead(t, alice)
	settle(t, true, alice)
	goAhead(t, alice)
	effect, _ := bob.Machine.Abort("charlie", "late")
	if err := w.log.Append(effect); err != nil {
		t.Fatal(err)
	}
	again := w.voter(t, 0)
	if errs := ends(again); errs[0] != nil {
		t.Errorf("alice again: %v", errs[0])
	}
}

// TestLateHeadsAreNothingToUs: a head that comes late and is not as it must be is passed over by who does not need it. Who
// waits for it blames its sender.
func TestLateHeadsAreNothingToUs(t *testing.T) {
	for name, head := range map[string]func(w *world) schema.Head{
		"no parts": func(w *world) schema.Head { return schema.Head{Seen: w.seen()} },
		"absent": func(w *world) schema.Head {
			return schema.Head{Seen: w.seen(), Absent: 1, Parts: []schema.Ref{{To: schema.All, Size: 1}}}
		},
	} {
		w := newWorld(t)
		alice, bob := w.voter(t, 0), w.voter(t, 1)
		goAhead(t, alice, bob)
		settle(t, true, alice)
		fetched(t, alice)
		e := w.signed(t, headSlot(0, "charlie"), head(w))
		a, b := alice.Machine.Apply(e), bob.Machine.Apply(e)
		if (a == nil) != (b == nil) {
			t.Errorf("%s: alice says %v, bob says %v", name, a, b)
		}
	}
}

// TestSelfAbsent: a member that counts itself as absent is judged alike by those who do and those who do not.
func TestSelfAbsent(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	fetched(t, alice)
	digests := make([][32]byte, 3)
	for i, name := range []string{"alice", "bob"} {
		digests[i] = sha256.Sum256(w.log.Records[headSlot(0, name).Subject()])
	}
	e := w.signed(t, headSlot(1, "charlie"), schema.Head{Absent: 4, Seen: schema.NextSeen(w.seen(), 0, digests)})
	a, b := alice.Machine.Apply(e), bob.Machine.Apply(e)
	if (a == nil) != (b == nil) {
		t.Errorf("alice says %v, bob says %v", a, b)
	}
}

// TestHiddenHead: a broker that withholds one head does not make alice blame an honest member.
func TestHiddenHead(t *testing.T) {
	w := newWorld(t)
	ms := w.machines(t, echo{rounds: 2, count: 1})
	readers := []*partytest.Reader{partytest.NewReader(w.log, ms[0]), partytest.NewReader(w.log, ms[1]), partytest.NewReader(w.log, ms[2])}
	goAhead(t, readers...)
	m := w.machine(t, 0, 0, echo{rounds: 2, count: 1})
	if err := m.Apply(w.event(t, headSlot(0, "alice"))); err != nil {
		t.Fatal(err)
	}
	if err := m.Apply(w.event(t, headSlot(0, "bob"))); err != nil {
		t.Fatal(err)
	}
	// charlie's head of round 0 is withheld; bob's of round 1 is shown. All are honest.
	err := m.Apply(w.event(t, headSlot(1, "bob")))
	var blame *party.Blame
	if errors.As(err, &blame) {
		t.Errorf("honest %s is blamed: %v", blame.Party, err)
	}
}

// TestHiddenHeadAroundAQuorum is the same around a quorum.
func TestHiddenHeadAroundAQuorum(t *testing.T) {
	w := newWorld(t)
	alice, bob, charlie := w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	fetched(t, alice)
	goAhead(t, charlie, bob)
	err := alice.Machine.Apply(w.event(t, headSlot(1, "bob")))
	var blame *party.Blame
	if errors.As(err, &blame) {
		t.Errorf("honest %s is blamed: %v", blame.Party, err)
	}
}

// TestSettleBeforeSpeaking: two of three have spoken and alice has not: she must not go on without herself (her next head would count herself as absent,
// and all would blame her).
func TestSettleBeforeSpeaking(t *testing.T) {
	w := newWorld(t)
	goAhead(t, w.voter(t, 1))
	goAhead(t, w.voter(t, 2))
	alice := w.voter(t, 0)
	for _, name := range []string{"bob", "charlie"} {
		if err := alice.Machine.Apply(w.event(t, headSlot(0, name))); err != nil {
			t.Fatal(err)
		}
	}
	settle(t, false, alice)
}

// TestTooFewAreLeft: where so many end the session that a quorum cannot come about any more, it ends for all.
func TestTooFewAreLeft(t *testing.T) {
	w := newWorld(t)
	alice, auditor := w.voter(t, 0), w.voter(t, -1)
	goAhead(t, alice, auditor)
	for i, name := range []string{"bob", "charlie"} {
		word := w.signed(t, headSlot(0, name), schema.Head{Abort: &schema.Abort{Reason: "gone"}})
		for _, r := range []*partytest.Reader{alice, auditor} {
			var aborted *party.Aborted
			err := r.Machine.Apply(word)
			if last := i == 1; last != errors.As(err, &aborted) || !last && err != nil || last && aborted.By != name {
				t.Errorf("when %s leaves: %v", name, err)
			}
		}
	}
}
