package party_test

import (
	"testing"

	"riskprop/party/partytest"
	"riskprop/schema"
)

// TestLeftThenVoted: charlie ends the session in the round after the vote, and then votes after all. Alice goes on with that vote, and
// comes to the same again.
func TestLeftThenVoted(t *testing.T) {
	w := newWorld(t)
	alice := w.voter(t, 0)
	goAhead(t, alice)
	word := headSlot(1, "charlie")
	if err := w.log.Put(word.Subject(), partytest.SignHead(word, schema.Head{Abort: &schema.Abort{Reason: "gone"}})); err != nil {
		t.Fatal(err)
	}
	other := &world{w.roster, w.identities, partytest.NewLog(w.roster)}
	goAhead(t, other.voter(t, 2))
	for _, subject := range other.log.Order {
		if err := w.log.Put(subject, other.log.Records[subject]); err != nil {
			t.Fatal(err)
		}
	}
	goAhead(t, alice)
	settle(t, true, alice)
	goAhead(t, alice)
	if got := votes(t, alice.Machine); got != "02" {
		t.Fatal(got)
	}
	again := w.voter(t, 0)
	goAhead(t, again)
	if got := votes(t, again.Machine); got != "02" {
		t.Error(got)
	}
}
