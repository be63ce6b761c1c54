package node_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/mem"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/node"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// world is a consortium that generates small keys over a log in memory.
type world struct {
	roster   *schema.Roster
	ids      []*party.Identity
	manifest schema.KeygenManifest
	store    *mem.Store
}

func newWorld(t testing.TB) *world {
	t.Helper()
	roster, ids, err := partytest.Identities("alice", "bob", "charlie")
	if err != nil {
		t.Fatal(err)
	}
	return &world{roster, ids, schema.KeygenManifest{Version: schema.ManifestVersion, Session: "s", Roster: roster.Digest(),
		KeyBits: 256, Threshold: 1, Kappa: 80, Batch: 64, TrialTo: 4096}, mem.NewStore()}
}

// config is what member i runs; -1 is an auditor.
func (w *world) config(t *testing.T, i int, hook mem.Hook) node.Config {
	t.Helper()
	first, err := keygen.Start(w.manifest, w.roster)
	if err != nil {
		t.Fatal(err)
	}
	var id *party.Identity
	if i >= 0 {
		id = w.ids[i]
	}
	m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "s", Roster: w.roster}, id, schema.Digest("input"), first)
	if err != nil {
		t.Fatal(err)
	}
	return node.Config{Log: w.store.Open(hook), Roster: w.roster, Machine: m, Logger: zerolog.Nop()}
}

// runAll runs the nodes until all have returned.
func runAll(ctx context.Context, configs []node.Config) ([]node.Stats, []error) {
	stats, errs := make([]node.Stats, len(configs)), make([]error, len(configs))
	var wait sync.WaitGroup
	for i := range configs {
		wait.Go(func() { stats[i], errs[i] = node.Run(ctx, configs[i]) })
	}
	wait.Wait()
	return stats, errs
}

// TestRun generates a key, with an auditor looking on, and counts what was written.
func TestRun(t *testing.T) {
	w := newWorld(t)
	var configs []node.Config
	for _, i := range []int{0, 1, 2, -1} {
		configs = append(configs, w.config(t, i, nil))
	}
	var names []string
	configs[0].Observe = func(p node.Event) {
		if p.Kind != node.Began {
			return
		}
		if p.Round != len(names) || p.State.Plan().Name != p.Name {
			t.Errorf("progress %+v after %d rounds", p, len(names))
		}
		names = append(names, p.Name)
	}
	stats, errs := runAll(t.Context(), configs)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	written := int64(0)
	for _, record := range w.store.Records() {
		written += int64(len(record.Data))
	}
	if sum := stats[0].Bytes + stats[1].Bytes + stats[2].Bytes; sum != written || stats[3].Bytes != 0 {
		t.Errorf("%d bytes counted, %d on the log", sum, written)
	}
	first := configs[0].Machine.Round().(*keygen.Done)
	for _, c := range configs {
		if c.Machine.Round().(*keygen.Done).ID != first.ID {
			t.Error("the parties have different keys")
		}
	}
	if got := strings.Join(names, " "); !strings.HasPrefix(got, "agree sieve candidates moduli") || !strings.HasSuffix(got, "share product theta prove done") {
		t.Errorf("rounds: %s", got)
	}
	again := w.config(t, 1, nil)
	if stats, err := node.Run(t.Context(), again); err != nil || stats.Records != 0 {
		t.Errorf("a node that comes late: %+v %v", stats, err)
	}
}

// errCrash stands for the sudden end of a process.
var errCrash = errors.New("crash")

// TestRestart crashes bob at every step with the log in turn, before and after its effect, and starts him again: every
// time the session ends with the same log as an undisturbed one.
func TestRestart(t *testing.T) {
	w := newWorld(t)
	steps := 0
	count := func(mem.Step) error { steps++; return nil }
	if _, errs := runAll(t.Context(), []node.Config{w.config(t, 0, nil), w.config(t, 1, count), w.config(t, 2, nil)}); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
	want := contents(w.store)
	for crash := 0; crash < steps; crash += 1 + steps/40 {
		w.store = mem.NewStore()
		at := 0
		hook := func(mem.Step) error {
			if at++; at == crash+1 {
				return errCrash
			}
			return nil
		}
		bob := make(chan error)
		go func() {
			_, err := node.Run(t.Context(), w.config(t, 1, hook))
			if errors.Is(err, errCrash) {
				_, err = node.Run(t.Context(), w.config(t, 1, nil))
			}
			bob <- err
		}()
		_, errs := runAll(t.Context(), []node.Config{w.config(t, 0, nil), w.config(t, 2, nil)})
		if err := errors.Join(<-bob, errors.Join(errs...)); err != nil {
			t.Fatalf("crash at step %d: %v", crash, err)
		}
		if got := contents(w.store); got != want {
			t.Errorf("crash at step %d: another log", crash)
		}
	}
}

