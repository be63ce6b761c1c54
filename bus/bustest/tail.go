package bustest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"riskprop/bus"
)

func tailEmpty(t *testing.T, f Factory) {
	log := f.Open(t)
	follow(t, log, 0, everything).head(t)
	appendSlots(t, log, "a", 1, 2)
	follow(t, f.Open(t), 0, "risk.session.propagate.*.all.b.head").head(t)
}

func tailOrder(t *testing.T, f Factory) {
	log := f.Open(t)
	appendSlots(t, log, "a", 1, 50)
	tail := follow(t, log, 0, everything)
	var records []bus.Record
	for len(records) < 50 {
		e := tail.next(t)
		if e.record == nil {
			t.Fatalf("head after %d of 50 records", len(records))
		}
		records = append(records, *e.record)
	}
	checkSlots(t, records, "a", 1, 50)
	tail.head(t)
	again := follow(t, f.Open(t), 0, everything).until(t, 50)
	for i, r := range again {
		if r.Seq != records[i].Seq {
			t.Fatalf("record %s has sequence number %d for one reader and %d for another", r.Subject, records[i].Seq, r.Seq)
		}
	}
}

func tailFilter(t *testing.T, f Factory) {
	log := f.Open(t)
	for i := 1; i <= 5; i++ {
		for _, from := range []string{"a", "b", "c"} {
			mustAppend(t, log, slot(from, i), payload(slot(from, i)))
		}
	}
	for _, from := range []string{"a", "b", "c"} {
		got := follow(t, log, 0, "risk.session.propagate.*.all."+from+".head").until(t, 5)
		checkSlots(t, got, from, 1, 5)
	}
	checkSlots(t, follow(t, log, 0, slot("b", 3)).until(t, 1), "b", 3, 3)
	if got := follow(t, log, 0, "risk.*.*.2.all.*.*").until(t, 3); got[0].Subject != slot("a", 2) {
		t.Fatalf("first record of round 2 is %s", got[0].Subject)
	}
}

func tailAfter(t *testing.T, f Factory) {
	log := f.Open(t)
	for i := 1; i <= 10; i++ {
		appendSlots(t, log, "a", i, i)
		appendSlots(t, log, "b", i, i)
	}
	all := follow(t, log, 0, everything).until(t, 20)
	for _, i := range []int{0, 7, 18, 19} {
		tail := follow(t, f.Open(t), all[i].Seq, everything)
		for k, r := range tail.until(t, 19-i) {
			if want := all[i+1+k]; r.Seq != want.Seq || r.Subject != want.Subject {
				t.Fatalf("after %d: got %d %s, want %d %s", all[i].Seq, r.Seq, r.Subject, want.Seq, want.Subject)
			}
		}
	}
	// All but the first of a's come after b's first; after need not match the filter.
	got := follow(t, f.Open(t), all[1].Seq, "risk.session.propagate.*.all.a.head").until(t, 9)
	checkSlots(t, got, "a", 2, 10)
}

func tailAfterEnd(t *testing.T, f Factory) {
	log := f.Open(t)
	appendSlots(t, log, "a", 1, 3)
	last := follow(t, log, 0, everything).until(t, 3)[2].Seq
	called := errors.New("called")
	fold, head := func(bus.Record) error { return called }, func() error { return called }
	err := f.Open(t).Tail(limited(t), last+1, everything, fold, head)
	if !errors.Is(err, bus.ErrRollback) {
		t.Fatalf("Tail after %d of a log that ends at %d = %v, want ErrRollback", last+1, last, err)
	}
}

func tailWakes(t *testing.T, f Factory) {
	writer, reader := f.Open(t), f.Open(t)
	tail := follow(t, reader, 0, everything)
	tail.head(t)
	for i := 1; i <= 5; i++ {
		appendSlots(t, writer, "a", i, i)
		checkSlots(t, tail.until(t, 1), "a", i, i)
	}
}

