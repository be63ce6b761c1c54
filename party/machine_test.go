package party_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// echo is a small protocol: in every round each member broadcasts one element of 4 bytes and sends `count` elements to
// every member, itself included. It lasts `rounds` rounds and remembers what it got.
type echo struct {
	members, rounds, count int
	heard                  []party.Inbox
	refuse                 func(party.Message, []byte) error
	fail                   func(party.Inbox) error
	fault                  error // of Speak
}

func (r *echo) Plan() party.Plan {
	if len(r.heard) == r.rounds {
		return party.Ended{}.Plan()
	}
	messages := append(party.EachToAll(r.members, 4, 1), party.EachToEach(r.members, r.members, 4, r.count)...)
	return party.Plan{Name: fmt.Sprintf("echo %d", len(r.heard)), Messages: messages}
}

func (r *echo) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		if r.fault != nil {
			yield(party.Draft{}, r.fault)
			return
		}
		random := make([]byte, 4)
		if _, err := s.Stream("word").Read(random); err != nil {
			panic(err)
		}
		if !yield(party.Draft{To: party.Everybody, Data: random}, nil) {
			return
		}
		for to := range r.members {
			for at := range r.count {
				if !yield(party.Draft{To: to, Data: []byte{byte(s.Self()), byte(to), byte(at >> 8), byte(at)}}, nil) {
					return
				}
			}
		}
	}
}

func (r *echo) Check(message party.Message, data []byte) error {
	if r.refuse != nil {
		return r.refuse(message, data)
	}
	return nil
}

func (r *echo) Next(in party.Inbox) (party.Round, error) {
	if r.fail != nil {
		if err := r.fail(in); err != nil {
			return nil, err
		}
	}
	next := *r
	next.heard = append(append([]party.Inbox{}, r.heard...), in)
	return &next, nil
}

type world struct {
	roster     *schema.Roster
	identities []*party.Identity
	log        *partytest.Log
}

func newWorld(t testing.TB) *world {
	t.Helper()
	roster, identities, err := partytest.Identities("alice", "bob", "charlie")
	if err != nil {
		t.Fatal(err)
	}
	return &world{roster, identities, partytest.NewLog(roster)}
}

func (w *world) session() party.Session {
	return party.Session{Proto: schema.Keygen, ID: "s", Roster: w.roster}
}

// machine makes member i's machine; -1 makes an auditor's.
func (w *world) machine(t testing.TB, i int, input byte, first echo) *party.Machine {
	t.Helper()
	first.members = w.roster.Len()
	var identity *party.Identity
	if i >= 0 {
		identity = w.identities[i]
	}
	m, err := party.NewMachine(w.session(), identity, [32]byte{input}, &first)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *world) machines(t testing.TB, first echo) []*party.Machine {
	var machines []*party.Machine
	for i := range w.roster.Len() {
		machines = append(machines, w.machine(t, i, 0, first))
	}
	return machines
}

