package main

// The checks of the way to the servers. What is wrong there is told apart step by step: the name, the port, TLS, the account.

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"riskprop/bus/jet"
)

// Limits of what doctor waits for and reads.
const (
	doctorPatience = 5 * time.Second // of one step
	maxGreeting    = 64 << 10        // bytes of a server's first line
	maxMonitor     = 1 << 20         // bytes of a page of a server's monitoring

	certificateSoon = 30 * 24 * time.Hour // warn of a certificate that ends sooner
)

// checkServers looks at the way to every server, and returns those that admit the party.
func (d *doctor) checkServers(ctx context.Context) []string {
	var roots *x509.CertPool
	if d.party.CA != "" {
		pem, err := readRoots(d.party.CA)
		if err == nil {
			if roots = x509.NewCertPool(); !roots.AppendCertsFromPEM(pem) {
				err = fmt.Errorf("%s holds no certificate in PEM", d.party.CA)
			}
		}
		if err != nil {
			d.failed("ca", "get the certificate of the servers' authority from the operator", "%v", err)
			return nil
		}
		d.ok("ca", "%s", d.party.CA)
	}
	var admitted []string
	for _, server := range d.party.Servers {
		u, err := url.Parse(server)
		if err != nil {
			d.failed("name", "servers are tls://host:port", "%v", err)
			continue
		}
		if d.checkAddress(ctx, u, roots) && d.checkAccount(ctx, server) {
			admitted = append(admitted, server)
		}
	}
	return admitted
}

// checkAddress resolves the name, connects, and looks at the certificate.
func (d *doctor) checkAddress(ctx context.Context, server *url.URL, roots *x509.CertPool) bool {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, server.Hostname())
	if err != nil {
		d.failed("name", "correct the server's name in the configuration, or ask who runs the name service", "%v", err)
		return false
	}
	d.ok("name", "%s is %s", server.Hostname(), strings.Join(addresses, ", "))
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", server.Host)
	if err != nil {
		d.failed("tcp", "is the server running, is the port right, does a firewall keep us out?", "%v", err)
		return false
	}
	defer connection.Close()
	d.ok("tcp", "%s answers", server.Host)
	if server.Scheme != "tls" {
		d.warn("tls", "use tls:// but for a test on one machine", "%s is without TLS", server)
		return true
	}
	if err := connection.SetDeadline(time.Now().Add(d.patience)); err != nil {
		d.failed("tls", "try again", "%v", err)
		return false
	}
	return d.checkTLS(ctx, connection, server.Hostname(), roots)
}

// greeting is what doctor wants to know of a server's first line.
type greeting struct {
	Version     string `json:"version"`
	TLSRequired bool   `json:"tls_required"`
}

// readGreeting reads a server's first line, which comes before TLS. The line is read byte by byte: what follows is TLS's.
func readGreeting(r io.Reader) (greeting, error) {
	var g greeting
	var text []byte
	for one := make([]byte, 1); len(text) < maxGreeting; {
		if _, err := r.Read(one); err != nil {
			return g, err
		}
		if one[0] == '\n' {
			break
		}
		text = append(text, one[0])
	}
	body, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "INFO ")
	if !ok || json.Unmarshal([]byte(body), &g) != nil {
		return g, errors.New("what answers is no NATS server")
	}
	return g, nil
}

// checkTLS looks at the server's certificate. The handshake itself verifies nothing, so that each thing that is wrong can be named; nothing is sent over it.
func (d *doctor) checkTLS(ctx context.Context, connection net.Conn, host string, roots *x509.CertPool) bool {
	g, err := readGreeting(connection)
	if err != nil {
		d.failed("tls", "is the port that for clients of the NATS server?", "%v", err)
		return false
	}
	if !g.TLSRequired {
		d.failed("tls", "the operator makes the server's configuration anew with riskprop server-config", "the server does not ask for TLS")
		return false
	}
	client := tls.Client(connection, &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := client.HandshakeContext(ctx); err != nil {
		d.failed("tls", "is there something between us and the server that changes what is sent?", "%v", err)
		return false
	}
	state := client.ConnectionState()
	if state.Version < tls.VersionTLS13 {
		d.failed("tls", "the operator makes the server's configuration anew with riskprop server-config", "the server speaks %s, not TLS 1.3", tls.VersionName(state.Version))
		return false
	}
	return d.checkCertificate(state.PeerCertificates, host, roots, "nats-server "+printable(g.Version))
}

// checkCertificate verifies the chain, the name and the time.
func (d *doctor) checkCertificate(chain []*x509.Certificate, host string, roots *x509.CertPool, server string) bool {
	leaf, now := chain[0], d.now()
	intermediates := x509.NewCertPool()
	for _, c := range chain[1:] {
		intermediates.AddCert(c)
	}
	const renew = "the operator gives the server a new certificate"
	options := x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: leaf.NotBefore.Add(time.Second)}
	switch _, err := leaf.Verify(options); {
	case now.After(leaf.NotAfter):
		d.failed("tls", renew, "the certificate of %s has expired at %s", host, leaf.NotAfter.UTC().Format(statusTime))
	case now.Before(leaf.NotBefore):
		d.failed("tls", "set the clock of this machine, or wait", "the certificate of %s is valid from %s only", host, leaf.NotBefore.UTC().Format(statusTime))
	case err != nil:
		d.failed("tls", "get the certificate of the servers' authority (ca) from the operator, who may have made a new one", "the certificate of %s does not lead to the authority that is configured: %v", host, err)
	case leaf.VerifyHostname(host) != nil:
		d.failed("tls", "use a name in servers that the certificate has, or "+renew, "%v", leaf.VerifyHostname(host))
	case leaf.NotAfter.Sub(now) < certificateSoon:
		d.warn("tls", renew, "the certificate of %s expires at %s", host, leaf.NotAfter.UTC().Format(statusTime))
		return true
	default:
		d.ok("tls", "TLS 1.3, the certificate of %s is valid until %s; %s", host, leaf.NotAfter.UTC().Format(statusTime), server)
		return true
	}
	return false
}

