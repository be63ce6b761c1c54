package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/mem"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party"
	"riskprop/party/node"
	"riskprop/schema"
)

// banks are three members with their files in a folder, and a log in memory in place of the servers: what is between a
// party and its log is tested elsewhere.
type banks struct {
	dir   string
	names []string
	store *mem.Store
}

const (
	testKeygen    = "version: 1\nkind: keygen\nsession: keys\nroster: ROSTER\nkey_bits: 512\n"
	testPropagate = "version: 1\nkind: propagate\nsession: run\nroster: ROSTER\nkey_session: keys\nperiods: 1\ndelta: [0.5, 0.25]\n"
)

func newBanks(t *testing.T) *banks {
	t.Helper()
	b := &banks{t.TempDir(), []string{"alice", "bob", "charlie"}, mem.NewStore()}
	var publics []config.Public
	for _, name := range append(b.names, "operator") {
		role := config.Member
		if name == "operator" {
			role = config.Operator
		}
		id, err := config.NewIdentity(name, role, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		publics = append(publics, id.Public())
		if err := config.WriteIdentity(b.path(name+".identity"), id, nil); err != nil {
			t.Fatal(err)
		}
		b.write(t, name+".yaml", fmt.Sprintf("version: 1\nname: %[1]s\nidentity: %[1]s.identity\nconsortium: consortium.yaml\n"+
			"servers: [tls://127.0.0.1:4222]\ndata: %[1]s\nscores: scores-%[1]s\nkeys: keys-%[1]s\npassphrase_file: passphrase\nlog: {format: json, level: debug}\n", name))
	}
	consortium, err := config.NewConsortium(publics, 0, "RISK")
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "consortium.yaml", string(consortium.Marshal()))
	b.write(t, "passphrase", "correct horse\n")
	roster := fmt.Sprintf("%x", consortium.Roster().Digest())
	b.write(t, "keys.yaml", strings.ReplaceAll(testKeygen, "ROSTER", roster))
	b.write(t, "run.yaml", strings.ReplaceAll(testPropagate, "ROSTER", roster))
	const columns = "id_source,bank_source,id_destination,bank_destination,amount\n"
	const ab, bc = "acc-a1,alice,acc-b1,bob,10\n", "acc-b1,bob,acc-c1,charlie,20\n"
	b.data(t, "alice", "acc-a1,0.875204619537\n", columns+ab)
	b.data(t, "bob", "acc-b1,0.062590817263\n", columns+ab+bc)
	b.data(t, "charlie", "acc-c1,0.312574839201\n", columns+bc)
	return b
}

func (b *banks) path(name string) string { return filepath.Join(b.dir, name) }

func (b *banks) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(b.path(name)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *banks) data(t *testing.T, bank, accounts, transactions string) {
	t.Helper()
	b.write(t, bank+"/accounts.csv", "id,risk_score\n"+accounts)
	b.write(t, bank+"/transactions.csv", transactions)
}

// edit makes a session's file of another one and some lines more.
func (b *banks) edit(t *testing.T, from, to, line string) {
	t.Helper()
	text, err := os.ReadFile(b.path(from))
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, to, string(text)+line+"\n")
}

// attempt is one run of a party.
type attempt struct {
	run *partyRun
	err error
	out string // both streams: the story and the log
}

// take lets some members take part in a session, each with a file of its own, until all have ended.
func (b *banks) take(t *testing.T, ctx context.Context, sessions map[string]string, change func(*partyRun)) map[string]attempt {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	ended := make(map[string]attempt)
	for name, session := range sessions {
		all.Go(func() {
			a := b.one(ctx, name, session, change)
			mu.Lock()
			defer mu.Unlock()
			ended[name] = a
		})
	}
	all.Wait()
	return ended
}

