package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
)

// makeConsortium makes a consortium in the current folder, a configuration of n servers on free ports, and operator.yaml.
func makeConsortium(t *testing.T, n int) {
	t.Helper()
	mustRun(t, "init", "operator", "--dir=operator", "--role=operator")
	args := []string{"consortium", "operator/operator.pub.yaml"}
	for _, bank := range []string{"alice", "bob", "charlie"} {
		mustRun(t, "init", bank, "--dir="+bank)
		args = append(args, bank+"/"+bank+".pub.yaml")
	}
	writeTestFile(t, "consortium.yaml", mustRun(t, args...))
	port := freePortRange(t, 3*n)
	out := mustRun(t, "server-config", "--consortium=consortium.yaml", "--out=servers", "--dev-ca", fmt.Sprint("--nodes=", n),
		fmt.Sprint("--port=", port), fmt.Sprint("--route-port=", port+n), fmt.Sprint("--monitor-port=", port+2*n))
	addresses := regexp.MustCompile(`servers: \[.*\]`).FindString(out)
	writeTestFile(t, "operator.yaml", fmt.Sprintf("version: 1\nname: operator\nidentity: operator/identity.yaml\nconsortium: consortium.yaml\n%s\nca: servers/ca.pem\nreplicas: %d\n", addresses, n))
	writeTestFile(t, "alice.yaml", fmt.Sprintf("version: 1\nname: alice\nidentity: alice/identity.yaml\nconsortium: consortium.yaml\n%s\nca: servers/ca.pem\n", addresses))
}

// mustRun runs a command line that succeeds, and returns its standard output.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	got := runHere(t, args...)
	if got.status != statusOK {
		t.Fatalf("%v: %+v", args, got)
	}
	return got.stdout
}

func writeTestFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freePortRange returns the first of n ports in a row that nobody uses at the moment.
func freePortRange(t *testing.T, n int) int {
	t.Helper()
	for first := 20000 + os.Getpid()%1000*20; first < 60000; first += n {
		free := true
		for port := first; port < first+n && free; port++ {
			l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
			if free = err == nil; free {
				l.Close()
			}
		}
		if free {
			return first
		}
	}
	t.Fatal("no free ports")
	return 0
}

// serverRun is a server in this process.
type serverRun struct {
	stop   context.CancelFunc
	status chan int
	stdout *trigger
	stderr bytes.Buffer
}

// startServer runs a server, and returns when it is ready.
func startServer(t *testing.T, file string) *serverRun {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan struct{})
	s := &serverRun{stop: cancel, status: make(chan int, 1)}
	s.stdout = &trigger{text: "Ready on tls://127.0.0.1:", do: func() error { close(ready); return nil }}
	go func() { s.status <- run(ctx, []string{"server", "--config=" + file}, s.stdout, &s.stderr) }()
	stopped := sync.OnceFunc(func() {
		cancel()
		if status := <-s.status; status != statusOK || !strings.HasSuffix(s.stdout.seen.String(), "Stopped.\n") {
			t.Errorf("server: status %d: %s%s", status, s.stdout.seen.String(), s.stderr.String())
		}
	})
	s.stop = stopped
	t.Cleanup(stopped)
	select {
	case <-ready:
	case status := <-s.status:
		s.status <- status
		t.Fatalf("server: status %d: %s", status, s.stderr.String())
	}
	return s
}

