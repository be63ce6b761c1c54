package embed_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"riskprop/bus"
	"riskprop/bus/hub/hubtest"
	"riskprop/bus/jet"
)

// slot returns the i-th head of from.
func slot(from string, i int) string { return fmt.Sprintf("risk.s.p.%d.all.%s.head", i, from) }

// leader returns the index of the node that leads the shared stream.
func leader(t *testing.T, s *hubtest.Site) int {
	t.Helper()
	nc, err := jet.Dial(t.Context(), s.URLs(), s.Credentials(hubtest.Operator))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	states, err := jet.CheckStream(t.Context(), nc, jet.StreamConfig{Name: hubtest.Stream, Replicas: 3})
	if err != nil {
		t.Fatal(err)
	}
	var node int
	if _, err := fmt.Sscanf(states[0].Leader, "nats-%d", &node); err != nil {
		t.Fatalf("no node leads: %+v", states)
	}
	return node - 1
}

// race has racers write the same slots, each other data, and returns when all are done.
func race(t *testing.T, logs []*jet.Log, from string, first, last int) {
	t.Helper()
	var writers sync.WaitGroup
	for w, log := range logs {
		writers.Go(func() {
			for i := first; i <= last; i++ {
				err := log.Append(context.Background(), slot(from, i), []byte(fmt.Sprint("writer ", w)))
				if err != nil && !errors.Is(err, bus.ErrTaken) {
					t.Errorf("Append(%s) = %v", slot(from, i), err)
				}
			}
		})
	}
	writers.Wait()
}

// On three servers of a consortium, over TLS: one of many racing processes of a party wins, all readers agree, and neither the loss of the
// stream's leader nor that of all three at once costs a record or its order.
func TestAClusterLosesNothing(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 3, true, "alice", "bob", "charlie")
	s.StartAll(t)
	const rounds, racers = 8, 3
	enough := errors.New("enough")
	var mu sync.Mutex
	var readers sync.WaitGroup
	got := map[string][]bus.Record{}
	for _, name := range []string{"bob", "charlie", hubtest.Auditor} {
		log := s.Open(t, name)
		readers.Go(func() {
			var mine []bus.Record
			err := log.Tail(t.Context(), 0, jet.Shared, func(r bus.Record) error {
				if mine = append(mine, r); len(mine) == 3*rounds {
					return enough
				}
				return nil
			}, func() error { return nil })
			if err != enough {
				t.Errorf("Tail = %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[name] = mine
		})
	}
	var writers []*jet.Log
	for range racers {
		writers = append(writers, s.Open(t, "alice"))
	}
	race(t, writers, "alice", 1, rounds)

	lead := leader(t, s)
	s.Servers[lead].Shutdown()
	race(t, writers, "alice", rounds+1, 2*rounds)

	for _, server := range s.Servers {
		server.Shutdown()
	}
	for i := range s.Servers {
		s.Start(t, i)
	}
	race(t, writers, "alice", 2*rounds+1, 3*rounds)
	readers.Wait()
	if len(got["bob"]) != 3*rounds {
		t.Fatalf("bob read %d records", len(got["bob"]))
	}
	for i, r := range got["bob"] {
		for name, records := range got {
			if o := records[i]; r.Seq != o.Seq || r.Subject != o.Subject || string(r.Data) != string(o.Data) {
				t.Errorf("readers disagree on record %d: %s %q for bob and %s %q for %s", i, r.Subject, r.Data, o.Subject, o.Data, name)
			}
		}
	}
}
