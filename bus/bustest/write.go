package bustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"riskprop/bus"
)

func writeOnce(t *testing.T, f Factory) {
	a, b := f.Open(t), f.Open(t)
	mustAppend(t, a, slot("a", 1), []byte("first"))
	for _, log := range []bus.Log{a, b} {
		err := log.Append(limited(t), slot("a", 1), []byte("second"))
		if !errors.Is(err, bus.ErrTaken) || !strings.Contains(err.Error(), slot("a", 1)) {
			t.Fatalf("Append of other data = %v, want ErrTaken that names the subject", err)
		}
		checkGet(t, log, slot("a", 1), []byte("first"))
	}
}

func identicalRepeat(t *testing.T, f Factory) {
	a, b := f.Open(t), f.Open(t)
	for range 3 {
		mustAppend(t, a, slot("a", 1), []byte("same"))
		mustAppend(t, b, slot("a", 1), []byte("same"))
	}
	if got := follow(t, a, 0, everything).until(t, 1); string(got[0].Data) != "same" {
		t.Fatalf("stored %q", got[0].Data)
	}
}

func dataIsCopied(t *testing.T, f Factory) {
	log := f.Open(t)
	data := []byte("original")
	mustAppend(t, log, slot("a", 1), data)
	data[0] = 'X'
	got, err := log.Get(limited(t), slot("a", 1))
	if err != nil {
		t.Fatal(err)
	}
	got[1] = 'X'
	record := follow(t, log, 0, everything).until(t, 1)[0]
	record.Data[2] = 'X'
	checkGet(t, log, slot("a", 1), []byte("original"))
}

// race calls Append from n handles at once and returns the errors.
func race(t *testing.T, f Factory, n int, data func(i int) []byte) []error {
	logs := make([]bus.Log, n)
	for i := range logs {
		logs[i] = f.Open(t)
	}
	ctx := limited(t)
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, log := range logs {
		wg.Go(func() {
			<-start
			errs[i] = log.Append(ctx, slot("a", 1), data(i))
		})
	}
	close(start)
	wg.Wait()
	return errs
}

func oneWriterWins(t *testing.T, f Factory) {
	data := func(i int) []byte { return []byte(fmt.Sprintf("writer %d", i)) }
	winner := -1
	for i, err := range race(t, f, 8, data) {
		switch {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			t.Fatalf("writers %d and %d both won", winner, i)
		case !errors.Is(err, bus.ErrTaken):
			t.Fatalf("writer %d: %v, want ErrTaken", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	checkGet(t, f.Open(t), slot("a", 1), data(winner))
}

func identicalWritersWin(t *testing.T, f Factory) {
	for i, err := range race(t, f, 8, func(int) []byte { return []byte("same") }) {
		if err != nil {
			t.Fatalf("writer %d: %v", i, err)
		}
	}
	follow(t, f.Open(t), 0, everything).until(t, 1)
}

func manyWriters(t *testing.T, f Factory) {
	const writers, each = 20, 5
	log := f.Open(t)
	ctx := limited(t)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				subject := slot(fmt.Sprint("w", w), i)
				if err := log.Append(ctx, subject, payload(subject)); err != nil {
					t.Errorf("Append(%s) = %v", subject, err)
				}
			}
		})
	}
	wg.Wait()
	bySender := map[string][]bus.Record{}
	for _, r := range follow(t, log, 0, everything).until(t, writers*each) {
		from := strings.Split(r.Subject, ".")[5]
		bySender[from] = append(bySender[from], r)
	}
	for w := range writers {
		checkSlots(t, bySender[fmt.Sprint("w", w)], fmt.Sprint("w", w), 0, each-1)
	}
}

// checkGet fails unless subject holds want.
func checkGet(t *testing.T, log bus.Log, subject string, want []byte) {
	t.Helper()
	got, err := log.Get(limited(t), subject)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("Get(%s) = %d bytes, %v, want the %d bytes appended", subject, len(got), err, len(want))
	}
}

