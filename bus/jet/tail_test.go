package jet_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
	"riskprop/bus/jet"
)

// slot returns the i-th subject of the tests.
func slot(i int) string { return fmt.Sprintf("risk.s.p.%d.all.a.head", i) }

// write appends slots first to last with their own names as data.
func write(t testing.TB, log *jet.Log, first, last int) {
	t.Helper()
	for i := first; i <= last; i++ {
		if err := log.Append(t.Context(), slot(i), []byte(slot(i))); err != nil {
			t.Fatal(err)
		}
	}
}

// tailing is a Tail in the background.
type tailing struct {
	records chan bus.Record
	heads   chan struct{} // holds a value after every head
	done    chan error
}

// tail starts a Tail over the whole log.
func tail(t testing.TB, log *jet.Log) *tailing {
	ctx, cancel := context.WithCancel(t.Context())
	x := &tailing{records: make(chan bus.Record, 1000), heads: make(chan struct{}, 1), done: make(chan error, 1)}
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		x.done <- log.Tail(ctx, 0, jet.Shared,
			func(r bus.Record) error { x.records <- r; return nil },
			func() error {
				select {
				case x.heads <- struct{}{}:
				default:
				}
				return nil
			})
	}()
	t.Cleanup(func() { cancel(); <-finished })
	return x
}

// expect fails unless the next records are slots first to last.
func (x *tailing) expect(t testing.TB, first, last int) {
	t.Helper()
	for i := first; i <= last; i++ {
		select {
		case r := <-x.records:
			if r.Subject != slot(i) || string(r.Data) != slot(i) {
				t.Fatalf("got %s %q, want %s", r.Subject, r.Data, slot(i))
			}
		case err := <-x.done:
			t.Fatalf("Tail = %v before %s", err, slot(i))
		}
	}
}

// nothingMore fails when more records than expected arrived before the last head.
func (x *tailing) nothingMore(t testing.TB) {
	t.Helper()
	<-x.heads
	if len(x.records) > 0 {
		t.Fatalf("record %s was delivered again", (<-x.records).Subject)
	}
}

func TestTailAndAppendSurviveARestartOfTheServer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	reader, writer := s.open(t), s.open(t)
	x := tail(t, reader)
	write(t, writer, 1, 10)
	x.expect(t, 1, 10)
	s.stop()
	done := make(chan error, 1)
	go func() { done <- writer.Append(t.Context(), slot(11), []byte(slot(11))) }()
	s.start(t)
	if err := <-done; err != nil {
		t.Fatalf("Append across a restart = %v", err)
	}
	write(t, writer, 12, 20)
	x.expect(t, 11, 20)
	x.nothingMore(t)
	if reader.Stats().Rebuilt == 0 {
		t.Error("the log was not verified over the new connection")
	}
}

// rolledBack runs a Tail over ten records, puts the server back to where it had five, calls then, and returns Tail's error.
func rolledBack(t *testing.T, then func(*jet.Log)) error {
	s := newSite(t)
	x, writer := tail(t, s.open(t)), s.open(t)
	write(t, writer, 1, 5)
	x.expect(t, 1, 5)
	s.stop()
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	write(t, writer, 6, 10)
	x.expect(t, 6, 10)
	s.stop()
	s.dir = backup
	s.start(t)
	then(writer)
	return <-x.done
}

func TestTailFindsThatTheLogWasRolledBack(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(*jet.Log){
		"nothing written since":                 func(*jet.Log) {},
		"others in place of what was handled":   func(l *jet.Log) { write(t, l, 16, 20) },
		"the last record is there again, moved": func(l *jet.Log) { write(t, l, 10, 10) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := rolledBack(t, then); !errors.Is(err, bus.ErrRollback) {
				t.Fatalf("Tail = %v, want ErrRollback", err)
			}
		})
	}
}

func TestTailGoesOnWhenTheLogIsAsItWas(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	x, writer := tail(t, s.open(t)), s.open(t)
	write(t, writer, 1, 5)
	x.expect(t, 1, 5)
	for i := 6; i <= 8; i++ {
		s.stop()
		s.start(t)
		write(t, writer, i, i)
		x.expect(t, i, i)
	}
	x.nothingMore(t)
}

