package party_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"

	"riskprop/crypto/seal"
	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// speech is what bob says in round 0 of a session of echoes, before it is sealed and signed.
type speech struct {
	t        testing.TB
	w        *world
	slot     schema.Slot // of the head
	head     schema.Head
	messages []*part
}

// part is one part: its content as it is sealed for whom it is for, and in the end its record.
type part struct {
	to     string
	plain  []byte
	sealed func(plain []byte, slot schema.Slot) []byte // nil: as it should be
	record []byte
}

// batch changes a part's batch.
func (s *part) batch(change func(*schema.Batch)) {
	batch, err := schema.Decode[schema.Batch](s.plain, schema.MaxRecord)
	if err != nil {
		panic(err)
	}
	change(&batch)
	s.plain = schema.Encode(batch)
}

// to finds the part for a recipient.
func (s *speech) to(name string) *part {
	return s.messages[slices.IndexFunc(s.messages, func(m *part) bool { return m.to == name })]
}

// box seals as bob does, for anybody, in the place of any slot, after any transcript.
func (s *speech) box(to string, plain []byte, slot schema.Slot, seen [32]byte) []byte {
	secret := seal.Derive([]byte("bob"), "partytest")
	i, _ := s.w.roster.Index(to)
	pair, err := seal.NewPair(seal.NewPrivateKey(seal.Derive(secret[:], "riskprop/v1 sealing key")), s.w.roster.Member(i).Seal)
	if err != nil {
		s.t.Fatal(err)
	}
	return pair.Seal(plain, []byte(slot.Subject()), seen[:])
}

// newSpeech is bob's honest one.
func newSpeech(t testing.TB, w *world) *speech {
	s := &speech{t: t, w: w, slot: headSlot(0, "bob"), head: schema.Head{Seen: schema.FirstSeen(schema.Keygen, "s", w.roster)}}
	for _, to := range []string{"alice", schema.All, "bob", "charlie"} {
		s.messages = append(s.messages, &part{to: to, plain: schema.Encode(schema.Batch{Width: 4, Data: []byte{1, 2, 3, 4}})})
	}
	return s
}

// records seals the parts, and lists them in the head unless that is done.
func (s *speech) records() {
	counts := make(map[string]int)
	for _, m := range s.messages {
		slot := s.slot
		slot.To, slot.Part = m.to, schema.Part(counts[m.to])
		counts[m.to]++
		switch {
		case m.sealed != nil:
			m.record = m.sealed(m.plain, slot)
		case m.to == schema.All:
			m.record = m.plain
		default:
			m.record = s.box(m.to, m.plain, slot, s.head.Seen)
		}
		s.put(slot, m.record)
		if s.head.Abort == nil {
			s.head.Parts = append(s.head.Parts, schema.NewRef(m.to, m.record))
		}
	}
}

func (s *speech) put(slot schema.Slot, record []byte) {
	if err := s.w.log.Put(slot.Subject(), record); err != nil {
		s.t.Fatal(err)
	}
}

// say puts it all on the log.
func (s *speech) say() { s.put(s.slot, partytest.SignHead(s.slot, s.head)) }

// frame is a row about what is around the messages.
type frame struct {
	name, covers string
	twist        func(*speech) // before sealing
	forge        func(*speech) // before signing
	verdict
}

// TestCheatsOfFrame is the table of all that is wrong with parts and heads, whatever the round.
func TestCheatsOfFrame(t *testing.T) {
	for _, f := range slices.Concat(wrongBoxes(), wrongBatches(), wrongHeads()) {
		t.Run(f.name, func(t *testing.T) {
			w := newWorld(t)
			s := newSpeech(t, w)
			if f.twist != nil {
				f.twist(s)
			}
			s.records()
			if f.forge != nil {
				f.forge(s)
			}
			s.say()
			first := echo{rounds: 2, count: 1}
			bob := w.machine(t, -1, 0, first) // only reads: he has said all that he wants to
			machines := []*party.Machine{w.machine(t, 0, 0, first), bob, w.machine(t, 2, 0, first), w.machine(t, -1, 0, first)}
			row := cheat{f.name, f.covers, by("bob", nil), f.verdict}
			row.judge(t, w.roster.Names(), trial(t, w.log, machines, row.cheats(w.roster.Names())))
		})
	}
}