func (b *banks) one(ctx context.Context, name, session string, change func(*partyRun)) attempt {
	var out bytes.Buffer
	u := newUI(&out, &out, func(error) {})
	m, err := loadMember(ctx, u, zerolog.New(io.Discard), b.path(name+".yaml"), b.path(session))
	if err != nil {
		return attempt{nil, err, out.String()}
	}
	run := &partyRun{membership: m, metrics: newMetrics(m.session.ID, m.session.Kind, name)}
	if err = run.prepare(); err == nil {
		if change != nil {
			change(run)
		}
		err = run.take(ctx, b.store.Open(nil))
	}
	run.conclude(time.Now(), err)
	return attempt{run, err, out.String()}
}

// together is one session's file for all.
func (b *banks) together(session string) map[string]string {
	sessions := make(map[string]string)
	for _, name := range b.names {
		sessions[name] = session
	}
	return sessions
}

// succeed takes everybody through a session.
func (b *banks) succeed(t *testing.T, session string) map[string]attempt {
	t.Helper()
	ended := b.take(t, t.Context(), b.together(session), nil)
	for name, a := range ended {
		if a.err != nil {
			t.Fatalf("%s: %v", name, a.err)
		}
	}
	return ended
}

// TestPartyFromKeyToScores: three members come from their files to their scores. What they print and log on the way, down
// to the level debug, holds no account, no score, no seed and no share.
func TestPartyFromKeyToScores(t *testing.T) {
	b := newBanks(t)
	said := ""
	for _, a := range b.succeed(t, "keys.yaml") {
		said += a.out
	}
	ended := b.succeed(t, "run.yaml")
	secrets := []string{"acc-a1", "acc-b1", "acc-c1", "0.875204619537", "0.062590817263", "0.312574839201"}
	for name, a := range ended {
		said += a.out
		path := b.path("scores-" + name + "/run/scores.csv")
		scores, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
		fields := strings.Split(strings.TrimSpace(string(scores)), ",")
		secrets = append(secrets, fields[len(fields)-1])
		identity, err := os.ReadFile(b.path(name + ".identity"))
		if err != nil {
			t.Fatal(err)
		}
		_, seed, _ := strings.Cut(string(identity), "seed: ")
		secrets = append(secrets, strings.TrimSpace(seed))
		share, err := a.run.replay(t.Context(), b.store.Open(nil), "keys")
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, share.Share.String(), fmt.Sprintf("%x", share.Share))
		if a.run.out.Accounts != 1 || a.run.out.Scores != path || *a.run.out.Single == 0 && name == "bob" {
			t.Errorf("%s tells %+v", name, a.run.out)
		}
	}
	for _, secret := range secrets {
		if len(secret) < 5 || strings.Contains(said, secret) {
			t.Errorf("%q was printed or logged", secret)
		}
	}
	for _, want := range []string{`"message":"round complete"`, `"party":"alice"`, `"session":"run"`, `"protocol":"propagate"`, `"name":"scores.0.1"`, "Wrote the scores of 1 accounts"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing printed or logged holds %s", want)
		}
	}
}