func tailDuringAppends(t *testing.T, f Factory) {
	const writers, each = 4, 25
	tails := []*follower{follow(t, f.Open(t), 0, everything), follow(t, f.Open(t), 0, everything)}
	ctx := limited(t)
	var wg sync.WaitGroup
	for w := range writers {
		log := f.Open(t)
		wg.Go(func() {
			for i := range each {
				subject := slot(fmt.Sprint("w", w), i)
				if err := log.Append(ctx, subject, payload(subject)); err != nil {
					t.Errorf("Append(%s) = %v", subject, err)
				}
			}
		})
	}
	one, two := tails[0].until(t, writers*each), tails[1].until(t, writers*each)
	wg.Wait()
	seen := map[string]bool{}
	for i, r := range one {
		if r.Seq != two[i].Seq || r.Subject != two[i].Subject {
			t.Fatalf("readers disagree on record %d: %s and %s", i, r.Subject, two[i].Subject)
		}
		if seen[r.Subject] {
			t.Fatalf("%s was delivered twice", r.Subject)
		}
		seen[r.Subject] = true
	}
}

func tailTwoFilters(t *testing.T, f Factory) {
	log := f.Open(t)
	a := follow(t, log, 0, "risk.session.propagate.*.all.a.head")
	b := follow(t, log, 0, "risk.session.propagate.*.all.b.head")
	for i := 1; i <= 10; i++ {
		appendSlots(t, log, "a", i, i)
		appendSlots(t, log, "b", i, i)
	}
	checkSlots(t, a.until(t, 10), "a", 1, 10)
	checkSlots(t, b.until(t, 10), "b", 1, 10)
}

func tailSameFilter(t *testing.T, f Factory) {
	log := f.Open(t)
	first := follow(t, log, 0, everything)
	first.head(t)
	err := log.Tail(limited(t), 0, everything, func(bus.Record) error { return nil }, func() error { return nil })
	if !errors.Is(err, bus.ErrBusy) {
		t.Fatalf("second Tail = %v, want ErrBusy", err)
	}
	appendSlots(t, log, "a", 1, 3)
	checkSlots(t, first.until(t, 3), "a", 1, 3)
}

func tailFoldError(t *testing.T, f Factory) {
	log := f.Open(t)
	appendSlots(t, log, "a", 1, 5)
	stop := errors.New("stop")
	var calls int
	fold := func(bus.Record) error {
		if calls++; calls == 3 {
			return stop
		}
		return nil
	}
	if err := log.Tail(limited(t), 0, everything, fold, func() error { return nil }); err != stop || calls != 3 {
		t.Fatalf("Tail = %v after %d calls, want fold's own error after 3", err, calls)
	}
}

func tailHeadError(t *testing.T, f Factory) {
	log := f.Open(t)
	appendSlots(t, log, "a", 1, 2)
	stop := errors.New("stop")
	var calls int
	err := log.Tail(limited(t), 0, everything, func(bus.Record) error { calls++; return nil }, func() error { return stop })
	if err != stop || calls != 2 {
		t.Fatalf("Tail = %v after %d records, want head's own error after 2", err, calls)
	}
}

func tailEndedContext(t *testing.T, f Factory) {
	log := f.Open(t)
	tail := follow(t, log, 0, everything)
	tail.head(t)
	if err := tail.stop(); !errors.Is(err, context.Canceled) {
		t.Fatalf("Tail = %v, want the context's error", err)
	}
	ctx, cancel := context.WithCancel(limited(t))
	appendSlots(t, log, "a", 1, 3)
	var calls int
	fold := func(bus.Record) error {
		calls++
		cancel()
		return nil
	}
	if err := log.Tail(ctx, 0, everything, fold, func() error { return nil }); !errors.Is(err, context.Canceled) || calls != 1 {
		t.Fatalf("Tail = %v after %d records, want the context's error after 1", err, calls)
	}
}

