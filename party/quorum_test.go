package party_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// votes is what a machine that is done has heard in every round but the last one: whose words. Who has none is absent, and stays so.
func votes(t *testing.T, m *party.Machine) string {
	t.Helper()
	if !m.Done() {
		t.Fatalf("not done: in round %d (%s), waiting for %v", m.Number(), m.Name(), m.Waiting())
	}
	heard := m.Round().(*partytest.Vote).Heard
	var texts []string
	for k, in := range heard[:len(heard)-1] {
		text := ""
		for i, word := range in.Broadcast {
			if (word == nil) != (in.Absent>>i&1 == 1) {
				t.Fatalf("member %d: word %v, absent %b", i, word, in.Absent)
			}
			if word != nil {
				text += fmt.Sprint(i)
			}
		}
		if k > 0 && in.Absent&heard[k-1].Absent != heard[k-1].Absent {
			t.Fatalf("absent are first %b, then %b", heard[k-1].Absent, in.Absent)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

func (w *world) voter(t *testing.T, i int) *partytest.Reader {
	t.Helper()
	return w.electorOf(t, i, partytest.Vote{})
}

func (w *world) electorOf(t *testing.T, i int, vote partytest.Vote) *partytest.Reader {
	t.Helper()
	var identity *party.Identity
	if i >= 0 {
		identity = w.identities[i]
	}
	vote.Members = w.roster.Len()
	m, err := party.NewMachine(w.session(), identity, [32]byte{}, &vote)
	if err != nil {
		t.Fatal(err)
	}
	return partytest.NewReader(w.log, m)
}

// goAhead lets readers do all they can.
func goAhead(t *testing.T, readers ...*partytest.Reader) {
	t.Helper()
	if err := errors.Join(ends(readers...)...); err != nil {
		t.Fatal(err)
	}
}

// settle has a reader say that it has waited long enough, if it can.
func settle(t *testing.T, want bool, r *partytest.Reader) {
	t.Helper()
	if could := r.Machine.CanSettle(); could != want {
		t.Fatalf("in round %d (%s): can settle: %t", r.Machine.Number(), r.Machine.Name(), could)
	}
	before := r.Machine.StateDigest()
	if did, err := r.Settle(); err != nil || did != want {
		t.Fatalf("in round %d (%s): settled: %t, %v", r.Machine.Number(), r.Machine.Name(), did, err)
	}
	if r.Machine.StateDigest() != before {
		t.Fatal("the word has changed something before it was read")
	}
}

// mustSpeak steps a reader until its word of a round is on the log, and no further.
func (w *world) mustSpeak(t *testing.T, r *partytest.Reader, round int) {
	t.Helper()
	for w.log.Records[headSlot(round, r.Machine.Self()).Subject()] == nil {
		if stepped, err := r.Step(); err != nil || !stepped {
			t.Fatalf("%s says nothing in round %d: %v", r.Machine.Self(), round, err)
		}
	}
}

// TestQuorum: charlie vanishes. The others wait until one of them has waited long enough, have their result without him, and he has his
// when he comes back, from the log alone and without a word. An auditor who looks on, and everybody who starts again, sees the same.
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
	goAhead(t, alice, bob, auditor)
	if gone := strings.Join(bob.Machine.Gone(), " "); gone != "charlie" {
		t.Errorf("gone are %s", gone)
	}
	charlie := w.voter(t, 2)
	goAhead(t, charlie)
	for who, r := range map[string]*partytest.Reader{"alice": alice, "bob": bob, "charlie": charlie, "auditor": auditor} {
		if got := votes(t, r.Machine); got != "01" {
			t.Errorf("%s heard %s", who, got)
		}
	}
	for _, member := range []int{0, 1, 2, -1} { // from nothing, with everything on the log
		again := w.voter(t, member)
		goAhead(t, again)
		if got := votes(t, again.Machine); got != "01" || again.Machine.Seen() != alice.Machine.Seen() {
			t.Errorf("member %d, started again, heard %s", member, got)
		}
	}
	if records := len(w.log.Order); records != 2*3+1 {
		t.Errorf("%d records", records)
	}
}

// TestQuorumOfAnAuditor: he sees that there are enough, and settles nothing.
func TestQuorumOfAnAuditor(t *testing.T) {
	w := newWorld(t)
	alice, bob, auditor := w.voter(t, 0), w.voter(t, 1), w.voter(t, -1)
	goAhead(t, alice, bob, auditor)
	if did, err := auditor.Settle(); did || err != nil || !auditor.Machine.CanSettle() {
		t.Errorf("settled: %t, %v; there are enough: %t", did, err, auditor.Machine.CanSettle())
	}
}

// TestQuorumOvertaken: charlie's word and the one that settles the round cross. The log decides, for all.
func TestQuorumOvertaken(t *testing.T) {
	for want, charlieFirst := range map[string]bool{"012": true, "01": false} {
		w := newWorld(t)
		alice, bob, charlie := w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)
		part := headSlot(0, "charlie")
		part.Part = 0
		for w.log.Records[part.Subject()] == nil { // he is about to speak, and reads nothing meanwhile
			if _, err := charlie.Step(); err != nil {
				t.Fatal(err)
			}
		}
		goAhead(t, alice, bob)
		word, due := alice.Machine.Settle()
		if !due {
			t.Fatal("alice cannot settle")
		}
		if charlieFirst {
			w.mustSpeak(t, charlie, 0)
		}
		if err := w.log.Append(word); err != nil {
			t.Fatal(err)
		}
		w.mustSpeak(t, charlie, 0)
		again, auditor := w.voter(t, 0), w.voter(t, -1)
		goAhead(t, alice, bob, charlie, again, auditor)
		for who, r := range map[string]*partytest.Reader{"alice": alice, "bob": bob, "charlie": charlie, "alice again": again, "auditor": auditor} {
			if got := votes(t, r.Machine); got != want {
				t.Errorf("%s heard %s, want %s", who, got, want)
			}
		}
	}
}

// TestQuorumTwins: two copies of alice, and bob, settle the same round at once: it is settled once.
func TestQuorumTwins(t *testing.T) {
	w := newWorld(t)
	one, two, bob := w.voter(t, 0), w.voter(t, 0), w.voter(t, 1)
	goAhead(t, one, two, bob)
	settle(t, true, one)
	settle(t, true, two)
	settle(t, true, bob)
	goAhead(t, one, two, bob)
	if a, b, c := votes(t, one.Machine), votes(t, two.Machine), votes(t, bob.Machine); a != "01" || b != "01" || c != "01" {
		t.Errorf("one heard %s, two %s, bob %s", a, b, c)
	}
	if bob.Noise() != 1 { // his own word
		t.Errorf("%d records were nothing to bob", bob.Noise())
	}
}

// TestQuorumStale: heads that come again around a quorum change nothing, nor do words of a member without which the others have gone on.
func TestQuorumStale(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, alice, bob)
	settle(t, true, bob)
	for alice.Machine.Number() == 0 {
		if _, err := alice.Step(); err != nil {
			t.Fatal(err)
		}
	}
	stale := func(event schema.Event) {
		t.Helper()
		before := alice.Machine.StateDigest()
		if err := alice.Machine.Apply(event); !errors.Is(err, party.ErrStale) || alice.Machine.StateDigest() != before {
			t.Errorf("%s: %v", event.Slot.Subject(), err)
		}
	}
	stale(w.event(t, headSlot(0, "bob")))
	stale(w.event(t, headSlot(1, "bob")))
	stale(w.signed(t, headSlot(0, "charlie"), schema.Head{Seen: w.seen(), Parts: []schema.Ref{{To: schema.All, Size: 1}}}))
	stale(w.signed(t, headSlot(1, "charlie"), schema.Head{Seen: w.seen(), Kind: schema.Settles}))
	stale(w.signed(t, headSlot(2, "charlie"), schema.Head{Seen: alice.Machine.Seen()}))
	stale(w.signed(t, headSlot(3, "charlie"), schema.Head{Seen: alice.Machine.Seen(), Kind: schema.Settles}))
	stale(w.signed(t, headSlot(9, "charlie"), schema.Head{}))
}

