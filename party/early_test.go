package party_test

import (
	"errors"
	"slices"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// early are the subjects that a machine could fetch before its round is complete.
func early(m *party.Machine) []string {
	var subjects []string
	for _, slot := range m.Early() {
		subjects = append(subjects, slot.Subject())
	}
	return subjects
}

// firstPart is what a member says in round 0.
func firstPart(from string) string {
	slot := headSlot(0, from)
	slot.Part = 0
	return slot.Subject()
}

// TestEarly: a party fetches what others say to it as soon as their heads are there, once it has spoken itself, and waits for the
// rest. When the round is complete, nothing but the rest is fetched.
func TestEarly(t *testing.T) {
	w, vote := newWorld(t), partytest.Vote{Before: 1}
	alice, bob, charlie := w.electorOf(t, 0, vote), w.electorOf(t, 1, vote), w.electorOf(t, 2, vote)
	var fetched []string // by bob
	bob.Fault = func(s partytest.Step) error {
		if s.Op == partytest.Fetch && s.After {
			fetched = append(fetched, s.Subject)
		}
		return nil
	}
	goAhead(t, alice)
	if _, err := bob.Step(); err != nil { // he reads her head
		t.Fatal(err)
	}
	if waiting := bob.Machine.Waiting(); !slices.Equal(waiting, []string{"bob", "charlie"}) || early(bob.Machine) != nil {
		t.Errorf("waiting for %v, before he speaks: %v", waiting, early(bob.Machine))
	}
	goAhead(t, bob)
	if want := []string{firstPart("alice"), firstPart("bob")}; !slices.Equal(fetched, want) || early(bob.Machine) != nil || bob.Machine.Number() != 0 {
		t.Errorf("while charlie is awaited bob has fetched %v, and could fetch %v", fetched, early(bob.Machine))
	}
	goAhead(t, charlie, alice, bob)
	if want := []string{firstPart("alice"), firstPart("bob"), firstPart("charlie")}; !slices.Equal(fetched[:3], want) || slices.Contains(fetched[3:], want[0]) {
		t.Errorf("bob has fetched %v", fetched)
	}
	for _, r := range []*partytest.Reader{alice, bob, charlie} {
		if votes(t, r.Machine) != "012 012" {
			t.Errorf("%s has heard %s", r.Machine.Self(), votes(t, r.Machine))
		}
	}
}

// TestEarlyTrouble: what cannot be fetched early, or is not what was signed, changes nothing; it is fetched again when the round is
// complete. Whether that ever comes, and what ends the session, is for the log to say.
func TestEarlyTrouble(t *testing.T) {
	for name, change := range map[string]func([]byte) []byte{
		"other bytes": func(raw []byte) []byte { other := slices.Clone(raw); other[len(other)-1] ^= 1; return other },
		"nothing":     func([]byte) []byte { return nil },
	} {
		for _, end := range []string{"mended", "not mended", "ended by charlie"} {
			w, vote := newWorld(t), partytest.Vote{Before: 1}
			alice, bob, charlie := w.electorOf(t, 0, vote), w.electorOf(t, 1, vote), w.electorOf(t, 2, vote)
			goAhead(t, alice)
			subject := firstPart("alice")
			good := w.log.Records[subject]
			w.log.Records[subject] = change(good)
			goAhead(t, bob)
			if got := early(bob.Machine); !slices.Equal(got, []string{subject}) {
				t.Fatalf("%s: bob lacks %v", name, got)
			}
			switch end {
			case "mended":
				w.log.Records[subject] = good
			case "ended by charlie":
				word, _ := charlie.Machine.Abort("", "he is tired")
				if err := w.log.Append(word); err != nil {
					t.Fatal(err)
				}
			}
			errs := ends(charlie, bob)
			var aborted *party.Aborted
			switch {
			case end == "mended" && errors.Join(errs...) != nil,
				end == "not mended" && !errors.Is(errs[1], schema.ErrUntrusted),
				end == "ended by charlie" && (!errors.As(errs[1], &aborted) || aborted.By != "charlie"):
				t.Errorf("%s, %s: %v", name, end, errs)
			}
		}
	}
}
