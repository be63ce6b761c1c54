package party_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// electorate is what a fuzzed vote begins with: machines in their first round, an auditor's last. A session's parties are copies, since
// applying never changes what a machine points to.
type electorate struct {
	roster *schema.Roster
	vote   partytest.Vote
	fresh  []*party.Machine
}

func newElectorate(t testing.TB, vote partytest.Vote) *electorate {
	t.Helper()
	roster, identities, err := partytest.Identities([]string{"alice", "bob", "charlie", "dora", "erin"}[:vote.Members]...)
	if err != nil {
		t.Fatal(err)
	}
	e := &electorate{roster: roster, vote: vote}
	for _, identity := range append(identities, nil) {
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: roster}, identity, [32]byte{}, &vote)
		if err != nil {
			t.Fatal(err)
		}
		e.fresh = append(e.fresh, m)
	}
	return e
}

// seat is one party of a fuzzed session.
type seat struct {
	*party.Machine
	member int // the number of members for the auditor
	read   int // heads that were applied
	spoken int // rounds in which it has said everything
	ended  error
}

func (e *electorate) seat(member int) *seat {
	fresh := *e.fresh[member]
	return &seat{Machine: &fresh, member: member}
}

// errGone is for a part that a head lists and that is not on the log as it was signed.
var errGone = errors.New("the log does not hold what was signed")

// election is a session that a script drives: all members but one are honest, and follow the log as the shell does; one says what
// the script says.
type election struct {
	*electorate
	*script
	t       *testing.T
	log     *partytest.Log
	seats   []*seat // the cheat's may lose its way
	cheat   int
	lied    bool // the cheat has said something of its own
	aborted bool // somebody has ended the session
	done    map[int]*seat
	opened  map[string]schema.Event // heads that were verified: records never change
}

// apply shows a seat one event. Whatever is refused leaves the state as it was.
func (x *election) apply(s *seat, event schema.Event) error {
	before := s.StateDigest()
	err := s.Apply(event)
	if err != nil && s.StateDigest() != before {
		x.t.Fatalf("member %d: %v: the state has changed", s.member, err)
	}
	if s.member != x.cheat && !s.Done() && !s.Complete() && len(s.Waiting()) == 0 {
		x.t.Fatalf("member %d: in round %d (%s) nobody is awaited", s.member, s.Number(), s.Name())
	}
	return err
}

// step does what is due for a seat: it reads, or fetches, or speaks. It tells whether anything was.
func (x *election) step(s *seat) bool {
	if s.ended != nil || s.Done() {
		return false
	}
	switch {
	case s.Complete():
		s.ended = x.fetch(s)
	case s.read < len(x.log.Heads):
		s.ended = x.fold(s)
	case s.member < x.vote.Members && s.spoken <= s.Number():
		s.ended = x.speak(s)
	default:
		return false
	}
	if s.ended != nil {
		x.judge(s)
		if word, due := s.LastWord(s.ended); due {
			x.put(word)
		}
	}
	return true
}

// head opens a head of the log.
func (x *election) head(subject string) (schema.Event, error) {
	if event, there := x.opened[subject]; there {
		return event, nil
	}
	event, err := x.log.Event(subject)
	if err == nil {
		x.opened[subject] = event
	}
	return event, err
}

// put appends a last word, unless the slot is taken.
func (x *election) put(word party.Effect) {
	x.aborted = x.log.Append(word) == nil || x.aborted
}

// fold applies the next head of the log.
func (x *election) fold(s *seat) error {
	event, err := x.head(x.log.Heads[s.read])
	s.read++
	if err != nil {
		return nil // noise
	}
	err = x.apply(s, event)
	if errors.Is(err, party.ErrStale) || errors.Is(err, schema.ErrUntrusted) {
		return nil
	}
	return err
}

