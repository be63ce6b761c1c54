package hub_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/embed"
	"riskprop/bus/hub"
	"riskprop/bus/hub/hubtest"
	"riskprop/bus/jet"
)

// guarded is a consortium whose guard looks when the test says so.
type guarded struct {
	*hubtest.Site
	ticks chan time.Time
	now   time.Time
}

// newGuarded starts a server with a guard, whose time is the test's.
func newGuarded(t *testing.T, burst int) *guarded {
	t.Helper()
	g := &guarded{Site: hubtest.New(t, 1, false, "alice", "bob", "charlie"), ticks: make(chan time.Time), now: time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)}
	g.Guard.Ticks = g.ticks
	if burst > 0 {
		g.Guard.Burst = burst
	}
	g.StartAll(t)
	return g
}

// look has the guard look, so much later. It returns when it has looked.
func (g *guarded) look(later time.Duration) {
	g.now = g.now.Add(later)
	g.ticks <- g.now
	g.ticks <- g.now // is taken when the first has been dealt with
}

// plainClient connects with the plain client as name, once.
func (g *guarded) plainClient(t *testing.T, name string, options ...nats.Option) (*nats.Conn, error) {
	t.Helper()
	c := g.Credentials(name)
	options = append([]nats.Option{nats.Nkey(c.NKey, c.Sign), nats.CustomInboxPrefix("_INBOX_" + name), nats.NoReconnect()}, options...)
	nc, err := nats.Connect(g.URLs()[0], options...)
	if err == nil {
		t.Cleanup(nc.Close)
	}
	return nc, err
}

// watched connects a client and returns a channel that is closed when its connection is lost.
func (g *guarded) watched(t *testing.T, name string) (*nats.Conn, chan struct{}) {
	t.Helper()
	lost := make(chan struct{})
	nc, err := g.plainClient(t, name, nats.ClosedHandler(func(*nats.Conn) { close(lost) }))
	if err != nil {
		t.Fatal(err)
	}
	return nc, lost
}

// flood publishes messages of size bytes, each to a slot of its own, without waiting for answers, until the server has taken all of them.
func flood(t *testing.T, nc *nats.Conn, messages, size int) {
	t.Helper()
	body := make([]byte, size)
	for i := range messages {
		if err := nc.Publish(head("bob", i), body); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.FlushTimeout(hang); err != nil {
		t.Fatal(err)
	}
}

// subscribe subscribes to bob's own inbox again and again.
func subscribe(t *testing.T, nc *nats.Conn) {
	t.Helper()
	for range 5000 {
		sub, err := nc.SubscribeSync("_INBOX_bob.x")
		if err == nil {
			err = sub.Unsubscribe()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.FlushTimeout(hang); err != nil {
		t.Fatal(err)
	}
}

// comeAndGo makes short connections, one after the other: the server does not count what they send.
func comeAndGo(t *testing.T, g *guarded) {
	t.Helper()
	for range 60 {
		nc, err := g.plainClient(t, "bob")
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.Publish(head("bob", 0), nil)
		nc.Close()
	}
}

// TestFlood: bob, with the plain client, sends under his own name as fast as he can. He is disconnected, and not admitted until his
// time is over; the others keep their connections, and what alice writes meanwhile is written.
func TestFlood(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flood func(*testing.T, *nats.Conn)
		burst int // of the guard; 0: as usual
	}{
		"small messages": {func(t *testing.T, bob *nats.Conn) { flood(t, bob, 20_000, 1) }, 0},
		"large messages": {func(t *testing.T, bob *nats.Conn) { flood(t, bob, 20, 1<<20) }, 50}, // or it would be gigabytes
		"subscriptions":  {subscribe, 0},
		"connections":    {nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuarded(t, c.burst)
			g.look(0)
			alice, charlie := g.Open(t, "alice"), g.Open(t, "charlie")
			_, ears := g.watched(t, "charlie")
			bob, lost := g.watched(t, "bob")
			_, second := g.watched(t, "bob")
			written := make(chan error, 1)
			go func() {
				for i := range 30 {
					if err := alice.Append(t.Context(), head("alice", i), []byte("x")); err != nil {
						written <- err
						return
					}
				}
				written <- nil
			}()
			if c.flood == nil {
				comeAndGo(t, g)
			} else {
				c.flood(t, bob)
			}
			for range 10 { // subscriptions are not counted every time
				g.look(50 * time.Millisecond)
			}
			for _, gone := range []chan struct{}{lost, second} {
				select {
				case <-gone:
				case <-time.After(hang):
					t.Fatal("a connection of bob's is left")
				}
			}
			if err := <-written; err != nil {
				t.Errorf("alice could not write: %v", err)
			}
			g.look(58 * time.Second)
			if _, err := g.plainClient(t, "bob"); !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("bob connects again: %v", err)
			}
			if _, err := jet.Dial(t.Context(), g.URLs(), g.Credentials("bob")); !errors.Is(err, jet.ErrNotAdmitted) {
				t.Errorf("bob dials again: %v, want ErrNotAdmitted", err)
			}
			g.look(2 * time.Second)
			if nc, err := g.plainClient(t, "bob"); err != nil || nc.Publish(head("bob", 1<<20), nil) != nil || nc.FlushTimeout(hang) != nil {
				t.Errorf("bob after his time: %v", err)
			}
			mustAppend(t, charlie, head("charlie", 0))
			select {
			case <-ears:
				t.Error("charlie's connection was lost")
			default:
			}
		})
	}
}

