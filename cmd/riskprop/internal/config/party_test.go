package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const fullParty = `version: 1
name: alice
identity: alice/identity.yaml
passphrase_file: /etc/pass phrase
consortium: ../consortium.yaml
servers: [tls://127.0.0.1:4222, "tls://nats-2.example.com:4223", "tls://[::1]:4222", nats://localhost:4222]
ca: ca.pem
monitor:
  - http://127.0.0.1:8222
  - https://nats-2.example.com:8222
data: data/alice
scores: scores/./alice/
keys: keys/alice
replicas: 3
log: {format: console, level: debug}
metrics: 127.0.0.1:9101
grace: 90s
`

// smallParty is what every party must write.
const smallParty = `version: 1
name: otto
identity: identity.age
consortium: consortium.yaml
servers: [tls://127.0.0.1:4222]
`

func TestParty(t *testing.T) {
	for text, want := range map[string]*Party{
		fullParty: {
			Name: "alice", Identity: "etc/alice/identity.yaml", PassphraseFile: "/etc/pass phrase", Consortium: "consortium.yaml",
			Servers: []string{"tls://127.0.0.1:4222", "tls://nats-2.example.com:4223", "tls://[::1]:4222", "nats://localhost:4222"},
			CA:      "etc/ca.pem", Monitor: []string{"http://127.0.0.1:8222", "https://nats-2.example.com:8222"},
			Data: "etc/data/alice", Scores: "etc/scores/alice", Keys: "etc/keys/alice", Replicas: 3,
			Log: LogConfig{Format: "console", Level: "debug"}, Metrics: "127.0.0.1:9101", Grace: 90 * time.Second,
		},
		smallParty: {
			Name: "otto", Identity: "etc/identity.age", Consortium: "etc/consortium.yaml", Servers: []string{"tls://127.0.0.1:4222"},
			Replicas: 1, Log: LogConfig{Format: "json", Level: "info"}, Grace: time.Minute,
		},
		smallParty + "log: {level: warn}\nreplicas: 1\ngrace: 0s\n": {
			Name: "otto", Identity: "etc/identity.age", Consortium: "etc/consortium.yaml", Servers: []string{"tls://127.0.0.1:4222"},
			Replicas: 1, Log: LogConfig{Format: "json", Level: "warn"},
		},
	} {
		got, err := ParseParty("etc/party.yaml", []byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nis read as %+v, %v, want %+v", text, got, err, want)
		}
	}
	got, err := ParseParty("party.yaml", []byte(smallParty))
	if err != nil || got.Identity != "identity.age" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPartyRefused(t *testing.T) {
	for _, c := range []struct{ from, to, says string }{
		{"name: alice", "name: alice b", `p.yaml:2:7: name: name "alice b"`},
		{"name: alice\n", "", "p.yaml: name is missing"},
		{"identity: alice/identity.yaml\n", "", "p.yaml: identity is missing"},
		{"consortium: ../consortium.yaml\n", "", "p.yaml: consortium is missing"},
		{"servers: [", "cluster: [", "p.yaml:6:1: cluster is unknown: the keys here are version, name, identity, passphrase_file,"},
		{"servers: [tls://127.0.0.1:4222", "servers: [tls://127.0.0.1", "p.yaml:6:11: servers[0]: this must be a server's address such as tls://nats-1.example.com:4222"},
		{"servers: [tls://127.0.0.1:4222", "servers: [127.0.0.1:4222", "p.yaml:6:11: servers[0]: this must be a server's address"},
		{"servers: [tls://127.0.0.1:4222", "servers: [tls://127.0.0.1:4222/", "p.yaml:6:11: servers[0]: this must be"},
		{"servers: [tls://127.0.0.1:4222", "servers: [tls://:4222", "p.yaml:6:11: servers[0]: this must be"},
		{"servers: [tls://127.0.0.1:4222", "servers: [tls://a:70000", "p.yaml:6:11: servers[0]: this must be"},
		{"servers: [tls://127.0.0.1:4222", "servers: [tls://a:b@h:4222", "p.yaml:6:11: servers[0]: this must be"},
		{"servers: [tls://127.0.0.1:4222", "servers: ['tls://h:4222?a=b'", "p.yaml:6:11: servers[0]: this must be"},
		{"servers: [tls://127.0.0.1:4222", "servers: [http://h:4222", "p.yaml:6:11: servers[0]: this must be"},
		{"nats://localhost:4222", "nats://example.com:4222", "servers[3]: nothing goes to another machine without TLS: write tls:// in place of nats://"},
		{"nats://localhost:4222", "nats://10.0.0.1:4222", "servers[3]: nothing goes to another machine"},
		{"nats://localhost:4222", "{a: b}", "servers[3]: this must be a single value"},
		{"ca: ca.pem", "ca: ''", "p.yaml:7:5: ca: the value is empty"},
		{"  - http://127.0.0.1:8222", "  - http://127.0.0.1:8222/jsz", "p.yaml:9:5: monitor[0]: this must be a server's monitoring address such as http://127.0.0.1:8222"},
		{"  - http://127.0.0.1:8222", "  - tls://127.0.0.1:8222", "p.yaml:9:5: monitor[0]: this must be"},
		{"replicas: 3", "replicas: 2", "p.yaml:14:11: replicas: choose one of 1, 3"},
		{"format: console", "format: xml", "p.yaml:15:15: log.format: choose one of json, console"},
		{"level: debug", "level: loud", "log.level: choose one of info, debug, warn, error"},
		{"level: debug", "size: 1", "p.yaml:15:24: log.size is unknown: the keys here are format, level"},
		{"log: {format: console, level: debug}", "log: json", "p.yaml:15:6: log must be a mapping with the keys format, level"},
		{"metrics: 127.0.0.1:9101", "metrics: 9101", "p.yaml:16:10: metrics: this must be host:port such as 127.0.0.1:9101"},
		{"metrics: 127.0.0.1:9101", "metrics: 127.0.0.1:http", `p.yaml:16:10: metrics: the port "http" must be a number up to 65535`},
		{"metrics: 127.0.0.1:9101", "metrics: 127.0.0.1:09", `the port "09" must be`},
		{"grace: 90s", "grace: 90", "p.yaml:17:8: grace: this must be a duration such as 90s or 1m, at most 24h0m0s"},
		{"grace: 90s", "grace: -1s", "p.yaml:17:8: grace: this must be a duration"},
		{"grace: 90s", "grace: 25h", "p.yaml:17:8: grace: this must be a duration"},
	} {
		if !strings.Contains(fullParty, c.from) {
			t.Fatalf("no %q", c.from)
		}
		got, err := ParseParty("p.yaml", []byte(strings.Replace(fullParty, c.from, c.to, 1)))
		says(t, err, c.says)
		if got != nil {
			t.Errorf("%+v", got)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "party.yaml", smallParty, 0o644)
	put(t, "consortium.yaml", string(agreed(t).Marshal()), 0o644)
	if p, err := Load("party.yaml", ParseParty); err != nil || p.Name != "otto" {
		t.Errorf("%v, %v", p, err)
	}
	if c, err := Load("consortium.yaml", ParseConsortium); err != nil || c.Fingerprint() != agreed(t).Fingerprint() {
		t.Errorf("%v, %v", c, err)
	}
	_, err := Load("party.yaml", ParseSession)
	says(t, err, "party.yaml:2:1: name is unknown")
}
