package node_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/mem"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/node"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// noisy is a log whose broker shows, before every record and again after it, whatever it likes.
type noisy struct {
	bus.Log
	noise func(bus.Record) []bus.Record
	shown int
}

func (n *noisy) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	return n.Log.Tail(ctx, after, filter, func(real bus.Record) error {
		noise := n.noise(real)
		for i, record := range slices.Insert(noise, len(noise)/2, real) {
			if i != len(noise)/2 {
				n.shown++
			}
			if err := fold(record); err != nil {
				return err
			}
		}
		return nil
	}, head)
}

// noiseOf is everything that a stranger can make of a record and of what it finds elsewhere: the other log is that of
// another session of the same members.
func noiseOf(t testing.TB, real bus.Record, other map[string][]byte) []bus.Record {
	t.Helper()
	slot, err := schema.ParseSubject(real.Subject)
	if err != nil {
		t.Fatal(err)
	}
	from := slot
	from.From = map[string]string{"alice": "bob", "bob": "charlie", "charlie": "alice"}[slot.From]
	early, stranger, replayed := slot, slot, slot
	early.Round, stranger.From, replayed.Session = slot.Round+1, "mallory", "other"
	impostor := partytest.SignHead(from, schema.Head{Seen: [32]byte{1}}) // signed by another member, for its own slot
	at := func(s schema.Slot, data []byte) bus.Record {
		return bus.Record{Seq: real.Seq, Subject: s.Subject(), Data: data}
	}
	return []bus.Record{
		at(replayed, other[replayed.Subject()]), // before the real one: its place is free
		at(replayed, real.Data),
		at(slot, []byte("garbage")),
		at(slot, []byte{}),
		at(slot, nil),
		at(slot, make([]byte, 8<<20)),
		at(slot, slices.Repeat([]byte{0x91}, 8<<20)),
		at(slot, slices.Concat([]byte{0x93, 1, 0xc6, 0, 0x80, 0, 0}, make([]byte, 8<<20), []byte{0xc4, 64}, make([]byte, 64))), // an envelope
		at(slot, []byte("\xc6\xff\xff\xff\xff")),
		at(slot, []byte("\xdd\xff\xff\xff\xff")),
		at(slot, real.Data[:len(real.Data)-1]),
		at(slot, append(slices.Clone(real.Data), 0)),
		at(slot, append([]byte{0xdc, 0, 3}, real.Data[1:]...)), // the same, in a longer form
		at(slot, unsigned(real.Data)),
		at(slot, impostor),
		at(slot, other[real.Subject]),
		at(slot, other[replayed.Subject()]),
		at(from, real.Data),
		at(early, real.Data),
		at(stranger, real.Data),
		{Seq: real.Seq, Subject: "risk.s.keygen.00.all." + slot.From + ".head", Data: real.Data},
		{Seq: real.Seq, Subject: strings.ToUpper(real.Subject), Data: real.Data},
		{Seq: real.Seq, Subject: "", Data: real.Data},
	}
}

// unsigned is a head with another signature, of the same length.
func unsigned(raw []byte) []byte {
	changed := slices.Clone(raw)
	changed[len(changed)-1] ^= 1
	return changed
}

// recorded runs a session undisturbed and keeps what lies on its log.
func recorded(t *testing.T, session string) (*world, map[string][]byte) {
	t.Helper()
	w := newWorld(t)
	w.manifest.Session = session
	first, err := keygen.Start(w.manifest, w.roster)
	if err != nil {
		t.Fatal(err)
	}
	var configs []node.Config
	for _, id := range w.ids {
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: session, Roster: w.roster}, id, schema.Digest("input"), first)
		if err != nil {
			t.Fatal(err)
		}
		configs = append(configs, node.Config{Log: w.store.Open(nil), Roster: w.roster, Machine: m, Logger: zerolog.Nop()})
	}
	if _, errs := runAll(t.Context(), configs); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	records := make(map[string][]byte)
	for _, record := range w.store.Records() {
		records[record.Subject] = record.Data
	}
	return w, records
}

// TestNoiseChangesNothing shows a party all kinds of noise around every single head. It counts them, and its log and its
// result are, to the byte, those of a session without.
func TestNoiseChangesNothing(t *testing.T) {
	quiet, want := recorded(t, "s")
	_, other := recorded(t, "other")
	w := newWorld(t)
	configs := []node.Config{w.config(t, 0, nil), w.config(t, 1, nil), w.config(t, 2, nil), w.config(t, -1, nil)}
	logs := make([]*noisy, len(configs))
	for i := range configs {
		logs[i] = &noisy{Log: configs[i].Log, noise: func(real bus.Record) []bus.Record { return noiseOf(t, real, other) }}
		configs[i].Log = logs[i]
	}
	stats, errs := runAll(t.Context(), configs)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if contents(w.store) != contents(quiet.store) || len(w.store.Records()) != len(want) {
		t.Error("the log is another one")
	}
	for i, s := range stats {
		// The session may end in the middle of the last head's noise.
		if s.Noise != logs[i].shown || s.Noise < 500 {
			t.Errorf("node %d counts %d records of noise, %d were shown", i, s.Noise, logs[i].shown)
		}
	}
}

