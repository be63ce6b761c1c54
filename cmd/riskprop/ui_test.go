package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"riskprop/party/ledger"
	"riskprop/party/plain"
)

// screens is a ui over two buffers.
func screens(fail context.CancelCauseFunc) (u *ui, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	return newUI(stdout, stderr, fail), stdout, stderr
}

// TestStreams: what goes where, with --json and without.
func TestStreams(t *testing.T) {
	for _, c := range []struct {
		json           bool
		stdout, stderr string
	}{
		{false, "a story\n", "riskprop: warning: careful\nriskprop: by the way\nriskprop: error: the end\n"},
		{true, "", "a story\nriskprop: warning: careful\nriskprop: by the way\nriskprop: error: the end\n"},
	} {
		u, stdout, stderr := screens(nil)
		if c.json {
			u.onlyJSON()
		}
		u.say("a %s", "story")
		u.show("nobody sees this")
		u.warn("%s", "careful")
		u.note("by the way")
		u.error(errors.New("the end"))
		if stdout.String() != c.stdout || stderr.String() != c.stderr {
			t.Errorf("json %v: %q and %q", c.json, stdout, stderr)
		}
	}
}

// TestInPlace: on a terminal the line that says what is going on is gone before anything else is written, on either stream.
func TestInPlace(t *testing.T) {
	u, stdout, _ := screens(nil)
	u.inPlace = true
	u.show("one")
	u.show("two")
	u.say("story")
	u.show("three")
	u.warn("careful")
	const clear = "\r\x1b[K"
	if got, want := stdout.String(), "one"+clear+"two"+clear+"story\nthree"+clear; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// failing is a stream that cannot be written.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// TestStreamsThatFail: standard output ends the run, standard error does not.
func TestStreamsThatFail(t *testing.T) {
	var cause error
	u := newUI(failing{}, new(failing), func(err error) { cause = err })
	u.warn("nobody reads this")
	if cause != nil || u.broken() {
		t.Error(cause)
	}
	u.say("nor this")
	if !errors.Is(cause, io.ErrClosedPipe) || !u.broken() {
		t.Error(cause)
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"NL-BOB-0008":                      "NL-BOB-0008",
		"Zoë €, \"x\"":                     "Zoë €, \"x\"",
		"a\u202eb":                         `"a\u202eb"`,
		"tab\tbed":                         `"tab\tbed"`,
		strings.Repeat("é", 40):            strings.Repeat("é", 40),
		strings.Repeat("é", 41):            strings.Repeat("é", 39) + "…",
		"\u200b" + strings.Repeat("x", 99): `"\u200b` + strings.Repeat("x", 38) + `…"`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestLargestRises: the largest first, at most five, none that fell or stayed.
func TestLargestRises(t *testing.T) {
	var scores []ledger.Score
	for i, final := range []float64{0.1, 0.9, 0.5, 0.4, 0.05, 0.7, 0.6, 0.2, 0.5} {
		scores = append(scores, ledger.Score{ID: string(rune('a' + i)), Initial: 0.1, Final: final})
	}
	got := ""
	for _, s := range largestRises(scores) {
		got += s.ID
	}
	if got != "bfgci" {
		t.Errorf("%s, want bfgci", got)
	}
	if largestRises(nil) != nil {
		t.Error("rises of no account")
	}
}

func TestLargestError(t *testing.T) {
	results := func(finals ...float64) []plain.Result {
		var list []plain.Result
		for _, final := range finals {
			list = append(list, plain.Result{Scores: []ledger.Score{{Final: 0.5}, {Final: final}}})
		}
		return list
	}
	if got := largestError(results(0.25, 0.5, 1), results(0.25, 0.75, 0.875)); got != 0.25 {
		t.Errorf("%v, want 0.25", got)
	}
}

// TestLogs: a line of the log is written as it comes, to standard error.
func TestLogs(t *testing.T) {
	u, stdout, stderr := screens(nil)
	quiet, verbose := newLogger(u.logs(), false), newLogger(u.logs(), true)
	quiet.Info().Msg("hidden")
	quiet.Warn().Msg("100%")
	verbose.Debug().Msg("shown")
	lines := strings.Split(stderr.String(), "\n")
	if stdout.Len() > 0 || len(lines) != 3 || !strings.Contains(lines[0], `"message":"100%"`) || !strings.Contains(lines[1], `"message":"shown"`) {
		t.Errorf("%q", lines)
	}
}