func get(t *testing.T, f Factory) {
	a, b := f.Open(t), f.Open(t)
	for _, log := range []bus.Log{a, b} {
		if data, err := log.Get(limited(t), slot("a", 1)); !errors.Is(err, bus.ErrNone) || data != nil {
			t.Fatalf("Get of nothing = %d bytes, %v, want ErrNone", len(data), err)
		}
	}
	appendSlots(t, a, "a", 1, 3)
	for _, log := range []bus.Log{a, b} {
		for i := 1; i <= 3; i++ {
			checkGet(t, log, slot("a", i), payload(slot("a", i)))
		}
		if _, err := log.Get(limited(t), slot("b", 1)); !errors.Is(err, bus.ErrNone) {
			t.Fatalf("Get of another party's slot = %v, want ErrNone", err)
		}
	}
}

func sizes(t *testing.T, f Factory) {
	log := f.Open(t)
	for i, size := range []int{1, 512 << 10, bus.MaxRecord} {
		data := blob(byte(i), size)
		mustAppend(t, log, slot("a", i), data)
		mustAppend(t, log, slot("a", i), data)
		checkGet(t, log, slot("a", i), data)
		if err := log.Append(limited(t), slot("a", i), blob(byte(i+1), size)); !errors.Is(err, bus.ErrTaken) {
			t.Fatalf("Append of %d other bytes = %v, want ErrTaken", size, err)
		}
	}
	for _, size := range []int{0, bus.MaxRecord + 1} {
		if err := log.Append(limited(t), slot("b", 1), make([]byte, size)); !errors.Is(err, bus.ErrInvalid) {
			t.Fatalf("Append of %d bytes = %v, want ErrInvalid", size, err)
		}
	}
	if _, err := log.Get(limited(t), slot("b", 1)); !errors.Is(err, bus.ErrNone) {
		t.Fatalf("a refused record was stored: %v", err)
	}
}

func invalidArguments(t *testing.T, f Factory) {
	log := f.Open(t)
	unused := func() error { return errors.New("called") }
	for _, subject := range []string{"", "risk.*.p.1.all.a.head", "risk.s.p.1.all.a.>", "risk..p.1.all.a.head", "risk.s p.1.all.a.0.0", slot("ä", 1)} {
		if err := log.Append(limited(t), subject, []byte("x")); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("Append(%q) = %v, want ErrInvalid", subject, err)
		}
		if _, err := log.Get(limited(t), subject); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("Get(%q) = %v, want ErrInvalid", subject, err)
		}
	}
	for _, filter := range []string{"", ">", "risk.>", "risk..*.*.*.*.*", "risk.*.*.*.*.*.a*"} {
		if err := log.Tail(limited(t), 0, filter, func(bus.Record) error { return unused() }, unused); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("Tail(%q) = %v, want ErrInvalid", filter, err)
		}
	}
}

func endedContext(t *testing.T, f Factory) {
	log := f.Open(t)
	ctx, cancel := context.WithCancel(limited(t))
	cancel()
	if err := log.Append(ctx, slot("a", 1), []byte("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("Append = %v, want the context's error", err)
	}
	if _, err := log.Get(ctx, slot("a", 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Get = %v, want the context's error", err)
	}
	mustAppend(t, log, slot("a", 1), []byte("x")) // stored or not, the same bytes settle it
}

// forOneParty: what is not addressed to all is as durable as what is, and does not come with it.
func forOneParty(t *testing.T, f Factory) {
	log, other := f.Open(t), f.Open(t)
	for _, subject := range []string{"risk.session.propagate.1.b.a.0", "risk.session.propagate.1.a.a.0"} {
		mustAppend(t, log, subject, payload(subject))
		mustAppend(t, log, subject, payload(subject))
		if err := other.Append(limited(t), subject, []byte("other")); !errors.Is(err, bus.ErrTaken) || !strings.Contains(err.Error(), subject) {
			t.Fatalf("Append of other data = %v, want ErrTaken that names the subject", err)
		}
		checkGet(t, other, subject, payload(subject))
	}
	for _, subject := range []string{"risk.session.propagate.1.b.a.1", "risk.session.propagate.1.all.a.0"} {
		if data, err := log.Get(limited(t), subject); !errors.Is(err, bus.ErrNone) {
			t.Fatalf("Get(%s) = %q, %v, want ErrNone", subject, data, err)
		}
	}
	appendSlots(t, log, "a", 1, 2)
	checkSlots(t, follow(t, other, 0, everything).until(t, 2), "a", 1, 2)
}