// TestPartyKilledWhileItWrites: what a killed party has left beside its scores is in nobody's way, and goes in time.
func TestPartyKilledWhileItWrites(t *testing.T) {
	b := newBanks(t)
	b.succeed(t, "keys.yaml")
	b.write(t, "scores-bob/run/.scores.csv.tmp", "half")
	b.write(t, "scores-bob/run/.scores.csv.123.tmp", "half")
	b.write(t, "scores-bob/run/.scores.csv.124.tmp", "of a twin that is writing")
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(b.path("scores-bob/run/.scores.csv.123.tmp"), old, old); err != nil {
		t.Fatal(err)
	}
	b.succeed(t, "run.yaml")
	left, err := filepath.Glob(b.path("scores-bob/run/.scores.csv.*.tmp"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != ".scores.csv.124.tmp" {
		t.Errorf("left are %v, %v", left, err)
	}
	parseScores(t, b.path("scores-bob/run/scores.csv"))
}

// TestPartyWithChangedData: once it has spoken, a member with other data is told so and says nothing; with the old ones it
// finds its scores.
func TestPartyWithChangedData(t *testing.T) {
	b := newBanks(t)
	b.succeed(t, "keys.yaml")
	b.succeed(t, "run.yaml")
	records := len(b.store.Records())
	b.data(t, "bob", "acc-b1,0.5\n", "id_source,bank_source,id_destination,bank_destination,amount\n")
	a := b.one(t.Context(), "bob", "run.yaml", nil)
	if statusOf(a.err) != statusFailed || !errors.Is(a.err, party.ErrInput) || !strings.Contains(a.err.Error(), "the data of bob have changed") {
		t.Errorf("%v", a.err)
	}
	if len(b.store.Records()) != records {
		t.Error("bob has written something")
	}
}

// TestPartyThatDisagrees: the session's file differs at one member. All end with the same status, and each knows in which
// field and with whom.
func TestPartyThatDisagrees(t *testing.T) {
	b := newBanks(t)
	b.succeed(t, "keys.yaml")
	b.edit(t, "run.yaml", "other.yaml", "mismatch: fail\ndeadline: 2099-01-01T00:00:00Z")
	sessions := b.together("run.yaml")
	sessions["charlie"] = "other.yaml"
	for name, a := range b.take(t, t.Context(), sessions, nil) {
		if statusOf(a.err) != statusEnded || !strings.Contains(a.err.Error(), "mismatch is ") {
			t.Errorf("%s: %v", name, a.err)
		}
		var aborted *party.Aborted
		if !errors.As(a.err, &aborted) && !strings.Contains(a.err.Error(), map[bool]string{true: "at alice", false: "at charlie"}[name == "charlie"]) {
			t.Errorf("%s does not name who differs: %v", name, a.err)
		}
	}
}

// TestPartyAfterTheDeadline: charlie does not come. Those who wait end the session, with the same status and reason; so
// does charlie, when he comes.
func TestPartyAfterTheDeadline(t *testing.T) {
	b := newBanks(t)
	b.edit(t, "keys.yaml", "late.yaml", "deadline: 2026-01-01T00:00:00Z")
	clock := func(r *partyRun) {
		ticks := make(chan time.Time, 1)
		r.ticks = ticks
		go func() {
			for now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); ; now = now.Add(time.Second) {
				select {
				case ticks <- now:
				case <-t.Context().Done():
					return
				}
			}
		}()
	}
	ended := b.take(t, t.Context(), map[string]string{"alice": "late.yaml", "bob": "late.yaml"}, clock)
	ended["charlie"] = b.one(t.Context(), "charlie", "late.yaml", nil)
	for name, a := range ended {
		if statusOf(a.err) != statusEnded || !strings.Contains(a.err.Error(), "the deadline 2026-01-01T00:00:00Z has passed in round 0 (agree), waiting for") {
			t.Errorf("%s: %v", name, a.err)
		}
	}
}

// TestPartyInterrupted: who is interrupted is told where, and goes on when started again.
func TestPartyInterrupted(t *testing.T) {
	b := newBanks(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := func(r *partyRun) { go cancel() }
	a := b.one(ctx, "alice", "keys.yaml", cancelled)
	if statusOf(a.err) != statusFailed || !strings.Contains(a.err.Error(), "nothing is lost: started again, alice goes on") {
		t.Errorf("%v", a.err)
	}
	b.succeed(t, "keys.yaml")
}

// TestPartyWithoutAKey: a propagation does not generate its key.
func TestPartyWithoutAKey(t *testing.T) {
	b := newBanks(t)
	a := b.one(t.Context(), "alice", "run.yaml", nil)
	if statusOf(a.err) != statusFailed || !strings.Contains(a.err.Error(), "the key generation keys is not complete on the log") {
		t.Errorf("%v", a.err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	began := b.one(ctx, "alice", "keys.yaml", func(r *partyRun) { go cancel() })
	if !errors.Is(began.err, context.Canceled) {
		t.Fatal(began.err)
	}
	records := len(b.store.Records())
	if a = b.one(t.Context(), "alice", "run.yaml", nil); !strings.Contains(a.err.Error(), "is not complete on the log") {
		t.Errorf("with a key generation under way: %v", a.err)
	}
	if len(b.store.Records()) != records {
		t.Error("a propagation takes part in a key generation")
	}
}

// TestPartyWithABackup: with the share in a file the key generation need not be on the log. A file of another member, or of
// another session, is refused by name.
func TestPartyWithABackup(t *testing.T) {
	b := newBanks(t)
	ended := b.succeed(t, "keys.yaml")
	shares := make(map[string]config.KeyShare)
	for name, a := range ended {
		share, err := a.run.replay(t.Context(), b.store.Open(nil), "keys")
		if err != nil {
			t.Fatal(err)
		}
		shares[name] = share
		b.keep(t, name, "keys", share)
	}
	b.store = mem.NewStore()
	b.succeed(t, "run.yaml")

	b.store = mem.NewStore()
	if err := os.RemoveAll(b.path("keys-bob")); err != nil {
		t.Fatal(err)
	}
	b.keep(t, "bob", "keys", shares["alice"])
	if a := b.one(t.Context(), "bob", "run.yaml", nil); a.err == nil || !strings.Contains(a.err.Error(), "is the share of alice, not of bob") {
		t.Errorf("%v", a.err)
	}
	b.keep(t, "charlie", "moved", shares["charlie"])
	text, err := os.ReadFile(b.path("run.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	b.write(t, "moved.yaml", strings.Replace(string(text), "key_session: keys", "key_session: moved", 1))
	if a := b.one(t.Context(), "charlie", "moved.yaml", nil); a.err == nil || !strings.Contains(a.err.Error(), "is a share of the session keys, not of moved") {
		t.Errorf("%v", a.err)
	}
}

// keep writes a share into the folder of a member.
func (b *banks) keep(t *testing.T, name, session string, share config.KeyShare) {
	t.Helper()
	if err := os.MkdirAll(b.path("keys-"+name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteKeyShare(b.path("keys-"+name+"/"+session+".age"), share, []byte("correct horse")); err != nil {
		t.Fatal(err)
	}
}

// TestPartyRefusesFiles: files that do not belong together are found before anybody is spoken to.
func TestPartyRefusesFiles(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, b *banks)
		want   string
	}{
		"another consortium's session": {func(t *testing.T, b *banks) {
			b.write(t, "keys.yaml", strings.ReplaceAll(testKeygen, "ROSTER", strings.Repeat("0", 64)))
		}, "take the session's file or the consortium's from the others"},
		"another's identity": {func(t *testing.T, b *banks) {
			if err := os.Rename(b.path("bob.identity"), b.path("alice.identity")); err != nil {
				t.Fatal(err)
			}
		}, "holds the identity of bob"},
		"a new identity of the same name": {func(t *testing.T, b *banks) {
			id, err := config.NewIdentity("alice", config.Member, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(os.Remove(b.path("alice.identity")), config.WriteIdentity(b.path("alice.identity"), id, nil)); err != nil {
				t.Fatal(err)
			}
		}, "lists other keys for alice"},
		"an identity that others may read": {func(t *testing.T, b *banks) {
			if err := os.Chmod(b.path("alice.identity"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "chmod 600"},
		"no consortium": {func(t *testing.T, b *banks) {
			if err := os.Remove(b.path("consortium.yaml")); err != nil {
				t.Fatal(err)
			}
		}, "consortium.yaml"},
	} {
		b := newBanks(t)
		c.change(t, b)
		if a := b.one(t.Context(), "alice", "keys.yaml", nil); a.err == nil || !strings.Contains(a.err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, a.err, c.want)
		}
		if len(b.store.Records()) != 0 {
			t.Errorf("%s: alice has spoken", name)
		}
	}
}

// TestStatusOf: what ends a session for all has another status than what only this party has to mend.
func TestStatusOf(t *testing.T) {
	for _, c := range []struct {
		err     error
		status  int
		verdict string
	}{
		{&party.Blame{Party: "bob", Err: errors.New("x")}, statusEnded, "blame"},
		{&party.Aborted{By: "bob"}, statusEnded, "aborted"},
		{&party.Refusal{Reason: "x", Err: errors.New("x")}, statusEnded, "refused"},
		{party.ErrSplit, statusEnded, "split"},
		{&schema.Disagreement{}, statusEnded, "disagree"},
		{node.ErrMissing, statusEnded, "missing"},
		{party.ErrInput, statusFailed, "input"},
		{fmt.Errorf("%w: %w", party.ErrInput, schema.ErrDisagree), statusFailed, "input"},
		{bus.ErrRollback, statusFailed, "failed"},
		{context.Canceled, statusFailed, "failed"},
	} {
		if got := statusOf(fmt.Errorf("wrapped: %w", c.err)); got != c.status {
			t.Errorf("%v has status %d", c.err, got)
		}
		if got := verdictOf(fmt.Errorf("wrapped: %w", c.err)); got != c.verdict {
			t.Errorf("%v has verdict %s", c.err, got)
		}
	}
	if verdictOf(nil) != "done" {
		t.Error("no error is no verdict")
	}
}

// TestMetrics: what happened can be read at the address, under names that do not grow with the rounds; a busy address is an
// error before anything is said.
func TestMetrics(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	m := newMetrics("run", schema.Propagate, "alice")
	if _, err := m.serve(address); err == nil || !strings.Contains(err.Error(), "choose another address") {
		t.Errorf("a busy address: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	stop, err := m.serve(address)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	now := time.Unix(1e9, 0)
	m.now = func() time.Time { return now }
	m.started()
	for _, e := range []node.Event{
		{Kind: node.Began, Round: 7, Name: "scores.2.1"},
		{Kind: node.Heard, Party: "bob", Parts: 3, Bytes: 1000},
		{Kind: node.Spoke, Parts: 4, Bytes: 2000},
		{Kind: node.Waiting, Name: "scores.2.1", Awaited: []string{"bob", "charlie"}, Duration: 10 * time.Second},
		{Kind: node.Waiting, Name: "scores.2.1", Awaited: []string{"charlie"}, Duration: 20 * time.Second},
		{Kind: node.Passed, Bytes: 5},
		{Kind: node.Ended, Name: "scores.2.1", Duration: time.Second},
	} {
		if e.Kind == node.Waiting {
			now = now.Add(10 * time.Second)
		}
		m.observe(e)
	}
	if status, body := get(t, "http://"+address+"/healthz"); status != http.StatusOK || !strings.Contains(body, `"round":"scores.2.1"`) {
		t.Errorf("healthz: %d %s", status, body)
	}
	m.ended(&party.Aborted{By: "bob", Culprit: "charlie"})
	status, body := get(t, "http://"+address+"/metrics")
	if status != http.StatusOK {
		t.Fatal(status)
	}
	const own = `{party="alice",protocol="propagate",session="run"} `
	for _, want := range []string{
		"riskprop_round" + own + "7", "riskprop_bytes_written_total" + own + "2000", "riskprop_parts_written_total" + own + "4", "riskprop_noise_total" + own + "1",
		`riskprop_bytes_heard_total{party="alice",peer="bob",protocol="propagate",session="run"} 1000`,
		`riskprop_waited_seconds_total{party="alice",peer="bob",protocol="propagate",round="scores",session="run"} 10`,
		`riskprop_waited_seconds_total{party="alice",peer="charlie",protocol="propagate",round="scores",session="run"} 20`,
		`riskprop_rounds_done_total{party="alice",protocol="propagate",round="scores",session="run"} 1`,
		`riskprop_session_ended_total{party="alice",protocol="propagate",session="run",verdict="aborted"} 1`,
		`riskprop_blame_total{culprit="charlie",party="alice",protocol="propagate",session="run"} 1`,
	} {
		if !slices.Contains(strings.Split(body, "\n"), want) {
			t.Errorf("no line %s", want)
		}
	}
	status, body = get(t, "http://"+address+"/healthz")
	var state health
	if err := json.Unmarshal([]byte(body), &state); status != http.StatusServiceUnavailable || err != nil || state.Running || state.Session != "run" {
		t.Errorf("healthz after the end: %d %s", status, body)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}
