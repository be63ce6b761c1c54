package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"riskprop/party/ledger"
)

// banks are the members.
func banks() []string { return []string{"alice", "bob", "charlie"} }

// Limits of patience.
const (
	sessionLimit = 6 * time.Minute  // a session that takes longer stands still
	setupLimit   = 90 * time.Second // until the servers have elected their leaders
)

// siteConfig says what to run.
type siteConfig struct {
	dir, binary       string
	nodes             int // servers: 1 or 3
	keyBits, accounts int
}

// site is a consortium on this machine.
type site struct {
	siteConfig
	ctx      context.Context
	roster   string // digest
	servers  []*process
	parties  map[string]*process
	restarts int // of parties that gave up by themselves

	mu     sync.Mutex
	phases map[string]string // by bank: the last round that it has completed
	keys   map[string]string // by bank: the key that it tells of
	done   map[string]bool
	ends   chan error // of parties: nil when all have ended well

	rounds chan string // every round that a party completes is sent there, as long as there is room; may be nil
}

// newSite makes identities, data and configurations, starts the servers and creates the log.
func newSite(ctx context.Context, c siteConfig) (*site, error) {
	s := &site{siteConfig: c, ctx: ctx, parties: make(map[string]*process), phases: make(map[string]string)}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	for i := range c.nodes {
		name := fmt.Sprintf("nats-%d", i+1)
		server := &process{name: name, binary: c.binary, args: []string{"server", "--config", s.path("nats", name+".conf")},
			dir: s.path("work", name), log: s.path("logs", name), ended: func(error) {}}
		s.servers = append(s.servers, server)
		server.start()
	}
	for _, bank := range banks() {
		s.parties[bank] = &process{name: bank, binary: c.binary, dir: s.path("work", bank), log: s.path("logs", bank),
			line: func(line string) { s.heard(bank, line) }, ended: func(err error) { s.ended(bank, err) }}
	}
	if err := s.createLog(ctx); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// createLog creates the log as soon as the servers have elected who does that.
func (s *site) createLog(ctx context.Context) error {
	limit, cancel := context.WithTimeout(ctx, setupLimit)
	defer cancel()
	for {
		_, err := s.riskprop(limit, "stream", "--config", s.path("operator.yaml"))
		if err == nil || !pause(limit, time.Second) {
			return err
		}
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
		return "", fmt.Errorf("riskprop %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return string(out), err
}

// prepare writes all files.
func (s *site) prepare() error {
	var servers []string
	ports, err := freePorts(3 * s.nodes)
	if err != nil {
		return err
	}
	args := []string{"server-config", "--consortium", s.path("consortium.yaml"), "--out", s.path("nats"), "--nodes", strconv.Itoa(s.nodes), "--dev-ca",
		"--port", strconv.Itoa(ports), "--route-port", strconv.Itoa(ports + s.nodes), "--monitor-port", "0"}
	for i := range s.nodes {
		servers = append(servers, fmt.Sprintf("tls://127.0.0.1:%d", ports+i))
	}
	public := []string{"consortium"}
	for _, name := range append(banks(), "operator") {
		role := map[bool]string{true: "operator", false: "member"}[name == "operator"]
		if _, err := s.riskprop(s.ctx, "init", name, "--dir", s.path(name), "--role", role); err != nil {
			return err
		}
		public = append(public, s.path(name, name+".pub.yaml"))
		text := fmt.Sprintf("version: 1\nname: %[1]s\nidentity: %[1]s/identity.yaml\nconsortium: consortium.yaml\nservers: [%[2]s]\nca: nats/ca.pem\n"+
			"data: data/%[1]s\nscores: scores/%[1]s\nlog: {format: json, level: info}\n", name, strings.Join(servers, ", "))
		if name == "operator" {
			text = fmt.Sprintf("version: 1\nname: operator\nidentity: operator/identity.yaml\nconsortium: consortium.yaml\nservers: [%s]\nca: nats/ca.pem\nreplicas: %d\n",
				strings.Join(servers, ", "), s.nodes)
		}
		if err := os.WriteFile(s.path(name+".yaml"), []byte(text), 0o600); err != nil {
			return err
		}
	}
	consortium, err := s.riskprop(s.ctx, public...)
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(consortium, "\nroster: ")
	s.roster, _, _ = strings.Cut(rest, "\n")
	if err := errors.Join(os.WriteFile(s.path("consortium.yaml"), []byte(consortium), 0o600), os.MkdirAll(s.path("logs"), 0o700)); err != nil {
		return err
	}
	if _, err := s.riskprop(s.ctx, args...); err != nil {
		return err
	}
	if _, err := s.riskprop(s.ctx, "gen", "--out", s.path("data"), "--accounts", strconv.Itoa(s.accounts), "--transactions", strconv.Itoa(3*s.accounts), "--periods", "2"); err != nil {
		return err
	}
	_, err = s.riskprop(s.ctx, "plain", "--data", s.path("data"), "--out", s.path("plain"), "--iterations", "3")
	return err
}

// freePorts finds so many ports in a row that nobody listens on.
func freePorts(n int) (int, error) {
	for base := 20000; base < 60000; base += 37 {
		free := true
		for port := base; port < base+n && free; port++ {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if free = err == nil; free {
				_ = l.Close() // nobody has connected
			}
		}
		if free {
			return base, nil
		}
	}
	return 0, errors.New("no free ports")
}

// session runs a session to its end, while somebody disturbs it, and checks what came of it.
func (s *site) session(ctx context.Context, id, key string, disturb func(context.Context)) error {
	text := fmt.Sprintf("version: 1\nkind: keygen\nsession: %s\nroster: %s\nkey_bits: %d\n", id, s.roster, s.keyBits)
	if id != key {
		text = fmt.Sprintf("version: 1\nkind: propagate\nsession: %s\nroster: %s\nkey_session: %s\nperiods: 2\niterations: 3\ndelta: 0.5\n", id, s.roster, key)
	}
	if err := os.WriteFile(s.path(id+".yaml"), []byte(text), 0o600); err != nil {
		return err
	}
	s.mu.Lock()
	s.done, s.keys, s.ends = make(map[string]bool), make(map[string]string), make(chan error, 100)
	s.mu.Unlock()
	for _, bank := range banks() {
		s.parties[bank].args = []string{"party", "--config", s.path(bank + ".yaml"), "--session", s.path(id + ".yaml"), "--json"}
		s.start(bank)
	}
	disturbed, calm := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		disturb(disturbed)
		close(over)
	}()
	limit, cancel := context.WithTimeout(ctx, sessionLimit)
	defer cancel()
	var err error
	select {
	case err = <-s.ends:
	case <-limit.Done():
		err = fmt.Errorf("it has not ended after %v; completed were %v", sessionLimit, s.phases)
	}
	calm()
	<-over
	for _, server := range s.servers {
		server.start()
	}
	if err != nil {
		return err
	}
	return s.check(id, key)
}

// start starts a party that has not ended well yet.
func (s *site) start(bank string) {
	s.mu.Lock()
	done := s.done[bank]
	s.mu.Unlock()
	if !done {
		s.parties[bank].start()
	}
}

// heard takes note of what a party prints.
func (s *site) heard(bank, line string) {
	var entry struct{ Name, Key, Message string }
	if json.Unmarshal([]byte(line), &entry) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry.Message == "round complete" {
		s.phases[bank] = entry.Name
		select {
		case s.rounds <- entry.Name:
		default:
		}
	}
	if entry.Key != "" {
		s.keys[bank] = entry.Key
	}
}

// phase is the last round that a bank has completed.
func (s *site) phase(bank string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phases[bank]
}

// ended takes note of a party that has ended by itself. One that could not go on, with status 1, is started again.
func (s *site) ended(bank string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var exit *exec.ExitError
	switch {
	case err == nil:
		s.done[bank] = true
		if len(s.done) == len(banks()) {
			s.ends <- nil
		}
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		if s.restarts++; s.restarts > 1000 {
			s.ends <- fmt.Errorf("%s gives up again and again: %w", bank, err)
			return
		}
		go s.start(bank)
	default:
		s.ends <- fmt.Errorf("%s: %w", bank, err)
	}
}

// check compares the keys of the parties, or their scores with those of the computation in the clear.
func (s *site) check(id, key string) error {
	for _, bank := range banks() {
		if id == key {
			if s.keys[bank] == "" || s.keys[bank] != s.keys[banks()[0]] {
				return fmt.Errorf("the parties tell of the keys %v", s.keys)
			}
			continue
		}
		got, err := readScores(s.path("scores", bank, id, "scores.csv"))
		if err != nil {
			return err
		}
		want, err := readScores(s.path("plain", bank, "scores.csv"))
		if err != nil {
			return err
		}
		if err := same(got, want); err != nil {
			return fmt.Errorf("%s: %w", bank, err)
		}
	}
	return nil
}

func readScores(path string) ([]ledger.Score, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParseScores(ledger.File{Name: path, Data: text})
}

// same compares scores up to 1e-9.
func same(got, want []ledger.Score) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d scores, not %d", len(got), len(want))
	}
	for i := range got {
		if got[i].ID != want[i].ID || math.Abs(got[i].Final-want[i].Final) > 1e-9 {
			return fmt.Errorf("account %d has the score %v, not %v", i, got[i].Final, want[i].Final)
		}
	}
	return nil
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
