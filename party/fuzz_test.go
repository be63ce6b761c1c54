package party_test

import (
	"encoding/binary"
	"errors"
	"go/ast"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// script reads what a fuzzed session does: numbers of a few bits, and rests.
type script struct{ data []byte }

// next is the next byte, 0 at the end.
func (s *script) next() int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b)
}

// bytes are the next n bytes, or as many as there are.
func (s *script) bytes(n int) []byte {
	n = min(n, len(s.data))
	out := s.data[:n]
	s.data = s.data[n:]
	return out
}

// event is any part or head that passes schema.Open; honest ones are likely.
func (s *script) event(w *world, seen [32]byte, complete bool) (schema.Event, error) {
	names := []string{"alice", "bob", "charlie", schema.All}
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: names[1+s.next()%2], Part: schema.HeadPart}
	kind := s.next()
	slot.Round = []int{0, 0, 0, 1, 1, 2, 3, schema.MaxRound}[s.next()%8]
	switch {
	case kind%8 == 0 || complete: // a part; after a complete round the shell fetches nothing else
		slot.To, slot.Part = names[s.next()%4], schema.Part(s.next()%3)
		raw := s.bytes(s.next())
		if honest, there := w.log.Records[slot.Subject()]; there && kind%2 == 0 {
			raw = honest
		}
		return schema.Open(slot.Subject(), raw, w.roster)
	case kind%8 == 1: // what it really said
		return schema.Open(slot.Subject(), w.log.Records[slot.Subject()], w.roster)
	}
	head := schema.Head{Seen: seen}
	if kind&16 != 0 {
		binary.BigEndian.PutUint16(head.Seen[:], uint16(s.next()))
	}
	if kind&32 != 0 {
		head.Abort = &schema.Abort{Culprit: names[s.next()%3], Reason: schema.Printable(string(s.bytes(s.next())))}
	}
	for range s.next() % 8 {
		head.Parts = append(head.Parts, s.ref(w, slot, names))
	}
	return schema.Open(slot.Subject(), partytest.SignHead(slot, head), w.roster)
}

// ref lists a part that is there, or any.
func (s *script) ref(w *world, slot schema.Slot, names []string) schema.Ref {
	slot.To, slot.Part = names[s.next()%4], 0
	if raw, there := w.log.Records[slot.Subject()]; there && s.next()%4 != 0 {
		return schema.NewRef(slot.To, raw)
	}
	return schema.NewRef(slot.To, s.bytes(1+s.next()))
}

// FuzzApply shows alice's machine whatever the others can sign, in any order. It never panics; what it refuses leaves
// the state as it was; who is blamed is the one who signed; and no word of others speaks for alice.
func FuzzApply(f *testing.F) {
	w := newWorld(f)
	honest := echo{rounds: 2, count: 1}
	if err := partytest.Run(w.log, w.machines(f, honest)...); err != nil {
		f.Fatal(err)
	}
	template := w.machine(f, 0, 0, honest)
	f.Add([]byte{1, 1, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		fresh := *template // applying never changes what a machine points to
		m, s := &fresh, &script{data}
		for range 40 {
			if len(s.data) == 0 || m.Done() {
				return
			}
			if s.next()%3 == 0 { // alice's own word is on the log
				own := headSlot(m.Number(), "alice")
				if err := m.Apply(w.opened(t, own, schema.Head{Seen: m.Seen(), Parts: refsTo(w, own)})); err != nil && !m.Complete() && !errors.Is(err, party.ErrStale) {
					t.Fatal(err)
				}
				continue
			}
			event, err := s.event(w, m.Seen(), m.Complete())
			if err != nil {
				continue // noise
			}
			applyAny(t, m, event)
		}
	})
}

// applyAny applies one event and looks at what comes of it.
func applyAny(t *testing.T, m *party.Machine, event schema.Event) {
	t.Helper()
	before, number := m.StateDigest(), m.Number()
	err := m.Apply(event)
	var blame *party.Blame
	switch {
	case err == nil && m.Number() > number+1:
		t.Fatalf("from round %d to %d with one event", number, m.Number())
	case err != nil && m.StateDigest() != before:
		t.Fatalf("%v: the state has changed", err)
	case errors.As(err, &blame) && blame.Party != event.Slot.From && event.Head != nil && event.Slot.Round > number:
		t.Fatalf("%v: %s has signed it", err, event.Slot.From)
	case errors.As(err, &blame) && blame.Party == "alice":
		t.Fatalf("%v: alice blames herself", err)
	}
}

// refsTo lists the parts that a member really wrote.
func refsTo(w *world, head schema.Slot) []schema.Ref {
	var refs []schema.Ref
	for _, to := range []string{"alice", schema.All, "bob", "charlie"} {
		slot := head
		slot.To, slot.Part = to, 0
		if raw, there := w.log.Records[slot.Subject()]; there {
			refs = append(refs, schema.NewRef(to, raw))
		}
	}
	return refs
}

// TestEveryFuzzHasSeeds: a Fuzz function anywhere in the module whose folder of seeds is empty fails: a corpus that was
// lost would go unnoticed.
func TestEveryFuzzHasSeeds(t *testing.T) {
	count := 0
	err := filepath.WalkDir("..", func(folder string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if name := entry.Name(); folder != ".." && strings.HasPrefix(name, ".") || name == "testdata" {
			return filepath.SkipDir
		}
		if found, err := filepath.Glob(filepath.Join(folder, "*_test.go")); err != nil || len(found) == 0 {
			return err
		}
		for _, file := range parse(t, folder, func(name string) bool { return strings.HasSuffix(name, "_test.go") }) {
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Fuzz") {
					continue
				}
				count++
				if seeds, err := filepath.Glob(filepath.Join(folder, "testdata", "fuzz", f.Name.Name, "*")); err != nil || len(seeds) == 0 {
					t.Errorf("%s: %s has no seeds in testdata: %v", folder, f.Name.Name, err)
				}
			}
		}
		return nil
	})
	if err != nil || count == 0 {
		t.Fatalf("%d Fuzz functions: %v", count, err)
	}
}