func tailAgain(t *testing.T, f Factory) {
	log := f.Open(t)
	var after uint64
	for i := 1; i <= 5; i++ {
		appendSlots(t, log, "a", i, i)
		tail := follow(t, log, after, everything)
		got := tail.until(t, 1)
		checkSlots(t, got, "a", i, i)
		after = got[0].Seq
		if err := tail.stop(); !errors.Is(err, context.Canceled) {
			t.Fatalf("Tail = %v", err)
		}
	}
}

// tailSlowFold blocks the first fold until many more records were written than any buffer holds.
func tailSlowFold(t *testing.T, f Factory) {
	const records = 600
	writer, reader := f.Open(t), f.Open(t)
	appendSlots(t, writer, "a", 1, 1)
	entered, release := make(chan struct{}), make(chan struct{})
	caughtUp := errors.New("caught up")
	var got []bus.Record
	result := make(chan error, 1)
	ctx := limited(t)
	go func() {
		result <- reader.Tail(ctx, 0, everything, func(r bus.Record) error {
			if len(got) == 0 {
				close(entered)
				<-release
			}
			got = append(got, r)
			return nil
		}, func() error {
			if len(got) >= records {
				return caughtUp
			}
			return nil
		})
	}()
	<-entered
	appendSlots(t, writer, "a", 2, records)
	close(release)
	if err := <-result; err != caughtUp {
		t.Fatalf("Tail = %v", err)
	}
	checkSlots(t, got, "a", 1, records)
}

func tailReentrant(t *testing.T, f Factory) {
	log := f.Open(t)
	appendSlots(t, log, "a", 1, 1)
	ctx := limited(t)
	const last = 10
	finished := errors.New("finished")
	count := 0
	fold := func(r bus.Record) error {
		count++
		data, err := log.Get(ctx, r.Subject)
		if err == nil && !bytes.Equal(data, r.Data) {
			err = fmt.Errorf("Get(%s) differs from the record", r.Subject)
		}
		return err
	}
	head := func() error {
		if count == last {
			return finished
		}
		return log.Append(ctx, slot("a", count+1), payload(slot("a", count+1)))
	}
	if err := log.Tail(ctx, 0, everything, fold, head); err != finished {
		t.Fatalf("Tail = %v", err)
	}
}

func tailLarge(t *testing.T, f Factory) {
	const records = 40 // 20 MiB in all: more than a reader may hold at once
	log := f.Open(t)
	for i := range records {
		mustAppend(t, log, slot("a", i), blob(byte(i), 512<<10))
	}
	for i := range 6 {
		mustAppend(t, log, slot("b", i), blob(byte(i), bus.MaxRecord))
	}
	got := follow(t, f.Open(t), 0, everything).until(t, records+6)
	for i, r := range got {
		want := blob(byte(i), 512<<10)
		if i >= records {
			want = blob(byte(i-records), bus.MaxRecord)
		}
		if !bytes.Equal(r.Data, want) {
			t.Fatalf("record %d %s has other bytes", i, r.Subject)
		}
	}
}

func restart(t *testing.T, f Factory) {
	if f.Restart == nil {
		return
	}
	appendSlots(t, f.Open(t), "a", 1, 20)
	before := follow(t, f.Open(t), 0, everything).until(t, 20)
	f.Restart(t)
	log := f.Open(t)
	checkGet(t, log, slot("a", 7), payload(slot("a", 7)))
	mustAppend(t, log, slot("a", 7), payload(slot("a", 7)))
	if err := log.Append(limited(t), slot("a", 7), []byte("other")); !errors.Is(err, bus.ErrTaken) {
		t.Fatalf("Append of other data after a restart = %v, want ErrTaken", err)
	}
	appendSlots(t, log, "a", 21, 25)
	all := follow(t, log, 0, everything).until(t, 25)
	checkSlots(t, all, "a", 1, 25)
	if all[19].Seq != before[19].Seq {
		t.Fatalf("record 20 had sequence number %d, now %d", before[19].Seq, all[19].Seq)
	}
	checkSlots(t, follow(t, f.Open(t), before[9].Seq, everything).until(t, 15), "a", 11, 25)
}
