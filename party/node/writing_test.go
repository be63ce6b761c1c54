package node_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/party/node"
	"riskprop/schema"
)

// bulk is a protocol of one round, in which everybody says parts of 64 KiB to all.
type bulk struct {
	parts   int
	compute func(part int) // what a part costs
	done    bool
}

const bulkWidth = 64 << 10

func (r *bulk) Plan() party.Plan {
	if r.done {
		return party.Ended{}.Plan()
	}
	return party.Plan{Name: "bulk", Messages: party.EachToAll(3, bulkWidth, r.parts*schema.PerPart(bulkWidth))}
}

func (r *bulk) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		for part := range r.parts {
			r.compute(part)
			if !yield(party.Draft{To: party.Everybody, Data: make([]byte, schema.PerPart(bulkWidth)*bulkWidth)}, nil) {
				return
			}
		}
	}
}

func (r *bulk) Check(party.Message, []byte) error { return nil }

func (r *bulk) Next(party.Inbox) (party.Round, error) {
	return &bulk{done: true}, nil
}

// bulkNode is what member i runs in a session of bulk.
func (w *world) bulkNode(t testing.TB, i int, round *bulk) node.Config {
	t.Helper()
	m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: w.roster}, w.ids[i], [32]byte{}, round)
	if err != nil {
		t.Fatal(err)
	}
	return node.Config{Log: w.store.Open(nil), Roster: w.roster, Machine: m, Logger: zerolog.Nop()}
}

// slow is a log on which an append waits for something.
type slow struct {
	bus.Log
	wait func(subject string) error
}

func (l *slow) Append(ctx context.Context, subject string, data []byte) error {
	if err := l.wait(subject); err != nil {
		return err
	}
	return l.Log.Append(ctx, subject, data)
}

// TestComputesWhileItWrites: a part is on its way to the log while the next one is computed; one at a time, and the head after all of
// them. Otherwise this stands still: here a part arrives only when the next one is being computed.
func TestComputesWhileItWrites(t *testing.T) {
	const parts = 5
	w := newWorld(t)
	begun := make(chan int, parts)
	var configs []node.Config
	for i := range 3 {
		configs = append(configs, w.bulkNode(t, i, &bulk{parts: parts, compute: func(part int) {
			if i == 0 && part > 0 {
				begun <- part
			}
		}}))
	}
	var under atomic.Int32
	var mu sync.Mutex
	var order []string
	configs[0].Log = &slow{configs[0].Log, func(subject string) error {
		if under.Add(1) != 1 {
			t.Error("two appends at once")
		}
		defer under.Add(-1)
		mu.Lock()
		order = append(order, subject[strings.LastIndex(subject, ".")+1:])
		mu.Unlock()
		if strings.HasSuffix(subject, ".head") || strings.HasSuffix(subject, fmt.Sprint(".", parts-1)) {
			return nil
		}
		select {
		case <-begun:
			return nil
		case <-time.After(time.Minute):
			return errors.New("nothing is computed meanwhile")
		}
	}}
	if _, errs := runAll(t.Context(), configs); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	if want := []string{"0", "1", "2", "3", "4", "head"}; !slices.Equal(order, want) {
		t.Errorf("alice has written %v, want %v", order, want)
	}
}

// TestFailedPart: where a part cannot be written, nothing more is, and the error is that of the part.
func TestFailedPart(t *testing.T) {
	w := newWorld(t)
	computed := 0
	config := w.bulkNode(t, 0, &bulk{parts: 5, compute: func(int) { computed++ }})
	config.Log = &slow{config.Log, func(subject string) error {
		if strings.HasSuffix(subject, ".1") {
			return errMute
		}
		return nil
	}}
	_, err := node.Run(t.Context(), config)
	if !errors.Is(err, errMute) || !strings.Contains(err.Error(), "alice.1: ") || computed != 3 {
		t.Errorf("%v after %d parts", err, computed)
	}
	if records := len(w.store.Records()); records != 1 {
		t.Errorf("%d records, want the first part", records)
	}
}

// BenchmarkWriting reports how much of the time of writing is hidden behind computing: a part takes 2 ms to write, and about as
// long to compute. 1 would be all, 0 none.
func BenchmarkWriting(b *testing.B) {
	const parts, delay = 50, 2 * time.Millisecond
	run := func(delay time.Duration) time.Duration {
		w := newWorld(b)
		config := w.bulkNode(b, 0, &bulk{parts: parts, compute: func(int) {
			for begin := time.Now(); time.Since(begin) < 2*time.Millisecond; {
			}
		}})
		ctx, cancel := context.WithCancel(b.Context())
		defer cancel()
		config.Log = &slow{config.Log, func(string) error { time.Sleep(delay); return nil }}
		var took time.Duration
		config.Observe = func(e node.Event) {
			if e.Kind == node.Spoke {
				took = e.Duration
				cancel()
			}
		}
		_, _ = node.Run(ctx, config) // it is cancelled
		return took
	}
	var hidden float64
	for b.Loop() {
		quick, late := run(0), run(delay)
		hidden += 1 - float64(late-quick)/float64((parts+1)*delay)
	}
	b.ReportMetric(hidden/float64(b.N), "hidden")
}
