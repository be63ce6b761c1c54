package hub_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
	"riskprop/bus/hub/hubtest"
	"riskprop/bus/jet"
)

// head returns the i-th head of from, part a part of it that is addressed to one party.
func head(from string, i int) string { return fmt.Sprintf("risk.s.keygen.%d.all.%s.head", i, from) }
func part(from, to string, i int) string {
	return fmt.Sprintf("risk.s.keygen.1.%s.%s.%d", to, from, i)
}

// readAll returns the subjects of all records of the shared stream, whose data must be their subjects.
func readAll(t *testing.T, log bus.Log) (subjects []string) {
	t.Helper()
	caughtUp := errors.New("caught up")
	err := log.Tail(t.Context(), 0, jet.Shared, func(r bus.Record) error {
		if string(r.Data) != r.Subject {
			return fmt.Errorf("record %s holds %q", r.Subject, r.Data)
		}
		subjects = append(subjects, r.Subject)
		return nil
	}, func() error { return caughtUp })
	if err != caughtUp {
		t.Fatalf("Tail = %v", err)
	}
	return subjects
}

func mustAppend(t *testing.T, log bus.Log, subject string) {
	t.Helper()
	if err := log.Append(t.Context(), subject, []byte(subject)); err != nil {
		t.Fatal(err)
	}
}

// What a log promises holds with no more than a member's permissions, over TLS, with as many members as there can be.
func TestMembersCanDoTheirWork(t *testing.T) {
	t.Parallel()
	names := []string{"alice", "bob"}
	for i := len(names); i < 31; i++ {
		names = append(names, fmt.Sprint("member-", i))
	}
	s := hubtest.New(t, 1, true, names...)
	s.StartAll(t)
	alice, bob, auditor := s.Open(t, "alice"), s.Open(t, "bob"), s.Open(t, hubtest.Auditor)
	for _, log := range []*jet.Log{alice, auditor} {
		if now, err := log.Now(t.Context()); err != nil || now.IsZero() {
			t.Errorf("the server's time: %v, %v", now, err)
		}
	}
	const records = 300 // more than one batch
	for i := range records {
		mustAppend(t, alice, head("alice", i))
	}
	for _, to := range []string{"all", "bob", "alice"} {
		mustAppend(t, alice, part("alice", to, 0))
		mustAppend(t, alice, part("alice", to, 0))
		if err := alice.Append(t.Context(), part("alice", to, 0), []byte("other")); !errors.Is(err, bus.ErrTaken) {
			t.Errorf("Append of other data = %v, want ErrTaken", err)
		}
		if _, err := alice.Get(t.Context(), part("alice", to, 0)); err != nil {
			t.Errorf("alice's Get of her own record for %s = %v", to, err)
		}
	}
	for _, subject := range []string{part("alice", "all", 0), part("alice", "bob", 0), head("alice", 7)} {
		if data, err := bob.Get(t.Context(), subject); err != nil || string(data) != subject {
			t.Errorf("bob's Get of %s = %q, %v", subject, data, err)
		}
	}
	if _, err := bob.Get(t.Context(), head("bob", 1)); !errors.Is(err, bus.ErrNone) {
		t.Errorf("Get of nothing = %v, want ErrNone", err)
	}
	if data, err := auditor.Get(t.Context(), head("alice", 7)); err != nil || string(data) != head("alice", 7) {
		t.Errorf("the auditor's Get = %q, %v", data, err)
	}
	for name, log := range map[string]*jet.Log{"bob": bob, "auditor": auditor, "alice": alice, names[30]: s.Open(t, names[30])} {
		got := readAll(t, log)
		if len(got) != records+1 || got[records-1] != head("alice", records-1) || got[records] != part("alice", "all", 0) {
			t.Errorf("%s read %d records", name, len(got))
		}
		if stats := log.Stats(); stats != (jet.Stats{}) {
			t.Errorf("stats of %s are %+v, want zeros", name, stats)
		}
	}
}

// A member's Tail is woken by the announcement; without it the test would wait for a second a record.
func TestMembersAreTold(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 1, false, "alice", "bob")
	s.StartAll(t)
	alice, bob := s.Open(t, "alice"), s.Open(t, "bob")
	const records = 50
	enough, next := errors.New("enough"), 0
	err := bob.Tail(t.Context(), 0, jet.Shared, func(bus.Record) error { return nil }, func() error {
		if next == records {
			return enough
		}
		next++
		return alice.Append(t.Context(), head("alice", next), []byte("x"))
	})
	if err != enough {
		t.Fatalf("Tail = %v", err)
	}
}

// What is not permitted is the caller's error at once, and not a wait until its time is up.
func TestAPermissionViolationIsTheCallersError(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 1, false, "alice", "bob")
	s.StartAll(t)
	open := func(key, name string) (*nats.Conn, *jet.Log) {
		c := s.Credentials(key)
		c.Name = name
		nc, err := jet.Dial(t.Context(), s.URLs(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		log, err := jet.New(t.Context(), nc, jet.Config{Stream: hubtest.Stream, Party: name, APIPrefix: jet.MemberAPIPrefix})
		if err != nil {
			t.Fatal(err)
		}
		return nc, log
	}
	nc, alice := open("alice", "alice")
	_, stranger := open("alice", "bob") // with inboxes that alice may not subscribe to
	_, auditor := open(hubtest.Auditor, hubtest.Auditor)
	_, get := alice.Get(t.Context(), part("bob", "bob", 0))
	_, inbox := stranger.Get(t.Context(), head("alice", 1))
	_, private := auditor.Get(t.Context(), part("alice", "bob", 0))
	other, err := jet.New(t.Context(), nc, jet.Config{Stream: "OTHER", Party: "alice", APIPrefix: jet.MemberAPIPrefix})
	if err != nil {
		t.Fatal(err)
	}
	for call, err := range map[string]error{
		"Append under another name":   alice.Append(t.Context(), head("bob", 1), []byte("x")),
		"Append under another name 2": alice.Append(t.Context(), part("bob", "alice", 1), []byte("x")),
		"Get of what is another's":    get,
		"Get to another's inbox":      inbox,
		"Append to another's inbox":   stranger.Append(t.Context(), head("alice", 1), []byte("x")),
		"Tail of another log":         other.Tail(t.Context(), 0, jet.Shared, nil, nil),
		"CreateStream by a member":    jet.CreateStream(t.Context(), nc, jet.StreamConfig{Name: hubtest.Stream, Replicas: 1}),
		"Append by the auditor":       auditor.Append(t.Context(), head(hubtest.Auditor, 1), []byte("x")),
		"Get by the auditor":          private,
	} {
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s = %v, want a permission violation", call, err)
		}
	}
}

// TestConnectionsOfAnAccount: a member has a few connections. One more is told why it fails, and another member has its own.
func TestConnectionsOfAnAccount(t *testing.T) {
	site := hubtest.New(t, 1, false, "alice", "bob", "charlie")
	site.StartAll(t)
	for range 8 {
		site.Open(t, "bob")
	}
	if _, err := jet.Dial(t.Context(), site.URLs(), site.Credentials("bob")); !errors.Is(err, jet.ErrCrowded) {
		t.Errorf("the ninth connection: %v, want ErrCrowded", err)
	}
	mustAppend(t, site.Open(t, "alice"), head("alice", 0))
}
