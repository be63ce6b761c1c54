package schema

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var slots = rapid.Custom(func(t *rapid.T) Slot {
	slot := Slot{
		Session: rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`).Draw(t, "session"),
		Proto:   rapid.SampledFrom([]string{Keygen, Propagate}).Draw(t, "proto"),
		Round:   rapid.IntRange(0, MaxRound).Draw(t, "round"),
		To:      rapid.OneOf(names, rapid.Just(All)).Draw(t, "to"),
		From:    names.Draw(t, "from"),
		Part:    Part(rapid.IntRange(int(HeadPart), MaxPart).Draw(t, "part")),
	}
	if slot.Part == HeadPart {
		slot.To = All
	}
	return slot
})

func TestParseSubjectInvertsSubject(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot := slots.Draw(t, "slot")
		if err := slot.Validate(); err != nil {
			t.Fatalf("%+v: %v", slot, err)
		}
		got, err := ParseSubject(slot.Subject())
		if err != nil || got != slot {
			t.Fatalf("ParseSubject(%q) = %+v, %v; want %+v", slot.Subject(), got, err, slot)
		}
	})
}

// checkParse is the other direction: what is accepted is what Subject writes.
func checkParse(t interface {
	Helper()
	Fatalf(string, ...any)
}, subject string) {
	t.Helper()
	slot, err := ParseSubject(subject)
	switch {
	case err == nil && slot.Subject() != subject:
		t.Fatalf("%q was accepted but would be written %q", subject, slot.Subject())
	case err == nil && slot.Validate() != nil:
		t.Fatalf("%q was accepted: %v", subject, slot.Validate())
	case err != nil && slot != Slot{}:
		t.Fatalf("%q was refused, yet gave %+v", subject, slot)
	}
}

func TestSubjectInvertsParseSubject(t *testing.T) {
	// Tokens that are right, or nearly so, in any order and number.
	token := rapid.SampledFrom([]string{
		"risk", "s-1", "keygen", "propagate", "0", "7", "00", "01", "+1", "-1", "999999", "1000000", "99999", "100000",
		"all", "alice", "bob", "head", "Head", "", "*", ">", " ", "é", "1e3", "0x1", "١",
	})
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOfN(token, 7, 7).Draw(t, "tokens")
		if rapid.Bool().Draw(t, "near") { // start from a good subject and spoil one token
			good := strings.Split(slots.Draw(t, "slot").Subject(), ".")
			at := rapid.IntRange(0, 6).Draw(t, "at")
			good[at] = tokens[0]
			tokens = good
		}
		checkParse(t, strings.Join(tokens, "."))
	})
	rapid.Check(t, func(t *rapid.T) { checkParse(t, rapid.String().Draw(t, "subject")) })
}

func TestParseSubjectAccepts(t *testing.T) {
	for _, subject := range []string{
		"risk.s.keygen.0.all.alice.head",
		"risk.s.propagate.999999.all.alice.99999",
		"risk.all.keygen.10.bob.alice.0",
		"risk.head.keygen.10.head.risk.0",
		"risk.S_-9.keygen.1.alice.alice.0",
		"risk.s.keygen.1.ALL.All.0", // names are case-sensitive, as subjects are
		"risk." + strings.Repeat("s", MaxSession) + ".propagate.999999." + strings.Repeat("t", MaxName) + "." +
			strings.Repeat("f", MaxName) + ".99999",
	} {
		if _, err := ParseSubject(subject); err != nil {
			t.Error(err)
		}
	}
}

func TestParseSubjectRefuses(t *testing.T) {
	for name, subject := range map[string]string{
		"nothing":                      "",
		"dots":                         "......",
		"too few tokens":               "risk.s.keygen.0.all.alice",
		"too many tokens":              "risk.s.keygen.0.all.alice.head.head",
		"a dot at the end":             "risk.s.keygen.0.all.alice.head.",
		"a dot at the beginning":       ".risk.s.keygen.0.all.alice.head",
		"another prefix":               "RISK.s.keygen.0.all.alice.head",
		"no session":                   "risk..keygen.0.all.alice.head",
		"no protocol":                  "risk.s..0.all.alice.head",
		"no round":                     "risk.s.keygen..all.alice.head",
		"no recipient":                 "risk.s.keygen.0..alice.0",
		"no sender":                    "risk.s.keygen.0.all..head",
		"no part":                      "risk.s.keygen.0.all.alice.",
		"a wildcard session":           "risk.*.keygen.0.all.alice.head",
		"a wildcard round":             "risk.s.keygen.*.all.alice.head",
		"a wildcard recipient":         "risk.s.keygen.0.*.alice.0",
		"a wildcard sender":            "risk.s.keygen.0.all.*.head",
		"a wildcard part":              "risk.s.keygen.0.all.alice.*",
		"a full wildcard":              "risk.s.keygen.0.all.alice.>",
		"an unknown protocol":          "risk.s.audit.0.all.alice.head",
		"a protocol in capitals":       "risk.s.Keygen.0.all.alice.head",
		"a round with a zero in front": "risk.s.keygen.00.all.alice.head",
		"round 01":                     "risk.s.keygen.01.all.alice.head",
		"a signed round":               "risk.s.keygen.+1.all.alice.head",
		"a negative round":             "risk.s.keygen.-1.all.alice.head",
		"a hexadecimal round":          "risk.s.keygen.0x1.all.alice.head",
		"a round too high":             "risk.s.keygen.1000000.all.alice.head",
		"a round that overflows":       "risk.s.keygen.18446744073709551616.all.alice.head",
		"a round in other digits":      "risk.s.keygen.١.all.alice.head",
		"a part with a zero in front":  "risk.s.keygen.0.bob.alice.00",
		"a negative part":              "risk.s.keygen.0.bob.alice.-1",
		"a part too high":              "risk.s.keygen.0.bob.alice.100000",
		"a head in capitals":           "risk.s.keygen.0.all.alice.HEAD",
		"a head for one party":         "risk.s.keygen.0.bob.alice.head",
		"all as a sender":              "risk.s.keygen.0.all.all.head",
		"a space":                      "risk.s.keygen.0.all.al ice.head",
		"a line feed":                  "risk.s.keygen.0.all.alice.head\n",
		"a NUL":                        "risk.s.keygen.0.all.alice\x00.head",
		"a letter beyond ASCII":        "risk.s.keygen.0.all.álice.head",
		"invalid UTF-8":                "risk.s.keygen.0.all.\xff.head",
		"a full-width dot":             "risk.s.keygen.0.all.alice．head",
		"a session too long":           "risk." + strings.Repeat("s", MaxSession+1) + ".keygen.0.all.alice.head",
		"a sender too long":            "risk.s.keygen.0.all." + strings.Repeat("f", MaxName+1) + ".head",
		"a recipient too long":         "risk.s.keygen.0." + strings.Repeat("f", MaxName+1) + ".alice.0",
		"a subject far too long":       "risk.s.keygen.0.all.alice." + strings.Repeat("0", 1<<20),
		"a megabyte of dots":           strings.Repeat(".", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			slot, err := ParseSubject(subject)
			wantUntrusted(t, err)
			if slot != (Slot{}) {
				t.Errorf("refused, yet %+v", slot)
			}
			if err != nil && len(err.Error()) > 2000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestSlotValidateRefuses(t *testing.T) {
	good := Slot{Session: "s", Proto: Keygen, To: All, From: "alice", Part: HeadPart}
	for name, spoil := range map[string]func(*Slot){
		"no session":           func(s *Slot) { s.Session = "" },
		"no protocol":          func(s *Slot) { s.Proto = "" },
		"negative round":       func(s *Slot) { s.Round = -1 },
		"round too high":       func(s *Slot) { s.Round = MaxRound + 1 },
		"bad recipient":        func(s *Slot) { s.To, s.Part = "b.c", 0 },
		"bad sender":           func(s *Slot) { s.From = "" },
		"all as sender":        func(s *Slot) { s.From = All },
		"part below the head":  func(s *Slot) { s.Part = HeadPart - 1 },
		"part too high":        func(s *Slot) { s.Part = MaxPart + 1 },
		"head for one party":   func(s *Slot) { s.To = "bob" },
		"wildcard in the name": func(s *Slot) { s.From = "*" },
	} {
		bad := good
		spoil(&bad)
		if bad.Validate() == nil {
			t.Errorf("%s: %+v is accepted", name, bad)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

// matches is the broker's rule for "*": it stands for one token.
func matches(filter, subject string) bool {
	return slices.EqualFunc(strings.Split(filter, "."), strings.Split(subject, "."),
		func(want, got string) bool { return want == "*" || want == got })
}

func TestHeadFilterMatchesTheHeadsOfTheSessionOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slot := slots.Draw(t, "slot")
		session := rapid.SampledFrom([]string{slot.Session, "other"}).Draw(t, "session")
		proto := rapid.SampledFrom([]string{Keygen, Propagate}).Draw(t, "proto")
		want := slot.Part == HeadPart && slot.Session == session && slot.Proto == proto
		if got := matches(HeadFilter(session, proto), slot.Subject()); got != want {
			t.Fatalf("filter %s on %s: %t, want %t", HeadFilter(session, proto), slot.Subject(), got, want)
		}
	})
}
