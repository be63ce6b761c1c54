package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"riskprop/bus"
	"riskprop/bus/mem"
	"riskprop/schema"
)

// TestStatusStories plays the scripts in testdata/status, with an identity, a clock and a log that are always the same. What status
// shows is kept in them; "go test ./cmd/riskprop -run StatusStories -rewrite" writes it anew, for a reviewer to read. The
// commands are:
//
//	begin keygen | propagate       everybody begins the session
//	play [alice= bob= charlie=]    everybody does all it can; who is named stops in the given round
//	until <round>                  everybody goes on until alice is in a round of this name
//	settle <names>                 time is up: goes on with those who have spoken
//	abort <name> blames= reason=   a member's last word
//	split <name>                   a member goes on with another history
//	clock <seconds>                the time that has passed since the last record, in place of 10 seconds
//	status keygen | propagate [all]
func TestStatusStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/status/*")
	if err != nil || len(paths) != 6 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			th := newTheatre(t)
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				th.t = t
				return th.command(d)
			})
		})
	}
}

// command carries out one command of a script.
func (th *theatre) command(d *datadriven.TestData) string {
	th.t.Helper()
	first := ""
	if len(d.CmdArgs) > 0 {
		first = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "begin":
		map[string]func(){schema.Keygen: th.beginKeys, schema.Propagate: th.beginRun}[first]()
	case "play":
		limits := make(map[string]int)
		for _, arg := range d.CmdArgs {
			var round int
			arg.Scan(th.t, 0, &round)
			limits[arg.Key] = round
		}
		th.play(limits)
	case "until":
		th.until(first)
	case "settle":
		for _, arg := range d.CmdArgs {
			th.settle(arg.Key)
		}
	case "abort":
		var blames, reason string
		d.MaybeScanArgs(th.t, "blames", &blames)
		d.ScanArgs(th.t, "reason", &reason)
		th.abort(first, blames, strings.ReplaceAll(reason, "_", " "))
	case "split":
		th.split(first)
	case "clock":
		seconds := 0
		if _, err := fmt.Sscan(first, &seconds); err != nil {
			th.t.Fatal(err)
		}
		th.passed = time.Duration(seconds) * time.Second
	case "status":
		session := th.keys()
		if first == schema.Propagate {
			session = th.run()
		}
		return th.show(session, statusCommand{All: d.HasArg("all")})
	default:
		d.Fatalf(th.t, "unknown command %s", d.Cmd)
	}
	return "ok"
}

// ended is a theatre whose key generation has ended.
func ended(t *testing.T) *theatre {
	th := newTheatre(t)
	th.beginKeys()
	th.play(nil)
	return th
}

// TestStatusJSON: the fields have stable names, and say what the table says.
func TestStatusJSON(t *testing.T) {
	th := ended(t)
	th.beginRun()
	th.play(map[string]int{"bob": 3})
	text := th.show(th.run(), statusCommand{JSON: true})
	for _, want := range []string{
		`{"session":"run-2026","protocol":"propagate","members":["alice","bob","charlie"],"state":"running","round":3,"name":"scores.1.0","awaited":["bob"],"since":"2026-`,
		`,"waited_seconds":`, `,"deadline":"2026-12-31T18:00:00Z","estimate":{"note":"`, `"rounds_left":6,"mean_seconds":`, `"rounds":[{"round":0,"name":"agree","heads":[{"member":"alice","time":"2026-12-30T12:`,
		`","parts":3,"bytes":`, `"spread_seconds":`, `"took_seconds":`, `"awaited":["bob"],"parts":`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Count(text, "\n") != 1 {
		t.Error("more than one line")
	}
	s := th.status(th.run())
	bytes := int64(0)
	for subject, data := range th.log.Records {
		slot, err := schema.ParseSubject(subject)
		if err != nil {
			t.Fatal(err)
		}
		if slot.Session == "run-2026" {
			bytes += int64(len(data))
		}
	}
	for _, r := range s.Rounds {
		bytes -= r.Bytes
	}
	if bytes != 0 {
		t.Errorf("%d bytes on the log are missing", bytes)
	}
	if silent := newTheatre(t).show(th.keys(), statusCommand{JSON: true}); !strings.Contains(silent, `"state":"silent","round":0,"name":"agree","awaited":[],"rounds":[],`) {
		t.Error(silent)
	}
}

// TestStatusOfNoise: what no member has signed is not shown, nor is a head that is far ahead.
func TestStatusOfNoise(t *testing.T) {
	th := newTheatre(t)
	th.beginKeys()
	th.play(everybody(2))
	want := th.show(th.keys(), statusCommand{})
	for round, data := range map[int][]byte{2: []byte("garbage"), 7: th.log.Records["risk.keys-2026.keygen.0.all.bob.head"]} {
		slot := schema.Slot{Session: "keys-2026", Proto: schema.Keygen, Round: round, To: schema.All, From: "bob", Part: schema.HeadPart}
		if err := th.log.Put(slot.Subject(), data); err != nil {
			t.Fatal(err)
		}
	}
	th.passed = 8 * time.Second
	if got := th.show(th.keys(), statusCommand{}); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestStatusOfAMissingPart: a head lists a part that the log has lost.
func TestStatusOfAMissingPart(t *testing.T) {
	th := newTheatre(t)
	th.beginKeys()
	th.play(everybody(1))
	lost := "risk.keys-2026.keygen.0.all.charlie.0"
	th.log.Order = slices.DeleteFunc(th.log.Order, func(subject string) bool { return subject == lost })
	s := th.status(th.keys())
	if s.State != stateFailed || !strings.Contains(s.Reason, lost) || len(s.Awaited) > 0 {
		t.Errorf("%+v", s)
	}
}

// TestStatusOfABrokenLog: trouble with the log is no verdict on the session.
func TestStatusOfABrokenLog(t *testing.T) {
	th := ended(t)
	th.beginRun()
	th.play(nil)
	for _, op := range []mem.Op{mem.Get, mem.Deliver} {
		for _, subject := range []string{"risk.keys-2026.keygen.0.all.alice.", "risk.keys-2026.keygen.3.all.", "risk.run-2026.propagate.5.all."} {
			th.hook = func(step mem.Step) error {
				if step.Op == op && strings.HasPrefix(step.Subject, subject) {
					return errDisk
				}
				return nil
			}
			u, stdout, _ := screens(nil)
			err := th.over(th.store(), u, statusCommand{}).session(t.Context(), th.run(), th.consortium)
			if !errors.Is(err, errDisk) || stdout.Len() > 0 {
				t.Errorf("%s of %s: %v %s", op, subject, err, stdout)
			}
		}
	}
}

// TestStatusWithoutKey: somebody has spoken in a propagation whose key cannot be had.
func TestStatusWithoutKey(t *testing.T) {
	th := ended(t)
	th.beginRun()
	th.play(everybody(1))
	keygen := func(subject string) bool { return strings.Contains(subject, ".keygen.") }
	later := func(subject string) bool { return keygen(subject) && !strings.Contains(subject, ".keygen.0.") }
	all := th.log.Order
	for name, c := range map[string]struct {
		without func(string) bool
		want    string
	}{
		"not on the log": {keygen, "alice has spoken in run-2026, but its key generation keys-2026 has not ended"},
		"not ended":      {later, "has not ended: look at that"},
	} {
		th.log.Order = slices.DeleteFunc(slices.Clone(all), c.without)
		u, _, _ := screens(nil)
		err := th.over(th.store(), u, statusCommand{}).session(t.Context(), th.run(), th.consortium)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStatedManifest: only what a member has signed counts, and it must be for the session that is asked for.
func TestStatedManifest(t *testing.T) {
	th := ended(t)
	get := func(change func(*theatre)) (schema.KeygenManifest, error) {
		other := newTheatre(t)
		for _, subject := range th.log.Order {
			if err := other.log.Put(subject, th.log.Records[subject]); err != nil {
				t.Fatal(err)
			}
		}
		change(other)
		u, _, _ := screens(nil)
		return other.over(other.store(), u, statusCommand{}).statedManifest(t.Context(), "keys-2026")
	}
	head := func(name string) string { return "risk.keys-2026.keygen.0.all." + name + ".head" }
	part := func(name string) string { return "risk.keys-2026.keygen.0.all." + name + ".0" }
	want, err := th.keys().KeygenManifest(th.consortium)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*theatre)
		err    string
	}{
		"as it is":        {func(*theatre) {}, ""},
		"noise for alice": {func(o *theatre) { o.log.Records[head("alice")] = []byte("noise") }, ""},
		"another part":    {func(o *theatre) { o.log.Records[part("alice")] = []byte("other") }, "that alice has stated: untrusted record"},
		"nobody's":        {func(o *theatre) { o.log.Order = nil }, bus.ErrNone.Error()},
		"a part that is gone": {func(o *theatre) {
			o.log.Order = slices.DeleteFunc(o.log.Order, func(s string) bool { return s == part("alice") })
		}, ""},
	} {
		got, err := get(c.change)
		if c.err == "" && (err != nil || got != want) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
}

// TestStatusInterrupted: an interrupt ends it, with its cause.
func TestStatusInterrupted(t *testing.T) {
	th := ended(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u, _, _ := screens(nil)
	if err := th.over(th.store(), u, statusCommand{}).session(ctx, th.keys(), th.consortium); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestDuration: two units at most.
func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{-1: "0.0 s", 0: "0.0 s", 1.26: "1.3 s", 59.4: "59 s", 60: "1 min 0 s", 3599: "59 min 59 s", 3660: "1 h 1 min",
		47 * 3600: "47 h 0 min", 49 * 3600: "2 days 1 h"} {
		if got := duration(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
	for bytes, want := range map[int64]string{0: "0 B", 999: "999 B", 1500: "1.5 kB", 2_340_000: "2.3 MB", 5_000_000_000: "5.00 GB"} {
		if got := size(bytes); got != want {
			t.Errorf("%d: %s, want %s", bytes, got, want)
		}
	}
	if list(nil) != "nobody" || list([]string{"a", "b", "c"}) != "a, b and c" {
		t.Error("lists")
	}
}

// TestStatusRefuses: what the command needs is checked before anything is read.
func TestStatusRefuses(t *testing.T) {
	chdirTemp(t)
	if err := os.WriteFile("alice.yaml", []byte("version: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"status"}, statusUsage, "--config"},
		{[]string{"status", "--config=a", "--session=b", "--watch", "--json"}, statusUsage, "--watch"},
		{[]string{"status", "--config=missing.yaml", "--session=b"}, statusFailed, "missing.yaml"},
		{[]string{"status", "--config=alice.yaml", "--session=b"}, statusFailed, "alice.yaml"},
	} {
		if got := runHere(t, c.args...); got.status != c.status || !strings.Contains(got.stderr, c.want) || got.stdout != "" {
			t.Errorf("%v: %+v", c.args, got)
		}
	}
}
