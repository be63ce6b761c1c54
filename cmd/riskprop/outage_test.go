package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus/jet"
)

// TestOutageReporter: an outage is told when it has lasted a second, then every nine, and when it is over.
func TestOutageReporter(t *testing.T) {
	var out, log bytes.Buffer
	start := time.Unix(1e9, 0)
	var down *jet.Outage
	r := &outageReporter{ui: newUI(&out, io.Discard, func(error) {}), logger: zerolog.New(&log), of: func() (jet.Outage, bool) {
		if down == nil {
			return jet.Outage{}, false
		}
		return *down, true
	}}
	pass := func(from, to int) {
		for s := from; s < to; s++ {
			r.tick(start.Add(time.Duration(s) * time.Second))
		}
	}
	pass(0, 5)
	down = &jet.Outage{Err: errors.New("nobody"), Since: start.Add(4500 * time.Millisecond)}
	pass(5, 6)
	down = nil
	pass(6, 10) // too short for a word
	down = &jet.Outage{Err: errors.New("nobody"), Since: start.Add(10 * time.Second)}
	pass(10, 30)
	down = nil
	pass(30, 40)
	const want = "  no answer from the log for 1s: nobody\n  no answer from the log for 10s: nobody\n  no answer from the log for 19s: nobody\n  the log answers again, after 20s\n"
	if out.String() != want {
		t.Errorf("said\n%swant\n%s", &out, want)
	}
	if got := log.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, `"error":"nobody"`) || !strings.Contains(got, `"seconds":20`) {
		t.Errorf("logged %s", got)
	}
}

// TestPartyWaitsForServers: a party that is started while no server runs says so and goes on trying until it is stopped.
func TestPartyWaitsForServers(t *testing.T) {
	b := newBanks(t)
	text, err := os.ReadFile(b.path("alice.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "alone.yaml", strings.Replace(string(text), ":4222", ":1", 1))
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("that was enough")
	var out bytes.Buffer
	u := newUI(writerFunc(func(p []byte) (int, error) {
		if out.Write(p); strings.Contains(out.String(), "no answer from the log") {
			cancel(stopped)
		}
		return len(p), nil
	}), io.Discard, func(error) {})
	c := &partyCommand{Config: b.path("alone.yaml"), Session: b.path("keys.yaml")}
	err = c.Run(ctx, u, zerolog.Nop())
	if !errors.Is(err, stopped) || statusOf(err) != statusFailed {
		t.Errorf("%v", err)
	}
	if !strings.Contains(out.String(), "tls://127.0.0.1:1: nobody answers there") {
		t.Errorf("%s", &out)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