// TestVanishingOneByOne: of five members, three of whom are enough, one vanishes in each of two rounds, before it has spoken or after. Those
// that are left go on, each time without those that have vanished before.
func TestVanishingOneByOne(t *testing.T) {
	names := []string{"alice", "bob", "charlie", "dave", "erin"}
	for want, spoke := range map[string]bool{"0123 012 012": false, "01234 0123 012": true} {
		roster, identities, err := partytest.Identities(names...)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{roster, identities, partytest.NewLog(roster)}
		vote := partytest.Vote{Quorum: 3, Again: 2}
		var readers []*partytest.Reader
		for i := range names {
			readers = append(readers, w.electorOf(t, i, vote))
		}
		for _, round := range []int{0, 2} {
			goAheadUntil(t, round, readers...)
			last := len(readers) - 1
			if spoke {
				w.mustSpeak(t, readers[last], round)
			}
			readers[last].Close()
			readers = readers[:last]
			goAheadUntil(t, round+2, readers...)
			if !spoke {
				settle(t, true, readers[0])
			}
		}
		goAhead(t, readers...)
		for range 2 {
			if spoke { // each of them is missed in the round after
				settle(t, true, readers[0])
				goAhead(t, readers...)
			}
		}
		for i := range names {
			again := w.electorOf(t, i, vote)
			goAhead(t, again)
			if got := votes(t, again.Machine); got != want {
				t.Errorf("%s heard %s, want %s", names[i], got, want)
			}
		}
	}
}

