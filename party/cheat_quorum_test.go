package party_test

import (
	"slices"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// TestCheatsWithQuorum is the table of what can be wrong with heads around a round that a quorum completes. Some have voted; then bob
// signs the head of the row, and alice judges it, as an auditor does.
func TestCheatsWithQuorum(t *testing.T) {
	settles := func(w *world) schema.Head { return schema.Head{Seen: w.seen(), Kind: schema.Settles} }
	for _, c := range []struct {
		name, covers string
		vote         partytest.Vote
		voters       []int
		round        int
		head         func(w *world) schema.Head
		want         string
		is           error // nil: bob is blamed
	}{
		{"settles without a quorum", "party Machine.hidden 2", partytest.Vote{}, []int{1}, 1, settles,
			"in round 1 bob speaks, while here round 0 lacks [alice charlie]", party.ErrSplit},
		{"settles before it has spoken", "party Machine.hidden 2", partytest.Vote{}, []int{0, 2}, 1, settles,
			"in round 1 bob speaks, while here round 0 lacks [bob]", party.ErrSplit},
		{"settles another history", "party Machine.otherHistory 3", partytest.Vote{}, []int{0, 1}, 1,
			func(*world) schema.Head { return schema.Head{Kind: schema.Settles} }, "in round 0 (vote) bob signs the history 000000000000", party.ErrSplit},
		{"settles in the place of its word", "party Machine.settle 2", partytest.Vote{}, []int{0, 2}, 0, settles, "it closes a round that needs all members", nil},
		{"settles a round that needs all", "party Machine.settle 2", partytest.Vote{Before: 1}, []int{0, 1}, 1, settles, "it closes a round that needs all members", nil},
		{"settles a round that needs all, in another history", "party Machine.otherHistory 3", partytest.Vote{Before: 1}, []int{0, 1}, 1,
			func(*world) schema.Head { return schema.Head{Kind: schema.Settles} }, "in round 0 (before) bob signs the history 000000000000", party.ErrSplit},
		{"goes on before the round is closed", "party Machine.hidden 2", partytest.Vote{}, []int{0, 1}, 2,
			func(w *world) schema.Head { return schema.Head{Seen: w.seen()} }, "in round 2 bob speaks, while here round 0 is not complete", party.ErrSplit},
		{"speaks where only a word that settles can be", "party Machine.hidden 2", partytest.Vote{}, []int{0, 1}, 1,
			func(w *world) schema.Head { return schema.Head{Seen: w.seen()} }, "in round 1 bob speaks, while here round 0 is not complete", party.ErrSplit},
		{"settles what is two rounds ahead", "party Machine.hidden 2", partytest.Vote{}, []int{0, 1}, 2, settles, "in round 2 bob speaks", party.ErrSplit},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			alice, auditor := w.electorOf(t, 0, c.vote), w.electorOf(t, -1, c.vote)
			for _, i := range c.voters {
				voter := w.electorOf(t, i, c.vote)
				w.say(t, voter.Machine)
			}
			for _, r := range []*partytest.Reader{alice, auditor} {
				for read := 0; read < len(c.voters); {
					if _, err := r.Step(); err != nil {
						t.Fatal(err)
					}
					read = len(c.voters) // folds are the first operations
					for _, i := range c.voters {
						if r.Machine.Number() == 0 && slices.Contains(r.Machine.Waiting(), w.roster.Member(i).Name) {
							read = 0
						}
					}
				}
				slot := headSlot(c.round, "bob")
				before := r.Machine.StateDigest()
				err := r.Machine.Apply(w.signed(t, slot, c.head(w)))
				refusesHead(t, err, slot, c.want, c.is)
				if r.Machine.StateDigest() != before {
					t.Error("the refused head has left a trace")
				}
			}
		})
	}
}
