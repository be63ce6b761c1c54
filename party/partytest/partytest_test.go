package partytest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// dice is a small protocol: in each of two rounds every member throws a die for everybody and one for each member. Its
// sabotage, if any, is for the rules of this package to find.
type dice struct {
	sabotage string
	entropy  *byte    // randomness from outside of the log: another byte at every look
	spoken   *int     // what only this process remembers: the rounds in which it has spoken
	thrown   [][]byte // what this party heard, by round
}

// The kinds of sabotage.
const (
	freshRandomness = "draws fresh randomness"
	saysMemory      = "says what it remembers"
	keepsMemory     = "ends with what it remembers"
)

func (r *dice) Plan() party.Plan {
	if len(r.thrown) == 2 {
		return party.Ended{}.Plan()
	}
	messages := append(party.EachToAll(3, 8, 1), party.EachToEach(3, 3, 8, 1)...)
	return party.Plan{Name: fmt.Sprintf("throw %d", len(r.thrown)), Messages: messages}
}

func (r *dice) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		*r.spoken++
		for _, to := range []int{party.Everybody, 0, 1, 2} {
			data := make([]byte, 8)
			if _, err := io.ReadFull(s.Stream(fmt.Sprint(to)), data); err != nil {
				panic(err)
			}
			switch r.sabotage {
			case freshRandomness:
				*r.entropy++
				data[0] = *r.entropy
			case saysMemory:
				data[0] = byte(*r.spoken)
			}
			if !yield(party.Draft{To: to, Data: data}, nil) {
				return
			}
		}
	}
}

func (r *dice) Check(party.Message, []byte) error { return nil }

func (r *dice) Next(in party.Inbox) (party.Round, error) {
	next := *r
	heard := bytes.Join(append(in.Broadcast, in.Private...), nil)
	if r.sabotage == keepsMemory {
		heard = append(heard, byte(*r.spoken))
	}
	next.thrown = append(append([][]byte{}, r.thrown...), heard)
	return &next, nil
}

func session(t *testing.T, sabotage string) partytest.Session {
	t.Helper()
	roster, ids, err := partytest.Identities("alice", "bob", "charlie")
	if err != nil {
		t.Fatal(err)
	}
	entropy := new(byte)
	return partytest.Session{
		Roster: roster,
		Start: func(member int) (*party.Machine, error) {
			var id *party.Identity
			if member >= 0 {
				id = ids[member]
			}
			return party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: roster}, id, [32]byte{},
				&dice{sabotage: sabotage, entropy: entropy, spoken: new(int)})
		},
		Result: func(r party.Round) string { return fmt.Sprintf("%x", r.(*dice).thrown) },
	}
}

// rules are all rules, for bob where they are about one member.
func rules() map[string]func(*partytest.Reference) error {
	seeds := func(count uint64, rule func(uint64) error) error {
		for seed := range count {
			if err := rule(seed); err != nil {
				return err
			}
		}
		return nil
	}
	return map[string]func(*partytest.Reference) error{
		"crash live":     func(ref *partytest.Reference) error { return more(ref.CrashEverywhere(1, partytest.Live, 1)) },
		"crash recorded": func(ref *partytest.Reference) error { return more(ref.CrashEverywhere(1, partytest.Recorded, 1)) },
		"crash again":    func(ref *partytest.Reference) error { return more(ref.CrashAgainAndAgain(1, partytest.Live)) },
		"retry":          func(ref *partytest.Reference) error { return ref.FailAndRetry(1) },
		"take over":      func(ref *partytest.Reference) error { return more(ref.TakeOver(1)) },
		"twins":          func(ref *partytest.Reference) error { return seeds(10, ref.Twins) },
		"schedule":       func(ref *partytest.Reference) error { return seeds(50, ref.Schedule) },
	}
}

// more wants a rule to have tried something.
func more(runs int, err error) error {
	if err == nil && runs < 20 {
		return fmt.Errorf("only %d runs", runs)
	}
	return err
}