// TestExempt: the operator's account, which saves and restores the streams, is not limited.
func TestExempt(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, 50)
	g.look(0)
	operator, lost := g.watched(t, hubtest.Operator)
	for range 1000 {
		if err := operator.Publish("$JS.API.INFO", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := operator.FlushTimeout(hang); err != nil {
		t.Fatal(err)
	}
	g.look(50 * time.Millisecond)
	if err := operator.FlushTimeout(hang); err != nil {
		t.Error(err)
	}
	select {
	case <-lost:
		t.Error("the operator was shut out")
	default:
	}
}

// TestNoRoom: what a connection that has no room in its account sends in one go with its CONNECT leads nowhere.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 1, false, "alice", "bob")
	s.StartAll(t)
	for range 8 {
		s.Open(t, "bob")
	}
	if alive := connectTwice(t, s, "bob", ""); alive {
		t.Error("the ninth connection is alive")
	}
	alice := s.Open(t, "alice")
	if data, err := alice.Get(t.Context(), head("bob", 77)); !errors.Is(err, bus.ErrNone) {
		t.Errorf("the ninth connection has written %q, %v", data, err)
	}
}

// TestOneOfThree: each of three servers admits a third.
func TestOneOfThree(t *testing.T) {
	t.Parallel()
	for messages, out := range map[int]bool{bus.GuardBurst/3 - 10: false, bus.GuardBurst/3 + 10: true} {
		s := hubtest.New(t, 3, false, "alice", "bob")
		ticks := make(chan time.Time)
		s.Guard.Ticks = ticks
		s.StartAll(t)
		g := &guarded{Site: s, ticks: ticks}
		bob, lost := g.watched(t, "bob")
		flood(t, bob, messages, 1)
		for range 6 { // whichever of the servers takes a tick
			ticks <- time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC)
		}
		err := bob.FlushTimeout(hang)
		if out {
			select {
			case <-lost:
			case <-time.After(hang):
				t.Errorf("bob is admitted after %d messages", messages)
			}
		} else if err != nil {
			t.Errorf("bob is shut out after %d messages: %v", messages, err)
		}
	}
}

// Whoever admits clients in the place of the server's own code must admit exactly those whom it admits.
func TestTheGuardAdmitsWhomTheServerAdmits(t *testing.T) {
	t.Parallel()
	for name, guard := range map[string]embed.Guard{"guard": embed.DefaultGuard(hub.OwnerAccount), "no guard": {}} {
		s := hubtest.New(t, 1, false, "alice", "bob")
		s.Guard = guard
		s.StartAll(t)
		alice, bob, stranger := s.Credentials("alice"), s.Credentials("bob"), s.Credentials("mallory")
		var taped []byte // alice's signature of another connection's nonce
		tape := func(nonce []byte) ([]byte, error) { sig, err := alice.Sign(nonce); taped = sig; return sig, err }
		replay := func([]byte) ([]byte, error) { return taped, nil }
		nothing := func([]byte) ([]byte, error) { return nil, nil }
		zeros := func([]byte) ([]byte, error) { return make([]byte, 64), nil }
		for _, c := range []struct {
			name    string
			options []nats.Option
			in      bool
		}{
			{"alice", []nats.Option{nats.Nkey(alice.NKey, tape)}, true},
			{"bob", []nats.Option{nats.Nkey(bob.NKey, bob.Sign)}, true},
			{"a key that nobody knows", []nats.Option{nats.Nkey(stranger.NKey, stranger.Sign)}, false},
			{"alice with bob's signature", []nats.Option{nats.Nkey(alice.NKey, bob.Sign)}, false},
			{"alice with an old signature", []nats.Option{nats.Nkey(alice.NKey, replay)}, false},
			{"alice without a signature", []nats.Option{nats.Nkey(alice.NKey, nothing)}, false},
			{"alice with zeros", []nats.Option{nats.Nkey(alice.NKey, zeros)}, false},
			{"alice by name", []nats.Option{nats.UserInfo(alice.NKey, "")}, false},
			{"alice by token", []nats.Option{nats.Token(alice.NKey)}, false},
			{"nobody", nil, false},
		} {
			nc, err := nats.Connect(s.URLs()[0], append(c.options, nats.NoReconnect())...)
			if (err == nil) != c.in || !c.in && !errors.Is(err, nats.ErrAuthorization) {
				t.Errorf("%s, %s: %v, want in to be %v", name, c.name, err, c.in)
			}
			if err == nil {
				nc.Close()
			}
		}
	}
}

