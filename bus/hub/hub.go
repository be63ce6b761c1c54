// Package hub writes the NATS server configuration by which the members of a consortium, who do not trust each other, share one log.
//
// A stock nats-server takes the file; package bus/embed runs one in process.
//
// # Who may do what
//
// The two streams of the log (see bus/jet) belong to the account HUB, in which nobody is a user but the operator. Every member has an account
// of its own, and so has the auditor. HUB exports single subjects as services, and each account imports what is meant for
// it. So a member's client can publish under its own name only: other accounts' subjects are not denied in its account, they do
// not lead anywhere. That goes for reply subjects too, which the server itself publishes to and no permission covers: inside one
// account, a member who names another's empty subject as the place for an answer has the server fill it for ever. On top of
// that every user has a list of subjects that he may publish or subscribe to.
//
// A member m may
//
//   - write records from m, of any session, round and recipient;
//   - read the shared stream: all heads, and all other records addressed to all, and be told when something was stored in it;
//   - ask the server about its own user, which tells the server's time. The auditor may do these two, and nothing else;
//   - read, by subject, records addressed to m and records from m.
//
// Nobody but the operator may use the rest of the JetStream API; above all nobody may create a consumer. A consumer delivers to a subject
// that its creator chooses, in HUB, on the server's own authority. Deliveries to the subject on which another member
// asks for messages take these away from him; deliveries to a subject of the API are requests, which after a restart of the
// server delete a whole stream in spite of every restriction on it. Members read by asking, which leaves nothing behind.
//
// The operator may create the streams, look at them, save them and restore them; not change or delete them. (Who runs the servers can do what he
// likes with the files. Against that help signatures, transcripts and the auditor's copy.)
//
// Connections, subscriptions and message sizes are limited for each account, tightly, since subscriptions to the
// announcements slow down every write, and batches that are read cost memory. How much a member sends no configuration can limit:
// under its own name it can fill the disk, and a flood of messages fills the queue that a stream has for all writers, so that
// the server refuses those of others until the flood is over. Against that there is the guard of bus/embed, which shuts the account
// out; the queue is short, so that what came before that is soon dealt with. A stock nats-server has no guard: there the others'
// writers say that the log is overloaded, and go on trying, until the operator takes the account out of the configuration.
//
// What remains: pings and refused subscriptions are not counted; large reads, many at a time, cost memory, some hundreds of megabytes at worst; and whoever reaches a server's port, member or not, can take up its connections before any of
// them is admitted: let the members' addresses alone through to it.
//
// # The rest of the configuration
//
// Users are admitted by nkeys. Clients and routes speak TLS 1.3; only where a server listens on the loopback interface can it do without. Routes
// verify certificates both ways and also know a common secret, since not everybody who has a certificate of the same CA is
// one of the servers. Every write is on the disk before it is acknowledged. Monitoring is on the loopback interface.
package hub

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"

	"riskprop/bus"
)

// MaxMembers is the most members that a consortium can have.
const MaxMembers = 31

// Member is somebody who connects.
type Member struct {
	Name string // one token
	NKey string // public user key, U...
}

// Node is one server.
type Node struct {
	Host        string // name or address under which clients and other nodes reach it
	Listen      string // address that it listens on; empty: Host where that is an address, all otherwise
	Port        int    // for clients; 0 lets the system choose one, for tests
	RoutePort   int    // for the other nodes, where there are any
	MonitorPort int    // on the loopback interface; 0: no monitoring
	StoreDir    string // where it keeps the streams; nobody else may use it
	Cert, Key   string // PEM files; both empty: no TLS, on the loopback interface only
}

// Config is a consortium and its servers. Paths are as the servers see them; relative ones are relative to the folder that the
// server is started in.
type Config struct {
	Stream      string   // the log's name, one token
	Members     []Member // 1 to MaxMembers
	Auditor     *Member  // nil: none
	Operator    Member
	Nodes       []Node // 1 or 3
	CA          string // PEM file with the CA of the nodes' certificates; for routes with TLS
	RouteSecret string // 32 letters and digits or more, the same in all files; where there is more than one node
}

// Validate returns an error that says what to correct, wrapping bus.ErrInvalid.
func (c Config) Validate() error {
	return errors.Join(c.check()...)
}

