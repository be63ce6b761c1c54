package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
	"github.com/rogpeppe/go-internal/testscript"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party/ledger"
)

// This file has the commands of the scripts in which banks do something together, every party as a process of its own, over a
// server that is one as well.

// ensemble is what a script has running, and all that its commands have printed.
type ensemble struct {
	pace   time.Duration // how long it took to make the banks' files, in a process for each
	said   bytes.Buffer
	shares []string     // of keys, that were in files
	stop   func() error // ends the server; nil: none runs
}

type ensembleKey struct{}

func ensembleOf(ts *testscript.TestScript) *ensemble { return ts.Value(ensembleKey{}).(*ensemble) }

// hear keeps what a command has printed, if it must be discreet. Some show accounts to those whose data they read.
func (e *ensemble) hear(args []string, texts ...string) {
	if len(args) > 0 && slices.Contains([]string{"plain", "demo", "doctor"}, args[0]) {
		return
	}
	e.said.WriteString(strings.Join(texts, ""))
}

// patience is how long a script waits for a process that ends by itself, or that is asked to.
const patience = 2 * time.Minute

// program is the real main, as a process of its own in the script's folder.
func program(ctx context.Context, ts *testscript.TestScript, args ...string) *exec.Cmd {
	path, err := os.Executable()
	ts.Check(err)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Args[0] = "riskprop" // what makes the test binary the program, see TestMain
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "TMPDIR="+ts.Getenv("TMPDIR"))
	return cmd
}

// makeBanks: banks makes the files of alice, bob and charlie, of an operator and an auditor, and of one server on a free port,
// SERVER, with the configurations that a consortium begins with. The script's own session files get the consortium's roster.
func makeBanks(ts *testscript.TestScript, _ bool, _ []string) {
	start := time.Now()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	ts.Check(errors.Join(err, listener.Close()))
	ts.Setenv("SERVER", "127.0.0.1:"+port)
	puts := []string{"consortium"}
	for _, name := range []string{"alice", "bob", "charlie", "operator", "auditor"} {
		init := []string{"init", name, "--dir", name}
		if name == "operator" || name == "auditor" {
			init = append(init, "--role", name)
		}
		ts.Check(ts.Exec("riskprop", init...))
		puts = append(puts, name+"/"+name+".pub.yaml")
		text, err := os.ReadFile(filepath.Join(configsFolder, name+".yaml"))
		ts.Check(err)
		text = bytes.ReplaceAll(text, []byte(":4222"), []byte(":"+port))
		ts.Check(os.WriteFile(ts.MkAbs(name+".yaml"), text, 0o600))
	}
	ts.Check(ts.Exec("riskprop", puts...))
	ts.Check(os.WriteFile(ts.MkAbs("consortium.yaml"), []byte(ts.ReadFile("stdout")), 0o600))
	ts.Check(ts.Exec("riskprop", "server-config", "--consortium", "consortium.yaml", "--out", "nats", "--dev-ca", "--port", port, "--monitor-port", "0"))
	roster := rosterOf(ts).Roster().Digest()
	files, err := filepath.Glob(ts.MkAbs("*.yaml"))
	ts.Check(err)
	for _, file := range files {
		text := strings.ReplaceAll(ts.ReadFile(file), "ROSTER", fmt.Sprintf("%x", roster))
		ts.Check(os.WriteFile(file, []byte(text), 0o600))
	}
	ensembleOf(ts).pace = time.Since(start)
}

func rosterOf(ts *testscript.TestScript) *config.Consortium {
	consortium, err := config.Load(ts.MkAbs("consortium.yaml"), config.ParseConsortium)
	ts.Check(err)
	return consortium
}

// serve: serve CONF runs a server, which is ready when the next command begins, and ends with the script at the latest.
// ! serve ends it, in order.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	e := ensembleOf(ts)
	if neg {
		ts.Check(e.stop())
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := program(ctx, ts, "server", "--config", args[0])
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(os.Interrupt) }, patience
	ready, ended := make(chan struct{}), make(chan error, 1)
	stdout := &trigger{text: "Ready on ", do: func() error { close(ready); return nil }}
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr
	ts.Check(cmd.Start())
	go func() { ended <- cmd.Wait() }()
	e.stop = sync.OnceValue(func() error {
		cancel()
		err := <-ended
		e.hear(cmd.Args[1:], stdout.seen.String(), stderr.String())
		if cmd.ProcessState.ExitCode() != statusOK || !strings.HasSuffix(stdout.seen.String(), "Stopped.\n") {
			return fmt.Errorf("the server: %w: %s%s", err, stdout.seen.String(), stderr.String())
		}
		return nil
	})
	ts.Defer(func() { _ = e.stop() }) // what the script is about is over
	select {
	case <-ready:
	case err := <-ended:
		ended <- err
		ts.Check(e.stop())
	}
}

// take: take STATUS SESSION MEMBER[=SESSION]... lets members take part in a session, at the same time, until all have ended, and
// each with STATUS; what alice has printed is in alice.stdout and alice.stderr. Each runs with --json, and logs all that can be
// logged.
func take(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	type part struct {
		name           string
		cmd            *exec.Cmd
		stdout, stderr bytes.Buffer
	}
	var parts []*part
	for _, arg := range args[2:] {
		name, session, differs := strings.Cut(arg, "=")
		if !differs {
			session = args[1]
		}
		p := &part{name: name, cmd: program(ctx, ts, "--verbose", "party", "--json", "--config", name+".yaml", "--session", session)}
		p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
		parts = append(parts, p)
	}
	var all sync.WaitGroup
	for _, p := range parts {
		all.Go(func() { _ = p.cmd.Run() }) // what comes of it is in its state
	}
	all.Wait()
	for _, p := range parts {
		for name, text := range map[string]string{p.name + ".stdout": p.stdout.String(), p.name + ".stderr": p.stderr.String()} {
			ensembleOf(ts).hear(p.cmd.Args[1:], text)
			ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
		}
		ts.Logf("%s: %s%s", p.name, p.stdout.String(), lastLine(p.stderr.String()))
	}
	for _, p := range parts {
		if got := p.cmd.ProcessState.ExitCode(); got != want {
			ts.Fatalf("%s: status %d, want %d: %s", p.name, got, want, p.stderr.String())
		}
	}
}

