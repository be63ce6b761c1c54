package party_test

import (
	"bytes"
	"crypto/sha256"
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
	x.foresee(s)
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

func (x *election) foresee(s *seat) {
	if slot, due := s.Foresight(); due {
		s.Foresee(x.log.Records[slot.Subject()])
	}
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

// settle lets a seat go on without the rest, as the shell does after a time: when it has read and said everything.
func (x *election) settle(s *seat) bool {
	if s.ended != nil || s.read < len(x.log.Heads) || s.Complete() {
		return false
	}
	before, could := s.StateDigest(), s.CanSettle()
	did, err := s.Settle()
	if did != could || err != nil && s.StateDigest() != before {
		x.t.Fatalf("member %d could settle: %t, did: %t, %v", s.member, could, did, err)
	}
	if s.ended = err; err != nil {
		x.judge(s)
	}
	return did
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

// history is the transcript before a round, for one who went on without some in the round before.
func (x *election) history(round int, absent uint32) [32]byte {
	if round == 0 {
		return schema.FirstSeen(schema.Keygen, "s", x.roster)
	}
	digests := make([][32]byte, x.roster.Len())
	for i, name := range x.roster.Names() {
		if raw, there := x.log.Records[headSlot(round-1, name).Subject()]; there && absent>>i&1 == 0 {
			digests[i] = sha256.Sum256(raw)
		}
	}
	return schema.NextSeen(x.history(round-1, 0), round-1, digests)
}

// lie is a head that the cheat signs: in any round, early or late, with any members absent, any parts, or as its last word; the
// history is often one that fits.
func (x *election) lie() {
	kind, slot := x.next(), headSlot(x.next()%(x.vote.Before+3), x.roster.Member(x.cheat).Name)
	head := schema.Head{Absent: uint32(x.next()) & (1<<x.roster.Len() - 1)}
	if kind&1 != 0 {
		head.Absent = 0
	}
	head.Seen = x.history(slot.Round, head.Absent)
	if kind&6 == 6 {
		head.Seen[0] ^= 1
	}
	if kind&24 == 24 {
		head.Abort = &schema.Abort{Reason: "gone"}
		if culprit := x.next() % (x.roster.Len() + 1); culprit < x.roster.Len() {
			head.Abort.Culprit = x.roster.Member(culprit).Name
		}
	} else if kind&32 == 0 && slot.Round <= x.vote.Before {
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
	}
	if kind&128 != 0 && slot.Round > x.vote.Before {
		head.Parts = append(head.Parts, schema.NewRef(schema.All, []byte("more")))
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

// replay is what a party makes of the first heads of the log, from nothing and without a word of its own; where it waits and time is
// given, it settles.
func (x *election) replay(member, heads int, time bool) *seat {
	s := x.seat(member)
	for s.ended == nil && !s.Done() {
		x.foresee(s)
		switch {
		case s.Complete():
			s.ended = x.fetch(s)
		case s.read < heads:
			s.ended = x.fold(s)
		case time && s.CanSettle():
			_, s.ended = s.Settle()
		default:
			return s
		}
	}
	if s.ended != nil {
		x.judge(s)
	}
	return s
}

// verdict is what a party has come to, in words.
func (s *seat) verdict() string {
	if s.ended != nil {
		return fmt.Sprintf("in round %d: %v", s.Number(), s.ended)
	}
	return fmt.Sprintf("in round %d (%s), waiting for %v, having heard %s", s.Number(), s.Name(), s.Waiting(), s.words())
}

// words are what was heard in every round but the last one, where nothing is said.
func (s *seat) words() string {
	vote := s.Round().(*partytest.Vote)
	heard := vote.Heard
	if len(heard) > vote.Before+1 {
		heard = heard[:vote.Before+1]
	}
	text := ""
	for _, in := range heard {
		text += fmt.Sprintf("%x;", in.Broadcast)
	}
	return text
}

// conclude compares what comes of the log, when everybody reads it again. Who was done comes to the same words again. Those who
// did not go on without anybody, and have not ended the session, see the same as the auditor.
func (x *election) conclude() {
	for _, member := range slices.Sorted(maps.Keys(x.done)) {
		was := x.done[member]
		heads := was.read
		if !x.lied {
			heads = len(x.log.Heads)
		}
		if again := x.replay(member, heads, true); !again.Done() || again.words() != was.words() {
			x.t.Fatalf("member %d was done with %s, and is now %s", member, was.words(), again.verdict())
		}
	}
	want := x.replay(x.vote.Members, len(x.log.Heads), false).verdict()
	for member := range x.vote.Members {
		if member == x.cheat || x.hasSpokenAfterTheVote(member) || x.hasLeft(member) {
			continue
		}
		if got := x.replay(member, len(x.log.Heads), false).verdict(); got != want {
			x.t.Fatalf("member %d is %s; the auditor is %s", member, got, want)
		}
	}
}

func (x *election) hasSpokenAfterTheVote(member int) bool {
	return x.log.Records[headSlot(x.vote.Before+1, x.roster.Member(member).Name).Subject()] != nil
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