// check returns everything that is wrong.
func (c Config) check() (errs []error) {
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: "+format, append([]any{bus.ErrInvalid}, args...)...))
	}
	if !token(c.Stream) {
		wrong("stream name %q, want letters, digits, _ and - only", c.Stream)
	}
	if len(c.Members) == 0 || len(c.Members) > MaxMembers {
		wrong("%d members, want 1 to %d", len(c.Members), MaxMembers)
	}
	names, keys := map[string]bool{}, map[string]bool{}
	for _, m := range append(c.readers(), c.Operator) {
		switch {
		case !token(m.Name) || m.Name == "all":
			wrong("member name %q, want letters, digits, _ and - only, and not all", m.Name)
		case !regexp.MustCompile(`^U[A-Z2-7]{55}$`).MatchString(m.NKey):
			wrong("nkey %q of %s, want a user's public key: U and 55 more letters and digits", m.NKey, m.Name)
		case names[m.Name] || keys[m.NKey]:
			wrong("name or nkey of %s is also another's", m.Name)
		}
		names[m.Name], keys[m.NKey] = true, true
	}
	if len(c.Nodes) != 1 && len(c.Nodes) != 3 {
		wrong("%d nodes, want 1 or 3", len(c.Nodes))
	}
	taken := map[string]bool{}
	for i, n := range c.Nodes {
		if err := n.check(len(c.Nodes) > 1); err != nil {
			wrong("node %d: %w", i+1, err)
		}
		for _, port := range []int{n.Port, n.RoutePort, n.MonitorPort} {
			address := fmt.Sprint(n.Host, " ", port)
			if port != 0 && taken[address] {
				wrong("node %d: port %d of %s has two uses", i+1, port, n.Host)
			}
			taken[address] = true
		}
		if (n.Cert == "") != (c.Nodes[0].Cert == "") {
			wrong("node %d: certificates for some nodes only", i+1)
		}
	}
	if !plain(c.CA) {
		wrong("CA file %q", c.CA)
	}
	if len(c.Nodes) > 1 {
		if c.CA == "" && c.Nodes[0].Cert != "" {
			wrong("no CA file, by which the nodes verify each other")
		}
		if !regexp.MustCompile(`^[A-Za-z0-9]{32,}$`).MatchString(c.RouteSecret) {
			wrong("route secret, want 32 letters and digits or more")
		}
	}
	return errs
}

// check returns what is wrong with a node.
func (n Node) check(routes bool) error {
	_, err := netip.ParseAddr(n.Listen)
	switch {
	case n.Host == "" || !plain(n.Host) || strings.ContainsAny(n.Host, " /@[]"):
		return fmt.Errorf("host %q, want a name or an address", n.Host)
	case n.Listen != "" && err != nil:
		return fmt.Errorf("listens on %q, want an address", n.Listen)
	case n.Port < 0 || n.Port > 65535 || n.MonitorPort < 0 || n.MonitorPort > 65535 || n.RoutePort < 0 || n.RoutePort > 65535:
		return fmt.Errorf("ports %d, %d, %d, want at most 65535", n.Port, n.RoutePort, n.MonitorPort)
	case routes && n.RoutePort == 0:
		return errors.New("no port for routes")
	case n.StoreDir == "" || !plain(n.StoreDir):
		return fmt.Errorf("store directory %q, want a path", n.StoreDir)
	case (n.Cert == "") != (n.Key == "") || !plain(n.Cert) || !plain(n.Key):
		return fmt.Errorf("certificate %q and key %q, want two files or none", n.Cert, n.Key)
	case n.Cert == "" && !loopback(n.listen()):
		return fmt.Errorf("no certificate: without TLS a server may listen on the loopback interface only, not on %s", n.listen())
	}
	return nil
}

// listen returns the address to listen on.
func (n Node) listen() string {
	if n.Listen != "" {
		return n.Listen
	}
	if _, err := netip.ParseAddr(n.Host); err == nil {
		return n.Host
	}
	if n.Host == "localhost" {
		return "127.0.0.1"
	}
	return "0.0.0.0"
}

// readers are the members and the auditor.
func (c Config) readers() []Member {
	out := append([]Member(nil), c.Members...)
	if c.Auditor != nil {
		out = append(out, *c.Auditor)
	}
	return out
}

// token reports whether s can be one token of a subject.
func token(s string) bool { return bus.CheckSubject(s) == nil && bus.Match("*", s) }

// plain reports whether s can stand between quotes.
func plain(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

// loopback reports whether address is the local one.
func loopback(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.IsLoopback()
}
