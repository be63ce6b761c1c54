package jet_test

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"riskprop/bus"
	"riskprop/bus/jet"
)

// reply is one answer of a server that is made up: a header block, and data.
type reply struct{ block, data string }

// stored is how the server sends record i of a batch in which it sent record previous before.
func stored(i, previous, pending int) reply {
	return reply{fmt.Sprintf("NATS/1.0\r\nNats-Stream: RISK\r\nNats-Subject: %s\r\nNats-Sequence: %d\r\n"+
		"Nats-Time-Stamp: 2026-01-02T03:04:05.6Z\r\nNats-Num-Pending: %d\r\nNats-Last-Sequence: %d\r\n\r\n", slot(i), i, pending, previous), slot(i)}
}

// endOfBatch is how the server ends a batch.
func endOfBatch(previous, pending int) reply {
	return reply{block: fmt.Sprintf("NATS/1.0 204 EOB\r\nNats-Num-Pending: %d\r\nNats-Last-Sequence: %d\r\n\r\n", pending, previous)}
}

// nothing is how the server says that there is no such message.
func nothing() reply { return reply{block: "NATS/1.0 404 Message Not Found\r\n\r\n"} }

// batches makes the i-th request of a handle, which it returns, be answered by the i-th batch; requests after the last one are
// answered by nothing. Until the test ends it receives the bodies of the requests.
func batches(t *testing.T, s *site, answers ...[]reply) (*jet.Log, <-chan string) {
	t.Helper()
	conn, err := s.InProcessConn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	lines := bufio.NewReader(conn)
	send := func(format string, args ...any) { fmt.Fprintf(conn, format, args...) }
	ready, bodies := make(chan struct{}), make(chan string, 100)
	go func() {
		for {
			line, err := lines.ReadString('\n')
			var subject, inbox string
			var id, size int
			switch {
			case err != nil:
				return
			case strings.HasPrefix(line, "INFO"):
				go send("CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB FAKE.API.DIRECT.GET.RISK 1\r\nPING\r\n")
			case strings.HasPrefix(line, "PONG"):
				close(ready)
			default:
				if n, _ := fmt.Sscanf(line, "MSG %s %d %s %d", &subject, &id, &inbox, &size); n < 4 {
					continue
				}
				body, _ := lines.ReadString('\n')
				bodies <- strings.TrimSpace(body)
				batch := []reply{nothing()}
				if len(answers) > 0 {
					batch, answers = answers[0], answers[1:]
				}
				for _, r := range batch {
					send("HPUB %s %d %d\r\n%s%s\r\n", inbox, len(r.block), len(r.block)+len(r.data), r.block, r.data)
				}
			}
		}
	}()
	<-ready
	cfg := jet.Config{Stream: stream, Party: "reader", APIPrefix: "FAKE.API", Grace: time.Millisecond}
	return s.handle(t, s.connect(t, "reader"), cfg), bodies
}

// What a batch lacks is asked for again, from the last record handled, and after a look whether the log is still the same.
func TestInterruptedBatches(t *testing.T) {
	t.Parallel()
	again := []reply{stored(1, 0, 0), endOfBatch(1, 0)}
	rest := []reply{stored(2, 0, 1), stored(3, 2, 0), endOfBatch(3, 0)}
	for name, first := range map[string][]reply{
		"a gap":                     {stored(1, 0, 2), stored(3, 2, 0), endOfBatch(3, 0)},
		"a gap at the end":          {stored(1, 0, 2), endOfBatch(3, 0)},
		"out of order":              {stored(1, 0, 2), stored(1, 1, 0)},
		"a status nobody knows":     {stored(1, 0, 2), {block: "NATS/1.0 412 Required Api Level\r\n\r\n"}},
		"not found in the middle":   {stored(1, 0, 2), nothing()},
		"nobody there":              {stored(1, 0, 2), {block: "NATS/1.0 503\r\n\r\n"}},
		"a subject not asked for":   {stored(1, 0, 2), {strings.Replace(stored(2, 1, 1).block, ".all.", ".bob.", 1), "x"}, endOfBatch(2, 0)},
		"no end":                    {stored(1, 0, 2)},
		"noise whose number is not": {stored(1, 0, 2), {block: "NATS/1.0\r\nX: y\r\n\r\n"}, stored(2, 1, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, bodies := batches(t, newSite(t), first, again, rest)
			x := tail(t, log)
			x.expect(t, 1, 3)
			x.nothingMore(t)
			if got := log.Stats(); got != (jet.Stats{Rebuilt: 1}) {
				t.Errorf("stats are %+v, want one interruption", got)
			}
			const filter = `"next_by_subj":"risk.*.*.*.all.*.*"`
			for _, want := range []string{
				`{"seq":1,` + filter + `,"batch":256,"max_bytes":8388608}`,
				`{"seq":1,` + filter + `,"batch":1,"max_bytes":8388608}`,
				`{"seq":2,` + filter + `,"batch":256,"max_bytes":8388608}`,
			} {
				if got := <-bodies; got != want {
					t.Errorf("asked for %s, want %s", got, want)
				}
			}
		})
	}
}

// After an interruption the last record handled must be there, as it was.
func TestTheLastRecordIsVerified(t *testing.T) {
	t.Parallel()
	first := []reply{stored(1, 0, 1), stored(2, 1, 0), {block: "NATS/1.0 503\r\n\r\n"}}
	changed := stored(2, 0, 0)
	changed.data = "other"
	for name, second := range map[string][]reply{
		"it is gone":           {nothing()},
		"it was changed":       {changed, endOfBatch(2, 0)},
		"it became noise":      {{block: "NATS/1.0\r\nX: y\r\n\r\n"}, endOfBatch(2, 0)},
		"another is there":     {stored(3, 0, 0), endOfBatch(3, 0)},
		"it has another place": {{strings.Replace(stored(2, 0, 0).block, slot(2), slot(1), 1), slot(2)}, endOfBatch(2, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, _ := batches(t, newSite(t), first, second, second, second, second, second)
			x := tail(t, log)
			x.expect(t, 1, 2)
			if err := <-x.done; !errors.Is(err, bus.ErrRollback) {
				t.Fatalf("Tail = %v, want ErrRollback", err)
			}
		})
	}
}

// Whatever else a batch ends with, more is asked for at once; head waits until the server has no more.
func TestHeadWaitsForTheLastBatch(t *testing.T) {
	t.Parallel()
	log, _ := batches(t, newSite(t), []reply{stored(1, 0, 1), endOfBatch(1, 1)}, []reply{stored(2, 0, 0), endOfBatch(2, 0)})
	caughtUp, count := errors.New("caught up"), 0
	err := log.Tail(t.Context(), 0, jet.Shared, func(bus.Record) error { count++; return nil }, func() error { return caughtUp })
	if err != caughtUp || count != 2 {
		t.Fatalf("Tail = %v after %d records, want head after 2", err, count)
	}
}
