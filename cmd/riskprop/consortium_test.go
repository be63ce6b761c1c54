package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/mem"
	"riskprop/exampledata"
	"riskprop/party"
	"riskprop/party/node"
	"riskprop/schema"
)

// unseen is a watcher for tests that look at the end only.
type unseen struct{}

func (unseen) began(string, node.Event) {}
func (unseen) stopping()                {}

// smallInput is three banks with an account each and one transaction.
func smallInput(t *testing.T, bobLists string) *input {
	t.Helper()
	const header = "id_source,bank_source,id_destination,bank_destination,amount\n"
	in, err := newInput("a test", "test", []exampledata.Folder{
		{Bank: "charlie", Accounts: []byte("id,risk_score\nc,0.3\n"), Transactions: []byte(header)},
		{Bank: "alice", Accounts: []byte("id,risk_score\na,0.9\n"), Transactions: []byte(header + "a,alice,b,bob,10\n")},
		{Bank: "bob", Accounts: []byte("id,risk_score\nb,0.1\n"), Transactions: []byte(header + bobLists)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// smallTerms are for one iteration with a short key.
func smallTerms(t *testing.T, in *input) *terms {
	t.Helper()
	var p parameters
	p.KeyBits, p.Iterations = 256, 1
	if err := p.Delta.UnmarshalText([]byte("0.5")); err != nil {
		t.Fatal(err)
	}
	terms, err := p.terms(in)
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

// inMemory makes a consortium over a log in memory. The hook may be nil.
func inMemory(t *testing.T, in *input, hook func(bank string, step mem.Step) error) *consortium {
	t.Helper()
	store := mem.NewStore()
	open := func(bank string) (bus.Log, error) {
		return store.Open(func(step mem.Step) error {
			if hook == nil {
				return nil
			}
			return hook(bank, step)
		}), nil
	}
	c, err := newConsortium(in.ledgers, open, zerolog.Nop(), unseen{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var errDisk = errors.New("the disk is on fire")

// TestOneFails: where one member's log fails, all others end, and the error is that member's, whatever the others say.
func TestOneFails(t *testing.T) {
	in := smallInput(t, "")
	terms := smallTerms(t, in)
	for _, culprit := range []string{"alice", "bob", "charlie"} {
		for _, op := range []mem.Op{mem.Append, mem.Get, mem.Deliver} {
			for _, phase := range []mem.Phase{mem.Before, mem.After} {
				c := inMemory(t, in, func(bank string, step mem.Step) error {
					if bank == culprit && step.Op == op && step.Phase == phase && strings.Contains(step.Subject, ".1.") {
						return errDisk
					}
					return nil
				})
				_, err := c.generateKey(t.Context(), terms.keygen)
				if !errors.Is(err, errDisk) || !strings.HasPrefix(err.Error(), culprit+": ") || errors.Is(err, context.Canceled) {
					t.Errorf("%s, %s, %s: %v", culprit, op, phase, err)
				}
			}
		}
	}
}

// TestRefusal: a member that does not go on tells its operator why, and the others only that. The operator's text is shown.
func TestRefusal(t *testing.T) {
	in := smallInput(t, "")
	terms := smallTerms(t, in)
	c := inMemory(t, in, nil)
	keys, err := c.generateKey(t.Context(), terms.keygen)
	if err != nil {
		t.Fatal(err)
	}
	terms.propagate.FailOnMismatch = true
	_, err = c.propagate(t.Context(), terms.propagate, keys)
	if err == nil || !strings.HasPrefix(err.Error(), "alice: ") && !strings.HasPrefix(err.Error(), "bob: ") || !strings.Contains(err.Error(), "the transactions with ") {
		t.Errorf("%v", err)
	}
}

// TestFailures: a member's own error goes before what another's last word made of a member, whichever comes first.
func TestFailures(t *testing.T) {
	told := &party.Aborted{By: "bob", Reason: "reasons"}
	own := errors.New("own")
	for _, c := range []struct {
		errs []error
		want error
	}{
		{nil, nil}, {[]error{own}, own}, {[]error{told}, told}, {[]error{told, own, context.Canceled}, own}, {[]error{own, told, errDisk}, own},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		f := failures{cancel: cancel}
		for _, err := range c.errs {
			f.add(err)
		}
		if got := f.cause(); got != c.want {
			t.Errorf("%v: %v", c.errs, got)
		}
		if ended := ctx.Err() != nil; ended != slices.Contains(c.errs, own) {
			t.Errorf("%v: the others were ended: %v", c.errs, ended)
		}
	}
}

// TestMembersShareNothing: every bank has an identity of its own, another one in every run.
func TestMembersShareNothing(t *testing.T) {
	in := smallInput(t, "")
	seen := make(map[[32]byte]bool)
	for range 2 {
		c := inMemory(t, in, nil)
		if names := c.roster.Names(); !slices.Equal(names, []string{"alice", "bob", "charlie"}) {
			t.Errorf("%v", names)
		}
		for i, m := range c.members {
			if m.bank != c.roster.Member(i).Name || m.ledger.Bank != m.bank {
				t.Errorf("member %d is %s with the ledger of %s", i, m.bank, m.ledger.Bank)
			}
			seen[m.identity.Public().Sign] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d identities", len(seen))
	}
}

// TestNoConsortium: what keeps a consortium, or a session, from beginning names the bank.
func TestNoConsortium(t *testing.T) {
	in := smallInput(t, "")
	_, err := newConsortium(in.ledgers, func(bank string) (bus.Log, error) { return nil, errDisk }, zerolog.Nop(), unseen{})
	if !errors.Is(err, errDisk) || !strings.HasPrefix(err.Error(), "alice: ") {
		t.Errorf("%v", err)
	}
	in.ledgers[1].Bank = "all"
	open := func(string) (bus.Log, error) { return mem.NewStore().Open(nil), nil }
	if _, err = newConsortium(in.ledgers, open, zerolog.Nop(), unseen{}); err == nil || !strings.HasPrefix(err.Error(), "all: ") {
		t.Errorf("%v", err)
	}
	if _, err = newConsortium(in.ledgers[:1], open, zerolog.Nop(), unseen{}); err == nil {
		t.Error("a consortium of one")
	}
	in = smallInput(t, "")
	c := inMemory(t, in, nil)
	manifest := smallTerms(t, in).keygen
	manifest.Session = "no session"
	if _, err := c.generateKey(t.Context(), manifest); err == nil || !strings.HasPrefix(err.Error(), "alice: ") {
		t.Errorf("%v", err)
	}
}

// watched counts what a watcher is told.
type watched struct {
	mu     sync.Mutex
	rounds map[string]int
	stop   context.CancelFunc // at the first round
}

func (w *watched) began(proto string, _ node.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rounds[proto]++
	w.stop()
}

func (w *watched) stopping() {}

// TestStopping: where a run is stopped from outside, the error is the cause that was given.
func TestStopping(t *testing.T) {
	in := smallInput(t, "")
	c := inMemory(t, in, nil)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	w := &watched{rounds: make(map[string]int), stop: func() { cancel(cause) }}
	c.watch = w
	if _, err := c.generateKey(ctx, smallTerms(t, in).keygen); err != cause {
		t.Errorf("%v", err)
	}
	if w.rounds[schema.Keygen] == 0 {
		t.Error("no round began")
	}
}

// TestSteps: the number of updates in words.
func TestSteps(t *testing.T) {
	for want, c := range map[string]terms{
		"1 iteration":                       {delta: make([]float64, 1), propagate: schema.PropagateManifest{Periods: 1}},
		"3 iterations":                      {delta: make([]float64, 3), propagate: schema.PropagateManifest{Periods: 1}},
		"1 iteration in each of 2 periods":  {delta: make([]float64, 1), propagate: schema.PropagateManifest{Periods: 2}},
		"3 iterations in each of 4 periods": {delta: make([]float64, 3), propagate: schema.PropagateManifest{Periods: 4}},
	} {
		if got := c.steps(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
