package party_test

import (
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

// TestDoneThenAborted: charlie ends the session when alice and bob are enough, before one of them settles, or after. They are done, and
// done again.
func TestDoneThenAborted(t *testing.T) {
	for _, before := range []bool{true, false} {
		w := newWorld(t)
		alice, bob := w.voter(t, 0), w.voter(t, 1)
		goAhead(t, alice, bob)
		effect, ok := w.voter(t, 2).Machine.Abort("", "the deadline has passed in the round before")
		if !ok || effect.Slot.Round != 0 {
			t.Fatal(effect.Slot)
		}
		if !before {
			settle(t, true, alice)
		}
		if err := w.log.Append(effect); err != nil {
			t.Fatal(err)
		}
		again := w.voter(t, 0)
		for i, r := range []*partytest.Reader{alice, bob, again} {
			if errs := ends(alice, bob, again); errs[i] != nil || votes(t, r.Machine) != "01" {
				t.Errorf("alice and bob, who are enough: %v", errs)
			}
		}
	}
}

// TestDoneThenAbortedInConfirm: bob ends the session when alice has confirmed.
func TestDoneThenAbortedInConfirm(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	goAheadUntil(t, 2, bob)
	goAhead(t, alice)
	effect, _ := bob.Machine.Abort("charlie", "late")
	if err := w.log.Append(effect); err != nil {
		t.Fatal(err)
	}
	if errs := ends(alice, w.voter(t, 0)); errs[0] != nil || errs[1] != nil {
		t.Errorf("alice, and alice again: %v", errs)
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
	if !errors.Is(err, party.ErrSplit) || errors.As(err, &blame) {
		t.Errorf("%v", err)
	}
}

// TestHiddenHeadAroundAQuorum: the broker shows alice a round that was settled without charlie, and the others one in which he had spoken.
// She finds out with the next head, and blames nobody.
func TestHiddenHeadAroundAQuorum(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, bob)
	w.mustSpeak(t, alice, 0)
	goAhead(t, bob)
	settle(t, true, bob)
	goAheadUntil(t, 2, alice)
	alice.Close()
	other := &world{w.roster, w.identities, partytest.NewLog(w.roster)}
	bob = other.voter(t, 1)
	other.mustSpeak(t, other.voter(t, 0), 0)
	goAhead(t, bob, other.voter(t, 2))
	err := alice.Machine.Apply(other.event(t, headSlot(2, "bob")))
	var blame *party.Blame
	if !errors.Is(err, party.ErrSplit) || errors.As(err, &blame) {
		t.Errorf("%v", err)
	}
}

// TestSettleBeforeSpeaking: two of three have spoken and alice has not: she does not close the round without herself.
func TestSettleBeforeSpeaking(t *testing.T) {
	w := newWorld(t)
	goAhead(t, w.voter(t, 1))
	w.mustSpeak(t, w.voter(t, 2), 0)
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
