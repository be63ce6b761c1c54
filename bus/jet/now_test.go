package jet_test

import (
	"errors"
	"testing"
	"time"

	"riskprop/bus"
	"riskprop/bus/jet"
)

// TestNow: the server tells its time, which here is this machine's; without a connection nobody does.
func TestNow(t *testing.T) {
	s := newSite(t)
	nc := s.connect(t, "a")
	log := s.handle(t, nc, jet.Config{Stream: stream, Party: "a"})
	before := time.Now().Add(-time.Second) // the server may round
	now, err := log.Now(t.Context())
	if err != nil || now.Before(before) || now.After(time.Now().Add(time.Second)) {
		t.Errorf("%v, %v", now, err)
	}
	nc.Close()
	if now, err := log.Now(t.Context()); !errors.Is(err, bus.ErrClosed) || !now.IsZero() {
		t.Errorf("%v, %v", now, err)
	}
}
