package hub_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"riskprop/bus"
	"riskprop/bus/hub"
	"riskprop/bus/hub/hubtest"
)

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	valid := func() hub.Config {
		c := hubtest.New(t, 3, true, "alice", "bob").Config
		for i := range c.Nodes {
			c.Nodes[i].MonitorPort = 20000 + i
		}
		return c
	}
	if err := valid().Validate(); err != nil {
		t.Fatal(err)
	}
	for says, spoil := range map[string]func(*hub.Config){
		"stream name":               func(c *hub.Config) { c.Stream = "a.b" },
		"0 members":                 func(c *hub.Config) { c.Members = nil },
		"32 members":                func(c *hub.Config) { c.Members = make([]hub.Member, 32) },
		`member name "all"`:         func(c *hub.Config) { c.Members[0].Name = "all" },
		`member name "al ice"`:      func(c *hub.Config) { c.Members[0].Name = "al ice" },
		`member name "*"`:           func(c *hub.Config) { c.Operator.Name = "*" },
		`nkey "UA"`:                 func(c *hub.Config) { c.Auditor.NKey = "UA" },
		"nkey \"A":                  func(c *hub.Config) { c.Members[1].NKey = "A" + c.Members[1].NKey[1:] },
		"name or nkey of bob":       func(c *hub.Config) { c.Members[0].Name = "bob" },
		"name or nkey of operator":  func(c *hub.Config) { c.Operator.NKey = c.Auditor.NKey },
		"name or nkey of auditor":   func(c *hub.Config) { c.Auditor.NKey = c.Members[0].NKey },
		"2 nodes":                   func(c *hub.Config) { c.Nodes = c.Nodes[:2] },
		"node 2: host":              func(c *hub.Config) { c.Nodes[1].Host = "a b" },
		"node 1: host":              func(c *hub.Config) { c.Nodes[0].Host = "" },
		"listens on \"x\"":          func(c *hub.Config) { c.Nodes[0].Listen = "x" },
		"ports 70000":               func(c *hub.Config) { c.Nodes[0].Port = 70000 },
		"no port for routes":        func(c *hub.Config) { c.Nodes[2].RoutePort = 0 },
		"store directory \"\"":      func(c *hub.Config) { c.Nodes[0].StoreDir = "" },
		"store directory \"a\\nb\"": func(c *hub.Config) { c.Nodes[0].StoreDir = "a\nb" },
		"want two files or none":    func(c *hub.Config) { c.Nodes[0].Key = "" },
		"for some nodes only":       func(c *hub.Config) { c.Nodes[1].Cert, c.Nodes[1].Key = "", "" },
		"has two uses":              func(c *hub.Config) { c.Nodes[1].Port = c.Nodes[0].RoutePort },
		"CA file \"\\x00\"":         func(c *hub.Config) { c.CA = "\x00" },
		"no CA file":                func(c *hub.Config) { c.CA = "" },
		"route secret":              func(c *hub.Config) { c.RouteSecret = "short" },
		"without TLS a server may listen on the loopback interface only, not on 0.0.0.0": func(c *hub.Config) {
			for i := range c.Nodes {
				c.Nodes[i].Cert, c.Nodes[i].Key, c.Nodes[i].Host = "", "", "nats.example.com"
			}
		},
	} {
		c := valid()
		spoil(&c)
		text, err := c.Render(0)
		if !errors.Is(err, bus.ErrInvalid) || !strings.Contains(err.Error(), says) || text != "" {
			t.Errorf("Render = %q, %v, want an error that says %q", text, err, says)
		}
	}
}

func TestWhereAServerListens(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ host, listen, want string }{
		{"nats.example.com", "", `listen: "0.0.0.0:4222"`},
		{"localhost", "", `listen: "127.0.0.1:4222"`},
		{"10.1.2.3", "", `listen: "10.1.2.3:4222"`},
		{"::1", "", `listen: "[::1]:4222"`},
		{"nats.example.com", "10.1.2.3", `listen: "10.1.2.3:4222"`},
	} {
		config := hubtest.New(t, 1, true, "alice").Config
		config.Nodes[0].Host, config.Nodes[0].Listen, config.Nodes[0].Port, config.Nodes[0].MonitorPort = c.host, c.listen, 4222, 8222
		text, err := config.Render(0)
		if err != nil || !strings.Contains(text, c.want) || !strings.Contains(text, `http: "127.0.0.1:8222"`) {
			t.Errorf("Render for %s and %s = %v, want %s in\n%s", c.host, c.listen, err, c.want, text)
		}
	}
}

// Members whose names are those of other accounts, or of each other's subjects, have accounts of their own.
func TestNamesDoNotCollide(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 1, false, "HUB", "SYS", "PARTY-HUB", "RISK", "risk", "private", "head", "0", "-", "a-PRIVATE")
	s.StartAll(t)
	for _, m := range s.Config.Members {
		log := s.Open(t, m.Name)
		mustAppend(t, log, head(m.Name, 1))
		mustAppend(t, log, part(m.Name, "HUB", 1))
		if _, err := log.Get(t.Context(), part(m.Name, "HUB", 1)); err != nil {
			t.Errorf("%s: Get = %v", m.Name, err)
		}
	}
	if got := readAll(t, s.Open(t, "SYS")); len(got) != len(s.Config.Members) {
		t.Errorf("SYS reads %v", got)
	}
}

// An odd path reaches the server as it is.
func TestPathsAreQuoted(t *testing.T) {
	t.Parallel()
	s := hubtest.New(t, 1, false, "alice")
	s.Config.Nodes[0].StoreDir += `/with space, "quotes", $HOME, \back and # } ü`
	s.StartAll(t)
	mustAppend(t, s.Open(t, "alice"), head("alice", 1))
	server := s.Servers[0]
	server.Shutdown()
	s.Start(t, 0)
	if got := readAll(t, s.Open(t, "alice")); len(got) != 1 {
		t.Errorf("%d records are left", len(got))
	}
}

func TestDevelopmentCA(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	ca, certificates, err := hub.DevelopmentCA([]string{"127.0.0.1", "nats.example.com"}, now)
	if err != nil || len(certificates) != 2 {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatal("no CA")
	}
	for i, host := range []string{"127.0.0.1", "nats.example.com"} {
		pair, err := tls.X509KeyPair(certificates[i].Cert, certificates[i].Key)
		if err != nil {
			t.Fatal(err)
		}
		verify := func(host string, at time.Time) error {
			_, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, CurrentTime: at,
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}})
			return err
		}
		for _, at := range []time.Time{now.Add(-time.Minute), now, now.AddDate(0, 11, 0)} {
			if err := verify(host, at); err != nil {
				t.Errorf("%s at %v: %v", host, at, err)
			}
		}
		if verify("other.example.com", now) == nil || verify(host, now.AddDate(1, 0, 1)) == nil || verify(host, now.AddDate(0, 0, -1)) == nil {
			t.Errorf("the certificate of %s is good for too much", host)
		}
	}
	if _, again, _ := hub.DevelopmentCA([]string{"127.0.0.1"}, now); string(again[0].Key) == string(certificates[0].Key) {
		t.Error("the same key twice")
	}
	block, _ := pem.Decode(ca)
	if root, err := x509.ParseCertificate(block.Bytes); err != nil || root.MaxPathLen != 0 || !root.MaxPathLenZero {
		t.Error("the CA can make other CAs")
	}
}

func TestNodesHaveNames(t *testing.T) {
	if got := fmt.Sprint(hub.NodeName(0), hub.NodeName(2)); got != "nats-1nats-3" {
		t.Error(got)
	}
}
