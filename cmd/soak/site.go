package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// banks are the members.
func banks() []string { return []string{"alice", "bob", "charlie"} }

// siteConfig says what to run.
type siteConfig struct {
	dir, binary       string // absolute
	nodes             int    // servers: 1 or 3
	keyBits, accounts int
	grace             time.Duration
}

// What every propagation computes.
const (
	periods    = 2
	iterations = 3
)

// setupLimit is how long servers may take until they have elected their leaders.
const setupLimit = 90 * time.Second

// site is a consortium on this machine.
type site struct {
	siteConfig
	roster    string   // digest
	addresses []string // of the servers
	servers   []*process
	parties   map[string]*process // by bank

	// completed gets every round that a party completes, as long as there is room; may be nil.
	completed chan completion

	mu            sync.Mutex
	present       *session
	gaveUp        int // times that a party ended by itself with status 1
	openedWithout int // times that a party's scores were opened without somebody's share
}

// newSite makes identities, data and configurations, starts the servers and creates the log.
func newSite(ctx context.Context, c siteConfig) (*site, error) {
	s := &site{siteConfig: c, parties: make(map[string]*process), present: newSession("", "")}
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	for i := range c.nodes {
		name := fmt.Sprintf("nats-%d", i+1)
		s.servers = append(s.servers, &process{binary: c.binary, dir: s.path("work", name), log: s.path("logs", name),
			args:  func() []string { return []string{"server", "--config", s.path("nats", name+".conf")} },
			ended: func(err error) { s.fail(fmt.Errorf("%s has ended by itself: %w", name, err)) }})
	}
	for _, bank := range banks() {
		s.parties[bank] = &process{binary: c.binary, dir: s.path("work", bank), log: s.path("logs", bank),
			args:  func() []string { return s.args(bank) },
			line:  func(line string) { s.heard(bank, line) },
			ended: func(err error) { s.ended(bank, err) }}
	}
	s.startServers()
	if err := s.createLog(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *site) startServers() {
	for _, server := range s.servers {
		server.start()
	}
}

// createLog creates the log as soon as the servers have elected who does that.
func (s *site) createLog(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, setupLimit)
	defer cancel()
	for {
		_, err := s.riskprop(limit, "stream", "--config", s.path("operator.yaml"))
		select {
		case failed := <-s.present.ends: // a server, since no session runs
			return failed
		default:
		}
		if err == nil || !pause(limit, 300*time.Millisecond) {
			return err
		}
	}
}

// stop ends all processes.
func (s *site) stop() {
	for _, p := range s.parties {
		p.stop()
	}
	for _, p := range s.servers {
		p.stop()
	}
}

func (s *site) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// riskprop runs a subcommand to its end and returns what it printed to standard output.
func (s *site) riskprop(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, s.binary, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("riskprop %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return string(out), err
}

// prepare writes all files.
func (s *site) prepare(ctx context.Context) error {
	first, err := freePorts(2 * s.nodes)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.path("logs"), 0o700); err != nil {
		return err
	}
	if err := s.join(ctx, first); err != nil {
		return err
	}
	accounts, transactions := strconv.Itoa(s.accounts), strconv.Itoa(3*s.accounts)
	for _, args := range [][]string{
		{"server-config", "--consortium", s.path("consortium.yaml"), "--out", s.path("nats"), "--nodes", strconv.Itoa(s.nodes), "--dev-ca",
			"--port", strconv.Itoa(first), "--route-port", strconv.Itoa(first + s.nodes), "--monitor-port", "0"},
		{"gen", "--out", s.path("data"), "--accounts", accounts, "--transactions", transactions, "--periods", strconv.Itoa(periods)},
		{"plain", "--data", s.path("data"), "--out", s.path("plain"), "--iterations", strconv.Itoa(iterations)},
	} {
		if _, err := s.riskprop(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// join makes the identities and the consortium of them, and everybody's configuration, for servers from a port on.
func (s *site) join(ctx context.Context, port int) error {
	for i := range s.nodes {
		s.addresses = append(s.addresses, fmt.Sprintf("tls://127.0.0.1:%d", port+i))
	}
	create := []string{"consortium"}
	for _, name := range append(banks(), "operator") {
		role, more := "member", fmt.Sprintf("data: data/%[1]s\nscores: scores/%[1]s\nlog: {format: json, level: info}\ngrace: %[2]v\n", name, s.grace)
		if name == "operator" {
			role, more = "operator", fmt.Sprintf("replicas: %d\n", s.nodes)
		}
		if _, err := s.riskprop(ctx, "init", name, "--dir", s.path(name), "--role", role); err != nil {
			return err
		}
		text := fmt.Sprintf("version: 1\nname: %[1]s\nidentity: %[1]s/identity.yaml\nconsortium: consortium.yaml\nservers: [%[2]s]\nca: nats/ca.pem\n%[3]s",
			name, strings.Join(s.addresses, ", "), more)
		if err := os.WriteFile(s.path(name+".yaml"), []byte(text), 0o600); err != nil {
			return err
		}
		create = append(create, s.path(name, name+".pub.yaml"))
	}
	consortium, err := s.riskprop(ctx, create...)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(consortium, "\nroster: ")
	s.roster, _, _ = strings.Cut(rest, "\n")
	return os.WriteFile(s.path("consortium.yaml"), []byte(consortium), 0o600)
}

// freePorts finds so many ports in a row that nobody listens on, below those that systems give to whoever asks for any.
func freePorts(n int) (int, error) {
	for range 1000 {
		first := 10000 + rand.IntN(20000)
		free := 0
		for free < n {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+free))
			if err != nil {
				break
			}
			_ = l.Close() // nobody has connected
			free++
		}
		if free == n {
			return first, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports in a row", n)
}
