package hub

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"riskprop/bus/jet"
)

// The limits of a server, and of one account.
const (
	maxPayload     = 8 << 20 // bytes of a message, of anybody
	maxConnections = 4096
	// An account's share. Some connections are for a party, another copy of it, its doctor and its status; a connection needs a
	// handful of subscriptions. More would let one member slow the servers down: every subscription to the announcements
	// costs every write, and every batch that is being read costs memory.
	accountConnections   = 8
	accountSubscriptions = 64 // of one connection
	// maxQueued is the number of messages that wait for one stream's disk. When a flood has filled the queue, everybody's messages
	// are refused until it has drained; what keeps to bus.GuardUnits does not fill it.
	maxQueued = 2048
)

// OwnerAccount is the account that owns the streams, and whose only user is the operator.
const OwnerAccount = "HUB"

// The accounts that are nobody's.
const (
	hubAccount    = OwnerAccount
	systemAccount = "SYS"
)

// NodeName returns the name of a node, counted from 0, which is also that of its files.
func NodeName(node int) string { return "nats-" + strconv.Itoa(node+1) }

// Render returns the text of one node's configuration file; nodes are counted from 0. It holds the routes' secret. The error is
// Validate's.
func (c Config) Render(node int) (string, error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	n := c.Nodes[node]
	w := &writer{}
	w.line("# Server %d of %d of the consortium whose log is %s. Made by riskprop from the consortium's file: do not edit,", node+1, len(c.Nodes), c.Stream)
	w.line("# but make it anew, and keep it to yourself where there are other servers: it holds their common secret.")
	w.line("server_name: %s", quote(NodeName(node)))
	w.line("listen: %s", quote(address(n.listen(), n.Port)))
	w.line("max_payload: %d", maxPayload)
	w.line("max_connections: %d", maxConnections)
	if n.MonitorPort != 0 {
		w.line("http: %s", quote(address("127.0.0.1", n.MonitorPort)))
	}
	if n.Cert != "" {
		w.block("tls", func() { w.tls(n) })
	}
	w.block("jetstream", func() {
		w.line("store_dir: %s", quote(n.StoreDir))
		w.line("sync_interval: always")
		w.line("max_buffered_msgs: %d", maxQueued)
	})
	if len(c.Nodes) > 1 {
		w.block("cluster", func() { c.cluster(w, node) })
	}
	w.line("system_account: %s", quote(systemAccount))
	w.block("accounts", func() {
		w.line("%s: {}", quote(systemAccount))
		w.block(quote(hubAccount), func() { c.hub(w) })
		for _, m := range c.readers() {
			w.block(quote(accountOf(m)), func() { c.account(w, m) })
		}
	})
	return w.String(), nil
}

// accountOf returns the name of a member's account, which is neither of those that are nobody's.
func accountOf(m Member) string { return "PARTY-" + m.Name }

// cluster writes how a node finds and admits the others.
func (c Config) cluster(w *writer, node int) {
	n := c.Nodes[node]
	w.line("name: %s", quote(c.Stream))
	w.line("listen: %s", quote(address(n.listen(), n.RoutePort)))
	w.line("no_advertise: true")
	w.line("authorization: {user: route, password: %s, timeout: 5}", quote(c.RouteSecret))
	scheme := "nats"
	if n.Cert != "" {
		scheme = "tls"
		w.block("tls", func() {
			w.tls(n)
			w.line("ca_file: %s", quote(c.CA))
			w.line("verify: true")
		})
	}
	w.list("routes", func() {
		for i, other := range c.Nodes {
			if i != node {
				w.line("%s", quote(fmt.Sprintf("%s://route:%s@%s", scheme, c.RouteSecret, address(other.Host, other.RoutePort))))
			}
		}
	})
}

// hub writes the account that owns the streams.
func (c Config) hub(w *writer) {
	w.line("jetstream: enabled")
	publish, subscribe := c.operatorMay()
	w.user(c.Operator, publish, subscribe)
	w.list("exports", func() {
		var everybody []string
		for _, m := range c.readers() {
			everybody = append(everybody, accountOf(m))
		}
		for _, s := range c.sharedServices() {
			w.line("{service: %s, accounts: [%s]%s}", quote(s.subject), quotes(everybody), s.response())
		}
		w.line("{stream: %s, accounts: [%s]}", quote(jet.Announcements(c.Stream, "*")), quotes(everybody))
		for _, m := range c.Members {
			for _, s := range c.ownServices(m) {
				w.line("{service: %s, accounts: [%s]%s}", quote(s.subject), quote(accountOf(m)), s.response())
			}
		}
	})
}

// account writes the account of a member, or of the auditor.
func (c Config) account(w *writer, m Member) {
	services := c.sharedServices()
	if c.Auditor == nil || m != *c.Auditor {
		services = append(services, c.ownServices(m)...)
	}
	var publish []string
	for _, s := range services {
		publish = append(publish, s.local())
	}
	publish = append(publish, jet.AskServer)
	w.user(m, publish, []string{jet.InboxPrefix(m.Name) + ".>", jet.Announcements(c.Stream, "*")})
	w.line("limits: {max_connections: %d, max_subscriptions: %d, max_payload: %d}", accountConnections, accountSubscriptions, jet.MaxMessage)
	w.list("imports", func() {
		for _, s := range services {
			w.line("{service: {account: %s, subject: %s}, to: %s}", quote(hubAccount), quote(s.subject), quote(numbered(s.local())))
		}
		w.line("{stream: {account: %s, subject: %s}}", quote(hubAccount), quote(jet.Announcements(c.Stream, "*")))
	})
}

// numbered puts $1, $2, … in place of the wildcards, which is how an import says that they stay what they are.
func numbered(subject string) string {
	tokens := strings.Split(subject, ".")
	n := 0
	for i := range tokens {
		if tokens[i] == "*" {
			n++
			tokens[i] = "$" + strconv.Itoa(n)
		}
	}
	return strings.Join(tokens, ".")
}

// writer writes lines, indented.
type writer struct {
	strings.Builder
	depth int
}

func (w *writer) line(format string, args ...any) {
	w.WriteString(strings.Repeat("\t", w.depth))
	fmt.Fprintf(w, format, args...)
	w.WriteByte('\n')
}

func (w *writer) block(name string, body func()) { w.nested(name+": {", body, "}") }
func (w *writer) list(name string, body func())  { w.nested(name+": [", body, "]") }

func (w *writer) nested(first string, body func(), last string) {
	w.line("%s", first)
	w.depth++
	body()
	w.depth--
	w.line("%s", last)
}

// tls writes what clients and routes have in common.
func (w *writer) tls(n Node) {
	w.line("cert_file: %s", quote(n.Cert))
	w.line("key_file: %s", quote(n.Key))
	w.line("min_version: %s", quote("1.3"))
	w.line("timeout: 5")
}

// user writes an account's one user.
func (w *writer) user(m Member, publish, subscribe []string) {
	w.list("users", func() {
		w.line("{nkey: %s, permissions: {publish: [%s], subscribe: [%s]}}", quote(m.NKey), quotes(publish), quotes(subscribe))
	})
}

// address joins host and port; port 0 is written as the server's word for any.
func address(host string, port int) string {
	if port == 0 {
		port = -1
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// quote quotes a string without control characters.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func quotes(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quote(s)
	}
	return strings.Join(out, ", ")
}
