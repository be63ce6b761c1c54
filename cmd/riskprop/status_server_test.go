package main

import (
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/schema"
)

// TestStatusOverAServer: with the permissions that members and the auditor have, from the files of the consortium, over TLS.
func TestStatusOverAServer(t *testing.T) {
	c := newClinic(t).start(true)
	for name := range c.ids {
		c.configure(name)
	}
	c.write("run.yaml", "version: 1\nkind: propagate\nsession: run-2026\nroster: "+hexRoster(c.consortium)+
		"\nkey_session: keys-2026\nperiods: 2\niterations: 2\ndelta: 0.5\ndeadline: 2026-12-31T18:00:00Z\n")
	const silent = "Nobody has spoken: its key generation keys-2026 has not ended.\n"
	if got := runHere(t, "status", "--config=alice.yaml", "--session=run.yaml"); got.status != statusOK || !strings.HasSuffix(got.stdout, silent) {
		t.Errorf("%+v", got)
	}
	th := ended(t)
	th.beginRun()
	th.play(map[string]int{"bob": 2})
	c.publish(th)
	for _, name := range []string{"alice", "audrey"} {
		got := runHere(t, "status", "--config="+name+".yaml", "--session=run.yaml")
		if got.status != statusOK || got.stderr != "" || !strings.Contains(got.stdout, "In round 2 (scores.0.1) since ") || !strings.Contains(got.stdout, ", waiting for bob.\n") {
			t.Errorf("%s: %+v", name, got)
		}
		got = runHere(t, "status", "--config="+name+".yaml", "--session=run.yaml", "--json")
		if got.status != statusOK || strings.Contains(got.stdout, "0001-01-01") || !strings.Contains(got.stdout, `"state":"running"`) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	c.write("other.yaml", "version: 1\nkind: keygen\nsession: keys-2026\nroster: "+strings.Repeat("0", 64)+"\n")
	c.configure("bob", "identity: charlie/identity.yaml")
	for _, refused := range [][3]string{
		{"oscar", "run.yaml", "the operator oscar does not follow sessions"},
		{"alice", "other.yaml", "other.yaml:"},
		{"alice", "missing.yaml", "missing.yaml"},
		{"bob", "run.yaml", "holds the identity of charlie"},
	} {
		got := runHere(t, "status", "--config="+refused[0]+".yaml", "--session="+refused[1])
		if got.status != statusFailed || !strings.Contains(got.stderr, refused[2]) || got.stdout != "" {
			t.Errorf("%v: %+v", refused, got)
		}
	}
	for file, want := range map[string]string{"consortium.yaml": "consortium.yaml", "alice/identity.yaml": "alice/identity.yaml", "ca.pem": "ca.pem"} {
		if err := os.Rename(file, file+".away"); err != nil {
			t.Fatal(err)
		}
		if got := runHere(t, "status", "--config=alice.yaml", "--session=run.yaml"); got.status != statusFailed || !strings.Contains(got.stderr, want) {
			t.Errorf("without %s: %+v", file, got)
		}
		if err := os.Rename(file+".away", file); err != nil {
			t.Fatal(err)
		}
	}
}

func hexRoster(c *config.Consortium) string {
	digest := c.Roster().Digest()
	return config.Hex32(digest).String()
}

// publish brings what members have said in lock step to the server, each over its own connection.
func (c *clinic) publish(th *theatre) {
	c.t.Helper()
	logs := make(map[string]bus.Log)
	for _, name := range c.consortium.Roster().Names() {
		p := &config.Party{Name: name, Servers: []string{c.url}, CA: "ca.pem"}
		log, done, err := dial(c.t.Context(), p, c.ids[name], c.consortium.Stream, zerolog.Nop())
		if err != nil {
			c.t.Fatal(err)
		}
		defer done()
		logs[name] = log
	}
	for _, subject := range th.log.Order {
		slot, err := schema.ParseSubject(subject)
		if err != nil {
			c.t.Fatal(err)
		}
		if err := logs[slot.From].Append(c.t.Context(), subject, th.log.Records[subject]); err != nil {
			c.t.Fatal(err)
		}
	}
}
