package main

import (
	"errors"
	"math"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"riskprop/party/ledger"
)

func TestSameScores(t *testing.T) {
	want := []ledger.Score{{ID: "a", Final: 0.25}, {ID: "b", Final: 1}}
	for name, c := range map[string]struct {
		got []ledger.Score
		ok  bool
	}{
		"equal":    {[]ledger.Score{{ID: "a", Final: 0.25}, {ID: "b", Final: 1}}, true},
		"nearly":   {[]ledger.Score{{ID: "a", Final: 0.25 + 1e-10}, {ID: "b", Final: 1}}, true},
		"off":      {[]ledger.Score{{ID: "a", Final: 0.25}, {ID: "b", Final: 1 - 1e-8}}, false},
		"missing":  {want[:1], false},
		"more":     {append(want[:2:2], want[0]), false},
		"other id": {[]ledger.Score{{ID: "a", Final: 0.25}, {ID: "c", Final: 1}}, false},
		"none":     {[]ledger.Score{{ID: "a", Final: math.NaN()}, {ID: "b", Final: 1}}, false},
	} {
		if err := same(c.got, want); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPhaseAfter(t *testing.T) {
	for round, want := range map[string]string{"": "at the start", "final": "after final", "scores.1.2": "after scores"} {
		if got := phaseAfter(round); got != want {
			t.Errorf("%q: %q, not %q", round, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	c := &chaos{kills: map[victim]int{
		{"server", "after final"}: 1, {"party", "after share"}: 20, {"party", "after agree"}: 300,
	}}
	const want = "321 kills\n  party: 300 after agree; 20 after share;\n  server: 1 after final;\n"
	if got := c.summary(); got != want {
		t.Errorf("%q, not %q", got, want)
	}
}

func TestFreePorts(t *testing.T) {
	first, err := freePorts(6)
	if err != nil {
		t.Fatal(err)
	}
	for port := first; port < first+6; port++ {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
}

// TestHeard feeds lines as a party prints them.
func TestHeard(t *testing.T) {
	s := &site{present: newSession("run", "key"), completed: make(chan completion, 1)}
	for _, line := range []string{
		`alice takes part in propagate run with bob, charlie.`,
		`{"level":"info","session":"key","round":9,"name":"prove","message":"round complete"}`,
		`{"level":"info","session":"run","round":1,"name":"scores.0.0","message":"round complete"}`,
		`{"level":"info","session":"run","round":2,"name":"scores.0.1","message":"waiting"}`,
		`{"party":"alice","session":"run","key":"77","unchecked":["bob"]}`,
	} {
		s.heard("alice", line)
	}
	s.heard("bob", `{"session":"run","round":0,"name":"agree","message":"round complete"}`)
	if got := s.phase("alice") + ", " + s.phase("bob") + ", " + s.phase("charlie") + ", " + s.phase(""); got !=
		"after scores, after agree, at the start, after scores" {
		t.Error(got)
	}
	if got := <-s.completed; got != (completion{"run", "alice", "scores.0.0"}) {
		t.Error(got)
	}
	if s.present.keys["alice"] != "77" || s.openedWithout != 1 || s.present.furthest != 1 || len(s.present.news) != 1 {
		t.Errorf("%+v, %d", s.present, s.openedWithout)
	}
}

// TestEnded: the session has ended when all banks have ended well, or with the first that has ended otherwise than with status 1.
func TestEnded(t *testing.T) {
	s := &site{present: newSession("key", "key")}
	for _, bank := range banks() {
		if len(s.present.ends) != 0 {
			t.Fatalf("ended before %s", bank)
		}
		s.ended(bank, nil)
		if s.args(bank) != nil {
			t.Errorf("%s would be started again", bank)
		}
	}
	if err := <-s.present.ends; err != nil {
		t.Error(err)
	}
	s.present = newSession("key-2", "key-2")
	if got := strings.Join(s.args("bob"), " "); !strings.HasSuffix(got, "key-2.yaml --json") {
		t.Error(got)
	}
	status3 := exec.Command("sh", "-c", "exit 3").Run()
	s.ended("bob", status3)
	s.ended("bob", errors.New("second"))
	if err := <-s.present.ends; !errors.Is(err, status3) {
		t.Error(err)
	}
}

// TestProcess: whoever ends by itself is reported with all that it said; whoever is killed is not, and leaves no folder.
func TestProcess(t *testing.T) {
	dir := t.TempDir()
	var lines []string
	ended := make(chan error, 1)
	script := "echo one; echo two; exit 1"
	p := &process{binary: "sh", dir: filepath.Join(dir, "work"), log: filepath.Join(dir, "log"),
		args: func() []string { return []string{"-c", script} },
		line: func(line string) { lines = append(lines, line) }, ended: func(err error) { ended <- err }}
	p.start()
	var exit *exec.ExitError
	if err := <-ended; !errors.As(err, &exit) || exit.ExitCode() != 1 || strings.Join(lines, " ") != "one two" {
		t.Errorf("%v after %q", err, lines)
	}
	if p.kill() {
		t.Error("killed what had ended")
	}
	script = "exec sleep 1000"
	p.start()
	p.start() // it runs
	if !p.kill() || p.kill() || len(ended) != 0 {
		t.Error("not killed once, or reported")
	}
	if left, err := filepath.Glob(p.dir); err != nil || left != nil {
		t.Errorf("left is %v, %v", left, err)
	}
	p.stop()
	p.start()
	if p.kill() {
		t.Error("started after it was stopped for ever")
	}
	q := &process{binary: filepath.Join(dir, "none"), dir: p.dir, log: p.log, args: p.args, ended: p.ended}
	q.start()
	if err := <-ended; err == nil {
		t.Error("started what is not there")
	}
}
