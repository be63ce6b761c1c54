package jet_test

import (
	"fmt"
	"testing"
	"time"

	"riskprop/bus/jet"
)

// A call and a reader outlive an outage for as long as it takes, and the log says that it does not answer. A reader that is back
// calls head again, though nothing is new: what its party found at the end of the log may have been stale.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	log := s.handle(t, s.connect(t, "a"), jet.Config{Stream: stream, Party: "a", Budget: jet.Forever})
	if err := log.Append(t.Context(), slot(1), []byte("x")); err != nil {
		t.Fatal(err)
	}
	x := tail(t, log)
	<-x.heads
	if outage, out := log.Outage(); out || !log.Connected() {
		t.Fatalf("an outage before it began: %+v", outage)
	}
	began := time.Now()
	s.stop()
	got := make(chan error, 1)
	go func() {
		data, err := log.Get(t.Context(), slot(1))
		if err == nil && string(data) != "x" {
			err = fmt.Errorf("got %q", data)
		}
		got <- err
	}()
	until(t, func() bool {
		outage, out := log.Outage()
		return out && outage.Err != nil && !outage.Since.Before(began) && !log.Connected()
	})
	s.start(t)
	if err := <-got; err != nil {
		t.Errorf("Get = %v", err)
	}
	until(t, log.Connected)
	select {
	case <-x.heads:
	case err := <-x.done:
		t.Errorf("Tail = %v", err)
	case <-time.After(30 * time.Second):
		t.Error("the reader does not call head again")
	}
	if err := log.Append(t.Context(), slot(2), []byte("y")); err != nil {
		t.Errorf("Append = %v", err)
	}
}

// until waits for a condition.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(30*time.Second)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("it does not come about")
		}
	}
}