// Any number of processes of one party read at once, each everything in order, and none disturbs another.
func TestTwinsReadAtOnce(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3, 4, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			writer := s.open(t)
			write(t, writer, 1, 300)
			twins, logs := make([]*tailing, n), make([]*jet.Log, n)
			for i := range twins {
				logs[i] = s.handle(t, s.connect(t, "twin"), jet.Config{Stream: stream, Party: "twin"})
				twins[i] = tail(t, logs[i])
			}
			write(t, writer, 301, 310)
			for i, x := range twins {
				x.expect(t, 1, 310)
				x.nothingMore(t)
				if got := logs[i].Stats(); got != (jet.Stats{}) {
					t.Errorf("twin %d has %+v", i, got)
				}
			}
		})
	}
}

// What is addressed to one party cannot be tailed, nor can what includes it.
func TestOnlySharedRecordsAreTailed(t *testing.T) {
	t.Parallel()
	log := newSite(t).open(t)
	for _, filter := range []string{jet.Subjects, "risk.s.p.1.b.a.0", "risk.s.p.*.*.a.head"} {
		if err := log.Tail(t.Context(), 0, filter, nil, nil); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("Tail of %s = %v, want ErrInvalid", filter, err)
		}
	}
}

// Two readers are told the same time, and a time at all.
func TestRecordsHaveTheLogsTime(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	write(t, s.open(t), 1, 2)
	one, two := tail(t, s.open(t)), tail(t, s.open(t))
	first := <-one.records
	if again := <-two.records; first.Time.IsZero() || !first.Time.Equal(again.Time) {
		t.Errorf("stored at %v for one reader and at %v for another", first.Time, again.Time)
	}
	if second := <-one.records; second.Time.Before(first.Time) {
		t.Errorf("record 2 was stored at %v, record 1 at %v", second.Time, first.Time)
	}
}

// poison publishes what no Append would.
func poison(t *testing.T, s *site, subject string, data []byte, headers ...string) {
	t.Helper()
	m := &nats.Msg{Subject: subject, Data: data, Header: nats.Header{}}
	for i := 0; i < len(headers); i += 2 {
		m.Header.Set(headers[i], headers[i+1])
	}
	js, err := jetstream.New(s.connect(t, "attacker"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestNoiseIsSkippedAndNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	log := s.open(t)
	write(t, log, 1, 1)
	noise := []struct {
		data    []byte
		headers []string
	}{
		{data: nil},
		{data: make([]byte, bus.MaxRecord+1)},
		{data: []byte("x"), headers: []string{"Nats-Msg-Id", "1"}},
		{data: []byte("x"), headers: []string{"Nats-Sequence", "7"}},
		{data: []byte("x"), headers: []string{"Nats-Subject", slot(1)}},
		{data: []byte("x"), headers: []string{"Nats-Expected-Last-Sequence-Per-Subject", "0"}},
		{headers: []string{"Status", "100"}},
		{headers: []string{"Status", "404"}},
		{headers: []string{"Status", "408"}},
		{headers: []string{"Status", "409", "Description", "Consumer Deleted"}},
		{headers: []string{"Status", "503"}},
	}
	for i, n := range noise {
		poison(t, s, slot(100+i), n.data, n.headers...)
	}
	poison(t, s, slot(2), []byte(slot(2))) // no header at all is as good as Append's own
	write(t, log, 3, 3)
	x := tail(t, log)
	x.expect(t, 1, 3)
	x.nothingMore(t)
	if got := log.Stats(); got.Noise != uint64(len(noise)) || got.Rebuilt != 0 {
		t.Errorf("stats are %+v, want %d messages of noise and no other consumer", got, len(noise))
	}
	for i, n := range noise {
		if data, err := log.Get(t.Context(), slot(100+i)); !errors.Is(err, bus.ErrNone) {
			t.Errorf("Get of %v = %d bytes, %v, want ErrNone", n.headers, len(data), err)
		}
		if err := log.Append(t.Context(), slot(100+i), []byte("x")); !errors.Is(err, bus.ErrTaken) {
			t.Errorf("Append over %v = %v, want ErrTaken", n.headers, err)
		}
	}
}