// goAheadUntil lets readers do all they can, up to the beginning of a round.
func goAheadUntil(t *testing.T, round int, readers ...*partytest.Reader) {
	t.Helper()
	for moved := true; moved; {
		moved = false
		for _, r := range readers {
			if r.Machine.Number() >= round {
				continue
			}
			stepped, err := r.Step()
			if err != nil {
				t.Fatal(err)
			}
			moved = moved || stepped
		}
	}
}

// TestGoneSaysNothing: a member without which the others have gone on has nothing to say any more, and its last word changes nothing but
// what the others are told.
func TestGoneSaysNothing(t *testing.T) {
	w := newWorld(t)
	alice, bob, charlie := w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	goAheadUntil(t, 2, alice, bob)
	for charlie.Machine.Number() < 2 {
		if _, err := charlie.Step(); err != nil {
			t.Fatal(err)
		}
	}
	for effect := range charlie.Machine.Ready() {
		t.Errorf("%v is due in %s", effect.Op, effect.Slot.Subject())
	}
	word, due := charlie.Machine.Abort("", "gone")
	if !due || word.Slot != headSlot(2, "charlie") {
		t.Fatalf("a last word is due: %t, in %s", due, word.Slot.Subject())
	}
	if err := w.log.Append(word); err != nil {
		t.Fatal(err)
	}
	goAhead(t, alice, bob)
	for _, r := range []*partytest.Reader{alice, bob} {
		heard := r.Machine.Round().(*partytest.Vote).Heard
		if left := heard[len(heard)-1].Left; votes(t, r.Machine) != "01" || len(left) != 1 || left[0].By != "charlie" {
			t.Errorf("%s has heard %v", r.Machine.Self(), left)
		}
	}
	again := w.voter(t, 2) // he can still read
	goAhead(t, again)
	if !again.Machine.Out() || votes(t, again.Machine) != "01" {
		t.Errorf("charlie, started again, has heard %s", votes(t, again.Machine))
	}
}

// TestLeavesAndReadsOn: who ends the session while others have still to speak, and are enough without it, comes to their result: the
// deadline of one is not the end for that one alone. Where they are not enough it is the end for all.
func TestLeavesAndReadsOn(t *testing.T) {
	for _, name := range []string{"has spoken", "has not"} {
		w := newWorld(t)
		alice, bob, charlie := w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)
		want := "12"
		if name == "has spoken" {
			goAhead(t, alice)
			want = "012"
		}
		word, _ := alice.Machine.Abort("", "the deadline has passed")
		if err := w.log.Append(word); err != nil {
			t.Fatal(err)
		}
		alice.Close()
		goAhead(t, alice)
		if !alice.Machine.Out() || alice.Machine.Done() || early(alice.Machine) != nil {
			t.Errorf("%s: alice is out: %v, done: %v", name, alice.Machine.Out(), alice.Machine.Done())
		}
		goAhead(t, bob, charlie, alice)
		for _, r := range []*partytest.Reader{alice, bob, charlie, w.voter(t, 0)} {
			goAhead(t, r)
			if votes(t, r.Machine) != want || !slices.Equal(r.Machine.Gone(), []string{"alice"}) {
				t.Errorf("%s: %s has heard %s, gone are %v", name, r.Machine.Self(), votes(t, r.Machine), r.Machine.Gone())
			}
		}
	}
	w := newWorld(t)
	for i := range 2 { // of three, two of whom are needed
		word, _ := w.voter(t, i).Machine.Abort("", "the deadline has passed")
		if err := w.log.Append(word); err != nil {
			t.Fatal(err)
		}
	}
	for i, err := range ends(w.voter(t, 0), w.voter(t, 1), w.voter(t, 2)) {
		var aborted *party.Aborted
		if !errors.As(err, &aborted) || aborted.By != "bob" {
			t.Errorf("member %d: %v", i, err)
		}
	}
}

