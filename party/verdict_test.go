package party_test

import (
	"errors"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// setting is a session in which all three have spoken in round 0, read by alice who has applied the heads of `heads`.
func setting(t *testing.T, first echo, heads ...string) (*world, *party.Machine) {
	t.Helper()
	w := newWorld(t)
	for i := range 3 {
		w.say(t, w.machine(t, i, 0, echo{rounds: 2, count: 1}))
	}
	m := w.machine(t, 0, 0, first)
	for _, from := range heads {
		if err := m.Apply(w.event(t, headSlot(0, from))); err != nil {
			t.Fatal(err)
		}
	}
	return w, m
}

// signed makes a head of a member.
func (w *world) signed(t *testing.T, slot schema.Slot, head schema.Head) schema.Event {
	t.Helper()
	raw := partytest.SignHead(slot, head)
	event, err := schema.Open(slot.Subject(), raw, w.roster)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

// seen is the transcript at the beginning of the session.
func (w *world) seen() [32]byte { return schema.FirstSeen(schema.Keygen, "s", w.roster) }

// parts are the refs of an honest head of round 0.
func (w *world) parts(t *testing.T, from string) []schema.Ref {
	return w.event(t, headSlot(0, from)).Head.Parts
}

// TestVerdictOnHeads: each row is a head that bob signs, and what alice says of it. Her state stays as it was.
func TestVerdictOnHeads(t *testing.T) {
	ref := schema.Ref{To: "charlie", Size: 10} // alice looks on
	for name, c := range map[string]struct {
		round int
		head  func(*world) schema.Head
		want  string
		is    error
	}{
		"other history": {0, func(w *world) schema.Head { return schema.Head{Parts: w.parts(t, "bob")} }, "bob has another roster", schema.ErrDisagree},
		"early":         {1, func(w *world) schema.Head { return schema.Head{Seen: w.seen()} }, "while here round 0 is not complete", party.ErrSplit},
		"missing parts": {0, func(w *world) schema.Head { return schema.Head{Seen: w.seen()} }, "0 parts for all, 1 to 1 are due", nil},
		"too many parts": {0, func(w *world) schema.Head {
			parts := w.parts(t, "bob")
			return schema.Head{Seen: w.seen(), Parts: append(parts[:len(parts):len(parts)], ref)}
		}, "parts for", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w, m := setting(t, echo{rounds: 2, count: 1}, "charlie")
			slot := headSlot(c.round, "bob")
			err := m.Apply(w.signed(t, slot, c.head(w)))
			refusesHead(t, err, slot, c.want, c.is)
			if got := strings.Join(m.Waiting(), " "); got != "alice bob" {
				t.Errorf("after the refusal alice waits for %q", got)
			}
			if err := m.Apply(w.event(t, headSlot(0, "bob"))); err != nil {
				t.Errorf("the honest head after the refused one: %v", err)
			}
		})
	}
}

// TestStale: what was applied before, belongs to another session or protocol, or is no part that is awaited.
func TestStale(t *testing.T) {
	w, m := setting(t, echo{rounds: 2, count: 1}, "charlie")
	head := w.event(t, headSlot(0, "charlie"))
	other, proto := head, head
	other.Slot.Session, proto.Slot.Proto = "other", schema.Propagate
	part := w.event(t, schema.Slot{Session: "s", Proto: schema.Keygen, To: "alice", From: "bob"})
	for name, event := range map[string]schema.Event{"twice": head, "session": other, "protocol": proto, "part": part} {
		if err := m.Apply(event); !errors.Is(err, party.ErrStale) {
			t.Errorf("%s: %v, want ErrStale", name, err)
		}
	}
}

// TestAbort: an abort ends the session in the current round and in the next, is stale in an earlier one, and needs no
// right history.
func TestAbort(t *testing.T) {
	for _, round := range []int{0, 1} {
		w, m := setting(t, echo{rounds: 2, count: 1}, "charlie")
		head := schema.Head{Abort: &schema.Abort{Culprit: "charlie", Reason: "late"}}
		err := m.Apply(w.signed(t, headSlot(round, "bob"), head))
		var aborted *party.Aborted
		if !errors.As(err, &aborted) || *aborted != (party.Aborted{By: "bob", Culprit: "charlie", Reason: "late"}) {
			t.Errorf("round %d: %v", round, err)
		}
	}
	if got := (&party.Aborted{By: "bob", Reason: "late"}).Error(); got != "bob ended the session: late" {
		t.Error(got)
	}
}

// TestOwnAbort: the last word goes to the first slot for a head that is free, once.
func TestOwnAbort(t *testing.T) {
	for _, c := range []struct {
		heads []string
		round int
	}{{nil, 0}, {[]string{"alice"}, 1}} {
		w, m := setting(t, echo{rounds: 2, count: 1}, c.heads...)
		effect, ok := m.Abort("bob", "no\ngood")
		if !ok || effect.Slot != headSlot(c.round, "alice") {
			t.Fatalf("%v %v", effect.Slot, ok)
		}
		event, err := schema.Open(effect.Slot.Subject(), effect.Data, w.roster)
		if err != nil {
			t.Fatal(err)
		}
		var aborted *party.Aborted
		if err := m.Apply(event); !errors.As(err, &aborted) || aborted.Reason != "no.good" || aborted.By != "alice" {
			t.Errorf("%v", err)
		}
	}
	w := newWorld(t)
	if _, ok := w.machine(t, -1, 0, echo{rounds: 1}).Abort("", "x"); ok {
		t.Error("an auditor has a last word")
	}
}

// complete applies all heads of round 0 and returns the first error of applying the parts that alice fetches.
func complete(t *testing.T, w *world, m *party.Machine, change func(schema.Slot, []byte) []byte) error {
	t.Helper()
	if err := m.Apply(w.event(t, headSlot(0, "alice"))); err != nil {
		t.Fatal(err)
	}
	if !m.Complete() {
		t.Fatal("the round is not complete")
	}
	for effect, err := range m.Ready() {
		if err != nil {
			t.Fatal(err)
		}
		if effect.Op != party.Fetch {
			t.Fatalf("effect %d in a complete round", effect.Op)
		}
		raw := w.log.Records[effect.Slot.Subject()]
		if change != nil {
			raw = change(effect.Slot, raw)
		}
		event, err := schema.Open(effect.Slot.Subject(), raw, w.roster)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Apply(event); err != nil {
			return err
		}
	}
	return nil
}

// TestChangedPart: bytes that the sender has not signed are noise, and the right ones are still accepted.
func TestChangedPart(t *testing.T) {
	w, m := setting(t, echo{rounds: 2, count: 1}, "bob", "charlie")
	err := complete(t, w, m, func(slot schema.Slot, raw []byte) []byte {
		changed := append([]byte{}, raw...)
		changed[0] ^= 1
		return changed
	})
	if !errors.Is(err, schema.ErrUntrusted) {
		t.Errorf("%v, want ErrUntrusted", err)
	}
	for effect := range m.Ready() {
		if err := m.Apply(w.event(t, effect.Slot)); err != nil {
			t.Error(err)
		}
	}
	if m.Number() != 1 {
		t.Error("the round is not over")
	}
}

// TestRoundVerdicts: what a round finds wrong becomes a blame, a disagreement, an error of the party's own input, or
// stays the round's error.
func TestRoundVerdicts(t *testing.T) {
	refuse := func(from, to int, err error) echo {
		return echo{rounds: 2, count: 1, refuse: func(m party.Message, _ []byte) error {
			if m.From == from && m.To == to {
				return err
			}
			return nil
		}}
	}
	for name, c := range map[string]struct {
		first   echo
		culprit string
		private bool
		is      error
	}{
		"broadcast": {refuse(1, party.Everybody, errTest), "bob", false, errTest},
		"private":   {refuse(2, 0, errTest), "charlie", true, errTest},
		"own":       {refuse(0, 0, errTest), "", false, party.ErrInput},
		"disagree":  {refuse(1, party.Everybody, schema.ErrDisagree), "", false, schema.ErrDisagree},
		"next":      {echo{rounds: 2, count: 1, fail: func(party.Inbox) error { return errTest }}, "", false, errTest},
		"fault": {echo{rounds: 2, count: 1, fail: func(party.Inbox) error { return &party.Fault{Member: 1, Private: true, Err: errTest} }},
			"bob", true, errTest},
	} {
		t.Run(name, func(t *testing.T) {
			w, m := setting(t, c.first, "bob", "charlie")
			err := complete(t, w, m, nil)
			var blame *party.Blame
			culprit := ""
			if errors.As(err, &blame) {
				culprit = blame.Party
			}
			if !errors.Is(err, c.is) || culprit != c.culprit || culprit != "" && blame.Private != c.private {
				t.Errorf("%v", err)
			}
			if m.Number() != 0 {
				t.Error("the state has changed")
			}
		})
	}
}

// TestSpeakFails: an error of a round's speech reaches the shell, with the round's name.
func TestSpeakFails(t *testing.T) {
	w := newWorld(t)
	for _, err := range w.machine(t, 0, 0, echo{rounds: 1, fault: errTest}).Ready() {
		if !errors.Is(err, errTest) || !strings.Contains(err.Error(), "echo 0") {
			t.Errorf("%v", err)
		}
		return
	}
	t.Error("no effect")
}

// refusesHead checks why a head was refused: the words, and either what the error is, or, where that is nil, that it blames the head's
// sender in the sight of all.
func refusesHead(t *testing.T, err error, slot schema.Slot, want string, is error) {
	t.Helper()
	var blame *party.Blame
	switch {
	case err == nil || !strings.Contains(err.Error(), want):
		t.Errorf("%v, want %q", err, want)
	case is != nil && !errors.Is(err, is):
		t.Errorf("%v is not %v", err, is)
	case is == nil && (!errors.As(err, &blame) || blame.Party != slot.From || blame.Slot != slot || blame.Private):
		t.Errorf("%v does not blame %s for %s", err, slot.From, slot.Subject())
	}
}