// TestRules: the rules pass an honest protocol, and each finds the kinds of sabotage that are in its way. A party that
// says or keeps what it remembers is found by those rules that let it forget.
func TestRules(t *testing.T) {
	for name, rule := range rules() {
		for _, sabotage := range []string{"", freshRandomness, saysMemory, keepsMemory} {
			forgets := name != "twins" && name != "take over"
			ref, err := session(t, sabotage).Run()
			if err != nil {
				t.Fatal(err)
			}
			err = rule(ref)
			switch {
			case sabotage == "" && err != nil:
				t.Errorf("%s of an honest protocol: %v", name, err)
			case sabotage == freshRandomness || sabotage != "" && forgets:
				if !errors.Is(err, partytest.ErrDiffers) && !errors.Is(err, partytest.ErrTaken) && !errors.Is(err, party.ErrSplit) {
					t.Errorf("%s of a protocol that %s: %v", name, sabotage, err)
				}
			}
		}
	}
}

// TestMoments: every operation of a member has two moments, and every rule meets all of them.
func TestMoments(t *testing.T) {
	ref, err := session(t, "").Run()
	if err != nil {
		t.Fatal(err)
	}
	// In each of two rounds: four parts and a head are written, three heads folded, six parts fetched.
	if runs, err := ref.CrashEverywhere(2, partytest.Recorded, 1); err != nil || runs != 2*2*(5+3+6) {
		t.Errorf("%d runs, %v", runs, err)
	}
	if runs, err := ref.TakeOver(2); err != nil || runs != 2*2*5 {
		t.Errorf("%d runs, %v", runs, err)
	}
}

// TestShuffle: the seed determines the order, and another one gives another.
func TestShuffle(t *testing.T) {
	order := func(seed uint64) string {
		s := session(t, "")
		log := partytest.NewLog(s.Roster)
		var readers []*partytest.Reader
		for member := range 3 {
			m, err := s.Start(member)
			if err != nil {
				t.Fatal(err)
			}
			readers = append(readers, partytest.NewReader(log, m))
		}
		if err := partytest.Shuffle(seed, readers...); err != nil {
			t.Fatal(err)
		}
		return strings.Join(log.Order, "\n")
	}
	orders := make(map[string]bool)
	for seed := range uint64(10) {
		first := order(seed)
		if order(seed) != first {
			t.Errorf("seed %d gives two orders", seed)
		}
		orders[first] = true
	}
	if len(orders) < 10 {
		t.Errorf("10 seeds give %d orders", len(orders))
	}
}

// TestStandsStill: a session that misses a member says for whom it waits.
func TestStandsStill(t *testing.T) {
	s := session(t, "")
	log := partytest.NewLog(s.Roster)
	alice, err := s.Start(0)
	if err != nil {
		t.Fatal(err)
	}
	for how, err := range map[string]error{
		"in turn":  partytest.Run(log, alice),
		"shuffled": partytest.Shuffle(1, partytest.NewReader(log, alice)),
	} {
		if err == nil || !strings.Contains(err.Error(), "stands still in round 0 (throw 0), waiting for [bob charlie]") {
			t.Errorf("%s: %v", how, err)
		}
	}
}

// TestLog: a record is written once.
func TestLog(t *testing.T) {
	s := session(t, "")
	log, other := partytest.NewLog(s.Roster), partytest.NewLog(s.Roster)
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "bob", Part: schema.HeadPart}
	head := partytest.SignHead(slot, schema.Head{Seen: [32]byte{1}})
	for _, step := range []struct {
		subject, data string
		want          error
	}{
		{slot.Subject(), string(head), nil}, {slot.Subject(), string(head), nil},
		{slot.Subject(), "other", partytest.ErrTaken}, {"anywhere", "x", nil},
	} {
		if err := log.Put(step.subject, []byte(step.data)); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.subject, err, step.want)
		}
	}
	if fmt.Sprint(log.Heads, log.Order) != fmt.Sprintf("[%s] [%s anywhere]", slot.Subject(), slot.Subject()) {
		t.Errorf("heads %v, order %v", log.Heads, log.Order)
	}
	event, err := log.Event(slot.Subject())
	if err != nil || event.Head == nil || event.Head.Seen != [32]byte{1} || event.Slot != slot {
		t.Errorf("%+v %v", event, err)
	}
	for _, data := range []string{"other", "x"} {
		if log.Equal(other) {
			t.Errorf("equal, %d records to %d", len(log.Order), len(other.Order))
		}
		other = partytest.NewLog(s.Roster)
		if err := errors.Join(other.Put("anywhere", []byte(data)), other.Put(slot.Subject(), head)); err != nil {
			t.Fatal(err)
		}
	}
	if !log.Equal(other) {
		t.Error("the order makes a difference")
	}
}

