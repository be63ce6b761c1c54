package jet_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
	"riskprop/bus/hub"
	"riskprop/bus/hub/hubtest"
	"riskprop/bus/jet"
)

// stranger listens, and does with every connection what handle does.
func stranger(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// Every reason for which a server cannot be used is named, together with the server.
func TestDialSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 1, true, "alice")
	s.StartAll(t)
	plain := hubtest.New(t, 1, false, "alice")
	plain.StartAll(t)
	url := s.URLs()[0]
	otherCA, certificates, err := hub.DevelopmentCA([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificates[0].Cert, certificates[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	old := "tls://" + stranger(t, func(conn net.Conn) { // speaks the protocol, and TLS 1.2
		fmt.Fprint(conn, "INFO {\"tls_required\":true,\"headers\":true,\"max_payload\":1000,\"nonce\":\"x\"}\r\n")
		_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: tls.VersionTLS12}).Handshake()
	})
	http := "tls://" + stranger(t, func(conn net.Conn) { fmt.Fprint(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") })
	mute := "tls://" + stranger(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	hasty := "tls://" + stranger(t, func(net.Conn) {})
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "tls://" + nobody.Addr().String()
	nobody.Close()

	alice := s.Credentials("alice")
	wrongCA, unknown, broken := alice, s.Credentials("alice"), alice
	wrongCA.CA = otherCA
	unknown.NKey, unknown.Sign = s.Credentials("nobody").NKey, s.Credentials("nobody").Sign
	errSign := errors.New("the key is gone")
	broken.Sign = func([]byte) ([]byte, error) { return nil, errSign }
	for name, c := range map[string]struct {
		credentials jet.Credentials
		server      string
		want        error
	}{
		"another CA":           {wrongCA, url, jet.ErrCertificate},
		"another host name":    {alice, strings.Replace(url, "127.0.0.1", "localhost", 1), jet.ErrCertificate},
		"unknown key":          {unknown, url, jet.ErrNotAdmitted},
		"nobody there":         {alice, closed, jet.ErrUnreachable},
		"no such host":         {alice, "tls://host.invalid:4222", jet.ErrUnreachable},
		"it hangs up":          {alice, hasty, jet.ErrUnreachable},
		"it says nothing":      {alice, mute, jet.ErrUnreachable},
		"it has no TLS":        {alice, strings.Replace(plain.URLs()[0], "nats:", "tls:", 1), jet.ErrNoTLS},
		"TLS, and another CA":  {wrongCA, strings.Replace(url, "tls:", "nats:", 1), jet.ErrCertificate},
		"it has an old TLS":    {alice, old, jet.ErrNoTLS},
		"another protocol":     {alice, http, jet.ErrNoTLS},
		"the key cannot sign":  {broken, url, errSign},
		"the system's roots":   {jet.Credentials{Name: "alice", NKey: alice.NKey, Sign: alice.Sign}, url, jet.ErrCertificate},
		"no address":           {alice, "tls://:4222", bus.ErrInvalid},
		"no port":              {alice, "tls://127.0.0.1", bus.ErrInvalid},
		"a path":               {alice, "tls://127.0.0.1:4222/x", bus.ErrInvalid},
		"a password":           {alice, "tls://a:b@127.0.0.1:4222", bus.ErrInvalid},
		"another scheme":       {alice, "wss://127.0.0.1:4222", bus.ErrInvalid},
		"no TLS on the net":    {alice, "nats://192.0.2.1:4222", bus.ErrInvalid},
		"no TLS by name":       {alice, "nats://example.com:4222", bus.ErrInvalid},
		"no URL":               {alice, "127.0.0.1:4222", bus.ErrInvalid},
		"no name":              {jet.Credentials{NKey: alice.NKey, Sign: alice.Sign}, url, bus.ErrInvalid},
		"no certificate in CA": {jet.Credentials{Name: "alice", NKey: alice.NKey, Sign: alice.Sign, CA: []byte("x")}, url, bus.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nc, err := jet.Dial(t.Context(), []string{c.server}, c.credentials)
			if err == nil {
				nc.Close()
			}
			if !errors.Is(err, c.want) || c.want != bus.ErrInvalid && !strings.Contains(err.Error(), "alice cannot connect to "+c.server) {
				t.Errorf("Dial = %v, want %v and the server's address", err, c.want)
			}
		})
	}
	if _, err := jet.Dial(t.Context(), nil, alice); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("Dial of no server = %v", err)
	}
	if _, err := jet.Dial(t.Context(), []string{url, plain.URLs()[0]}, alice); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("Dial with and without TLS = %v", err)
	}
	nc, err := jet.Dial(t.Context(), []string{strings.Replace(url, "tls:", "nats:", 1)}, alice)
	if err != nil {
		t.Fatalf("Dial of a server that asks for TLS = %v", err)
	}
	if state, err := nc.TLSConnectionState(); err != nil || state.Version != tls.VersionTLS13 {
		t.Errorf("TLS is of version %x, %v", state.Version, err)
	}
	nc.Close()
	// Servers that are of no use are passed over, and each is named when none is left.
	if nc, err = jet.Dial(t.Context(), []string{closed, http, url}, alice); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	if _, err := jet.Dial(t.Context(), []string{closed, url}, unknown); !errors.Is(err, jet.ErrUnreachable) || !errors.Is(err, jet.ErrNotAdmitted) {
		t.Errorf("Dial = %v, want both reasons", err)
	}
}

// Dial ends with its context, however little the server says; the connection that it returns does not.
func TestDialsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	mute := "tls://" + stranger(t, func(conn net.Conn) {
		cancel()
		_, _ = io.Copy(io.Discard, conn)
	})
	s := hubtest.New(t, 1, true, "alice")
	s.StartAll(t)
	alice := s.Credentials("alice")
	if _, err := jet.Dial(ctx, []string{mute, s.URLs()[0]}, alice); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial = %v, want the context's error", err)
	}
	if _, err := jet.Dial(ctx, s.URLs(), alice); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial = %v, want the context's error", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	nc, err := jet.Dial(ctx, s.URLs(), alice)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	cancel()
	log, err := jet.New(t.Context(), nc, jet.Config{Stream: hubtest.Stream, Party: "alice", APIPrefix: jet.MemberAPIPrefix})
	if err != nil {
		t.Fatal(err)
	}
	if err := log.Append(t.Context(), "risk.s.p.1.all.alice.head", []byte("x")); err != nil {
		t.Errorf("Append = %v", err)
	}
}

// A connection whose server is gone goes on over another one of the list, although no server recommends it.
func TestDialFindsAnotherServer(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 3, true, "alice")
	s.Start(t, 0)
	s.Start(t, 1)
	told := make(chan error, 10)
	nc, err := jet.Dial(t.Context(), s.URLs(), s.Credentials("alice"), func(err error) { told <- err })
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if got := nc.ConnectedUrl(); got != s.URLs()[0] {
		t.Errorf("connected to %s, want the first of %v", got, s.URLs())
	}
	again := nc.StatusChanged(nats.CONNECTED)
	s.Servers[0].Shutdown()
	<-again
	if err := <-told; err == nil {
		t.Error("told of no error")
	}
	if got := nc.ConnectedUrl(); got != s.URLs()[1] {
		t.Errorf("connected to %s, want the second of %v", got, s.URLs())
	}
	if err := nc.Flush(); err != nil {
		t.Error(err)
	}
}
