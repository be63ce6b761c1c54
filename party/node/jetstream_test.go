package node_test

import (
	"context"
	"errors"
	"testing"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/embed"
	"riskprop/bus/jet"
	"riskprop/party/keygen"
	"riskprop/party/node"
)

// server is an embedded JetStream that can be started again on the same store.
type server struct {
	dir     string
	running *embed.Server
}

func (s *server) start(t *testing.T) {
	t.Helper()
	var err error
	if s.running, err = embed.Start(embed.Config{StoreDir: s.dir, Name: "test", Logger: zerolog.Nop()}); err != nil {
		t.Fatal(err)
	}
}

// open connects a party.
func (s *server) open(t *testing.T, name string) (bus.Log, func()) {
	t.Helper()
	nc, err := jet.ConnectInProcess(s.running, name)
	if err != nil {
		t.Fatal(err)
	}
	log, err := jet.New(t.Context(), nc, jet.Config{Stream: "RISK", Party: name})
	if err != nil {
		t.Fatal(err)
	}
	return log, nc.Close
}

// TestJetStream generates a key over embedded JetStream. Bob is stopped in every third round, with his connection, and
// started again from nothing; at the end the server is started again, and everybody finds the key on the log.
func TestJetStream(t *testing.T) {
	w := newWorld(t)
	s := &server{dir: t.TempDir()}
	s.start(t)
	defer func() { s.running.Shutdown() }()
	nc, err := jet.ConnectInProcess(s.running, "operator")
	if err != nil {
		t.Fatal(err)
	}
	if err := jet.CreateStream(t.Context(), nc, jet.StreamConfig{Name: "RISK", Replicas: 1}); err != nil {
		t.Fatal(err)
	}
	nc.Close()

	restarts, done := 0, make(chan error)
	for i, name := range w.roster.Names() {
		go func() { done <- w.takePart(t, s, i, name, &restarts) }()
	}
	if err := errors.Join(<-done, <-done, <-done); err != nil {
		t.Fatal(err)
	}
	if restarts < 3 {
		t.Errorf("bob was started again %d times", restarts)
	}
	s.running.Shutdown()
	s.start(t)
	var first *keygen.Done
	for i, name := range w.roster.Names() {
		config := w.config(t, i, nil)
		var closeLog func()
		config.Log, closeLog = s.open(t, name)
		stats, err := node.Run(t.Context(), config)
		closeLog()
		if err != nil || stats.Records != 0 {
			t.Fatalf("%s after the restart: %+v %v", name, stats, err)
		}
		key := config.Machine.Round().(*keygen.Done)
		if first == nil {
			first = key
		}
		if key.ID != first.ID || key.Share == nil {
			t.Errorf("%s finds another key", name)
		}
	}
}

// takePart runs a member to the end of the session; bob with interruptions.
func (w *world) takePart(t *testing.T, s *server, i int, name string, restarts *int) error {
	for stopAt := 2; ; stopAt += 3 {
		ctx, stop := context.WithCancel(t.Context())
		config := w.config(t, i, nil)
		var closeLog func()
		config.Log, closeLog = s.open(t, name)
		config.Observe = func(p node.Event) {
			if name == "bob" && p.Kind == node.Began && p.Round == stopAt {
				stop()
			}
		}
		_, err := node.Run(ctx, config)
		stop()
		closeLog()
		if !errors.Is(err, context.Canceled) {
			return err
		}
		*restarts++ // bob's goroutine only
	}
}