// TestLastWordAfterSettling: a member that cannot go on says so where no word of its own that settles the round can be, and is heard,
// whoever has settled it.
func TestLastWordAfterSettling(t *testing.T) {
	for _, settles := range []string{"alice", "bob"} {
		w := newWorld(t)
		alice, bob := w.voter(t, 0), w.voter(t, 1)
		alice.Late = true
		goAhead(t, alice, bob)
		settle(t, true, map[string]*partytest.Reader{"alice": alice, "bob": bob}[settles])
		subject := headSlot(1, settles).Subject()
		for read := false; !read; { // her machine has closed the round, and lacks its parts
			read = w.log.Heads[len(w.log.Heads)-1] == subject && alice.Machine.Complete()
			if _, err := alice.Step(); err != nil {
				t.Fatal(err)
			}
		}
		if alice.Machine.Number() != 0 {
			t.Fatal("alice has gone on")
		}
		alice.Close()
		word, due := alice.Machine.LastWord(errors.New("no"))
		if !due || word.Slot != headSlot(2, "alice") {
			t.Fatalf("%s settled: alice's last word is in %s", settles, word.Slot.Subject())
		}
		if err := w.log.Append(word); err != nil {
			t.Fatal(err)
		}
		goAhead(t, bob)
		heard := bob.Machine.Round().(*partytest.Vote).Heard
		if left := heard[len(heard)-1].Left; votes(t, bob.Machine) != "01" || len(left) != 1 || !slices.Equal(bob.Machine.Gone(), []string{"alice", "charlie"}) {
			t.Errorf("bob has heard %v; gone are %v", left, bob.Machine.Gone())
		}
	}
}

// TestLastWordBeforeItsOwnWordIsRead: alice settles a round, and cannot go on before she has read her word: she is heard all the same.
func TestLastWordBeforeItsOwnWordIsRead(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.voter(t, 0), w.voter(t, 1)
	goAhead(t, alice, bob)
	settle(t, true, alice)
	word, due := alice.Machine.LastWord(errors.New("no"))
	if !due {
		t.Fatal("she has no last word")
	}
	if err := w.log.Append(word); err != nil {
		t.Fatal(err)
	}
	goAhead(t, bob)
	heard := bob.Machine.Round().(*partytest.Vote).Heard
	if left := heard[len(heard)-1].Left; votes(t, bob.Machine) != "01" || len(left) != 1 || left[0].By != "alice" {
		t.Errorf("bob has heard %v", left)
	}
}

// TestTooFewForTheNextRound: charlie is gone, and bob, who was needed, leaves when he has spoken. Alice alone is not enough for the
// next round: the session ends with bob's word, for all.
func TestTooFewForTheNextRound(t *testing.T) {
	w := newWorld(t)
	vote := partytest.Vote{Again: 1}
	alice, bob, auditor := w.electorOf(t, 0, vote), w.electorOf(t, 1, vote), w.electorOf(t, -1, vote)
	w.mustSpeak(t, bob, 0)
	word := w.signed(t, headSlot(1, "bob"), schema.Head{Seen: w.seen(), Abort: &schema.Abort{Reason: "gone"}})
	if err := w.log.Put(word.Slot.Subject(), word.Raw); err != nil {
		t.Fatal(err)
	}
	goAhead(t, alice, auditor)
	settle(t, true, alice)
	for _, err := range ends(alice, auditor) {
		var aborted *party.Aborted
		if !errors.As(err, &aborted) || aborted.By != "bob" {
			t.Error(err)
		}
	}
}
