package embed_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
	"riskprop/bus/jet"
)

// cluster starts three servers that know each other. All sockets are local.
func cluster(t *testing.T) []*server.Server {
	t.Helper()
	var addrs, routes []string
	for range 3 { // every server needs the addresses of all before it starts
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, l.Addr().String())
		routes = append(routes, fmt.Sprintf("%q", "nats-route://"+l.Addr().String()))
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var nodes []*server.Server
	for i := range 3 {
		nodes = append(nodes, run(t, fmt.Sprintf(`server_name: n%d
			listen: "127.0.0.1:-1"
			jetstream: {store_dir: %q, sync_interval: always}
			cluster: {name: C, listen: %q, routes: [%s]}`, i, t.TempDir(), addrs[i], strings.Join(routes, ", "))))
	}
	return nodes
}

// on returns a handle whose party is connected to s.
func on(t *testing.T, s *server.Server, party string) *jet.Log {
	t.Helper()
	log, err := jet.New(t.Context(), dial(t, s, party), jet.Config{Stream: stream, Party: party})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// dial connects name to s.
func dial(t *testing.T, s *server.Server, party string) *nats.Conn {
	t.Helper()
	nc, err := jet.ConnectInProcess(s, party)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// leader returns the index of the node that leads the stream.
func leader(t *testing.T, nodes []*server.Server) int {
	t.Helper()
	js, err := jetstream.New(dial(t, nodes[0], "operator"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		if n.Name() == st.CachedInfo().Cluster.Leader {
			return i
		}
	}
	t.Fatalf("no node leads: %+v", st.CachedInfo().Cluster)
	return -1
}

// On three replicas: one of many racing writers wins, readers on every node agree, and the loss of the stream's leader costs
// neither a record nor its order.
func TestAClusterLosesNothingWithItsLeader(t *testing.T) {
	t.Parallel()
	nodes := cluster(t)
	if err := jet.CreateStream(t.Context(), dial(t, nodes[0], "operator"), jet.StreamConfig{Name: stream, Replicas: 3}); err != nil {
		t.Fatal(err)
	}
	lead := leader(t, nodes)
	alive := []*server.Server{nodes[(lead+1)%3], nodes[(lead+2)%3]}
	const rounds, racers = 12, 4
	enough := errors.New("enough")
	var mu sync.Mutex
	got := map[string][]bus.Record{}
	var readers, writers sync.WaitGroup
	for i, n := range alive {
		party := fmt.Sprint("reader", i)
		log := on(t, n, party)
		readers.Go(func() {
			var mine []bus.Record
			err := log.Tail(t.Context(), 0, heads, func(r bus.Record) error {
				if mine = append(mine, r); len(mine) == 2*rounds {
					return enough
				}
				return nil
			}, func() error { return nil })
			if err != enough {
				t.Errorf("Tail = %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[party] = mine
		})
	}
	race := func(first int) {
		for w := range racers {
			log := on(t, alive[w%2], fmt.Sprint("writer", w))
			writers.Go(func() {
				for i := first; i < first+rounds; i++ {
					err := log.Append(context.Background(), slot("a", i), []byte(fmt.Sprint("writer ", w)))
					if err != nil && !errors.Is(err, bus.ErrTaken) {
						t.Errorf("Append(%s) = %v", slot("a", i), err)
					}
				}
			})
		}
	}
	race(0)
	writers.Wait()
	race(rounds)
	nodes[lead].Shutdown()
	writers.Wait()
	readers.Wait()
	for i, r := range got["reader0"] {
		if o := got["reader1"][i]; r.Seq != o.Seq || r.Subject != o.Subject || string(r.Data) != string(o.Data) {
			t.Errorf("readers disagree on record %d: %s %q and %s %q", i, r.Subject, r.Data, o.Subject, o.Data)
		}
	}
}
