package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"riskprop/schema"
)

// inOpen is a stage on which all scores have been sent: the next round is open, which two of three can settle.
func inOpen(t *testing.T) *theatre {
	t.Helper()
	th := newTheatre(t)
	th.beginKeys()
	th.play(nil)
	th.beginRun()
	th.play(everybody(6))
	return th
}

// openRound is what status tells of the round open.
func openRound(t *testing.T, th *theatre) roundStatus {
	t.Helper()
	rounds := th.status(th.run()).Rounds
	at := slices.IndexFunc(rounds, func(r roundStatus) bool { return r.Name == "open" })
	if at < 0 {
		t.Fatalf("no open in %+v", rounds)
	}
	return rounds[at]
}

// TestStatusOfALateHead: who speaks when the round has been settled without it was absent.
func TestStatusOfALateHead(t *testing.T) {
	th := inOpen(t)
	charlie := th.reader("charlie")
	part := schema.Slot{Session: "run-2026", Proto: schema.Propagate, Round: 6, To: "charlie", From: "charlie"}
	head := part
	head.To, head.Part = schema.All, schema.HeadPart
	step := func(until schema.Slot) {
		for th.log.Records[until.Subject()] == nil {
			if _, err := charlie.Step(); err != nil {
				t.Fatal(err)
			}
		}
	}
	step(part)
	th.play(map[string]int{"charlie": 0})
	th.settle("alice")
	step(head)
	th.play(map[string]int{"charlie": 0})
	if r := openRound(t, th); !slices.Equal(r.Absent, []string{"charlie"}) || r.Settled != "alice" || len(r.Heads) != 2 {
		t.Errorf("%+v", r)
	}
}

// TestStatusPastTheDeadline: where enough have spoken the deadline settles the round, and does not end the session.
func TestStatusPastTheDeadline(t *testing.T) {
	th := inOpen(t)
	th.play(map[string]int{"charlie": 6})
	th.passed = 48 * time.Hour
	if text := th.show(th.run(), statusCommand{}); !strings.Contains(text, "will settle the round at once") || strings.Contains(text, "will end the session") {
		t.Error(text)
	}
}

// TestStatusOfWhoHasLeft: a last word that the session survives does not end it.
func TestStatusOfWhoHasLeft(t *testing.T) {
	th := inOpen(t)
	th.abort("charlie", "bob", "x") // before it has spoken in open
	th.play(map[string]int{"charlie": 0})
	text := th.show(th.run(), statusCommand{})
	if !strings.Contains(text, "charlie has left") || strings.Contains(text, "ENDS IT") || !strings.Contains(text, "It has ended well") {
		t.Error(text)
	}
}