// fetch applies the parts of a complete round.
func (x *election) fetch(s *seat) error {
	var slots []schema.Slot
	for effect, err := range s.Ready() {
		if err != nil || effect.Op != party.Fetch {
			x.t.Fatalf("member %d: %v of a complete round, %v", s.member, effect.Op, err)
		}
		slots = append(slots, effect.Slot)
	}
	for _, slot := range slots {
		event, err := x.log.Event(slot.Subject())
		if err == nil {
			err = x.apply(s, event)
		}
		if errors.Is(err, schema.ErrUntrusted) {
			return fmt.Errorf("%w: %s", errGone, slot.Subject())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// speak says all that is due in a round.
func (x *election) speak(s *seat) error {
	number := s.Number()
	for effect, err := range s.Ready() {
		if err != nil {
			return err
		}
		if effect.Op != party.Append {
			continue
		}
		if there, taken := x.log.Records[effect.Slot.Subject()]; taken && !bytes.Equal(there, effect.Data) {
			if err := s.Taken(effect, there); err != nil {
				return err
			}
			continue
		}
		if err := x.log.Append(effect); err != nil {
			return err
		}
	}
	s.spoken = number + 1
	return nil
}

// judge looks at why an honest party stops: nobody honest is blamed, what it brings is what it always brought, and without a cheat
// it is somebody's last word.
func (x *election) judge(s *seat) {
	if s.member == x.cheat {
		return
	}
	var blame *party.Blame
	var aborted *party.Aborted
	cheat := x.roster.Member(x.cheat).Name
	switch err := s.ended; {
	case errors.Is(err, party.ErrInput):
		x.t.Fatalf("member %d does not recognise itself: %v", s.member, err)
	case errors.As(err, &blame) && blame.Party != cheat:
		x.t.Fatalf("member %d blames an honest one: %v", s.member, err)
	case errors.As(err, &aborted) && aborted.By != cheat && aborted.Culprit != "" && aborted.Culprit != cheat:
		x.t.Fatalf("an honest one is blamed: %v", err)
	case !errors.As(err, &aborted) && !x.lied:
		x.t.Fatalf("member %d, where all are honest: %v", s.member, err)
	case errors.As(err, &aborted) && !x.aborted:
		x.t.Fatalf("member %d, where nobody has ended the session: %v", s.member, err)
	}
}

// settle has a seat say that it has waited long enough, as the shell does after a time: when it has read and said everything.
func (x *election) settle(s *seat) {
	if s.ended != nil || s.read < len(x.log.Heads) || s.Complete() {
		return
	}
	word, due := s.Settle()
	if could := s.CanSettle() && s.member < x.vote.Members; due != could {
		x.t.Fatalf("member %d could settle: %t, did: %t", s.member, could, due)
	}
	if due {
		_ = x.log.Append(word) // or the slot holds its last word of an earlier life
	}
}

// giveUp is a seat whose deadline has passed.
func (x *election) giveUp(s *seat) {
	if s.ended != nil || s.Done() || s.Complete() || s.read < len(x.log.Heads) || s.CanSettle() || s.spoken <= s.Number() || s.member == x.vote.Members {
		return
	}
	if word, due := s.Abort("", "the deadline has passed"); due {
		x.put(word)
	}
}

// lie is a head that the cheat signs: in any round, early or late, with any parts, as a word that settles, or as its last one; the
// history is often that of the log as it is.
func (x *election) lie() {
	kind, slot := x.next(), headSlot(x.next()%(x.vote.Before+2*x.vote.Again+6), x.roster.Member(x.cheat).Name)
	head := schema.Head{Seen: x.replay(x.vote.Members, len(x.log.Heads)).Seen()}
	if kind&6 == 6 {
		head.Seen[0] ^= 1
	}
	switch {
	case kind&24 == 24:
		head.Abort = &schema.Abort{Reason: "gone"}
		if culprit := x.next() % (x.roster.Len() + 1); culprit < x.roster.Len() {
			head.Abort.Culprit = x.roster.Member(culprit).Name
		}
	case kind&1 != 0:
		head.Kind = schema.Settles
	case kind&32 == 0:
		part := slot
		part.Part = 0
		raw, there := x.log.Records[part.Subject()]
		if !there {
			raw = schema.Encode(schema.Batch{Width: 4, Data: x.bytes(4)}) // of four bytes, or not
			if kind&64 == 0 {
				_ = x.log.Put(part.Subject(), raw) // free, as just seen
			}
		}
		head.Parts = append(head.Parts, schema.NewRef(schema.All, raw))
		if kind&128 != 0 {
			head.Parts = append(head.Parts, schema.NewRef(schema.All, []byte("more")))
		}
	}
	if _, taken := x.log.Records[slot.Subject()]; taken {
		return
	}
	_ = x.log.Put(slot.Subject(), partytest.SignHead(slot, head)) // free, as just seen
	x.lied, x.aborted = true, x.aborted || head.Abort != nil
}

// asItShould lets the cheat follow the protocol for a step. What it has said may have led it anywhere.
func (x *election) asItShould(s *seat) {
	defer func() {
		if recover() != nil {
			s.ended = errLost
		}
	}()
	x.step(s)
}

// play is one operation of the script.
func (x *election) play() {
	op, who := x.next(), x.next()
	at := who % len(x.seats)
	s := x.seats[at]
	steps := []int{1, 2, 5, 50}[op>>3%4]
	switch op % 8 {
	case 0:
		x.lie()
		return
	case 1:
		x.giveUp(s)
		return
	case 2:
		x.seats[at] = x.seat(s.member)
		return
	case 3, 4:
		x.settle(s)
	}
	for ; steps > 0; steps-- {
		if s.member == x.cheat {
			x.asItShould(s)
		} else if !x.step(s) {
			break
		}
	}
	if s.Done() && s.member != x.cheat && s.member < x.vote.Members {
		x.done[s.member] = s
	}
}

// replay is what a party makes of the first heads of the log, from nothing and without a word of its own.
func (x *election) replay(member, heads int) *seat {
	s := x.seat(member)
	for s.ended == nil && !s.Done() {
		switch {
		case s.Complete():
			s.ended = x.fetch(s)
		case s.read < heads:
			s.ended = x.fold(s)
		default:
			return s
		}
	}
	if s.ended != nil {
		x.judge(s)
	}
	return s
}

// verdict is what a party has come to, in words: where it is, with which history, without whom, and why it has ended.
func (s *seat) verdict() string {
	text := fmt.Sprintf("in round %d (%s) with history %x, without %v, waiting for %v, having heard %s", s.Number(), s.Name(), s.Seen(), s.Gone(), s.Waiting(), s.words())
	if s.ended != nil {
		text = fmt.Sprintf("%s, ended by %v", text, s.ended)
	}
	return text
}

// words are what was heard in every round.
func (s *seat) words() string {
	text := ""
	for _, in := range s.Round().(*partytest.Vote).Heard {
		text += fmt.Sprintf("%x %b %d;", in.Broadcast, in.Absent, len(in.Left))
	}
	return text
}

// conclude compares what comes of the log, when everybody reads it again. Who was done comes to the same again, and all those who have
// not ended the session come to what the auditor comes to.
func (x *election) conclude() {
	for _, member := range slices.Sorted(maps.Keys(x.done)) {
		was := x.done[member]
		if again := x.replay(member, len(x.log.Heads)); again.verdict() != was.verdict() {
			x.t.Fatalf("member %d was %s, and is now %s", member, was.verdict(), again.verdict())
		}
	}
	want := x.replay(x.vote.Members, len(x.log.Heads)).verdict()
	for member := range x.vote.Members {
		if member == x.cheat || x.hasLeft(member) {
			continue
		}
		if got := x.replay(member, len(x.log.Heads)).verdict(); got != want {
			x.t.Fatalf("member %d is %s; the auditor is %s", member, got, want)
		}
	}
}

// hasLeft tells whether a member has ended the session.
func (x *election) hasLeft(member int) bool {
	return slices.ContainsFunc(x.log.Heads, func(subject string) bool {
		event, err := x.head(subject)
		return err == nil && event.Sender == member && event.Head.Abort != nil
	})
}

// FuzzQuorum plays sessions around a round that a quorum completes: slow parties, restarts, those who go on and those who wait or
// give up, and a cheat with any heads, early, late and for ever absent. Nothing panics; what is refused leaves the state as it was;
// nobody honest is blamed; who was done comes to the same again; and all who have seen the same log come to the same.
func FuzzQuorum(f *testing.F) {
	electorates := []*electorate{
		newElectorate(f, partytest.Vote{Members: 3, Quorum: 2}),
		newElectorate(f, partytest.Vote{Members: 3, Quorum: 2, Before: 1}),
		newElectorate(f, partytest.Vote{Members: 5, Quorum: 3}),
		newElectorate(f, partytest.Vote{Members: 5, Quorum: 3, Again: 2}),
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &script{data[:min(len(data), 400)]}
		x := &election{electorate: electorates[s.next()%len(electorates)], script: s, t: t, done: make(map[int]*seat), opened: make(map[string]schema.Event)}
		x.log = partytest.NewLog(x.roster)
		x.cheat = s.next() % x.vote.Members
		for i := range 2*x.vote.Members + 1 { // everybody twice, and an auditor
			x.seats = append(x.seats, x.seat(min(i/2, x.vote.Members)))
		}
		for len(s.data) > 0 {
			x.play()
		}
		x.conclude()
	})
}