// wrongBoxes are parts that do not open, or hold no batch.
func wrongBoxes() []frame {
	only := func(want string) verdict { return verdict{culprit: "bob", victim: "alice", want: want} }
	boxed := func(box func(*speech, []byte, schema.Slot) []byte) func(*speech) {
		return func(s *speech) {
			s.to("alice").sealed = func(plain []byte, slot schema.Slot) []byte { return box(s, plain, slot) }
		}
	}
	const shut = "seal: box does not open"
	return []frame{
		{"part sealed for charlie", "party Machine.open 1", boxed(func(s *speech, plain []byte, slot schema.Slot) []byte {
			return s.box("charlie", plain, slot, s.head.Seen)
		}), nil, only(shut)},
		{"part sealed for another slot", "party Machine.open 1", boxed(func(s *speech, plain []byte, slot schema.Slot) []byte {
			slot.Part++
			return s.box("alice", plain, slot, s.head.Seen)
		}), nil, only(shut)},
		{"part sealed after another transcript", "party Machine.open 1", boxed(func(s *speech, plain []byte, slot schema.Slot) []byte {
			return s.box("alice", plain, slot, [32]byte{})
		}), nil, only(shut)},
		{"part not sealed", "party Machine.open 1", boxed(func(_ *speech, plain []byte, _ schema.Slot) []byte { return plain }), nil, only(shut)},
		{"garbage for a part", "party Machine.open 1", boxed(func(*speech, []byte, schema.Slot) []byte { return []byte{0xc1} }), nil, only(shut)},
		{"garbage in a box", "party Machine.applyPart 3", func(s *speech) { s.to("alice").plain = []byte("\xc6\xff\xff\xff\xff") }, nil, only("not a msgpack array")},
		{"an empty box", "party Machine.applyPart 3", func(s *speech) { s.to("alice").plain = nil }, nil, only("not a msgpack array")},
		{"garbage for all", "party Machine.applyPart 3", func(s *speech) { s.to(schema.All).plain = []byte("\xdd\xff\xff\xff\xff") }, nil,
			verdict{culprit: "bob", want: "array of 4294967295 elements in 0 bytes"}},
		{"digest of another part", "party Machine.applyPart 2", nil, func(s *speech) { s.head.Parts[1].Digest = s.head.Parts[0].Digest },
			verdict{want: "part differs from the digest that its sender signed", is: schema.ErrUntrusted}},
		{"digest of alice's part is charlie's", "party Machine.applyPart 2", nil, func(s *speech) { s.head.Parts[0].Digest = s.head.Parts[3].Digest },
			verdict{victim: "alice", want: "part differs from the digest that its sender signed"}},
		{"size of a part", "party Machine.applyPart 2", nil, func(s *speech) { s.head.Parts[1].Size++ },
			verdict{want: "part differs from the digest that its sender signed", is: schema.ErrUntrusted}},
	}
}

// wrongBatches are parts that do not continue a message, or not to its end.
func wrongBatches() []frame {
	var rows []frame
	for _, to := range []string{"alice", schema.All} {
		v := verdict{culprit: "bob", victim: strings.TrimSuffix(to, schema.All)}
		add := func(what, covers string, change func(*schema.Batch), want string) {
			v.want = want
			rows = append(rows, frame{what + " for " + to, covers, func(s *speech) { s.to(to).batch(change) }, nil, v})
		}
		add("width 8", "schema Batch.Count 1", func(b *schema.Batch) { b.Width = 8 }, "elements of 8 bytes instead of 4")
		add("width 0", "schema Batch.Count 1", func(b *schema.Batch) { b.Width = 0 }, "elements of 0 bytes instead of 4")
		add("width beyond int32", "schema Batch.Count 1", func(b *schema.Batch) { b.Width = 1<<32 - 4 }, "elements of 4294967292 bytes instead of 4")
		add("no element", "schema Batch.Count 2", func(b *schema.Batch) { b.Data = nil }, "part of 0 bytes is no list of elements of 4")
		add("half an element", "schema Batch.Count 2", func(b *schema.Batch) { b.Data = b.Data[:2] }, "part of 2 bytes is no list of elements of 4")
		add("first element 1", "schema Batch.Follows 1", func(b *schema.Batch) { b.First = 1 }, "part starts at element 1 instead of 0")
		add("first element 2^32-1", "schema Batch.Follows 1", func(b *schema.Batch) { b.First = 1<<32 - 1 }, "part starts at element 4294967295 instead of 0")
		add("two elements", "party Machine.count 2", func(b *schema.Batch) { b.Data = append(b.Data, 5, 6, 7, 8) }, "2 elements, 1 to 1 are due")
	}
	return rows
}