// contents is a log without its order, which depends on who was faster.
func contents(store *mem.Store) [32]byte {
	bySubject := make(map[string][]byte)
	for _, record := range store.Records() {
		bySubject[record.Subject] = record.Data
	}
	sum := [32]byte{}
	for subject, data := range bySubject {
		digest := schema.Digest(subject, data)
		for i := range sum {
			sum[i] ^= digest[i]
		}
	}
	return sum
}

// TestTwins runs every party twice at once.
func TestTwins(t *testing.T) {
	w := newWorld(t)
	var configs []node.Config
	for i := range 6 {
		configs = append(configs, w.config(t, i%3, nil))
	}
	if _, errs := runAll(t.Context(), configs); errors.Join(errs...) != nil {
		t.Fatal(errs)
	}
}

// TestNoise: records that nobody signed change nothing.
func TestNoise(t *testing.T) {
	w := newWorld(t)
	outsider := w.store.Open(nil)
	for i, data := range []string{"garbage", "\xc6\xff\xff\xff\xff", strings.Repeat("\x91", 10000)} {
		subject := schema.Slot{Session: "s", Proto: schema.Keygen, Round: schema.MaxRound - i, To: schema.All, From: "bob", Part: schema.HeadPart}.Subject()
		if err := outsider.Append(t.Context(), subject, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := outsider.Append(t.Context(), "risk.s.keygen.0.all.mallory.head", []byte("x")); err != nil {
		t.Fatal(err)
	}
	stats, errs := runAll(t.Context(), []node.Config{w.config(t, 0, nil), w.config(t, 1, nil), w.config(t, 2, nil)})
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for i := range stats {
		if stats[i].Noise != 4 {
			t.Errorf("node %d counted %d records of noise, want 4", i, stats[i].Noise)
		}
	}
}

// TestAbort: where one party ends the session, the others return its reason, and the one that is to blame is named.
func TestAbort(t *testing.T) {
	w := newWorld(t)
	key := ed25519.NewKeyFromSeed(make([]byte, 32)) // mallory sits in charlie's place, with a key of her own
	impostor := schema.Member{Name: "charlie", Sign: [32]byte(key.Public().(ed25519.PublicKey)), Seal: w.roster.Member(2).Seal}
	roster, err := schema.NewRoster([]schema.Member{w.roster.Member(0), w.roster.Member(1), impostor})
	if err != nil {
		t.Fatal(err)
	}
	w.roster, w.manifest.Roster = roster, roster.Digest()
	configs := []node.Config{w.config(t, 0, nil), w.config(t, 1, nil)}
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "charlie", Part: schema.HeadPart}
	head := schema.Head{Seen: schema.FirstSeen(schema.Keygen, "s", roster)} // no manifest
	if err := w.store.Open(nil).Append(t.Context(), slot.Subject(), schema.SealHead(slot, head, key)); err != nil {
		t.Fatal(err)
	}
	_, errs := runAll(t.Context(), configs)
	expectCulprit(t, errs, "charlie")
	told := 0
	for _, record := range w.store.Records() {
		event, err := schema.Open(record.Subject, record.Data, roster)
		if err == nil && event.Head != nil && event.Head.Abort != nil && event.Head.Abort.Culprit == "charlie" {
			told++
		}
	}
	if told == 0 {
		t.Error("nobody told the others")
	}
}

// TestTakenSlot: a party whose slot holds something else is told what that means, and does not end the session.
func TestTakenSlot(t *testing.T) {
	w := newWorld(t)
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "alice"}
	if err := w.store.Open(nil).Append(t.Context(), slot.Subject(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	_, err := node.Run(t.Context(), w.config(t, 0, nil))
	if !errors.Is(err, bus.ErrTaken) || !errors.Is(err, party.ErrInput) || !strings.Contains(err.Error(), slot.Subject()) {
		t.Errorf("%v", err)
	}
	if got := len(w.store.Records()); got != 1 {
		t.Errorf("%d records", got)
	}
}

// TestCancel: a cancelled context ends the run with its error.
func TestCancel(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithCancel(t.Context())
	config := w.config(t, 0, nil)
	config.Observe = func(node.Event) { cancel() }
	if _, err := node.Run(ctx, config); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestMissingPart: a part that a head lists but the log does not hold as signed ends the session, with its name, the
// signer's, and no culprit: the log may have lost it.
func TestMissingPart(t *testing.T) {
	for _, how := range []string{"lost", "changed"} {
		w := newWorld(t)
		configs := []node.Config{w.config(t, 0, nil), w.config(t, 1, nil), w.config(t, 2, nil)}
		configs[0].Log = &damaged{Log: configs[0].Log, how: how, answers: 1000}
		configs[0].Patience = time.Millisecond
		_, errs := runAll(t.Context(), configs)
		if !errors.Is(errs[0], node.ErrMissing) || !strings.Contains(errs[0].Error(), "risk.s.keygen.0.all.bob.0 of bob") {
			t.Errorf("%s: %v", how, errs[0])
		}
		for _, err := range errs[1:] {
			var aborted *party.Aborted
			if !errors.As(err, &aborted) || aborted.By != "alice" || aborted.Culprit != "" || !strings.Contains(aborted.Reason, "bob.0") {
				t.Errorf("%s: the others hear %v", how, err)
			}
		}
	}
}

// TestLaggingReplica: a part that is there at the second look is enough.
func TestLaggingReplica(t *testing.T) {
	w := newWorld(t)
	configs := []node.Config{w.config(t, 0, nil), w.config(t, 1, nil), w.config(t, 2, nil)}
	configs[0].Log = &damaged{Log: configs[0].Log, how: "lost", answers: 1}
	if _, errs := runAll(t.Context(), configs); errors.Join(errs...) != nil {
		t.Error(errs)
	}
}

// damaged is a log that has lost, or changed, bob's first part, for a number of answers.
type damaged struct {
	bus.Log
	how     string
	answers int
}

func (d *damaged) Get(ctx context.Context, subject string) ([]byte, error) {
	data, err := d.Log.Get(ctx, subject)
	if err != nil || !strings.HasSuffix(subject, ".0.all.bob.0") || d.answers == 0 {
		return data, err
	}
	d.answers--
	if d.how == "lost" {
		return nil, fmt.Errorf("%s: %w", subject, bus.ErrNone)
	}
	return append([]byte{data[0] ^ 1}, data[1:]...), nil
}

// TestMalformedSignedPart: garbage that a member has signed is the member's fault, and not noise or a damaged log.
func TestMalformedSignedPart(t *testing.T) {
	w := newWorld(t)
	outsider := w.store.Open(nil)
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "charlie"}
	garbage := []byte("\xc6\xff\xff\xff\xff")
	if err := outsider.Append(t.Context(), slot.Subject(), garbage); err != nil {
		t.Fatal(err)
	}
	head := slot
	head.Part = schema.HeadPart
	record := partytest.SignHead(head, schema.Head{Seen: schema.FirstSeen(schema.Keygen, "s", w.roster),
		Parts: []schema.Ref{schema.NewRef(schema.All, garbage)}})
	if err := outsider.Append(t.Context(), head.Subject(), record); err != nil {
		t.Fatal(err)
	}
	_, errs := runAll(t.Context(), []node.Config{w.config(t, 0, nil), w.config(t, 1, nil)})
	expectCulprit(t, errs, "charlie")
}

// expectCulprit: every node blames the culprit, or has heard another blame it, and at least one does so itself.
func expectCulprit(t *testing.T, errs []error, culprit string) {
	t.Helper()
	found := 0
	for i, err := range errs {
		var blame *party.Blame
		var aborted *party.Aborted
		switch {
		case errors.As(err, &blame) && blame.Party == culprit:
			found++
		case errors.As(err, &aborted) && aborted.Culprit == culprit:
		default:
			t.Errorf("node %d: %v", i, err)
		}
	}
	if found == 0 {
		t.Error("nobody has found the culprit")
	}
}

// TestStrangerInSlot: who finds a stranger's bytes in its own slot is not told that its input has changed, and the
// others are warned.
func TestStrangerInSlot(t *testing.T) {
	w := newWorld(t)
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "bob", Part: schema.HeadPart}
	if err := w.store.Open(nil).Append(t.Context(), slot.Subject(), []byte("x")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	alice := w.config(t, 0, nil)
	logged := make(lines, 100)
	alice.Logger = zerolog.New(logged).Level(zerolog.WarnLevel)
	done := make(chan error)
	go func() {
		_, err := node.Run(ctx, alice)
		done <- err
	}()
	_, err := node.Run(t.Context(), w.config(t, 1, nil))
	if errors.Is(err, party.ErrInput) || !errors.Is(err, bus.ErrTaken) || !strings.Contains(err.Error(), "somebody else has written there") {
		t.Errorf("bob: %v", err)
	}
	if line := <-logged; !strings.Contains(line, slot.Subject()) {
		t.Errorf("alice's log: %s", line)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "in round 0 (agree), waiting for [") {
		t.Errorf("alice: %v", err)
	}
}

// lines hands on what is logged, line by line.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// TestOtherRoster: a member with another roster is told so, and not that the log lies.
func TestOtherRoster(t *testing.T) {
	w := newWorld(t)
	slot := schema.Slot{Session: "s", Proto: schema.Keygen, To: schema.All, From: "charlie", Part: schema.HeadPart}
	head := schema.Head{Seen: [32]byte{1}}
	if err := w.store.Open(nil).Append(t.Context(), slot.Subject(), partytest.SignHead(slot, head)); err != nil {
		t.Fatal(err)
	}
	_, err := node.Run(t.Context(), w.config(t, 0, nil))
	if !errors.Is(err, schema.ErrDisagree) || !strings.Contains(err.Error(), "charlie has another roster") {
		t.Errorf("alice: %v", err)
	}
	if _, err := node.Run(t.Context(), w.config(t, 2, nil)); !errors.Is(err, party.ErrInput) {
		t.Errorf("charlie: %v", err)
	}
}
