package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus/embed"
	"riskprop/bus/hub"
	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/schema"
)

// clinic is a consortium with its files in a folder of its own, and a server.
type clinic struct {
	t          *testing.T
	ids        map[string]*config.Identity
	consortium *config.Consortium
	hub        hub.Config
	edit       func(string) string // changes the server's configuration, where it is not nil
	plain      bool                // without TLS
	host       string              // of the server's certificate
	born       time.Time           // of the certificate
	server     *embed.Server
	url        string
	now        func() time.Time
	patience   time.Duration
}

// newClinic writes the files; the server is not running yet.
func newClinic(t *testing.T) *clinic {
	t.Helper()
	t.Chdir(t.TempDir())
	ids, consortium := knownIdentities(t)
	c := &clinic{t: t, ids: make(map[string]*config.Identity), consortium: consortium, host: "127.0.0.1", born: time.Now(), now: time.Now, patience: 30 * time.Second}
	c.hub = hub.Config{Stream: consortium.Stream, Nodes: []hub.Node{{Host: "127.0.0.1", StoreDir: "store"}}}
	for _, id := range ids {
		c.ids[id.Name] = id
		key := hub.Member{Name: id.Name, NKey: id.Public().NKey}
		switch id.Role {
		case config.Member:
			c.hub.Members = append(c.hub.Members, key)
		case config.Auditor:
			c.hub.Auditor = &key
		case config.Operator:
			c.hub.Operator = key
		}
		c.mkdir(id.Name)
		if err := config.WriteIdentity(id.Name+"/identity.yaml", id, nil); err != nil {
			t.Fatal(err)
		}
	}
	c.write("consortium.yaml", string(consortium.Marshal()))
	const header = "id_source,bank_source,id_destination,bank_destination,amount\n"
	for name, data := range map[string][2]string{"alice": {"a,0.9\n", "a,alice,b,bob,10\n"}, "bob": {"b,0.1\n", "a,alice,b,bob,10\n"}, "charlie": {"", ""}} {
		c.mkdir(name + "/data")
		c.write(name+"/data/accounts.csv", "id,risk_score\n"+data[0])
		c.write(name+"/data/transactions.csv", header+data[1])
	}
	return c
}

func (c *clinic) mkdir(path string) {
	c.t.Helper()
	if err := os.MkdirAll(path, 0o700); err != nil {
		c.t.Fatal(err)
	}
}

