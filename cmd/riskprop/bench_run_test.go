package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"riskprop/cmd/riskprop/internal/naive"
	"riskprop/exampledata"
	"riskprop/party/ledger"
)

// smallPlan is a benchmark of three banks that takes no time.
func smallPlan(t *testing.T) *plan {
	t.Helper()
	p, err := (&benchCommand{Accounts: 12, Transactions: 30, Banks: 3, Iterations: 2, KeyBits: 256, Seed: 1, Repeat: 1}).plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBenchJSON: the figures of an object fit together, here and among processes.
func TestBenchJSON(t *testing.T) {
	for _, processes := range [][]string{nil, {"--processes"}} {
		chdirTemp(t)
		got := runHere(t, append([]string{"bench", "--json", "--key-bits=256", "--accounts=30", "--transactions=60", "--against=naive"}, processes...)...)
		decoder := json.NewDecoder(strings.NewReader(got.stdout))
		decoder.DisallowUnknownFields()
		var r benchReport
		if err := decoder.Decode(&r); err != nil || got.status != statusOK {
			t.Fatalf("%v in %+v", err, got)
		}
		nothingLeft(t)
		if len(r.Runs) != 1 || len(r.Runs[0].Phases) != 5 || r.Keygen == nil || r.Keygen.Seconds != nil || (r.Server != nil) != r.Processes {
			t.Fatalf("%s", got.stdout)
		}
		run, seconds, written := r.Runs[0], 0.0, int64(0)
		for _, p := range run.Phases {
			seconds, written = seconds+p.Seconds, written+p.Bytes
		}
		if math.Abs(seconds-run.Rounds.Seconds) > 1e-6 || written != run.Rounds.Bytes || written < 10_000 || run.Micros <= 0 || r.Seconds < seconds {
			t.Errorf("%v s, %d bytes in the phases of %+v", seconds, written, run)
		}
		peaks := 1
		if r.Processes {
			peaks = 3
		}
		if len(run.Peaks) != peaks || slices.Min(run.Peaks) < 1<<20 || run.PerAccount*30 < float64(slices.Max(run.Peaks)) {
			t.Errorf("peaks %v, %v an account", run.Peaks, run.PerAccount)
		}
		if r.Naive.Accounts != 16 || len(r.Naive.Phases) != 4 || r.Naive.Total.Naive <= 0 || r.Naive.Operations.Partial <= 0 {
			t.Errorf("%+v", r.Naive)
		}
	}
}

// TestBenchStopped: a benchmark that is stopped between its sessions, or that cannot be shown, leaves nothing.
func TestBenchStopped(t *testing.T) {
	cause := errors.New("enough")
	for _, processes := range [][]string{nil, {"--processes"}} {
		chdirTemp(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		var stderr bytes.Buffer
		stdout := &trigger{text: "  key 1 of 1", do: func() error { cancel(cause); return nil }}
		status := run(ctx, append([]string{"bench", "--key-bits=256", "--accounts=30"}, processes...), stdout, &stderr)
		if status != statusFailed || !strings.HasSuffix(stderr.String(), "riskprop: error: stopped, nothing was written: "+cause.Error()+"\n") {
			t.Errorf("status %d: %s", status, stderr.String())
		}
		nothingLeft(t)
	}
}

// TestChildFails: a party that fails ends its session and says why; so does a server that is not there any more.
func TestChildFails(t *testing.T) {
	p := smallPlan(t)
	e, err := newElsewhere(t.Context(), silent(), zerolog.Nop(), t.TempDir(), p.banks, p.terms)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.keygen(t.Context(), "key 1"); err == nil || !strings.Contains(err.Error(), "session key 1: ") || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("a session without a proper name: %v", err)
	}
	if _, err := e.keygen(t.Context(), "key 1"); err == nil {
		t.Error("a session came twice")
	}
	if err := e.server.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-e.server.ended
	if _, err := e.keygen(t.Context(), "key-1"); err == nil || !strings.Contains(err.Error(), "session key-1: the server: signal: killed") {
		t.Errorf("without a server: %v", err)
	}
	if _, err := e.close(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("the end of a server that was killed: %v", err)
	}
	if _, err := newElsewhere(t.Context(), silent(), zerolog.Nop(), e.dir, p.banks, p.terms); err == nil {
		t.Error("two consortia in one folder")
	}
}

// TestNaive: the sample comes to the scores of the plain computation, and anything else is an error.
func TestNaive(t *testing.T) {
	p := smallPlan(t)
	h, err := newHere(silent(), zerolog.Nop(), p.banks, p.terms)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.keygen(t.Context(), "key-1"); err != nil {
		t.Fatal(err)
	}
	key, err := h.shared(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.data[0].input()
	if err != nil {
		t.Fatal(err)
	}
	public, err := naive.NewKey(key.key.N, key.key.Theta, key.key.Parties)
	if err != nil {
		t.Fatal(err)
	}
	fresh := func(ctx context.Context) *naiveRun {
		s := &naiveRun{ctx: ctx, key: public, shares: key.shares, threshold: key.key.Threshold, scores: scoresOf(in)}
		s.choose(in, p.terms, 10)
		return s
	}
	s := fresh(t.Context())
	if err := s.run(); err != nil || len(s.rows) != 10 {
		t.Fatalf("%d rows, %v", len(s.rows), err)
	}
	seen := make(map[ledger.Endpoint]bool)
	for _, row := range s.rows {
		if len(row.weights) != len(row.sources) || seen[row.sources[0]] {
			t.Errorf("%+v", row)
		}
		seen[row.sources[0]] = true
	}
	s = fresh(t.Context())
	s.rows[3].want += 1e-6
	if err := s.run(); err == nil || !strings.Contains(err.Error(), "account 4 of the sample") {
		t.Errorf("another score: %v", err)
	}
	s = fresh(t.Context())
	s.shares = slices.Clone(s.shares)
	s.shares[1] = new(big.Int).Add(s.shares[1], big.NewInt(1))
	if err := s.run(); !errors.Is(err, naive.ErrPartials) {
		t.Errorf("another share: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := fresh(ctx).run(); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// TestNaiveCosts: what the whole costs follows from what there is of everything.
func TestNaiveCosts(t *testing.T) {
	in, err := benchData{config: exampledata.Config{Banks: 3, Accounts: 30, Transactions: 50, Periods: 1, Seed: 3}}.input()
	if err != nil {
		t.Fatal(err)
	}
	size := sizeOf(in, 3)
	sources := make(map[ledger.Endpoint]bool)
	for _, l := range in.ledgers {
		for _, e := range l.Edges {
			if e.Source.Bank != e.Destination.Bank {
				sources[e.Source] = true
			}
		}
	}
	if size.accounts != 30 || size.parties != 3 || size.edges != in.transactions() || size.sent != len(sources) {
		t.Errorf("%+v", size)
	}
	got := naiveSize{accounts: 10, edges: 100, parties: 4, steps: 3, sent: 5}.costs(naiveSeconds{Encrypt: 1, Weigh: 2, Rerandomize: 3, Partial: 5, Combine: 7})
	for phase, want := range map[string]float64{"encryption": 10, "scores": 2 * (220 + 15), "packing": 220 + 30, "opening": 10 * 27} {
		if got[phase] != want {
			t.Errorf("%s: %v, not %v", phase, got[phase], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("%v", got)
	}
}