// wrongHeads are heads that list other parts than are due, of another moment, or of another history.
func wrongHeads() []frame {
	named := func(want string) verdict { return verdict{culprit: "bob", want: want} }
	without := func(name string) func(*speech) {
		return func(s *speech) {
			s.messages = slices.DeleteFunc(s.messages, func(m *part) bool { return m.to == name })
		}
	}
	twice := func(to string) func(*speech) {
		return func(s *speech) {
			i := slices.IndexFunc(s.messages, func(m *part) bool { return m.to == to })
			s.messages = slices.Insert(s.messages, i, &part{to: to, plain: s.messages[i].plain})
		}
	}
	abort := func(round int, culprit string) func(*speech) {
		return func(s *speech) {
			s.slot.Round, s.messages = round, nil
			s.head.Abort = &schema.Abort{Culprit: culprit, Reason: "a reason"}
		}
	}
	return []frame{
		{"no part for all", "party Machine.checkRefs 1", without(schema.All), nil, named("0 parts for all, 1 to 1 are due")},
		{"no part for bob himself", "party Machine.checkRefs 1", without("bob"), nil, named("0 parts for bob, 1 to 1 are due")},
		{"two parts for all", "party Machine.checkRefs 1", twice(schema.All), nil, named("2 parts for all, 1 to 1 are due")},
		{"two parts for bob himself", "party Machine.checkRefs 1", twice("bob"), nil, named("2 parts for bob, 1 to 1 are due")},
		{"a head for a later round", "party Machine.hidden 2", func(s *speech) { s.slot.Round = 1 }, nil, verdict{want: "in round 1 bob speaks, while here round 0 is not complete", is: party.ErrSplit}},
		{"a head for a much later round", "party Machine.hidden 2", func(s *speech) { s.slot.Round = schema.MaxRound }, nil, verdict{want: "in round 999999 bob speaks, while here round 0 is not complete", is: party.ErrSplit}},
		{"an abort in a round that is not near", "party Machine.hidden 2", abort(2, "alice"), nil, verdict{want: "in round 2 bob speaks, while here round 0 is not complete", is: party.ErrSplit}},
		{"another roster", "party Machine.otherHistory 2", func(s *speech) { s.head.Seen[0] ^= 1 }, nil,
			verdict{want: "bob has another roster", is: schema.ErrDisagree}},
	}
}

// TestPrivatePartCount: how many parts a recipient is due is known to all here, so all see it; to the recipient it is its
// own affair, and to no other.
func TestPrivatePartCount(t *testing.T) {
	for _, parts := range []int{0, 2} {
		w := newWorld(t)
		s := newSpeech(t, w)
		s.messages = slices.Delete(s.messages, 0, 1)
		for range parts {
			s.messages = slices.Insert(s.messages, 0, &part{to: "alice", plain: s.messages[0].plain})
		}
		s.records()
		s.say()
		event := w.event(t, headSlot(0, "bob"))
		for member := -1; member < 3; member++ {
			var blame *party.Blame
			err := w.machine(t, member, 0, echo{rounds: 1, count: 1}).Apply(event)
			if member == 1 {
				continue // bob himself
			}
			if !errors.As(err, &blame) || blame.Party != "bob" || blame.Private != (member == 0) || !strings.Contains(err.Error(), "parts for alice, 1 to 1 are due") {
				t.Errorf("member %d: %v", member, err)
			}
		}
	}
}

// TestUnplannedRecipient: a part for somebody to whom nothing is said in this round.
func TestUnplannedRecipient(t *testing.T) {
	q := newQuorum(t, 3, 1)
	for member := -1; member < 3; member++ {
		m := q.machine(t, member, nil) // in the round agree, which has broadcasts only
		slot := schema.Slot{Session: "k", Proto: schema.Keygen, To: schema.All, From: "bob", Part: schema.HeadPart}
		raw := partytest.SignHead(slot, schema.Head{Seen: schema.FirstSeen(schema.Keygen, "k", q.roster),
			Parts: []schema.Ref{{To: schema.All, Size: 1, Digest: sha256.Sum256([]byte{1})}, {To: "charlie", Size: 1}}})
		event, err := schema.Open(slot.Subject(), raw, q.roster)
		if err != nil {
			t.Fatal(err)
		}
		var blame *party.Blame
		if err := m.Apply(event); !errors.As(err, &blame) || blame.Party != "bob" || blame.Private ||
			!strings.Contains(err.Error(), "1 parts for recipients to whom it has nothing to say") {
			t.Errorf("member %d: %v", member, err)
		}
	}
}

