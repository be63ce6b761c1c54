package party_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/schema"
)

// TestCheatsWithQuorum is the table of what can be wrong with heads around a round that a quorum completes. Bob has
// voted, or not; then he signs the head of the row, and alice, who has voted, judges it.
func TestCheatsWithQuorum(t *testing.T) {
	const absentBob, absentCharlie, absentAlice = 1 << 1, 1 << 2, 1 << 0
	after := func(w *world, voters ...string) [32]byte { // the transcript after the votes of these
		digests := make([][32]byte, 3)
		for _, name := range voters {
			i, _ := w.roster.Index(name)
			digests[i] = sha256.Sum256(w.log.Records[headSlot(0, name).Subject()])
		}
		return schema.NextSeen(w.seen(), 0, digests)
	}
	for _, c := range []struct {
		name, covers string
		voters       []int // besides alice
		settled      bool  // alice has gone on to confirm
		round        int
		head         func(w *world) schema.Head
		want         string
		is           error // nil: bob is blamed
	}{
		{"counts himself as absent", "party Machine.follows 1", []int{1}, false, 1,
			func(w *world) schema.Head { return schema.Head{Absent: absentBob, Seen: after(w, "alice")} }, "it counts itself as absent", nil},
		{"went on without enough", "party Machine.follows 2", []int{1}, false, 1,
			func(w *world) schema.Head {
				return schema.Head{Absent: absentAlice | absentCharlie, Seen: after(w, "bob")}
			}, "without members that are needed", nil},
		{"counts a head that is not there", "party Machine.hidden 2", []int{1}, false, 1,
			func(w *world) schema.Head { return schema.Head{Absent: absentAlice, Seen: after(w, "bob")} }, "while here charlie has not spoken in round 0", party.ErrSplit},
		{"goes on with all before all are there", "party Machine.hidden 2", []int{1}, false, 1,
			func(w *world) schema.Head { return schema.Head{Seen: after(w, "alice", "bob")} }, "while here charlie has not spoken in round 0", party.ErrSplit},
		{"another history, early", "party Machine.otherHistory 3", []int{1}, false, 1,
			func(w *world) schema.Head { return schema.Head{Absent: absentCharlie} }, "in round 1 bob signs the history", party.ErrSplit},
		{"parts after the quorum, early", "party Machine.early 2", []int{1}, false, 1, func(w *world) schema.Head {
			return schema.Head{Absent: absentCharlie, Seen: after(w, "alice", "bob"), Parts: []schema.Ref{{To: schema.All, Size: 1}}}
		}, "1 parts after a round with a quorum", nil},
		{"another history, in confirm", "party Machine.otherHistory 3", []int{1}, true, 1,
			func(w *world) schema.Head { return schema.Head{Absent: absentCharlie} }, "in round 1 (confirm) bob signs the history", party.ErrSplit},
		{"other absent members than there were", "party Machine.hidden 2", []int{1}, true, 1,
			func(w *world) schema.Head { return schema.Head{Seen: after(w, "alice", "bob")} }, "while here charlie has not spoken in round 0", party.ErrSplit},
		{"absent members before the first round", "party Machine.signsHistory 2", nil, false, 0,
			func(w *world) schema.Head { return schema.Head{Absent: absentCharlie, Seen: w.seen()} }, "before the first round", nil},
		{"a head two rounds ahead", "party Machine.hidden 2", []int{1}, false, 2,
			func(w *world) schema.Head { return schema.Head{Seen: w.seen()} }, "in round 2 bob speaks, while here round 0 is not complete", party.ErrSplit},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			alice := w.voter(t, 0)
			goAhead(t, alice)
			for _, i := range c.voters {
				goAhead(t, w.voter(t, i), alice)
			}
			if c.settled {
				settle(t, true, alice)
				goAhead(t, alice)
			}
			slot := headSlot(c.round, "bob")
			before := alice.Machine.StateDigest()
			err := alice.Machine.Apply(w.signed(t, slot, c.head(w)))
			var blame *party.Blame
			switch {
			case err == nil || !strings.Contains(err.Error(), c.want):
				t.Errorf("%v, want %q", err, c.want)
			case c.is != nil && !errors.Is(err, c.is):
				t.Errorf("%v is not %v", err, c.is)
			case c.is == nil && (!errors.As(err, &blame) || blame.Party != "bob" || blame.Slot != slot || blame.Private):
				t.Errorf("%v does not blame bob", err)
			}
			if alice.Machine.StateDigest() != before {
				t.Error("the refused head has left a trace")
			}
		})
	}
}
