package jet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
)

// dialTimeout bounds how long one server may take until a connection to it is ready.
const dialTimeout = 5 * time.Second

// The reasons why Dial fails at one server. Its error wraps one for every server, and what the client library said.
var (
	// ErrUnreachable: no connection to the address came about, or nobody spoke.
	ErrUnreachable = errors.New("nobody answers there: is the server running, and the address right?")
	// ErrCertificate: TLS failed.
	ErrCertificate = errors.New("TLS failed: does the CA that is given fit the server's certificate, and the certificate the host name and the time?")
	// ErrNoTLS: the server speaks another protocol, or no TLS.
	ErrNoTLS = errors.New("it does not speak the protocol with TLS 1.3: is this the server's address for clients?")
	// ErrNotAdmitted: the server does not know the key.
	ErrNotAdmitted = errors.New("not admitted: is the server's configuration generated from this consortium?")
	// ErrCrowded: the party has as many connections as it may have.
	ErrCrowded = errors.New("this party has too many connections: end another copy of it, a doctor or a status that watches")
)

// Credentials say who connects.
type Credentials struct {
	Name string                       // the party's name; its inboxes are called after it
	NKey string                       // public key, U...
	Sign func([]byte) ([]byte, error) // signs the server's challenge with the key
	CA   []byte                       // PEM, the roots for the servers' certificates; nil: the system's
}

// Dial connects to the first of servers that admits the party; later, when the connection is lost, to any of them, for ever. Servers
// are tls://host:port. TLS is of version 1.3 at least, and without it (nats://host:port) a server must be on the loopback
// interface. Servers that the servers themselves recommend are not used. handlers are called for asynchronous errors.
//
// The error names every server that was tried, and why and what to do: it wraps ErrUnreachable, ErrCertificate, ErrNoTLS,
// ErrNotAdmitted or ErrCrowded for each where one of them is the reason. It wraps bus.ErrInvalid when servers or credentials are unusable.
func Dial(ctx context.Context, servers []string, c Credentials, handlers ...func(error)) (*nats.Conn, error) {
	if err := checkToken("party", c.Name); err != nil {
		return nil, err
	}
	secure, err := checkServers(servers)
	if err != nil {
		return nil, err
	}
	roots, err := rootsOf(c.CA)
	if err != nil {
		return nil, err
	}
	d := &dialer{ctx: ctx}
	options := append(Options(c.Name, handlers...),
		nats.Nkey(c.NKey, c.Sign),
		nats.Timeout(dialTimeout),
		nats.SetCustomDialer(d),
		nats.DontRandomize(),
		nats.IgnoreDiscoveredServers(),
		nats.IgnoreAuthErrorAbort(), // a server that is being set up anew may not know us for a while
		func(o *nats.Options) error {
			o.Secure = secure // otherwise a server may still ask for TLS
			o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}
			return nil
		},
	)
	var errs []error
	for _, server := range servers {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		nc, err := nats.Connect(server, options...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s cannot connect to %s: %w", c.Name, server, d.explain(err)))
			continue
		}
		d.established()
		if err := nc.SetServerPool(servers); err != nil {
			nc.Close()
			return nil, fmt.Errorf("use the servers %v: %w", servers, err)
		}
		return nc, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, errors.Join(errs...)
}

// checkServers checks the addresses and says whether they are for TLS.
func checkServers(servers []string) (secure bool, err error) {
	if len(servers) == 0 {
		return false, fmt.Errorf("%w: no servers", bus.ErrInvalid)
	}
	for i, server := range servers {
		u, err := url.Parse(server)
		if err != nil || u.Port() == "" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
			return false, fmt.Errorf("%w: server %q, want tls://host:port", bus.ErrInvalid, server)
		}
		switch {
		case u.Scheme == "tls":
		case u.Scheme != "nats":
			return false, fmt.Errorf("%w: server %q, want tls://host:port", bus.ErrInvalid, server)
		case !loopback(u.Hostname()):
			return false, fmt.Errorf("%w: server %q, want tls://host:port: without TLS only the loopback interface is allowed", bus.ErrInvalid, server)
		}
		if tls := u.Scheme == "tls"; i > 0 && tls != secure {
			return false, fmt.Errorf("%w: servers with and without TLS, want tls:// for all", bus.ErrInvalid)
		}
		secure = u.Scheme == "tls"
	}
	return secure, nil
}

// loopback reports whether host is this machine.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// rootsOf parses PEM; nil means the system's roots, as for package tls.
func rootsOf(pem []byte) (*x509.CertPool, error) {
	if pem == nil {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: no certificate in the CA's PEM", bus.ErrInvalid)
	}
	return roots, nil
}

// explain adds what an error of the client library means, where that is known.
func (d *dialer) explain(err error) error {
	var certificate *tls.CertificateVerificationError
	var header tls.RecordHeaderError
	var network net.Error
	meaning := ErrUnreachable
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		meaning = ErrNotAdmitted
	case errors.Is(err, nats.ErrMaxAccountConnectionsExceeded):
		meaning = ErrCrowded
	case errors.As(err, &certificate):
		meaning = ErrCertificate
	case errors.Is(err, nats.ErrSecureConnWanted), errors.Is(err, nats.ErrNoInfoReceived), errors.As(err, &header):
		meaning = ErrNoTLS
	case errors.As(err, &network):
		if d.connected && !network.Timeout() { // such as an alert of TLS
			meaning = ErrNoTLS
		}
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrTimeout), errors.Is(err, io.EOF):
	default:
		return err
	}
	return fmt.Errorf("%w (%w)", meaning, err)
}

// dialer makes network connections; the first ones end with Dial's context.
type dialer struct {
	mu   sync.Mutex
	ctx  context.Context // nil when the connection is established
	stop []func() bool

	connected bool // the last attempt reached somebody; read by Dial alone, when no attempt is under way
}

// Dial implements nats.CustomDialer.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	ctx := d.ctx
	d.mu.Unlock()
	if ctx == nil {
		ctx = context.Background()
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.connected = err == nil
	if err != nil {
		return nil, err
	}
	if d.ctx != nil {
		d.stop = append(d.stop, context.AfterFunc(d.ctx, func() { conn.Close() }))
	}
	return conn, nil
}

// established lets connections outlive Dial's context.
func (d *dialer) established() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, stop := range d.stop {
		stop()
	}
	d.ctx, d.stop = nil, nil
}
