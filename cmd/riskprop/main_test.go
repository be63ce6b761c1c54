package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"riskprop/party/ledger"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"riskprop": main})
}

// TestScripts runs the real main, each time as a process of its own. Every script tells why it exists.
func TestScripts(t *testing.T) {
	example, err := filepath.Abs("../../exampledata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TMPDIR", env.WorkDir+"/tmp")
			env.Setenv("EXAMPLE", example)
			env.Values[ensembleKey{}] = new(ensemble)
			return os.Mkdir(env.WorkDir+"/tmp", 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":   statusIs,
			"write":    writeText,
			"near":     near,
			"empty":    empty,
			"banks":    makeBanks,
			"serve":    serve,
			"take":     take,
			"due":      due,
			"mode":     mode,
			"replace":  replace,
			"cut":      cut,
			"quicken":  quicken,
			"discreet": discreet,
		},
	})
}

// statusIs: status N ARGS... runs riskprop with ARGS, which must exit with status N.
func statusIs(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](ts.Exec("riskprop", args[1:]...)); ok {
		got = exit.ExitCode()
	}
	ensembleOf(ts).hear(args[1:], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}

// writeText: write FILE 'TEXT' writes a text with the escapes of a Go string.
func writeText(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(unquoted(ts, args[1])), 0o666))
}

// unquoted is a text with the escapes of a Go string.
func unquoted(ts *testscript.TestScript, text string) string {
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
	ts.Check(err)
	return text
}

// near: near FILE FILE compares two files of scores, up to 1e-9.
func near(ts *testscript.TestScript, _ bool, args []string) {
	var scores [2][]ledger.Score
	for i := range scores {
		var err error
		scores[i], err = ledger.ParseScores(ledger.File{Name: args[i], Data: []byte(ts.ReadFile(args[i]))})
		ts.Check(err)
	}
	ts.Check(sameScores(scores[0], scores[1]))
}

// sameScores compares scores, up to 1e-9.
func sameScores(a, b []ledger.Score) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d scores and %d", len(a), len(b))
	}
	for i := range a {
		if a[i].ID != b[i].ID || a[i].Initial != b[i].Initial || math.Abs(a[i].Final-b[i].Final) > 1e-9 {
			return fmt.Errorf("%v and %v", a[i], b[i])
		}
	}
	return nil
}

// empty: empty FOLDER... checks that there is nothing in the folders.
func empty(ts *testscript.TestScript, _ bool, args []string) {
	for _, folder := range args {
		entries, err := os.ReadDir(ts.MkAbs(folder))
		ts.Check(err)
		if len(entries) > 0 {
			ts.Fatalf("%s holds %v", folder, entries)
		}
	}
}

// outcome is what a run in this process leaves.
type outcome struct {
	status         int
	stdout, stderr string
}

// runHere runs a command line in this process; temporary files go to a folder of the test.
func runHere(t testing.TB, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, &stdout, &stderr)
	return outcome{status, stdout.String(), stderr.String()}
}

// chdirTemp makes a new folder for a test's files current, with another one inside for temporary files.
func chdirTemp(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("tmp", 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", "tmp")
}

// nothingLeft checks that the current folder is as chdirTemp made it.
func nothingLeft(t *testing.T) {
	t.Helper()
	for _, folder := range []string{".", "tmp"} {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			if entry.Name() != "tmp" {
				t.Errorf("%s is left in %s", entry.Name(), folder)
			}
		}
	}
}

// TestJSON: with --json, standard output is one object with every field, and the story is on standard error.
func TestJSON(t *testing.T) {
	chdirTemp(t)
	got := runHere(t, "demo", "--json", "--key-bits=512", "--iterations=2")
	decoder := json.NewDecoder(strings.NewReader(got.stdout))
	decoder.DisallowUnknownFields()
	var r report
	if err := decoder.Decode(&r); err != nil || got.status != statusOK {
		t.Fatalf("%v in %+v", err, got)
	}
	if _, err := decoder.Token(); err != io.EOF {
		t.Errorf("more than one object: %s", got.stdout)
	}
	if r.KeyBits != 512 || r.Parties != 3 || r.Threshold != 1 || r.Accounts != 120 || r.Periods != 3 || r.Iterations != 2 {
		t.Errorf("%+v", r)
	}
	if r.Transactions < 300 || r.Transactions > 500 {
		t.Errorf("%d transactions", r.Transactions)
	}
	s := r.Seconds
	if s.Keygen <= 0 || s.Propagate <= 0 || s.Open <= 0 || s.Total < s.Keygen+s.Propagate+s.Open {
		t.Errorf("%+v", s)
	}
	if r.MaxError == nil || *r.MaxError > 1e-9 {
		t.Errorf("largest error %v", r.MaxError)
	}
	for _, bank := range []string{"alice", "bob", "charlie"} {
		if r.BytesWritten[bank] < 10_000 {
			t.Errorf("%s has written %d bytes", bank, r.BytesWritten[bank])
		}
	}
	if k := r.Keygen; k == nil || k.Attempts < 1 || k.Candidates < k.Attempts || k.Tested < 1 {
		t.Errorf("%+v", k)
	}
	if !strings.Contains(got.stderr, "NL-BOB-0008") || !strings.Contains(got.stderr, "not secure") {
		t.Errorf("the story is missing: %s", got.stderr)
	}
}

