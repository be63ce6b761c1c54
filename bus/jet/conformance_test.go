package jet_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
	"riskprop/bus/bustest"
	"riskprop/bus/embed"
	"riskprop/bus/jet"
)

const stream = "RISK"

// site is an embedded server with the stream of a log. Connections to it survive a restart.
type site struct {
	dir     string
	parties int

	mu     sync.Mutex
	server *embed.Server
}

// newSite starts a server on an empty directory and creates the stream.
func newSite(t testing.TB) *site {
	s := &site{dir: t.TempDir()}
	s.start(t)
	t.Cleanup(func() { s.server.Shutdown() })
	if err := jet.CreateStream(t.Context(), s.connect(t, "operator"), jet.StreamConfig{Name: stream, Replicas: 1}); err != nil {
		t.Fatal(err)
	}
	return s
}

// start starts the server.
func (s *site) start(t testing.TB) {
	t.Helper()
	server, err := embed.Start(embed.Config{StoreDir: s.dir, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = server
}

// stop stops the server.
func (s *site) stop() { s.server.Shutdown() }

// InProcessConn connects to the server of the moment.
func (s *site) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.server.InProcessConn()
}

// connect returns a connection that ends with the test.
func (s *site) connect(t testing.TB, name string) *nats.Conn {
	t.Helper()
	nc, err := jet.ConnectInProcess(s, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// open returns the handle of another party.
func (s *site) open(t testing.TB) *jet.Log {
	t.Helper()
	s.parties++
	party := fmt.Sprint("party", s.parties)
	return s.handle(t, s.connect(t, party), jet.Config{Stream: stream, Party: party, Grace: 50 * time.Millisecond})
}

// handle returns a handle on nc.
func (s *site) handle(t testing.TB, nc *nats.Conn, cfg jet.Config) *jet.Log {
	t.Helper()
	log, err := jet.New(context.Background(), nc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestConformance(t *testing.T) {
	bustest.Run(t, func(t *testing.T) bustest.Factory {
		s := newSite(t)
		return bustest.Factory{
			Open: func(t *testing.T) bus.Log { return s.open(t) },
			Restart: func(t *testing.T) {
				s.stop()
				s.start(t)
			},
		}
	})
}
