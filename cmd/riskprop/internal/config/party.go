package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"time"
)

// Party is where one party finds what it needs. Paths in it are relative to the working directory, or absolute.
type Party struct {
	Name           string
	Identity       string // file
	PassphraseFile string // empty: an encrypted identity asks at the terminal
	Consortium     string // file
	Servers        []string
	CA             string        // file; empty: the system's roots
	Monitor        []string      // the servers' monitoring addresses, without a slash at their end
	Data           string        // folder of accounts.csv and transactions.csv; members only
	Scores         string        // folder of results; members only
	Keys           string        // folder of imported key shares; empty: none
	Replicas       int           // of the stream, for the operator: 1 or 3
	Log            LogConfig     // of the program, not of the stream
	Metrics        string        // host:port; empty: none
	Grace          time.Duration // how long a round that a quorum can complete waits for the others
}

// LogConfig says how the program logs.
type LogConfig struct {
	Format string // json or console
	Level  string // debug, info, warn or error
}

// Limits and defaults of a party's configuration.
const (
	maxServers   = 16
	maxGrace     = 24 * time.Hour
	defaultGrace = time.Minute
)

// ParseParty reads a party's configuration. Paths in it are relative to the folder of the file.
func ParseParty(file string, data []byte) (*Party, error) {
	m := parse(file, data, "name", "identity", "passphrase_file", "consortium", "servers", "ca", "monitor", "data", "scores", "keys", "replicas", "log",
		"metrics", "grace")
	p := &Party{
		Name:     m.name("name"),
		Identity: m.path(file, "identity"), PassphraseFile: m.pathOr(file, "passphrase_file"), Consortium: m.path(file, "consortium"),
		Servers: m.texts("servers", maxServers, checkServer), CA: m.pathOr(file, "ca"),
		Data: m.pathOr(file, "data"), Scores: m.pathOr(file, "scores"), Keys: m.pathOr(file, "keys"),
		Replicas: 1, Log: LogConfig{Format: "json", Level: "info"},
		Metrics: m.textOr("metrics", ""), Grace: defaultGrace,
	}
	if m.has("monitor") {
		p.Monitor = m.texts("monitor", maxServers, checkMonitor)
	}
	if m.has("replicas") && m.choice("replicas", "1", "3") == "3" {
		p.Replicas = 3
	}
	if m.has("log") {
		log := m.mapping("log", "format", "level")
		p.Log = LogConfig{Format: log.choice("format", "json", "console"), Level: log.choice("level", "info", "debug", "warn", "error")}
	}
	if m.has("metrics") {
		m.check("metrics", checkAddress(p.Metrics))
	}
	if m.has("grace") {
		p.Grace = m.duration("grace", maxGrace)
	}
	if err := m.verdict(nil); err != nil {
		return nil, err
	}
	return p, nil
}

// path is a field with a path, relative to the folder of the file.
func (m *mapping) path(file, key string) string {
	path := m.text(key)
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(file), path)
}

// pathOr is a path that may be missing; then it is empty.
func (m *mapping) pathOr(file, key string) string {
	if !m.has(key) {
		return ""
	}
	return m.path(file, key)
}

// checkServer accepts the address of a NATS server, without TLS on this machine alone.
func checkServer(text string) error {
	const form = "this must be a server's address such as tls://nats-1.example.com:4222"
	address, err := bareURL(text)
	switch {
	case err != nil || address.Path != "":
		return errors.New(form)
	case address.Scheme == "tls":
		return nil
	case address.Scheme == "nats" && loopback(address.Hostname()):
		return nil
	case address.Scheme == "nats":
		return errors.New("nothing goes to another machine without TLS: write tls:// in place of nats://")
	}
	return errors.New(form)
}

// checkMonitor accepts the address of a server's monitoring.
func checkMonitor(text string) error {
	address, err := bareURL(text)
	if err != nil || address.Path != "" || address.Scheme != "http" && address.Scheme != "https" {
		return errors.New("this must be a server's monitoring address such as http://127.0.0.1:8222")
	}
	return nil
}

// bareURL parses scheme://host:port: with anything more it would carry a secret or be ignored.
func bareURL(text string) (*url.URL, error) {
	address, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if address.User != nil || address.RawQuery != "" || address.ForceQuery || address.Fragment != "" {
		return nil, errors.New("more than scheme, host and port")
	}
	return address, checkAddress(address.Host)
}

// loopback tells whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// checkAddress accepts host:port.
func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" {
		return errors.New("this must be host:port such as 127.0.0.1:9101")
	}
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(number, 10) != port {
		return fmt.Errorf("the port %.10q must be a number up to 65535", port)
	}
	return nil
}
