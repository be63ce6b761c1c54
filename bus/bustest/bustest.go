// Package bustest is the conformance suite of bus.Log: what every implementation promises, one test a promise.
//
// An implementation's own test calls [Run] with a function that starts an empty log. The suite never sleeps: it waits for
// records and calls, and only a log that loses one runs into the time limit that ends a hanging test.
package bustest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"riskprop/bus"
)

// hang is when a test that waits gives up. Nothing that works comes near it.
const hang = 60 * time.Second

// Factory gives access to one log, which is empty at first.
type Factory struct {
	// Open returns a new handle, as another party of the session has one. The test's cleanup closes it.
	Open func(t *testing.T) bus.Log
	// Restart stops the log's store and starts it again; handles opened before are not used any more. Nil when the
	// store does not outlive its process.
	Restart func(t *testing.T)
}

// Run runs the suite. start is called once for every test and returns an empty log; what it starts ends with the test's cleanup.
func Run(t *testing.T, start func(t *testing.T) Factory) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, Factory)
	}{
		{"write once", writeOnce},
		{"an identical repeat succeeds and stores nothing", identicalRepeat},
		{"data is copied", dataIsCopied},
		{"one writer of a subject wins", oneWriterWins},
		{"identical writers of a subject all win", identicalWritersWin},
		{"many writers of many subjects", manyWriters},
		{"get", get},
		{"a record for one party", forOneParty},
		{"sizes", sizes},
		{"invalid arguments", invalidArguments},
		{"ended context", endedContext},
		{"tail: head at once on an empty log", tailEmpty},
		{"tail: order, exactly once, head when caught up", tailOrder},
		{"tail: filter", tailFilter},
		{"tail: after", tailAfter},
		{"tail: after the end is a rollback", tailAfterEnd},
		{"tail: wakes on new records", tailWakes},
		{"tail: during concurrent appends", tailDuringAppends},
		{"tail: two filters on one handle", tailTwoFilters},
		{"tail: one filter twice on one handle", tailSameFilter},
		{"tail: fold's error", tailFoldError},
		{"tail: head's error", tailHeadError},
		{"tail: ended context", tailEndedContext},
		{"tail: again after it ended", tailAgain},
		{"tail: slow fold", tailSlowFold},
		{"tail: fold and head may use the log", tailReentrant},
		{"tail: large records", tailLarge},
		{"restart", restart},
		{"model", model},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, start(t)) })
	}
}

// limited returns a context that ends a hanging test.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	t.Cleanup(cancel)
	return ctx
}

// slot returns the i-th subject of from, to everybody.
func slot(from string, i int) string {
	return fmt.Sprintf("risk.session.propagate.%d.all.%s.head", i, from)
}

// payload returns data that tells subject from others.
func payload(subject string) []byte { return []byte("data of " + subject) }

// blob returns size bytes that depend on seed and do not compress.
func blob(seed byte, size int) []byte {
	out := make([]byte, size)
	x := (uint32(seed) + 1) << 24
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}

// mustAppend appends data and fails the test when that fails.
func mustAppend(t *testing.T, log bus.Log, subject string, data []byte) {
	t.Helper()
	if err := log.Append(limited(t), subject, data); err != nil {
		t.Fatalf("Append(%s) = %v", subject, err)
	}
}

// appendSlots appends slots first to last of from.
func appendSlots(t *testing.T, log bus.Log, from string, first, last int) {
	t.Helper()
	for i := first; i <= last; i++ {
		mustAppend(t, log, slot(from, i), payload(slot(from, i)))
	}
}

// everything matches all subjects that the suite tails. A log need not let anybody tail what is not addressed to all.
const everything = "risk.*.*.*.all.*.*"

// follower is a Tail that runs in the background and reports what it is called with.
type follower struct {
	events chan event
	done   chan error // Tail's result
	cancel context.CancelFunc
}

// event is one call of fold, or of head when record is nil.
type event struct{ record *bus.Record }

// follow starts a Tail; cleanup ends it. With no buffer left its fold and head block.
func follow(t *testing.T, log bus.Log, after uint64, filter string) *follower {
	ctx, cancel := context.WithCancel(limited(t))
	f := &follower{events: make(chan event, 4096), done: make(chan error, 1), cancel: cancel}
	report := func(e event) error {
		select {
		case f.events <- e:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		f.done <- log.Tail(ctx, after, filter,
			func(r bus.Record) error { return report(event{&r}) },
			func() error { return report(event{}) })
	}()
	t.Cleanup(func() {
		cancel()
		<-finished
	})
	return f
}

// next returns the next call.
func (f *follower) next(t *testing.T) event {
	t.Helper()
	select {
	case e := <-f.events:
		return e
	case err := <-f.done:
		t.Fatalf("Tail returned early: %v", err)
	}
	return event{}
}

// head waits for a head and fails when a record comes first.
func (f *follower) head(t *testing.T) {
	t.Helper()
	if e := f.next(t); e.record != nil {
		t.Fatalf("got the record %d %s, want head", e.record.Seq, e.record.Subject)
	}
}

// until returns the next n records, skipping heads, and then waits for a head. It fails when there are more records.
func (f *follower) until(t *testing.T, n int) []bus.Record {
	t.Helper()
	var out []bus.Record
	for {
		e := f.next(t)
		switch {
		case e.record != nil:
			out = append(out, *e.record)
		case len(out) == n:
			return out
		}
		if len(out) > n {
			t.Fatalf("got the record %s after %d records, want no more", out[n].Subject, n)
		}
	}
}

// stop ends the Tail and returns its result.
func (f *follower) stop() error {
	f.cancel()
	return <-f.done
}

// checkSlots fails unless records are slots first to last of from, in order, with growing sequence numbers.
func checkSlots(t *testing.T, records []bus.Record, from string, first, last int) {
	t.Helper()
	if len(records) != last-first+1 {
		t.Fatalf("got %d records, want %d", len(records), last-first+1)
	}
	for i, r := range records {
		want := slot(from, first+i)
		if r.Subject != want || string(r.Data) != string(payload(want)) {
			t.Fatalf("record %d is %s with %d bytes, want %s", i, r.Subject, len(r.Data), want)
		}
		if i > 0 && r.Seq <= records[i-1].Seq {
			t.Fatalf("sequence number %d follows %d", r.Seq, records[i-1].Seq)
		}
	}
}
