package propagate_test

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// TestNothingIsComputedAgain: a party that ends when it has said everything in a round but its head is started again with
// another share of the key and other randomness. What it says in that round is the same as before, so it has computed
// none of it again; and the others still come to their scores. Only in the rounds after that it would say something else.
func TestNothingIsComputedAgain(t *testing.T) {
	ledgers := small(t)
	c := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
	configs := c.configs(ledgers, 1, 0.5, 0.25)
	rounds := 0
	for _, round := range []string{"scores.0.0", "scores.0.1", "final", "open"} {
		log := partytest.NewLog(c.roster)
		bob := partytest.NewReader(log, c.machine(t, 1, configs[1]))
		bob.Fault = func(s partytest.Step) error {
			if bob.Machine.Name() == round && s.Op == partytest.Append && strings.HasSuffix(s.Subject, ".head") {
				return errGone
			}
			return nil
		}
		others := []*partytest.Reader{partytest.NewReader(log, c.machine(t, 0, configs[0])), partytest.NewReader(log, c.machine(t, 2, configs[2]))}
		if err := partytest.RunReaders(append(others, bob)...); !errors.Is(err, errGone) {
			t.Fatalf("%s: %v", round, err)
		}
		bob.Close()
		records := len(log.Order)
		number := bob.Machine.Number()

		altered := configs[1]
		if round == "open" {
			altered.Share = new(big.Int).Add(altered.Share, big.NewInt(1))
		}
		again := partytest.NewReader(log, c.otherRandomness(t, altered))
		looked := 0
		again.Fault = func(s partytest.Step) error {
			if s.Op == partytest.Look && s.After {
				looked++
			}
			return nil
		}
		for again.Machine.Number() < number || !spoken(log, number, "bob") {
			if _, err := again.Step(); err != nil {
				t.Fatalf("%s: bob, started again: %v", round, err)
			}
		}
		if looked == 0 || len(log.Order) != records+1 {
			t.Errorf("%s: bob has looked at %d parts and written %d records more", round, looked, len(log.Order)-records)
		}
		rounds++
	}
	if rounds != 4 {
		t.Errorf("%d rounds", rounds)
	}
}

var errGone = errors.New("gone")

// spoken tells whether a member's head of a round is on the log.
func spoken(log *partytest.Log, round int, name string) bool {
	slot := schema.Slot{Session: "run", Proto: schema.Propagate, Round: round, To: schema.All, From: name, Part: schema.HeadPart}
	return log.Records[slot.Subject()] != nil
}

// otherRandomness makes bob's machine with another input digest than he began with.
func (c *consortium) otherRandomness(t *testing.T, config propagate.Config) *party.Machine {
	t.Helper()
	first, err := propagate.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	m, err := party.NewMachine(party.Session{Proto: schema.Propagate, ID: "run", Roster: c.roster}, c.ids[1], [32]byte{1}, first)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestVanished: banks are gone before the scores are opened, as many as can be missed. The others have the very scores
// that they would have had, and are told whose shares they did without; one bank more, and nobody has any.
func TestVanished(t *testing.T) {
	for _, names := range [][]string{{"alice", "bob", "charlie"}, {"alice", "bob", "charlie", "dave"}, {"alice", "bob", "charlie", "dave", "erin"}} {
		c := newConsortium(t, names, 512)
		configs := c.configs(circle(t, names), 1, 0.5)
		undisturbed, err := c.run(t, partytest.NewLog(c.roster), configs)
		if err != nil {
			t.Fatal(err)
		}
		threshold := c.keys[0].Key.Threshold
		for _, missing := range []int{1, len(names) - threshold - 1, len(names) - threshold} {
			verified := len(names)-missing > 2*threshold // enough are left to notice wrong shares
			log := partytest.NewLog(c.roster)
			readers := c.untilOpen(t, log, configs)
			stay := readers[missing:] // the first ones vanish
			run(t, stay...)
			if missing > len(names)-threshold-1 {
				if stay[0].Machine.CanSettle() {
					t.Errorf("%d of %d banks open without the rest", len(stay), len(names))
				}
				continue
			}
			settle(t, stay[0])
			run(t, stay...)
			for i, r := range stay {
				done, ok := r.Machine.Round().(*propagate.Done)
				want := undisturbed[missing+i]
				if !ok || done.Report.Unverified == verified || want.Report.Unverified || !slices.Equal(done.Scores, want.Scores) || strings.Join(done.Report.Unchecked, " ") != strings.Join(names[:missing], " ") {
					t.Errorf("%s of %d banks ends with %+v", names[missing+i], len(names), r.Machine.Round())
				}
			}
			late := c.machine(t, 0, configs[0])
			back := partytest.NewReader(log, late)
			run(t, back)
			others := names[1:missing] // who vanished as well; that she herself did is no news
			if done, ok := late.Round().(*propagate.Done); !ok || !slices.Equal(done.Scores, undisturbed[0].Scores) || !slices.Equal(done.Report.Unchecked, others) {
				t.Errorf("alice, who comes back, ends with %+v", late.Round())
			}
		}
	}
}

// forward runs readers until all are in a round of this name, in which none of them has spoken. Where they wait, the first one that can
// settles.
func forward(t *testing.T, name string, readers ...*partytest.Reader) {
	t.Helper()
	for {
		moved, there := false, 0
		for _, r := range readers {
			if r.Machine.Name() == name {
				there++
				continue
			}
			stepped, err := r.Step()
			if err != nil {
				t.Fatal(err)
			}
			moved = moved || stepped
		}
		if there == len(readers) {
			return
		}
		if moved {
			continue
		}
		at := slices.IndexFunc(readers, func(r *partytest.Reader) bool { return r.Machine.Name() != name && r.Machine.CanSettle() })
		if at < 0 {
			t.Fatalf("in round %s, not %s", readers[0].Machine.Name(), name)
		}
		settle(t, readers[at])
	}
}

// mustSpeak steps a member until its word of a round is on the log, and no further.
func mustSpeak(t *testing.T, log *partytest.Log, r *partytest.Reader, round int) {
	t.Helper()
	for !spoken(log, round, r.Machine.Self()) {
		if _, err := r.Step(); err != nil {
			t.Fatal(err)
		}
	}
}

// settle has a member close the round for all.
func settle(t *testing.T, r *partytest.Reader) {
	t.Helper()
	if did, err := r.Settle(); err != nil || !did {
		t.Fatalf("in round %s: settled: %t, %v", r.Machine.Name(), did, err)
	}
}

// untilOpen takes all members to the round open, in which nobody has spoken yet.
func (c *consortium) untilOpen(t *testing.T, log *partytest.Log, configs []propagate.Config) []*partytest.Reader {
	t.Helper()
	var readers []*partytest.Reader
	for i, config := range configs {
		readers = append(readers, partytest.NewReader(log, c.machine(t, i, config)))
	}
	forward(t, "open", readers...)
	return readers
}

// run lets readers do all they can.
func run(t *testing.T, readers ...*partytest.Reader) {
	t.Helper()
	for moved := true; moved; {
		moved = false
		for _, r := range readers {
			stepped, err := r.Step()
			if err != nil {
				t.Fatal(err)
			}
			moved = moved || stepped
		}
	}
}