// TestServerAndStream: from nothing to a log that members use, as the commands make it.
func TestServerAndStream(t *testing.T) {
	chdirTemp(t)
	makeConsortium(t, 1)
	if got := runHere(t, "stream", "--config=operator.yaml"); got.status != statusFailed || !strings.Contains(got.stderr, "nobody answers there") {
		t.Errorf("stream without a server: %+v", got)
	}
	server := startServer(t, "servers/nats-1.conf")
	if got := runHere(t, "server", "--config=servers/nats-1.conf"); got.status != statusFailed || !strings.Contains(got.stderr, "in use") {
		t.Errorf("a second server: %+v", got)
	}
	if got := mustRun(t, "stream", "--config=operator.yaml"); !strings.Contains(got, "RISK           replicas: 1, records: 0, 0 B in all, since 20") ||
		!strings.Contains(got, "RISK-PRIVATE   replicas: 1") || !strings.Contains(got, "Created the log RISK; every field is as it must be.") {
		t.Error(got)
	}
	if got := runHere(t, "stream", "--config=alice.yaml"); got.status != statusFailed || !strings.Contains(got.stderr, "only the operator operator creates the log") {
		t.Errorf("stream of a member: %+v", got)
	}
	const subject = "risk.s.keygen.0.all.alice.head"
	if err := openAs(t, "alice").Append(t.Context(), subject, []byte("x")); err != nil {
		t.Fatal(err)
	}
	server.stop()
	startServer(t, "servers/nats-1.conf")
	if data, err := openAs(t, "alice").Get(t.Context(), subject); err != nil || string(data) != "x" {
		t.Errorf("Get = %q, %v", data, err)
	}
	if got := mustRun(t, "stream", "--config=operator.yaml"); !strings.Contains(got, "records: 1") || !strings.Contains(got, "Found the log RISK") {
		t.Error(got)
	}
	text, err := os.ReadFile("operator.yaml")
	if err != nil {
		t.Fatal(err)
	}
	writeTestFile(t, "operator3.yaml", strings.Replace(string(text), "replicas: 1", "replicas: 3", 1))
	if got := runHere(t, "stream", "--config=operator3.yaml"); got.status != statusFailed || !strings.Contains(got.stderr, "stream RISK: not fit for a log: replicas is 1, want 3") ||
		!strings.Contains(got.stderr, "stream RISK-PRIVATE: not fit for a log: replicas is 1, want 3") || !strings.Contains(got.stdout, "records: 1") {
		t.Errorf("stream with other replicas: %+v", got)
	}
	if err := os.Remove("operator/identity.yaml"); err != nil {
		t.Fatal(err)
	}
	if got := runHere(t, "stream", "--config=operator.yaml"); got.status != statusFailed || !strings.Contains(got.stderr, "operator/identity.yaml") {
		t.Errorf("stream without identity: %+v", got)
	}
}

// TestThreeServers: a cluster from the commands, of which one server may fail.
func TestThreeServers(t *testing.T) {
	chdirTemp(t)
	makeConsortium(t, 3)
	first := startServer(t, "servers/nats-1.conf")
	for i := 2; i <= 3; i++ {
		startServer(t, fmt.Sprintf("servers/nats-%d.conf", i))
	}
	if got := mustRun(t, "stream", "--config=operator.yaml"); strings.Count(got, ", led by nats-") != 2 || strings.Count(got, "replicas: 3") != 2 {
		t.Error(got)
	}
	log := openAs(t, "alice")
	first.stop()
	if err := log.Append(t.Context(), "risk.s.keygen.0.all.alice.head", []byte("x")); err != nil {
		t.Error(err)
	}
}

// partyOf reads configuration and identity of a party in the current folder.
func partyOf(t *testing.T, name string) (*config.Party, *config.Identity) {
	t.Helper()
	p, err := config.Load(name+".yaml", config.ParseParty)
	if err != nil {
		t.Fatal(err)
	}
	id, err := config.ReadIdentity(p.Identity, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p, id
}

// openAs opens the log for a party whose configuration is in the current folder.
func openAs(t *testing.T, name string) *jet.Log {
	t.Helper()
	p, id := partyOf(t, name)
	log, done, err := dial(t.Context(), p, id, streamName, newLogger(io.Discard, false))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	return log
}

// TestNewFiles: all or nothing, also where a folder cannot be made.
func TestNewFiles(t *testing.T) {
	chdirTemp(t)
	files := []newFile{{"a", []byte("1"), publicMode}, {"b", []byte("2"), secretMode}}
	if err := writeNewFiles("new/folder", files); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := os.Stat("new/folder/" + f.name)
		if err != nil || info.Mode().Perm() != f.mode {
			t.Errorf("%s: %v, %v", f.name, info, err)
		}
	}
	if err := writeNewFiles("new/folder/a", files); err == nil {
		t.Error("a file was taken for a folder")
	}
	if err := writeNewFiles("other", append(files, newFile{"missing/c", nil, publicMode})); err == nil {
		t.Error("a file was written into a folder that is not there")
	}
	if _, err := os.Stat("other"); !os.IsNotExist(err) {
		t.Errorf("a folder is left: %v", err)
	}
}