// TestCheat: what is altered is heard by all, signed well.
func TestCheat(t *testing.T) {
	s := session(t, "")
	var machines []*party.Machine
	for member := range 3 {
		m, err := s.Start(member)
		if member == 1 {
			id := identity(t, "bob")
			m, err = party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: s.Roster}, id, [32]byte{},
				partytest.Cheat(m.Round(), func(round string, draft party.Draft) party.Draft {
					if round == "throw 1" && draft.To == party.Everybody {
						draft.Data = []byte("deadbeef")
					}
					return draft
				}))
		}
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
	}
	if err := partytest.Run(partytest.NewLog(s.Roster), machines...); err != nil {
		t.Fatal(err)
	}
	for i, m := range machines {
		for round, heard := range m.Round().(*dice).thrown {
			if got := string(heard[8:16]) == "deadbeef"; got != (round == 1) {
				t.Errorf("machine %d heard %q of bob in round %d", i, heard[8:16], round)
			}
		}
	}
}

func identity(t *testing.T, name string) *party.Identity {
	t.Helper()
	roster, ids, err := partytest.Identities("alice", "bob", "charlie")
	if err != nil {
		t.Fatal(err)
	}
	i, ok := roster.Index(name)
	if !ok {
		t.Fatalf("%s is no member", name)
	}
	return ids[i]
}

// TestNoise: what nobody signed, and what comes again, is counted and changes nothing.
func TestNoise(t *testing.T) {
	ref, err := session(t, "").Run()
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, "")
	log := partytest.NewLog(s.Roster)
	if err := log.Put("risk.s.keygen.1.all.mallory.head", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for _, subject := range ref.Log.Order {
		if err := log.Put(subject, ref.Log.Records[subject]); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.Start(-1)
	if err != nil {
		t.Fatal(err)
	}
	r := partytest.NewReader(log, m)
	if err := partytest.RunReaders(r); err != nil || r.Noise() != 1 || s.Result(m.Round()) != ref.Results[3] {
		t.Errorf("%v, noise %d", err, r.Noise())
	}
}

// TestCases: a file of cases that is not what it should be is an error.
func TestCases(t *testing.T) {
	const header = "rule,seed,reason\n"
	good := []byte(header + "a,1,early, in round 2\nb,18446744073709551615,x\na,7,y\n")
	if seeds, err := partytest.Cases(good, "a"); err != nil || fmt.Sprint(seeds) != "[1 7]" {
		t.Errorf("%v %v", seeds, err)
	}
	for file, want := range map[string]string{
		"": "line 1", "a,1,x\n": "line 1", header: "no case", header + "b,1,x\n": "no case",
		header + "a,1\n": "line 2", header + "a,-1,x\n": "line 2: seed", header + "a,1, \n": "line 2", header + "\na,1,x\n": "line 2",
	} {
		if _, err := partytest.Cases([]byte(file), "a"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error about %q", file, err, want)
		}
	}
	var tried []uint64
	err := partytest.Try(good, "a", []uint64{8, 9}, func(seed uint64) error {
		if tried = append(tried, seed); seed == 8 {
			return io.EOF
		}
		return nil
	})
	if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), `"a,8,<what was wrong>"`) || fmt.Sprint(tried) != "[1 7 8]" {
		t.Errorf("%v after %v", err, tried)
	}
	if err := partytest.Try(nil, "a", []uint64{8}, nil); err == nil {
		t.Error("fresh seeds without a file of cases")
	}
}