// say appends everything that is due for a machine.
func (w *world) say(t testing.TB, m *party.Machine) {
	t.Helper()
	for effect, err := range m.Ready() {
		if err != nil {
			t.Fatal(err)
		}
		if effect.Op == party.Append {
			if err := w.log.Append(effect); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// event opens a record of the log.
func (w *world) event(t testing.TB, slot schema.Slot) schema.Event {
	t.Helper()
	event, err := schema.Open(slot.Subject(), w.log.Records[slot.Subject()], w.roster)
	if err != nil {
		t.Fatal(err)
	}
	return event
}

func headSlot(round int, from string) schema.Slot {
	return schema.Slot{Session: "s", Proto: schema.Keygen, Round: round, To: schema.All, From: from, Part: schema.HeadPart}
}

// TestSession runs a session with messages of several parts and an auditor, and compares everything that was heard.
func TestSession(t *testing.T) {
	w := newWorld(t)
	count := 3*schema.PerPart(4) + 1 // four parts
	first := echo{rounds: 2, count: count}
	machines := append(w.machines(t, first), w.machine(t, -1, 0, first))
	if err := partytest.Run(w.log, machines...); err != nil {
		t.Fatal(err)
	}
	public := machines[3].Round().(*echo).heard
	for i, m := range machines {
		if !m.Done() || m.Complete() || len(m.Waiting()) != 0 || m.Number() != 2 {
			t.Errorf("machine %d is not done", i)
		}
		for round, in := range m.Round().(*echo).heard {
			checkHeard(t, i, count, in, public[round])
		}
	}
	if bytes.Equal(public[0].Broadcast[0], public[1].Broadcast[0]) || bytes.Equal(public[0].Broadcast[0], public[0].Broadcast[1]) {
		t.Error("streams of different rounds or parties agree")
	}
}

func checkHeard(t *testing.T, i, count int, in, public party.Inbox) {
	t.Helper()
	if i == 3 && in.Self != -1 || i < 3 && in.Self != i {
		t.Errorf("machine %d is called %d", i, in.Self)
	}
	for from := range 3 {
		if !bytes.Equal(in.Broadcast[from], public.Broadcast[from]) || len(in.Broadcast[from]) != 4 {
			t.Errorf("machine %d: broadcast of %d is %x, the auditor heard %x", i, from, in.Broadcast[from], public.Broadcast[from])
		}
		if i == 3 {
			if in.Private[from] != nil {
				t.Errorf("the auditor reads a private message of %d", from)
			}
			continue
		}
		last := in.Private[from][len(in.Private[from])-4:]
		if want := []byte{byte(from), byte(i), byte((count - 1) >> 8), byte(count - 1)}; len(in.Private[from]) != 4*count || !bytes.Equal(last, want) {
			t.Errorf("machine %d: private message of %d has %d bytes and ends in %x, want %x", i, from, len(in.Private[from]), last, want)
		}
	}
}

// TestSealed looks for what is private in the log.
func TestSealed(t *testing.T) {
	w := newWorld(t)
	machines := w.machines(t, echo{rounds: 1, count: 8})
	if err := partytest.Run(w.log, machines...); err != nil {
		t.Fatal(err)
	}
	plain := []byte{0, 1, 0, 0, 0, 1, 0, 1} // alice to bob
	for subject, raw := range w.log.Records {
		if bytes.Contains(raw, plain) {
			t.Errorf("%s holds a private message in the clear", subject)
		}
	}
}

// TestRestart: a machine made anew from the log says the same bytes; one with another input says others.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	first := echo{rounds: 2, count: 2}
	w.say(t, w.machine(t, 0, 0, first))
	before := len(w.log.Records)
	w.say(t, w.machine(t, 0, 0, first)) // the log refuses other bytes
	if len(w.log.Records) != before {
		t.Error("a restarted machine wrote new records")
	}
	digest := func(input byte) (sum [32]byte) {
		h := sha256.New()
		for effect, err := range w.machine(t, 0, input, first).Ready() {
			if err != nil {
				t.Fatal(err)
			}
			h.Write(effect.Data)
		}
		return [32]byte(h.Sum(nil))
	}
	if once, again := digest(0), digest(0); once != again || once == digest(1) {
		t.Error("what is said must follow from the input")
	}
}

// TestReadyStops: a consumer that has had enough gets no more, and may ask again.
func TestReadyStops(t *testing.T) {
	w := newWorld(t)
	m := w.machine(t, 0, 0, echo{rounds: 1, count: 2})
	for stop := 1; stop < 6; stop++ {
		seen := 0
		for range m.Ready() {
			if seen++; seen == stop {
				break
			}
		}
		if want := min(stop, 5); seen != want { // one broadcast, three private messages, the head
			t.Errorf("%d effects, want %d", seen, want)
		}
	}
}

func TestNewMachineRefuses(t *testing.T) {
	w := newWorld(t)
	stranger, err := party.NewIdentity("mallory", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	impostor, err := party.NewIdentity("alice", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	good := w.session()
	for name, c := range map[string]struct {
		session party.Session
		id      *party.Identity
		want    string
	}{
		"stranger":  {good, stranger, "no member"},
		"impostor":  {good, impostor, "other keys"},
		"protocol":  {party.Session{Proto: "x", ID: "s", Roster: w.roster}, nil, "protocol"},
		"session":   {party.Session{Proto: schema.Keygen, ID: "a.b", Roster: w.roster}, nil, "session"},
		"noSession": {party.Session{Proto: schema.Keygen, Roster: w.roster}, nil, "session"},
	} {
		_, err := party.NewMachine(c.session, c.id, [32]byte{}, &echo{members: 3})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error about %q", name, err, c.want)
		}
	}
	if _, err := party.NewIdentity("all", [32]byte{}); err == nil {
		t.Error("a party may be called all")
	}
}

// TestIdentityShowsNoSecret: formatting an identity by mistake gives its name.
func TestIdentityShowsNoSecret(t *testing.T) {
	w := newWorld(t)
	for _, format := range []string{"%v", "%+v", "%s", "%#v", "%d", "%x"} {
		if got := fmt.Sprintf(format, w.identities[0]); got != "alice" {
			t.Errorf("%s shows %q", format, got)
		}
	}
}

var errTest = errors.New("test")