// TestTwoHeads: bob signs two heads in one round, and the broker shows one to alice and the other to charlie. With the
// next head that they show each other both stop, and the auditor on either side; nobody is blamed, since the one who was
// shown something else cannot tell that from one who lies.
func TestTwoHeads(t *testing.T) {
	var sides [2]*world
	for i := range sides {
		w := newWorld(t)
		s := newSpeech(t, w)
		s.to(schema.All).batch(func(b *schema.Batch) { b.Data = []byte{byte(i), 0, 0, 0} })
		s.records()
		s.say()
		sides[i] = w
		first := echo{rounds: 2, count: 1}
		errs := trial(t, w.log, []*party.Machine{w.machine(t, 0, 0, first), w.machine(t, 2, 0, first)}, []bool{false, false})
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(sides[0].log.Records[headSlot(0, "bob").Subject()], sides[1].log.Records[headSlot(0, "bob").Subject()]) {
		t.Fatal("bob signs only one head")
	}
	// Each side is now in round 1, and is shown what the other side's honest member says there.
	for i, c := range []struct {
		reader int
		other  string
	}{{0, "charlie"}, {2, "alice"}, {-1, "charlie"}} {
		w, there := sides[i%2], sides[1-i%2]
		m := w.machine(t, c.reader, 0, echo{rounds: 2, count: 1})
		view := partytest.NewLog(w.roster)
		for _, subject := range w.log.Order {
			if slot, err := schema.ParseSubject(subject); err == nil && slot.Round == 0 {
				if err := view.Put(subject, w.log.Records[subject]); err != nil {
					t.Fatal(err)
				}
			}
		}
		late := headSlot(1, c.other).Subject()
		if err := view.Put(late, there.log.Records[late]); err != nil {
			t.Fatal(err)
		}
		var blame *party.Blame
		err := trial(t, view, []*party.Machine{m}, []bool{false})[0]
		if !errors.Is(err, party.ErrSplit) || errors.As(err, &blame) || !strings.Contains(err.Error(), "in round 1 (echo 1) "+c.other+" signs the history") {
			t.Errorf("member %d: %v", c.reader, err)
		}
	}
}

// TestHeardAborts: an abort is believed in the current round and in the next, whoever is blamed; one that blames a
// stranger, or says more than a reason, is noise.
func TestHeardAborts(t *testing.T) {
	for _, c := range []struct {
		round   int
		culprit string
	}{{0, "alice"}, {0, ""}, {1, "charlie"}, {1, "bob"}} {
		w := newWorld(t)
		slot := headSlot(c.round, "bob")
		head := schema.Head{Abort: &schema.Abort{Culprit: c.culprit, Reason: "a reason"}}
		var aborted *party.Aborted
		err := w.machine(t, -1, 0, echo{rounds: 2, count: 1}).Apply(w.opened(t, slot, head))
		if !errors.As(err, &aborted) || aborted.By != "bob" || aborted.Culprit != c.culprit {
			t.Errorf("%+v: %v", c, err)
		}
	}
	w := newWorld(t)
	for name, head := range map[string]schema.Head{
		"stranger": {Abort: &schema.Abort{Culprit: "mallory"}},
		"all":      {Abort: &schema.Abort{Culprit: schema.All}},
		"parts":    {Abort: &schema.Abort{}, Parts: []schema.Ref{schema.NewRef("alice", []byte{1})}},
		"escape":   {Abort: &schema.Abort{Reason: "\x1b[2J"}},
	} {
		slot := headSlot(0, "bob")
		if _, err := schema.Open(slot.Subject(), partytest.SignHead(slot, head), w.roster); !errors.Is(err, schema.ErrUntrusted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// opened opens what a member signs.
func (w *world) opened(t testing.TB, slot schema.Slot, head schema.Head) schema.Event {
	t.Helper()
	event, err := schema.Open(slot.Subject(), partytest.SignHead(slot, head), w.roster)
	if err != nil {
		t.Fatal(err)
	}
	return event
}
