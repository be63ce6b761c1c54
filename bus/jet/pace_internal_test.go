package jet

import (
	"context"
	"errors"
	"testing"

	"riskprop/bus"
	"riskprop/bus/embed"
)

// A handle that keeps to a pace takes a token for each unit that it sends, and waits where there is none; another does not.
func TestPace(t *testing.T) {
	server, err := embed.Start(embed.Config{StoreDir: t.TempDir(), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	nc, err := ConnectInProcess(server, "alice")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if err := CreateStream(t.Context(), nc, StreamConfig{Name: "RISK", Replicas: 1}); err != nil {
		t.Fatal(err)
	}
	open := func(paced bool) *Log {
		l, err := New(t.Context(), nc, Config{Stream: "RISK", Party: "alice", Paced: paced})
		if err != nil {
			t.Fatal(err)
		}
		if paced {
			l.records, l.batches = bus.Limiter(1e-9, 5), bus.Limiter(1e-9, 1)
		}
		return l
	}
	const subject = "risk.s.keygen.0.all.alice.0"
	l := open(true)
	if err := l.Append(t.Context(), subject, make([]byte, bus.UnitBytes)); err != nil { // two units
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.Get(t.Context(), subject); err != nil {
			t.Fatal(err)
		}
	}
	enough := errors.New("enough")
	if err := l.Tail(t.Context(), 0, Shared, func(bus.Record) error { return enough }, nil); err != enough {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, get := l.Get(ended, subject)
	for call, err := range map[string]error{
		"Append": l.Append(ended, "risk.s.keygen.0.all.alice.1", []byte("x")), "Get": get, "Tail": l.Tail(ended, 0, Shared, nil, nil),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with no token left: %v", call, err)
		}
	}
	if l.records.Tokens() > 1e-6 || l.batches.Tokens() > 1e-6 {
		t.Errorf("%v and %v tokens are left", l.records.Tokens(), l.batches.Tokens())
	}
	free := open(false)
	for range 300 {
		if _, err := free.Get(t.Context(), subject); err != nil {
			t.Fatal(err)
		}
	}
}