// TestSecondConnect: a connection that was admitted stays its user's: who says on it that he is another one must show that, too.
func TestSecondConnect(t *testing.T) {
	t.Parallel()
	for name, guard := range map[string]embed.Guard{"guard": embed.DefaultGuard(hub.OwnerAccount), "no guard": {}} {
		s := hubtest.New(t, 1, false, "alice", "bob")
		s.Guard = guard
		s.StartAll(t)
		for _, second := range []string{`{"nkey":"` + s.Credentials("alice").NKey + `","sig":"%s"}`, `{"nkey":"` + s.Credentials("alice").NKey + `"}`} {
			if alive := connectTwice(t, s, "bob", second); alive {
				t.Errorf("%s: bob's connection has taken %s", name, second)
			}
		}
		if alive := connectTwice(t, s, "bob", ""); !alive {
			t.Errorf("%s: bob was not admitted", name)
		}
	}
}

// connectTwice connects as name by hand, and then once more on the same connection with what second says, where %s is the signature. It
// tells whether the server still answers.
func connectTwice(t *testing.T, s *hubtest.Site, name, second string) (alive bool) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URLs()[0], "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(hang)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	lines.Scan()
	var info struct{ Nonce string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(lines.Text(), "INFO ")), &info); err != nil {
		t.Fatal(err)
	}
	c := s.Credentials(name)
	raw, err := c.Sign([]byte(info.Nonce))
	if err != nil {
		t.Fatal(err)
	}
	signature := base64.RawURLEncoding.EncodeToString(raw)
	fmt.Fprintf(conn, "CONNECT {\"verbose\":false,\"nkey\":%q,\"sig\":%q}\r\nPUB %s 1\r\nx\r\nPING\r\n", c.NKey, signature, head(name, 77))
	for lines.Scan() && lines.Text() != "PONG" {
	}
	if second != "" {
		fmt.Fprintf(conn, "CONNECT %s\r\n", strings.Replace(second, "%s", signature, 1))
	}
	fmt.Fprint(conn, "PING\r\n")
	for lines.Scan() {
		if lines.Text() == "PONG" {
			return true
		}
	}
	return false
}

// TestTheGuardKnowsNkeysOnly: where clients can come in another way, a server with a guard does not start.
func TestTheGuardKnowsNkeysOnly(t *testing.T) {
	for name, edit := range map[string]func(string) string{
		"a password": func(text string) string {
			return strings.Replace(text, "users: [", "users: [\n{user: eve, password: secret}", 1)
		},
		"connection types": func(text string) string {
			return strings.Replace(text, "{nkey: ", "{allowed_connection_types: [STANDARD], nkey: ", 1)
		},
		"a leaf node": func(text string) string { return text + "\nleafnodes {listen: \"127.0.0.1:-1\"}\n" },
		"nobody":      func(string) string { return "" },
	} {
		s := hubtest.New(t, 1, false, "alice")
		text, err := s.Config.Render(0)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "edited.conf")
		text = edit(text) + fmt.Sprintf("\njetstream {store_dir: %q, sync_interval: always}\nlisten: \"127.0.0.1:-1\"\n", t.TempDir())
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		server, err := embed.StartFile(file, s.Guard, zerolog.Nop())
		if !errors.Is(err, embed.ErrConfig) || !strings.Contains(fmt.Sprint(err), "guard") {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
		if err == nil {
			server.Shutdown()
		}
	}
}