// lastLine is where the error of a run is.
func lastLine(text string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	return lines[len(lines)-1]
}

// due: due SECONDS FILE gives a session's file a deadline so many seconds from now, and more on a slow machine: the parties begin in
// time.
func due(ts *testscript.TestScript, _ bool, args []string) {
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	line := "deadline: " + time.Now().Add(time.Duration(seconds)*time.Second+2*ensembleOf(ts).pace).UTC().Format(time.RFC3339) + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(ts.ReadFile(args[1])+line), 0o600))
}

// replace: replace FILE OLD 'NEW' changes the first place of a text in a file, which has one; NEW has the escapes of a Go string.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s has no %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], unquoted(ts, args[2]), 1)), 0o600))
}

// cut: cut N FILE NEW makes a file of the first N bytes of another one, which has more.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := ts.ReadFile(args[1])
	if len(text) <= n {
		ts.Fatalf("%s has %d bytes", args[1], len(text))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(text[:n]), 0o600))
}

// quicken: quicken FILE makes a share's file one that is opened without the work that keeps off those who guess: with the same
// passphrase, which is in the file of that name.
func quicken(ts *testscript.TestScript, _ bool, args []string) {
	passphrase, _, _ := strings.Cut(ts.ReadFile("passphrase"), "\n")
	identity, err := age.NewScryptIdentity(passphrase)
	ts.Check(err)
	recipient, err := age.NewScryptRecipient(passphrase)
	ts.Check(err)
	recipient.SetWorkFactor(4)
	slow, err := age.Decrypt(armor.NewReader(strings.NewReader(ts.ReadFile(args[0]))), identity)
	ts.Check(err)
	text, err := io.ReadAll(slow)
	ts.Check(err)
	_, share, _ := strings.Cut(string(text), "\nshare: ")
	ensembleOf(ts).shares = append(ensembleOf(ts).shares, strings.TrimSpace(share))
	var file bytes.Buffer
	armored := armor.NewWriter(&file)
	quick, err := age.Encrypt(armored, recipient)
	ts.Check(err)
	_, err = quick.Write(text)
	ts.Check(errors.Join(err, quick.Close(), armored.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file.Bytes(), 0o600))
}

// mode: mode MODE PATH... checks who may do what with files and folders.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	for _, path := range args[1:] {
		info, err := os.Stat(ts.MkAbs(path))
		ts.Check(err)
		if got := info.Mode().Perm(); got != os.FileMode(want) {
			ts.Fatalf("%s has mode %#o, want %#o", path, got, want)
		}
	}
}

// discreet: discreet N checks that of N secrets of the banks or more none is in what the script's commands have printed: seeds, account
// ids, scores as they came and as they went, passphrases, shares of keys.
func discreet(ts *testscript.TestScript, _ bool, args []string) {
	least, err := strconv.Atoi(args[0])
	ts.Check(err)
	secrets := slices.Concat(seeds(ts), numbers(ts), ensembleOf(ts).shares)
	if len(secrets) < least {
		ts.Fatalf("only %d secrets to look for", len(secrets))
	}
	for _, secret := range secrets {
		if len(secret) < 5 {
			ts.Fatalf("%q is too short to be told from what is none", secret)
		}
		if at := strings.Index(ensembleOf(ts).said.String(), secret); at >= 0 {
			ts.Fatalf("%q was printed or logged: ...%.200s", secret, ensembleOf(ts).said.String()[max(at-100, 0):])
		}
	}
}

// found are the texts of the files of a pattern.
func found(ts *testscript.TestScript, pattern string) map[string]string {
	paths, err := filepath.Glob(ts.MkAbs(pattern))
	ts.Check(err)
	texts := make(map[string]string)
	for _, path := range paths {
		texts[path] = ts.ReadFile(path)
	}
	return texts
}

// seeds are those of all identities, and the passphrases.
func seeds(ts *testscript.TestScript) (secrets []string) {
	for _, text := range found(ts, "*/identity.yaml") {
		_, seed, _ := strings.Cut(text, "seed: ")
		secrets = append(secrets, strings.TrimSpace(seed))
	}
	for _, text := range found(ts, "*passphrase*") {
		secrets = append(secrets, strings.TrimSpace(text))
	}
	return secrets
}

// numbers are the accounts and their scores.
func numbers(ts *testscript.TestScript) (secrets []string) {
	for _, text := range found(ts, "data/*/accounts.csv") {
		for _, line := range strings.Fields(text)[1:] {
			secrets = append(secrets, strings.Split(line, ",")...)
		}
	}
	for path, text := range found(ts, "scores/*/*/scores.csv") {
		scores, err := ledger.ParseScores(ledger.File{Name: path, Data: []byte(text)})
		ts.Check(err)
		for _, score := range scores {
			secrets = append(secrets, fmt.Sprintf("%.12f", score.Final)[:10]) // however many digits are shown
		}
	}
	return secrets
}