// checkAccount sees whether a server admits the party's key.
func (d *doctor) checkAccount(ctx context.Context, server string) bool {
	if d.id == nil {
		return false // said already
	}
	c, err := credentials(d.party, d.id)
	if err != nil {
		d.failed("account", "correct the configuration", "%v", err)
		return false
	}
	connection, err := jet.Dial(ctx, []string{server}, c, func(err error) { d.logger.Debug().Err(err).Msg("nats") })
	switch {
	case errors.Is(err, jet.ErrNotAdmitted):
		d.failed("account", "the operator makes the server's configuration anew from the present consortium.yaml, and has the server load it", "%s does not admit the key of %s", server, d.id.Name)
		return false
	case err != nil:
		d.failed("account", "see what the server logs", "%v", err)
		return false
	}
	connection.Close()
	d.ok("account", "%s admits %s", server, d.id.Name)
	return true
}

// checkMonitors asks the servers' monitoring whether every write is on the disk before it is acknowledged, and how much room there is.
func (d *doctor) checkMonitors(ctx context.Context) {
	if len(d.party.Monitor) == 0 {
		d.unknown("sync", "whether the servers sync every write (sync_always) cannot be seen from here: no monitor is configured")
	}
	for _, address := range d.party.Monitor {
		page, err := d.monitor(ctx, address)
		if err != nil {
			d.warn("sync", "correct monitor, or take it out: it is often reachable from the server's own machine alone", "%v", err)
			continue
		}
		d.checkRoom(address, page)
		switch {
		case !page.Config.SyncAlways:
			d.failed("sync", "set sync_interval: always: after a power failure the server would have lost what it had acknowledged", "%s: the server does not sync every write", address)
		default:
			d.ok("sync", "%s: every write is on the disk before it is acknowledged", address)
		}
	}
}

// storage is what doctor wants to know of a server's JetStream.
type storage struct {
	Used   uint64 `json:"storage"` // bytes
	Config *struct {
		SyncAlways bool   `json:"sync_always"`
		Limit      uint64 `json:"max_storage"` // bytes, which the server takes from the disk at its start
	} `json:"config"`
}

// fullSoon is the part of a server's storage from which doctor warns, in percent.
const fullSoon = 80

// checkRoom sees how full a server is.
func (d *doctor) checkRoom(address string, s storage) {
	switch limit := s.Config.Limit; {
	case limit == 0:
		d.unknown("room", "%s does not tell how much the server may store", address)
	case s.Used/100*100 >= limit/100*fullSoon:
		d.warn("room", "free space on its disk, or move the store, and start the server again: it takes its limit from the disk at its start",
			"%s: %s of %s are used; when the storage is full the log takes nothing more", address, size(int64(s.Used)), size(int64(limit)))
	default:
		d.ok("room", "%s: %s of %s are used", address, size(int64(s.Used)), size(int64(limit)))
	}
}

// monitor reads one page of a server's monitoring.
func (d *doctor) monitor(ctx context.Context, address string) (page storage, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/jsz", nil)
	if err != nil {
		return page, err
	}
	answer, err := new(http.Client).Do(request)
	if err != nil {
		return page, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return page, fmt.Errorf("%s answers %s", request.URL, answer.Status)
	}
	err = json.NewDecoder(bufio.NewReader(io.LimitReader(answer.Body, maxMonitor))).Decode(&page)
	if err != nil || page.Config == nil {
		return page, fmt.Errorf("%s is not the monitoring of a NATS server with JetStream", request.URL)
	}
	return page, nil
}
