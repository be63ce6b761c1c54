package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/node"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// TestPartyNamesNoAccount: warnings about the data name accounts, and what a party prints may go to a log.
func TestPartyNamesNoAccount(t *testing.T) {
	b := newBanks(t)
	b.succeed(t, "keys.yaml")
	b.data(t, "charlie", "acc-c1,0.3125\n", "id_source,bank_source,id_destination,bank_destination,amount\nacc-c9,charlie,acc-b1,bob,20\n")
	for name, a := range b.succeed(t, "run.yaml") {
		if strings.Contains(a.out, "acc-") || name == "charlie" && !strings.Contains(a.out, "1 warnings about the data") {
			t.Errorf("%s: %s", name, a.out)
		}
	}
}

// cheat takes part in the key generation as charlie, who lies where nobody can tell who it was.
func (b *banks) cheat(t *testing.T) {
	t.Helper()
	u := newUI(io.Discard, io.Discard, func(error) {})
	m, err := loadMember(t.Context(), u, zerolog.Nop(), b.path("charlie.yaml"), b.path("keys.yaml"))
	if err != nil {
		t.Error(err)
		return
	}
	manifest, err := m.session.KeygenManifest(m.consortium)
	if err != nil {
		t.Error(err)
		return
	}
	first, err := keygen.Start(manifest, m.roster())
	if err != nil {
		t.Error(err)
		return
	}
	lies := partytest.Cheat(first, func(round string, draft party.Draft) party.Draft {
		if round == "moduli" {
			draft.Data = bytes.Clone(draft.Data)
			draft.Data[len(draft.Data)-1] ^= 1
		}
		return draft
	})
	machine, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "keys", Roster: m.roster()}, m.identity, [32]byte{}, lies)
	if err != nil {
		t.Error(err)
		return
	}
	_, err = node.Run(t.Context(), node.Config{Log: b.store.Open(nil), Roster: m.roster(), Machine: machine, Logger: zerolog.Nop()})
	if err == nil {
		t.Error("nobody noticed")
	}
}

// TestPartyThatMeetsNonsense: where what all have said does not fit together, and nothing tells whose fault that is, the session
// has ended: with the same status at all, today and whenever they look again. So it is for who needs its key.
func TestPartyThatMeetsNonsense(t *testing.T) {
	b := newBanks(t)
	var cheating sync.WaitGroup
	cheating.Go(func() { b.cheat(t) })
	ended := b.take(t, t.Context(), map[string]string{"alice": "keys.yaml", "bob": "keys.yaml"}, nil)
	cheating.Wait()
	for name, a := range ended {
		again, after := b.one(t.Context(), name, "keys.yaml", nil), b.one(t.Context(), name, "run.yaml", nil)
		for what, got := range map[string]error{"the key generation": a.err, "the same again": again.err, "a propagation": after.err} {
			if statusOf(got) != statusEnded || !strings.Contains(got.Error(), "public data do not tell which") {
				t.Errorf("%s, %s: status %d: %v", name, what, statusOf(got), got)
			}
		}
		if a.run.out.Verdict != "unfit" && a.run.out.Verdict != "aborted" || a.run.out.Reason != a.err.Error() {
			t.Errorf("%+v", a.run.out)
		}
	}
}

// TestReplayThatDisagrees: a key generation that has failed is not one that is still to end.
func TestReplayThatDisagrees(t *testing.T) {
	b := newBanks(t)
	b.edit(t, "keys.yaml", "other.yaml", "kappa: 100")
	b.take(t, t.Context(), map[string]string{"alice": "keys.yaml", "bob": "other.yaml", "charlie": "keys.yaml"}, nil)
	records := len(b.store.Records())
	a := b.one(t.Context(), "alice", "run.yaml", nil)
	if statusOf(a.err) != statusEnded || !strings.Contains(a.err.Error(), "kappa is 80 here and 100 at bob") {
		t.Errorf("status %d: %v", statusOf(a.err), a.err)
	}
	if len(b.store.Records()) != records {
		t.Error("the replay has written something")
	}
}

// lossy is a log that has lost a part of the key generation.
type lossy struct{ bus.Log }

func (l lossy) Get(ctx context.Context, subject string) ([]byte, error) {
	if strings.Contains(subject, ".keygen.2.") {
		return nil, bus.ErrNone
	}
	return l.Log.Get(ctx, subject)
}

