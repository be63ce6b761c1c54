package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party/ledger"
)

// configsFolder is the set of files that a consortium begins with.
const configsFolder = "../../configs"

// build makes the binary for processes that a test ends as it likes.
func build(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "riskprop")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// freePorts are so many ports of this machine that nobody listens on.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		ports = append(ports, port)
	}
	return ports
}

// copyConfigs copies the set with other ports, and with a small key: the one in the set takes a minute of luck.
func copyConfigs(t *testing.T, ports []string) string {
	t.Helper()
	dir := t.TempDir()
	entries, err := os.ReadDir(configsFolder)
	if err != nil {
		t.Fatal(err)
	}
	change := strings.NewReplacer(":4222", ":"+ports[0], ":8222", ":"+ports[1], "key_bits: 2048", "key_bits: 512")
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(configsFolder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, entry.Name()), []byte(change.Replace(string(text))), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestConfigsScript runs the script of the set as it stands: a server, three banks, an operator and an auditor, each in
// processes of their own, over TLS. The scores are those of the computation in the clear, and nothing that was printed or
// logged tells a secret.
func TestConfigsScript(t *testing.T) {
	ports := freePorts(t, 3)
	work := filepath.Join(t.TempDir(), "work")
	data, err := filepath.Abs("../../exampledata")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(copyConfigs(t, ports), "run.sh"), work)
	binary := build(t)
	cmd.Env = append(os.Environ(), "RISKPROP="+binary, "DATA="+data,
		fmt.Sprintf("SERVER_FLAGS=--port %s --monitor-port %s --route-port %s", ports[0], ports[1], ports[2]))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // the script ends what it has started
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := strings.Count(string(out), "It has ended well"); n != 2 {
		t.Errorf("%d sessions have ended well:\n%s", n, out)
	}
	compareWithPlain(t, work, data)
	noSecrets(t, work, out)
	keyCommands(t, binary, work)
}

// keyCommands shows, exports and imports a share of the key that the script has generated, over the server started again;
// then a propagation takes it from the file. Without the passphrase, or for another bank, it is refused.
func keyCommands(t *testing.T, binary, work string) {
	t.Helper()
	server := exec.Command(binary, "server", "--config", filepath.Join(work, "nats", "nats-1.conf"))
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Signal(os.Interrupt) // fails where it has ended by itself, which the commands below show
		_ = server.Wait()
	}()
	for name, text := range map[string]string{"passphrase": "correct horse\n", "wrong": "battery\n"} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(status int, want string, args ...string) {
		t.Helper()
		cmd := exec.Command(binary, args...)
		cmd.Dir = work
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != status || !strings.Contains(string(out), want) {
			t.Errorf("%v: status %d, %v, want %d and %q:\n%s", args, got, err, status, want, out)
		}
	}
	key := []string{"--config", "alice.yaml", "--session", "keygen.yaml"}
	run(0, "[alice bob charlie], any 2 of which can decrypt", append([]string{"key", "show"}, key...)...)
	run(1, "name the file of the key generation keys-2026", "key", "show", "--config", "alice.yaml", "--session", "run-2026-q4.yaml")
	export := append([]string{"key", "export"}, key...)
	run(0, "Wrote the share of alice", append(export, "--out", "alice.age", "--passphrase-file", "passphrase")...)
	run(1, "is not overwritten", append(export, "--out", "alice.age", "--passphrase-file", "passphrase")...)
	run(1, "alice.age", "key", "import", "--config", "alice.yaml", "--in", "alice.age", "--passphrase-file", "wrong")
	run(1, "is the share of alice", "key", "import", "--config", "bob.yaml", "--in", "alice.age", "--passphrase-file", "passphrase")
	run(0, "Wrote the share of alice", "key", "import", "--config", "alice.yaml", "--in", "alice.age", "--passphrase-file", "passphrase")
	for path, want := range map[string]fs.FileMode{"alice.age": 0o600, "keys/alice/keys-2026.age": 0o600, "keys/alice": 0o700} {
		if info, err := os.Stat(filepath.Join(work, path)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}

// compareWithPlain compares the scores of all banks with those of the computation in the clear.
func compareWithPlain(t *testing.T, work, data string) {
	t.Helper()
	clear := filepath.Join(t.TempDir(), "plain")
	if got := runHere(t, "plain", "--data", data, "--out", clear); got.status != statusOK {
		t.Fatal(got)
	}
	for _, bank := range []string{"alice", "bob", "charlie"} {
		private := parseScores(t, filepath.Join(work, "scores", bank, "run-2026-q4", "scores.csv"))
		if err := sameScores(private, parseScores(t, filepath.Join(clear, bank, "scores.csv"))); err != nil {
			t.Errorf("%s: %v", bank, err)
		}
	}
}

func parseScores(t *testing.T, path string) []ledger.Score {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := ledger.ParseScores(ledger.File{Name: path, Data: text})
	if err != nil {
		t.Fatal(err)
	}
	return scores
}

// noSecrets checks what was printed, and the modes of what was written.
func noSecrets(t *testing.T, work string, out []byte) {
	t.Helper()
	for _, bank := range []string{"alice", "bob", "charlie"} {
		identity, err := os.ReadFile(filepath.Join(work, bank, "identity.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		_, seed, _ := strings.Cut(string(identity), "seed: ")
		secrets := []string{strings.TrimSpace(seed)}
		for _, score := range parseScores(t, filepath.Join(work, "scores", bank, "run-2026-q4", "scores.csv")) {
			secrets = append(secrets, score.ID)
			if text := fmt.Sprintf("%.12f", score.Final); !strings.HasSuffix(text, "0000000") {
				secrets = append(secrets, text[:10]) // however many digits are shown
			}
		}
		if len(secrets) < 50 {
			t.Errorf("%s: only %d secrets to look for", bank, len(secrets))
		}
		for _, secret := range secrets {
			if len(secret) < 8 || bytes.Contains(out, []byte(secret)) {
				t.Errorf("%s: %q was printed or logged", bank, secret)
			}
		}
	}
	err := filepath.WalkDir(work, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		secret := entry.Name() == "identity.yaml" || entry.Name() == "nats-1.conf" || strings.HasSuffix(entry.Name(), "-key.pem") ||
			strings.Contains(path, "/scores/")
		if secret && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestConfigsAreRead: every file of the set is one that the program reads, and the page beside them tells of it.
func TestConfigsAreRead(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(configsFolder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	paths, err := filepath.Glob(filepath.Join(configsFolder, "*"))
	if err != nil || len(paths) < 9 {
		t.Fatalf("%d files, %v", len(paths), err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		if name != "README.md" && !strings.Contains(string(page), "`"+name) {
			t.Errorf("the page does not tell of %s", name)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = bytes.ReplaceAll(text, []byte("ROSTER "), []byte(strings.Repeat("0", 64)))
		switch {
		case !strings.HasSuffix(name, ".yaml"):
		case bytes.Contains(text, []byte("\nkind: ")):
			_, err = config.ParseSession(path, text)
		default:
			_, err = config.ParseParty(path, text)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