func (c *clinic) write(path, text string) {
	c.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// configure writes a party's configuration: the usual fields, but for those that are given, one a line; an empty one is left out.
func (c *clinic) configure(name string, fields ...string) {
	c.t.Helper()
	lines := []string{"version: 1", "name: " + name, "identity: " + name + "/identity.yaml", "consortium: consortium.yaml", "servers: [" + c.url + "]", "ca: ca.pem"}
	if c.ids[name].Role == config.Member {
		lines = append(lines, "data: "+name+"/data", "scores: scores/"+name, "keys: keys/"+name)
	}
	for _, field := range fields {
		key, value, _ := strings.Cut(field, ":")
		var rest []string
		for _, line := range lines {
			if !strings.HasPrefix(line, key+":") {
				rest = append(rest, line)
			}
		}
		if lines = rest; value != "" {
			lines = append(lines, field)
		}
	}
	c.write(name+".yaml", strings.Join(lines, "\n")+"\n")
}

// start starts the server and creates the log if that is wanted.
func (c *clinic) start(log bool) *clinic {
	c.t.Helper()
	ca, certificates, err := hub.DevelopmentCA([]string{c.host}, c.born)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("ca.pem", string(ca))
	c.write("cert.pem", string(certificates[0].Cert))
	c.write("key.pem", string(certificates[0].Key))
	if !c.plain {
		c.hub.Nodes[0].Cert, c.hub.Nodes[0].Key = "cert.pem", "key.pem"
	}
	text, err := c.hub.Render(0)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.edit != nil {
		text = c.edit(text)
	}
	c.write("nats-1.conf", text)
	if c.server, err = embed.StartFile("nats-1.conf", embed.DefaultGuard(hub.OwnerAccount), zerolog.Nop()); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(c.server.Shutdown)
	c.url = c.server.URL()
	if log {
		c.asOperator(func(p *config.Party, credentials jet.Credentials) {
			nc, err := jet.Dial(c.t.Context(), p.Servers, credentials)
			if err != nil {
				c.t.Fatal(err)
			}
			defer nc.Close()
			if err := jet.CreateStream(c.t.Context(), nc, jet.StreamConfig{Name: c.consortium.Stream, Replicas: 1}); err != nil {
				c.t.Fatal(err)
			}
		})
	}
	return c
}

// asOperator does something with the operator's credentials.
func (c *clinic) asOperator(do func(*config.Party, jet.Credentials)) {
	c.t.Helper()
	p := &config.Party{Name: "oscar", Servers: []string{c.url}, CA: "ca.pem"}
	credentials, err := credentials(p, c.ids["oscar"])
	if err != nil {
		c.t.Fatal(err)
	}
	do(p, credentials)
}

// records is how many records are on the log.
func (c *clinic) records() (count uint64) {
	c.t.Helper()
	c.asOperator(func(p *config.Party, credentials jet.Credentials) {
		nc, err := jet.Dial(c.t.Context(), p.Servers, credentials)
		if err != nil {
			c.t.Fatal(err)
		}
		defer nc.Close()
		states, err := jet.CheckStream(c.t.Context(), nc, jet.StreamConfig{Name: c.consortium.Stream, Replicas: 1})
		if err != nil {
			c.t.Fatal(err)
		}
		for _, s := range states {
			count += s.Messages
		}
	})
	return count
}

// visit has a party's doctor come.
func (c *clinic) visit(name string) (*doctor, string) {
	c.t.Helper()
	u, stdout, _ := screens(nil)
	d := &doctor{ui: u, logger: zerolog.Nop(), now: c.now, config: name + ".yaml", patience: c.patience}
	d.examine(c.t.Context())
	return d, stdout.String()
}

// expect compares what was found with lines such as "tls FAILED text of the detail", in any order. Everything else must be ok, or unknown.
func (c *clinic) expect(name string, want ...string) {
	c.t.Helper()
	d, text := c.visit(name)
	for _, line := range want {
		check, rest, _ := strings.Cut(line, " ")
		verdict, detail, _ := strings.Cut(rest, " ")
		found := false
		for i, f := range d.Findings {
			if f.Check == check && string(f.Verdict) == verdict && strings.Contains(f.Detail, detail) {
				found = true
				d.Findings[i].Verdict = verdictOK
				if (f.Mend == "") != (verdict == "ok" || verdict == "unknown") {
					c.t.Errorf("%s says to mend it so: %q", line, f.Mend)
				}
			}
		}
		if !found {
			c.t.Errorf("no %q in\n%s", line, text)
		}
	}
	for _, f := range d.Findings {
		if f.Verdict == verdictFailed || f.Verdict == verdictWarning {
			c.t.Errorf("%s: %s: %s", f.Check, f.Verdict, f.Detail)
		}
	}
}

// TestDoctorHealthy: nothing is wrong, for any role; members see one another, and every run of a member writes one record.
func TestDoctorHealthy(t *testing.T) {
	c := newClinic(t).start(true)
	for name := range c.ids {
		c.configure(name)
	}
	c.expect("oscar", "stream ok RISK: 0 records", "stream ok RISK-PRIVATE: 0 records", "identity ok operator oscar", "account ok")
	c.expect("audrey", "identity ok auditor audrey", "foreign ok", "inbox ok", "stream ok", "peers warning no other member")
	c.expect("alice", "config ok", "consortium ok "+c.consortium.Fingerprint(), "identity ok member alice", "data ok 1 accounts, 1 transactions", "scores ok not there yet", "keys ok not there yet",
		"clock ok", "name ok 127.0.0.1", "tcp ok", "tls ok TLS 1.3", "account ok", "stream ok", "foreign ok under the name of bob", "inbox ok", "publish ok risk.doctor-", "read ok", "skew ok",
		"peers warning no other member", "sync unknown cannot be seen from here")
	if n := c.records(); n != 1 {
		t.Errorf("%d records", n)
	}
	c.expect("bob", "peers ok last seen: alice ", "foreign ok under the name of alice")
	c.expect("charlie", "peers ok bob ")
	c.expect("audrey", "peers ok last seen: alice ")
	if n := c.records(); n != 3 {
		t.Errorf("%d records", n)
	}
	if entries, err := os.ReadDir("scores"); err == nil {
		t.Errorf("it has left %v", entries)
	}
}

// TestDoctorRecord: what is written is a member's signed word, and ends a session that nobody runs.
func TestDoctorRecord(t *testing.T) {
	_, consortium := knownIdentities(t)
	ids, _ := knownIdentities(t)
	d := &doctor{roster: consortium.Roster(), id: ids[0]}
	seen := make(map[string]bool)
	for range 3 {
		v, err := newVisit(d, nil)
		if err != nil {
			t.Fatal(err)
		}
		event, err := schema.Open(v.slot.Subject(), v.data, d.roster)
		if err != nil || event.Head.Abort == nil || event.Head.Abort.Reason != doctorReason || len(event.Head.Parts) > 0 {
			t.Errorf("%+v %v", event.Head, err)
		}
		if s := v.slot; len(s.Session) != len("doctor-")+12 || s.Round != 0 || s.Proto != schema.Keygen || seen[s.Session] {
			t.Errorf("%+v", s)
		}
		seen[v.slot.Session] = true
	}
}

// TestDoctorFiles: what is wrong on this machine.
func TestDoctorFiles(t *testing.T) {
	c := newClinic(t).start(true)
	other, err := config.NewIdentity("alice", config.Member, strings.NewReader(strings.Repeat("another seed", 3)))
	if err != nil {
		t.Fatal(err)
	}
	if err := config.WriteIdentity("other.yaml", other, nil); err != nil {
		t.Fatal(err)
	}
	c.mkdir("private")
	c.mkdir("junk")
	c.write("junk/key.age", "no share")
	c.mkdir("locked")
	c.write("locked/key.age", "-----BEGIN AGE ENCRYPTED FILE-----\n")
	c.mkdir("writable")
	text, err := os.ReadFile("alice/identity.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c.write("writable/identity.yaml", string(text))
	if err := os.Chmod("writable", 0o777); err != nil {
		t.Fatal(err)
	}
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	c.mkdir("open")
	if err := os.Chmod("open", 0o755); err != nil {
		t.Fatal(err)
	}
	c.write("broken.yaml", "nothing: here\n")
	c.write("file", "text")
	if err := os.Chmod("file", 0o644); err != nil {
		t.Fatal(err)
	}
	c.write("passphrase", "a long passphrase\n")
	c.mkdir("bad")
	c.write("bad/accounts.csv", "id,risk_score\na,2\n")
	c.write("bad/transactions.csv", "")
	const peers = "peers warning"
	for field, want := range map[string][]string{
		"identity: bob/identity.yaml":      {"identity FAILED the identity of bob"},
		"identity: other.yaml":             {"identity FAILED not in the consortium with the keys of other.yaml"},
		"identity: missing.yaml":           {"identity FAILED missing.yaml"},
		"identity: broken.yaml":            {"identity FAILED broken.yaml"},
		"passphrase_file: file":            {"passphrase FAILED file: mode 0644"},
		"passphrase_file: passphrase":      {"passphrase ok", "identity ok", peers},
		"consortium: broken.yaml":          {"consortium FAILED broken.yaml", "identity unknown", "data unknown"},
		"data:":                            {"data FAILED no folder", peers},
		"data: missing":                    {"data FAILED accounts.csv is missing", peers},
		"data: bad":                        {"data FAILED accounts.csv", peers},
		"scores:":                          {"scores FAILED no folder", peers},
		"scores: file":                     {"scores FAILED not a folder", peers},
		"scores: open":                     {"scores warning mode 0755", peers},
		"scores: private":                  {"scores ok for its owner alone", peers},
		"keys:":                            {"keys ok come from the log", peers},
		"keys: file":                       {"keys FAILED not a folder", peers},
		"keys: open":                       {"keys warning mode 0755", peers},
		"keys: junk":                       {"keys ok 1 entries", "keys FAILED no encrypted file", peers},
		"keys: locked":                     {"keys ok 1 entries", "keys unknown behind a passphrase", peers},
		"identity: writable/identity.yaml": {"identity warning others on this machine may write", peers},
		"metrics: " + busy.Addr().String(): {"metrics warning in use", peers},
		"metrics: 127.0.0.1:0":             {"metrics ok", peers},
		"ca: missing.pem":                  {"ca FAILED missing.pem"},
		"ca: broken.yaml":                  {"ca FAILED no certificate"},
		"ca: alice":                        {"ca FAILED no regular file"},
		"servers: [tls://127.0.0.1:1]":     {"tcp FAILED refused"},
		"servers: [tls://no.invalid:42]":   {"name FAILED no.invalid"},
	} {
		t.Run(field, func(t *testing.T) {
			c.t = t
			c.configure("alice", field)
			c.expect("alice", want...)
		})
	}
	c.t = t
	c.configure("alice", "keys: locked", "passphrase_file: passphrase")
	c.expect("alice", "passphrase ok", "keys ok 1 entries", "keys FAILED the encrypted file is damaged", peers)
	c.configure("alice")
	if err := os.Chmod("alice/identity.yaml", 0o644); err != nil {
		t.Fatal(err)
	}
	c.expect("alice", "identity FAILED mode 0644")
	c.write("alice.yaml", "version: 2\n")
	c.expect("alice", "config FAILED alice.yaml")
	c.now = func() time.Time { return time.Unix(0, 0) }
	c.expect("alice", "clock FAILED 1970", "config FAILED alice.yaml")
}

// TestDoctorServer: what is wrong with the server, each with all that can still be looked at.
func TestDoctorServer(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for name, c := range map[string]struct {
		change func(*clinic)
		want   []string
	}{
		"another authority": {func(c *clinic) {
			ca, _, err := hub.DevelopmentCA(nil, time.Now())
			if err != nil {
				c.t.Fatal(err)
			}
			c.start(true).write("other.pem", string(ca))
			c.configure("alice", "ca: other.pem")
		}, []string{"tls FAILED does not lead to the authority"}},
		"the system's roots": {func(c *clinic) { c.start(true).configure("alice", "ca:") }, []string{"tls FAILED does not lead to the authority"}},
		"an expired certificate": {func(c *clinic) { c.born = time.Now().Add(-2 * year); c.start(false).configure("alice") },
			[]string{"tls FAILED has expired"}},
		"a certificate that expires": {func(c *clinic) { c.born = time.Now().Add(20*24*time.Hour - year); c.start(true).configure("alice") },
			[]string{"tls warning expires at", "peers warning"}},
		"a certificate of tomorrow": {func(c *clinic) { c.born = time.Now().Add(24 * time.Hour); c.start(false).configure("alice") },
			[]string{"tls FAILED valid from"}},
		"another host's certificate": {func(c *clinic) { c.host = "nats.example.com"; c.start(false).configure("alice") }, []string{"tls FAILED 127.0.0.1"}},
		"an unknown key": {func(c *clinic) {
			c.hub.Members = c.hub.Members[1:]
			c.start(true).configure("alice")
		}, []string{"account FAILED does not admit the key of alice"}},
		"no log": {func(c *clinic) { c.patience = 500 * time.Millisecond; c.start(false).configure("alice") }, []string{"stream FAILED does not answer"}},
		"two servers, one of which is down": {func(c *clinic) {
			c.start(true).configure("alice", "servers: [tls://127.0.0.1:1, "+c.url+"]")
		}, []string{"tcp FAILED", "account ok", "publish ok", "peers warning"}},
		"no TLS": {func(c *clinic) {
			c.plain = true
			c.start(false).configure("alice", "servers: [tls"+strings.TrimPrefix(c.url, "nats")+"]")
		}, []string{"tls FAILED does not ask for TLS"}},
		"no TLS, and none is wanted": {func(c *clinic) {
			c.plain = true
			c.start(true).configure("alice", "ca:")
		}, []string{"tls warning without TLS", "publish ok", "peers warning"}},
		"something else": {func(c *clinic) {
			server := httptest.NewServer(http.NotFoundHandler())
			c.t.Cleanup(server.Close)
			c.patience = 500 * time.Millisecond
			c.start(false).configure("alice", "servers: [tls"+strings.TrimPrefix(server.URL, "http")+"]")
		}, []string{"tls FAILED"}},
	} {
		t.Run(name, func(t *testing.T) {
			clinic := newClinic(t)
			c.change(clinic)
			clinic.expect("alice", c.want...)
		})
	}
}

// TestDoctorGreetings: what may answer in place of a NATS server with TLS 1.3.
func TestDoctorGreetings(t *testing.T) {
	c := newClinic(t).start(false)
	certificate, err := tls.LoadX509KeyPair("cert.pem", "key.pem")
	if err != nil {
		t.Fatal(err)
	}
	for greeting, want := range map[string]string{
		`INFO {"version":"2.15.2","tls_required":true}` + "\r\n": "tls FAILED the server speaks TLS 1.2",
		"220 mail.example.com\r\n":                               "tls FAILED no NATS server",
		"INFO {}\r\n":                                            "tls FAILED does not ask for TLS",
		"INFO not JSON\r\n":                                      "tls FAILED no NATS server",
		strings.Repeat("x", maxGreeting+1):                       "tls FAILED no NATS server",
		"":                                                       "tls FAILED EOF",
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			defer connection.Close()
			if _, err := io.WriteString(connection, greeting); err != nil || greeting == "" {
				return
			}
			// An error is what doctor hears of, too.
			_ = tls.Server(connection, &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: tls.VersionTLS12}).Handshake()
			_, _ = bufio.NewReader(connection).ReadByte()
		}()
		c.configure("alice", fmt.Sprintf("servers: [tls://%s]", listener.Addr()))
		c.expect("alice", want)
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestDoctorPermissions: a server that lets a member do what it should not. Where another has written already nothing is stored; else one record is, and
// no second one.
func TestDoctorPermissions(t *testing.T) {
	c := newClinic(t)
	c.edit = func(text string) string {
		for _, narrow := range []string{"risk.*.*.*.all.alice.*", "$JS.API.DIRECT.GET.RISK-PRIVATE.private.risk.*.*.*.alice.*.*", "RISK.API.DIRECT.GET.RISK-PRIVATE.private.risk.*.*.*.alice.*.*"} {
			wide := strings.Replace(narrow, "alice", "*", 1)
			text = strings.ReplaceAll(text, `"`+narrow+`"`, `"`+wide+`"`)
		}
		text = strings.ReplaceAll(text, "risk.$1.$2.$3.all.alice.$4", "risk.$1.$2.$3.all.$4.$5")
		return strings.ReplaceAll(text, "RISK-PRIVATE.private.risk.$1.$2.$3.alice.$4.$5", "RISK-PRIVATE.private.risk.$1.$2.$3.$4.$5.$6")
	}
	c.start(true)
	c.configure("alice")
	c.configure("bob")
	c.expect("alice", "foreign FAILED lets alice write under the name of bob", "inbox FAILED lets alice ask", "publish unknown", "peers warning")
	if n := c.records(); n != 1 {
		t.Errorf("%d records", n)
	}
	c.expect("bob", "foreign ok", "publish ok", "peers warning")
	c.expect("alice", "foreign FAILED lets alice write under the name of bob", "inbox FAILED", "publish ok", "peers ok bob")
	if n := c.records(); n != 3 {
		t.Errorf("%d records", n)
	}
}

// TestDoctorSkew: the local clock against the log's.
func TestDoctorSkew(t *testing.T) {
	c := newClinic(t).start(true)
	c.configure("alice")
	for skew, want := range map[time.Duration]string{
		0: "skew ok agree", 20 * time.Second: "skew warning ahead of", -20 * time.Second: "skew warning behind", 2 * time.Minute: "skew FAILED ahead of", -2 * time.Minute: "skew FAILED behind",
	} {
		c.now = func() time.Time { return time.Now().Add(skew) }
		c.expect("alice", want, "peers warning")
	}
}

// TestDoctorOperator: the operator sees every field of the streams.
func TestDoctorOperator(t *testing.T) {
	c := newClinic(t).start(false)
	c.configure("oscar")
	c.patience = 2 * time.Second
	c.expect("oscar", "stream FAILED RISK")
	c.asOperator(func(p *config.Party, credentials jet.Credentials) {
		nc, err := jet.Dial(t.Context(), p.Servers, credentials)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if err := jet.CreateStream(t.Context(), nc, jet.StreamConfig{Name: c.consortium.Stream, Replicas: 1}); err != nil {
			t.Fatal(err)
		}
	})
	c.configure("oscar", "replicas: 3")
	c.expect("oscar", "stream FAILED replicas is 1, want 3")
}

// TestDoctorSync: what the servers' monitoring says.
func TestDoctorSync(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := newClinic(t)
	c.hub.Nodes[0].MonitorPort = listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	c.start(true)
	c.configure("oscar", fmt.Sprintf("monitor: [http://127.0.0.1:%d]", c.hub.Nodes[0].MonitorPort))
	c.expect("oscar", "sync ok every write is on the disk", "room ok 0 B of")
	for page, want := range map[string]string{
		`{"config":{"sync_always":false}}`: "sync FAILED does not sync", `{"storage":799000,"config":{"sync_always":true,"max_storage":1000000}}`: "room ok of",
		`{"storage":800000,"config":{"sync_always":true,"max_storage":1000000}}`: "room warning are used", `{"config":{"sync_always":true}}`: "room unknown how much",
		`{}`: "sync warning not the monitoring", `<html>`: "sync warning not the monitoring", "": "sync warning 404",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if page == "" || r.URL.Path != "/jsz" {
				http.NotFound(w, r)
				return
			}
			_, _ = io.WriteString(w, page)
		}))
		c.configure("oscar", "monitor: ["+server.URL+"]")
		c.expect("oscar", want)
		server.Close()
	}
	c.configure("oscar", "monitor: [http://127.0.0.1:1]")
	c.expect("oscar", "sync warning refused")
}