// TestPlainJSON: plain has no phases, no error and no log.
func TestPlainJSON(t *testing.T) {
	chdirTemp(t)
	if got := runHere(t, "gen", "--out=data", "--banks=5", "--accounts=50", "--transactions=80", "--periods=2"); got.status != statusOK {
		t.Fatal(got)
	}
	got := runHere(t, "plain", "--data=data", "--out=out", "--json")
	var r map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
		t.Fatalf("%v in %+v", err, got)
	}
	if r["threshold"] != 2.0 || r["parties"] != 5.0 || r["accounts"] != 50.0 || r["periods"] != 2.0 {
		t.Error(r)
	}
	if spent := r["seconds"].(map[string]any); len(spent) != 1 || spent["total"].(float64) <= 0 {
		t.Error(spent)
	}
	for _, field := range []string{"max_error", "bytes_written", "keygen"} {
		if _, there := r[field]; there {
			t.Errorf("plain has %s", field)
		}
	}
}

// trigger is a standard output that does something as soon as a text appears in it.
type trigger struct {
	seen bytes.Buffer
	text string
	do   func() error
}

func (w *trigger) Write(p []byte) (int, error) {
	n, _ := w.seen.Write(p)
	if w.text != "" && strings.Contains(w.seen.String(), w.text) {
		w.text = ""
		if err := w.do(); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// TestStopped: a run that is stopped, in any phase, leaves no file and says why. So does one whose standard output fails.
func TestStopped(t *testing.T) {
	cause := errors.New("the operator has had enough")
	for name, at := range map[string]string{"at the start": "bank", "while the key is made": "charlie", "while scores travel": "keygen", "while scores are opened": "propagate"} {
		t.Run(name, func(t *testing.T) {
			chdirTemp(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			var stderr bytes.Buffer
			stdout := &trigger{text: "  " + at, do: func() error { cancel(cause); return nil }}
			if status := run(ctx, []string{"demo", "--key-bits=256", "--iterations=1"}, stdout, &stderr); status != statusFailed {
				t.Errorf("status %d", status)
			}
			if !strings.HasSuffix(stderr.String(), "riskprop: error: stopped, nothing was written: "+cause.Error()+"\n") {
				t.Error(stderr.String())
			}
			nothingLeft(t)
		})
		t.Run("standard output fails "+name, func(t *testing.T) {
			chdirTemp(t)
			var stderr bytes.Buffer
			stdout := &trigger{text: "  " + at, do: func() error { return cause }}
			if status := run(t.Context(), []string{"demo", "--key-bits=256", "--iterations=1"}, stdout, &stderr); status != statusFailed {
				t.Errorf("status %d", status)
			}
			if !strings.HasSuffix(stderr.String(), "riskprop: error: stopped, nothing was written: write to standard output: "+cause.Error()+"\n") {
				t.Error(stderr.String())
			}
			nothingLeft(t)
		})
	}
}

// TestStoppedBeforeItBegins: the other subcommands look at the context before they write.
func TestStoppedBeforeItBegins(t *testing.T) {
	chdirTemp(t)
	if got := runHere(t, "gen", "--out=data"); got.status != statusOK {
		t.Fatal(got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range [][]string{{"gen", "--out=new"}, {"plain", "--data=data", "--out=new"}} {
		var stdout, stderr bytes.Buffer
		if status := run(ctx, args, &stdout, &stderr); status != statusFailed || !strings.Contains(stderr.String(), "error: stopped, nothing was written") {
			t.Errorf("%v: status %d: %s", args, status, stderr.String())
		}
	}
	if err := os.RemoveAll("data"); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t)
}

// TestOutputFailsAtTheEnd: the files are there, but the run was not told to the end.
func TestOutputFailsAtTheEnd(t *testing.T) {
	chdirTemp(t)
	var stderr bytes.Buffer
	stdout := &trigger{text: "riskprop", do: func() error { return io.ErrShortWrite }}
	if status := run(t.Context(), []string{"version"}, stdout, &stderr); status != statusFailed || !strings.Contains(stderr.String(), "write to standard output: short write") {
		t.Errorf("status %d: %s", status, stderr.String())
	}
}

// TestSignal: SIGINT in the middle of the search for a key, to the real process.
func TestSignal(t *testing.T) {
	chdirTemp(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	c := exec.CommandContext(t.Context(), program, "demo")
	c.Args[0] = "riskprop" // what makes the test binary the program, see TestMain
	c.Stderr = &stderr
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stdout := &trigger{text: "charlie", do: func() error { return c.Process.Signal(os.Interrupt) }}
	if _, err := io.Copy(stdout, pipe); err != nil {
		t.Fatal(err)
	}
	exit, ok := errors.AsType[*exec.ExitError](c.Wait())
	if !ok || exit.ExitCode() != statusFailed || !strings.Contains(stderr.String(), "error: stopped, nothing was written: ") {
		t.Errorf("%v: %s", exit, stderr.String())
	}
	nothingLeft(t)
}