// TestReplayOfALogWithAHole: what the log has lost of the key generation is no verdict on the propagation that needs the key.
func TestReplayOfALogWithAHole(t *testing.T) {
	b := newBanks(t)
	b.succeed(t, "keys.yaml")
	m, err := loadMember(t.Context(), newUI(io.Discard, io.Discard, func(error) {}), zerolog.Nop(), b.path("alice.yaml"), b.path("run.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m.patience = time.Millisecond
	_, err = m.replay(t.Context(), lossy{b.store.Open(nil)}, "keys")
	if statusOf(err) != statusFailed || err == nil || !strings.Contains(err.Error(), "what the servers have lost") {
		t.Errorf("status %d: %v", statusOf(err), err)
	}
}

// TestPartyTroubleWithTheLog: trouble with the log is no verdict on the session.
func TestPartyTroubleWithTheLog(t *testing.T) {
	for _, own := range []error{errDisk, context.DeadlineExceeded} {
		log := &tracked{}
		err := errors.Join(errors.New("writing"), log.note(own))
		if got := log.judge(t.Context(), err); statusOf(got) != statusFailed {
			t.Errorf("%v", got)
		}
		if got := log.judge(t.Context(), errors.New("does not fit")); statusOf(got) != statusEnded {
			t.Errorf("%v", got)
		}
	}
}

// TestWhatMainSaysOfAPause: an interrupt in the middle of a session is told as what it is, and the end of a session is never told as
// an interrupt.
func TestWhatMainSaysOfAPause(t *testing.T) {
	b := newBanks(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	a := b.one(ctx, "alice", "keys.yaml", func(*partyRun) { go cancel(errors.New("interrupt signal received")) })
	const want = "stopped in round 0 (agree) of keys: interrupt signal received (nothing is lost: started again, alice goes on)"
	if got := stopped(ctx, a.err).Error(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := stopped(ctx, errors.Join(party.ErrSplit, context.Canceled)).Error(); strings.Contains(got, "stopped") {
		t.Error(got)
	}
}

// TestHealth: a party is well while it takes part and is connected.
func TestHealth(t *testing.T) {
	m, up := newMetrics("run", schema.Propagate, "alice"), true
	m.up = func() bool { return up }
	for _, c := range []struct {
		do     func()
		status int
		want   health
	}{
		{func() {}, 503, health{Session: "run", Connected: true}},
		{func() { m.started() }, 200, health{Session: "run", Connected: true, Running: true}},
		{func() { up = false }, 503, health{Session: "run", Running: true}},
		{func() { up = true; m.ended(nil) }, 503, health{Session: "run", Connected: true}},
	} {
		c.do()
		w := httptest.NewRecorder()
		m.healthz(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/healthz", nil))
		var got health
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != c.status || got != c.want {
			t.Errorf("%d, %+v, %v; want %d, %+v", w.Code, got, err, c.status, c.want)
		}
	}
}

// TestWaitedSeconds: every wait counts in full, also a short one: from this party's word to the peer's.
func TestWaitedSeconds(t *testing.T) {
	m, now := newMetrics("run", schema.Propagate, "alice"), time.Unix(1e9, 0)
	m.now = func() time.Time { return now }
	after := func(seconds int, e node.Event) {
		now = now.Add(time.Duration(seconds) * time.Second)
		m.observe(e)
	}
	after(0, node.Event{Kind: node.Began, Name: "scores.0.1"})
	after(3, node.Event{Kind: node.Heard, Name: "scores.0.1", Party: "bob"}) // before alice: no wait
	after(1, node.Event{Kind: node.Spoke, Parts: 1, Bytes: 1})
	after(0, node.Event{Kind: node.Heard, Name: "scores.0.1", Party: "alice", Parts: 1, Bytes: 1})
	after(10, node.Event{Kind: node.Waiting, Name: "scores.0.1", Awaited: []string{"charlie"}, Duration: 10 * time.Second})
	after(2, node.Event{Kind: node.Heard, Name: "scores.0.1", Party: "charlie"})
	after(0, node.Event{Kind: node.Began, Name: "scores.0.2"})
	after(0, node.Event{Kind: node.Spoke, Parts: 1, Bytes: 1})
	after(4, node.Event{Kind: node.Heard, Name: "scores.0.2", Party: "charlie"})
	after(0, node.Event{Kind: node.Began, Name: "open"}) // spoken in an earlier life
	after(30, node.Event{Kind: node.Waiting, Name: "open", Awaited: []string{"bob"}, Duration: 10 * time.Second})
	after(5, node.Event{Kind: node.Heard, Name: "open", Party: "bob"})
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	waited := make(map[string]float64)
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := make(map[string]string)
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if family.GetName() == "riskprop_waited_seconds_total" {
				waited[labels["peer"]+" "+labels["round"]] = metric.GetCounter().GetValue()
			}
			if labels["peer"] == "alice" {
				t.Errorf("%s counts the party as a peer of itself", family.GetName())
			}
		}
	}
	if len(waited) != 2 || waited["charlie scores"] != 16 || waited["bob open"] != 15 {
		t.Errorf("%v", waited)
	}
}
