package embed_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"riskprop/bus"
	"riskprop/bus/jet"
)

const (
	stream = "RISK"
	heads  = "risk.*.*.*.all.*.head"
	prefix = "RISK.API"
	hang   = 30 * time.Second // when a test that waits gives up
)

// slot returns the i-th head of from.
func slot(from string, i int) string { return fmt.Sprintf("risk.s.p.%d.all.%s.head", i, from) }

// shared is a server as a consortium runs it: a HUB account owns the stream, every member has an account of its own and
// reaches by name what it may use, and nothing else.
func shared(t *testing.T, members ...string) *server.Server {
	t.Helper()
	var exports, accounts strings.Builder
	for _, m := range members {
		consumer := jet.ConsumerName(m, heads)
		var imports strings.Builder
		for _, s := range []struct{ hub, to, opts string }{
			{"risk.*.*.*.*." + m + ".*", "", ""},
			{"$JS.API.DIRECT.GET.RISK.risk.*.*.*.all.*.*", prefix + ".DIRECT.GET.RISK.risk.$1.$2.$3.all.$4.$5", ""},
			{"$JS.API.CONSUMER.CREATE.RISK." + consumer + "." + heads, prefix + ".CONSUMER.CREATE.RISK." + consumer + ".risk.$1.$2.$3.all.$4.head", ""},
			{"$JS.API.CONSUMER.INFO.RISK." + consumer, prefix + ".CONSUMER.INFO.RISK." + consumer, ""},
			{"$JS.API.CONSUMER.DELETE.RISK." + consumer, prefix + ".CONSUMER.DELETE.RISK." + consumer, ""},
			{"$JS.API.CONSUMER.MSG.NEXT.RISK." + consumer, prefix + ".CONSUMER.MSG.NEXT.RISK." + consumer, ", response: stream"},
		} {
			fmt.Fprintf(&exports, "{service: %q, accounts: [%s]%s}\n", s.hub, m, s.opts)
			to := ""
			if s.to != "" {
				to = fmt.Sprintf(", to: %q", s.to)
			}
			fmt.Fprintf(&imports, "{service: {account: HUB, subject: %q}%s}\n", s.hub, to)
		}
		fmt.Fprintf(&accounts, `%[1]s: {
			users: [{user: %[1]s, password: x, permissions: {
				publish: ["risk.*.*.*.*.%[1]s.*", "RISK.API.DIRECT.GET.RISK.risk.*.*.*.all.*.*",
					"RISK.API.CONSUMER.*.RISK.%[2]s", "RISK.API.CONSUMER.CREATE.RISK.%[2]s.>", "RISK.API.CONSUMER.MSG.NEXT.RISK.%[2]s"],
				subscribe: ["_INBOX_%[1]s.>"]}}]
			imports: [%[3]s]
		}
		`, m, consumer, &imports)
	}
	config := fmt.Sprintf("jetstream: {store_dir: %q, sync_interval: always}\naccounts: {HUB: {jetstream: enabled, users: [{user: operator, password: x}], exports: [%s]}\n%s}\n",
		t.TempDir(), &exports, &accounts)
	return run(t, config)
}

// run starts a server with a configuration file.
func run(t *testing.T, config string) *server.Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	opts.NoSigs, opts.NoLog, opts.MaxPayload = true, true, 8<<20
	opts.DontListen = opts.Cluster.Port == 0 // a server with routes only is never ready
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start() // a listening server returns from it at shutdown
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(hang) {
		t.Fatal("server is not ready")
	}
	return s
}

// login connects user; inbox names the user whose inboxes it uses.
func login(t *testing.T, s *server.Server, user, inbox string) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect("", append(jet.Options(inbox), nats.InProcessServer(s), nats.UserInfo(user, "x"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// member returns user's handle.
func member(t *testing.T, s *server.Server, user, inbox string) *jet.Log {
	t.Helper()
	log, err := jet.New(t.Context(), login(t, s, user, inbox), jet.Config{Stream: stream, Party: user, APIPrefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestMembersNeedNoMoreThanTheDocumentedPermissions(t *testing.T) {
	t.Parallel()
	s := shared(t, "alice", "bob")
	if err := jet.CreateStream(t.Context(), login(t, s, "operator", "operator"), jet.StreamConfig{Name: stream, Replicas: 1}); err != nil {
		t.Fatal(err)
	}
	alice, bob := member(t, s, "alice", "alice"), member(t, s, "bob", "bob")
	const records = 300 // more than one pull
	for i := range records {
		if err := alice.Append(t.Context(), slot("alice", i), []byte(slot("alice", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := alice.Append(t.Context(), slot("alice", 0), []byte("other")); !errors.Is(err, bus.ErrTaken) {
		t.Fatalf("Append of other data = %v, want ErrTaken", err)
	}
	if _, err := bob.Get(t.Context(), slot("bob", 1)); !errors.Is(err, bus.ErrNone) {
		t.Fatalf("Get of nothing = %v, want ErrNone", err)
	}
	var got []string
	enough := errors.New("enough")
	for range 2 { // the second time there is a consumer to delete
		got = nil
		err := bob.Tail(t.Context(), 0, heads, func(r bus.Record) error {
			if string(r.Data) != r.Subject {
				return fmt.Errorf("record %s holds %q", r.Subject, r.Data)
			}
			got = append(got, r.Subject)
			return nil
		}, func() error { return enough })
		if err != enough {
			t.Fatalf("Tail = %v", err)
		}
	}
	if len(got) != records || got[records-1] != slot("alice", records-1) {
		t.Fatalf("bob read %d records", len(got))
	}
	if bob.Stats() != (jet.Stats{}) {
		t.Errorf("stats are %+v, want zeros", bob.Stats())
	}
	// An operation outlasts the start sequence: what comes after it.
	err := bob.Tail(t.Context(), records-1, heads, func(r bus.Record) error { return errors.New(r.Subject) }, func() error { return nil })
	if err == nil || err.Error() != slot("alice", records-1) {
		t.Fatalf("Tail after the last but one = %v", err)
	}
}

func TestAPermissionViolationIsTheCallersError(t *testing.T) {
	t.Parallel()
	s := shared(t, "alice", "bob")
	alice := member(t, s, "alice", "alice")
	_, get := alice.Get(t.Context(), "risk.s.p.1.bob.bob.0")
	stolen := member(t, s, "alice", "bob") // inboxes that alice may not subscribe to
	_, inbox := stolen.Get(t.Context(), slot("alice", 1))
	for call, err := range map[string]error{
		"Append under another name": alice.Append(t.Context(), slot("bob", 1), []byte("x")),
		"Get of what is another's":  get,
		"Tail of another filter":    alice.Tail(t.Context(), 0, jet.Subjects, nil, nil),
		"Get to another's inbox":    inbox,
		"Append to another's inbox": stolen.Append(t.Context(), slot("alice", 1), []byte("x")),
		"CreateStream by a member":  jet.CreateStream(t.Context(), login(t, s, "alice", "alice"), jet.StreamConfig{Name: stream, Replicas: 1}),
	} {
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s = %v, want a permission violation", call, err)
		}
	}
}