// TestNoiseIsCheap: refusing a record takes memory for a message about it, however large it is, and whatever it declares.
func TestNoiseIsCheap(t *testing.T) {
	w, records := recorded(t, "s")
	subject := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "bob", Part: schema.HeadPart}.Subject()
	for i, record := range noiseOf(t, bus.Record{Subject: subject, Data: records[subject]}, nil) {
		least := ^uint64(0)
		for range 3 { // other goroutines may allocate, too
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := schema.Open(record.Subject, record.Data, w.roster); err != nil && !errors.Is(err, schema.ErrUntrusted) {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if least > 64<<10 {
			t.Errorf("noise %d of %d bytes: %d bytes are allocated", i, len(record.Data), least)
		}
	}
}

// TestStoredNoise is the same as far as a log takes it: written once, before the session, in places where nobody speaks.
func TestStoredNoise(t *testing.T) {
	_, other := recorded(t, "other")
	quiet, _ := recorded(t, "s")
	w := newWorld(t)
	outsider := w.store.Open(nil)
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "bob", Part: schema.HeadPart}
	replayed := slot
	replayed.Session = "other"
	real := partytest.SignHead(slot, schema.Head{Seen: [32]byte{1}})
	noise := [][]byte{[]byte("garbage"), make([]byte, bus.MaxRecord), real, unsigned(real), other[replayed.Subject()], slices.Repeat([]byte{0x91}, bus.MaxRecord)}
	for i, data := range noise {
		slot.Round = 100 + i
		if err := outsider.Append(t.Context(), slot.Subject(), data); err != nil {
			t.Fatal(err)
		}
	}
	for _, data := range [][]byte{nil, {}, make([]byte, 8<<20)} {
		slot.Round++
		if err := outsider.Append(t.Context(), slot.Subject(), data); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("a record of %d bytes is written: %v", len(data), err)
		}
	}
	stats, errs := runAll(t.Context(), []node.Config{w.config(t, 0, nil), w.config(t, 1, nil), w.config(t, 2, nil)})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i, s := range stats {
		if s.Noise != len(noise) {
			t.Errorf("node %d counts %d records of noise, want %d", i, s.Noise, len(noise))
		}
	}
	clean := mem.NewStore()
	for _, record := range w.store.Records()[len(noise):] {
		if err := clean.Open(nil).Append(t.Context(), record.Subject, record.Data); err != nil {
			t.Fatal(err)
		}
	}
	if contents(clean) != contents(quiet.store) {
		t.Error("the log without the noise is another one")
	}
}

// TestCheatsThroughNodes: three of the cheats, with everything around the machines. All stop, and all say who, in which
// round of the log, and what.
func TestCheatsThroughNodes(t *testing.T) {
	for _, c := range []struct {
		round   string
		to      int
		culprit string
		want    string // of every party's text
	}{
		{"sieve", 0, "bob", "risk.s.keygen.1.alice.bob.head: integer 0 is out of range"},
		{"theta", party.Everybody, "bob", "all.bob.head: integer 0 is out of range"},
		{"moduli", party.Everybody, "bob", "all.bob.head: integer 0 is out of range"},
	} {
		t.Run(c.round, func(t *testing.T) {
			w := newWorld(t)
			first, err := keygen.Start(w.manifest, w.roster)
			if err != nil {
				t.Fatal(err)
			}
			cheat := partytest.Cheat(first, func(round string, draft party.Draft) party.Draft {
				if round == c.round && draft.To == c.to {
					draft.Data = slices.Repeat([]byte{0xff}, len(draft.Data))
				}
				return draft
			})
			configs := []node.Config{w.config(t, 0, nil), w.config(t, 1, nil), w.config(t, 2, nil), w.config(t, -1, nil)}
			configs[1].Machine, err = party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: w.roster}, w.ids[1], [32]byte{}, cheat)
			if err != nil {
				t.Fatal(err)
			}
			_, errs := runAll(t.Context(), configs)
			expectCulprit(t, []error{errs[0], errs[2], errs[3]}, c.culprit)
			for i, err := range errs {
				if i != 1 && !strings.Contains(fmt.Sprint(err), c.culprit+" broke the protocol in risk.s.keygen.") || i != 1 && !strings.Contains(err.Error(), c.want) {
					t.Errorf("node %d: %v", i, err)
				}
			}
		})
	}
}

// TestNoiseIsAWarningOnce: who floods the slots of a member's heads gets one warning a round into the log, and no more.
func TestNoiseIsAWarningOnce(t *testing.T) {
	w := newWorld(t)
	const flood = 50
	log := w.store.Open(nil)
	for round := range flood {
		slot := schema.Slot{Session: "s", Proto: schema.Keygen, Round: round + 1, To: schema.All, From: "bob", Part: schema.HeadPart}
		if err := log.Append(t.Context(), slot.Subject(), []byte("garbage")); err != nil {
			t.Fatal(err)
		}
	}
	config := w.config(t, 0, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	config.Observe = func(e node.Event) {
		if e.Kind == node.Heard {
			cancel()
		}
	}
	var out strings.Builder
	config.Logger = zerolog.New(&out)
	stats, err := node.Run(ctx, config)
	if !errors.Is(err, context.Canceled) || stats.Noise != flood {
		t.Errorf("%v, %d records of noise", err, stats.Noise)
	}
	if n := strings.Count(out.String(), `"level":"warn"`); n != 1 {
		t.Errorf("%d warnings", n)
	}
}
