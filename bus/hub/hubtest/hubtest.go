// Package hubtest runs the servers of a consortium in a test: from the configuration files that package hub writes, with keys and
// certificates made for the occasion, on ports of the loopback interface.
package hubtest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
	"github.com/rs/zerolog"

	"riskprop/bus/embed"
	"riskprop/bus/hub"
	"riskprop/bus/jet"
)

// Names of a consortium that are always the same.
const (
	Stream   = "RISK"
	Operator = "operator"
	Auditor  = "auditor"
)

// Site is a consortium and its servers.
type Site struct {
	Config  hub.Config
	CA      []byte                   // PEM; nil without TLS
	Servers []*embed.Server          // as many as there are nodes; nil until they are started
	Edit    func(text string) string // changes the configuration files, where it is not nil
	Guard   embed.Guard              // against floods; embed.DefaultGuard unless it is changed before the start

	dir  string
	keys map[string]nkeys.KeyPair
}

// New makes keys for the members, the auditor and the operator, and a configuration for nodes servers: with TLS, or without it, which is
// faster. A single server has a port of the system's choice.
func New(t testing.TB, nodes int, tls bool, members ...string) *Site {
	t.Helper()
	s := &Site{Guard: embed.DefaultGuard(hub.OwnerAccount), dir: t.TempDir(), keys: make(map[string]nkeys.KeyPair), Servers: make([]*embed.Server, nodes)}
	auditor := s.member(t, Auditor)
	s.Config = hub.Config{Stream: Stream, Operator: s.member(t, Operator), Auditor: &auditor, RouteSecret: "0123456789abcdef0123456789abcdef"}
	for _, name := range members {
		s.Config.Members = append(s.Config.Members, s.member(t, name))
	}
	const host = "127.0.0.1"
	ports := freePorts(t, 2*nodes)
	for i := range nodes {
		n := hub.Node{Host: host, StoreDir: s.path("store-" + strconv.Itoa(i))}
		if nodes > 1 {
			n.Port, n.RoutePort = ports[2*i], ports[2*i+1]
		}
		s.Config.Nodes = append(s.Config.Nodes, n)
	}
	if tls {
		s.certify(t, host)
	}
	return s
}

// certify gives every node a certificate for host.
func (s *Site) certify(t testing.TB, host string) {
	t.Helper()
	hosts := make([]string, len(s.Config.Nodes))
	for i := range hosts {
		hosts[i] = host
	}
	ca, certificates, err := hub.DevelopmentCA(hosts, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.CA, s.Config.CA = ca, s.write(t, "ca.pem", ca)
	for i, c := range certificates {
		s.Config.Nodes[i].Cert = s.write(t, fmt.Sprintf("cert-%d.pem", i), c.Cert)
		s.Config.Nodes[i].Key = s.write(t, fmt.Sprintf("key-%d.pem", i), c.Key)
	}
}

// Start renders and starts a node, and stops it with the test. A node that was stopped before goes on where it was.
func (s *Site) Start(t testing.TB, node int) *embed.Server {
	t.Helper()
	text, err := s.Config.Render(node)
	if err != nil {
		t.Fatal(err)
	}
	if s.Edit != nil {
		text = s.Edit(text)
	}
	server, err := embed.StartFile(s.write(t, hub.NodeName(node)+".conf", []byte(text)), s.Guard, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	s.Servers[node] = server
	return server
}

// StartAll starts all nodes and creates the log.
func (s *Site) StartAll(t testing.TB) {
	t.Helper()
	for i := range s.Servers {
		s.Start(t, i)
	}
	nc, err := jet.Dial(t.Context(), s.URLs(), s.Credentials(Operator))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := jet.CreateStream(t.Context(), nc, jet.StreamConfig{Name: Stream, Replicas: len(s.Servers)}); err != nil {
		t.Fatal(err)
	}
}

// URLs returns the addresses of the nodes that were started.
func (s *Site) URLs() []string {
	var out []string
	for _, server := range s.Servers {
		if server != nil {
			out = append(out, server.URL())
		}
	}
	return out
}

// Credentials returns those of a member, the auditor or the operator; for any other name, new ones that no server knows.
func (s *Site) Credentials(name string) jet.Credentials {
	key, ok := s.keys[name]
	if !ok {
		key = newKey()
	}
	return jet.Credentials{Name: name, NKey: publicKey(key), Sign: key.Sign, CA: s.CA}
}

// Open returns the handle of a member or of the auditor on a connection of its own, which ends with the test.
func (s *Site) Open(t testing.TB, name string) *jet.Log {
	t.Helper()
	nc, err := jet.Dial(t.Context(), s.URLs(), s.Credentials(name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	log, err := jet.New(t.Context(), nc, jet.Config{Stream: Stream, Party: name, APIPrefix: jet.MemberAPIPrefix, Paced: true})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// member makes a key for name.
func (s *Site) member(t testing.TB, name string) hub.Member {
	t.Helper()
	key := newKey()
	s.keys[name] = key
	return hub.Member{Name: name, NKey: publicKey(key)}
}

func newKey() nkeys.KeyPair {
	key, err := nkeys.CreateUser()
	if err != nil {
		panic("hubtest: make a key: " + err.Error())
	}
	return key
}

func publicKey(key nkeys.KeyPair) string {
	public, err := key.PublicKey()
	if err != nil {
		panic("hubtest: public key: " + err.Error())
	}
	return public
}

func (s *Site) path(name string) string { return filepath.Join(s.dir, name) }

// write writes a file that is read by its owner only.
func (s *Site) write(t testing.TB, name string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(s.path(name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return s.path(name)
}

// freePorts returns ports that nobody uses at the moment: the servers of a cluster must know each other's before they start.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}