// TestDoctorCommand: text and JSON, and the exit status.
func TestDoctorCommand(t *testing.T) {
	c := newClinic(t).start(true)
	c.configure("alice")
	got := runHere(t, "doctor", "--config=alice.yaml")
	if got.status != statusOK || !strings.Contains(got.stdout, "warning  peers       no other member has been seen on this log\n                     → once they") {
		t.Errorf("%+v", got)
	}
	c.configure("alice", "servers: [tls://127.0.0.1:1]")
	got = runHere(t, "doctor", "--config=alice.yaml", "--json")
	var d diagnosis
	decoder := json.NewDecoder(strings.NewReader(got.stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&d); err != nil || got.status != statusFailed {
		t.Fatalf("%v %+v", err, got)
	}
	if d.Name != "alice" || d.Role != config.Member || d.Failed != 1 || d.Warnings != 0 || len(d.Findings) < 9 {
		t.Errorf("%+v", d)
	}
	if !strings.HasSuffix(got.stderr, fmt.Sprintf("riskprop: error: 1 of %d checks failed: mend the first one first\n", len(d.Findings))) {
		t.Error(got.stderr)
	}
}

// TestDoctorTellsNoSecret: neither seed nor account nor passphrase is in what doctor says or writes, at any level of the log.
func TestDoctorTellsNoSecret(t *testing.T) {
	c := newClinic(t).start(true)
	c.write("passphrase", "a long passphrase\n")
	c.write("alice/data/accounts.csv", "id,risk_score\nNL-SECRET-0001,0.8125\n")
	c.write("alice/data/transactions.csv", "id_source,bank_source,id_destination,bank_destination,amount\nNL-SECRET-0001,alice,b,bob,10\n")
	c.configure("alice", "passphrase_file: passphrase")
	got := runHere(t, "--verbose", "doctor", "--config=alice.yaml", "--json")
	seed, err := os.ReadFile("alice/identity.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, secret, _ := bytes.Cut(bytes.TrimSpace(seed), []byte("seed: "))
	texts := []string{got.stdout, got.stderr}
	err = filepath.WalkDir("store", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		texts = append(texts, string(data))
		return err
	})
	if err != nil || len(secret) != 64 || len(texts) < 4 {
		t.Fatal(err, len(secret), len(texts))
	}
	for _, text := range texts {
		for _, never := range []string{string(secret), "NL-SECRET", "0.8125", "a long passphrase"} {
			if strings.Contains(text, never) {
				t.Errorf("it tells %q", never)
			}
		}
	}
}
