package jet_test

import (
	"testing"
	"time"

	"riskprop/bus/jet"
)

// An append and a reader outlive an outage for as long as it takes, and the log says that it does not answer. A reader that is back
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
	appended := make(chan error, 1)
	go func() { appended <- log.Append(t.Context(), slot(2), []byte("y")) }()
	until(t, func() bool {
		outage, out := log.Outage()
		return out && outage.Err != nil && !outage.Since.Before(began) && !log.Connected()
	})
	s.start(t)
	if err := <-appended; err != nil {
		t.Errorf("Append = %v", err)
	}
	until(t, log.Connected)
	<-x.heads
	select {
	case err := <-x.done:
		t.Errorf("Tail = %v", err)
	default:
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
