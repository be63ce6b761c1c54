package schema

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Protocol names, the third token of a subject.
const (
	Keygen    = "keygen"
	Propagate = "propagate"
)

// All is the recipient of what everybody may read. No party can have this name.
const All = "all"

// Limits of an address.
const (
	MaxName    = 32     // characters of a party's name
	MaxSession = 64     // characters of a session's id
	MaxRound   = 999999 // rounds of one session, counted from 0
	MaxPart    = 99999  // parts of one message, counted from 0
)

// ErrUntrusted is wrapped by every error about bytes that a stranger could have written: noise, to be counted and
// passed over.
var ErrUntrusted = errors.New("untrusted record")

// Part numbers the records of one message, from 0; [HeadPart] is the head.
type Part int

// HeadPart marks the head, written after all parts.
const HeadPart Part = -1

// Slot is the address of one record.
type Slot struct {
	Session, Proto string
	Round          int
	To, From       string
	Part           Part
}

// Subject is the slot's address on the log.
func (s Slot) Subject() string {
	part := "head"
	if s.Part != HeadPart {
		part = strconv.Itoa(int(s.Part))
	}
	return strings.Join([]string{"risk", s.Session, s.Proto, strconv.Itoa(s.Round), s.To, s.From, part}, ".")
}

// HeadFilter matches the subjects of all heads of a session, and no others.
func HeadFilter(session, proto string) string {
	return strings.Join([]string{"risk", session, proto, "*", All, "*", "head"}, ".")
}

// ParseSubject is the exact inverse of [Slot.Subject]: it refuses whatever Subject would not have written. Its errors
// wrap [ErrUntrusted].
func ParseSubject(subject string) (Slot, error) {
	if len(subject) > 256 {
		return Slot{}, fmt.Errorf("%w: subject of %d characters", ErrUntrusted, len(subject))
	}
	tokens := strings.Split(subject, ".")
	if len(tokens) != 7 || tokens[0] != "risk" {
		return Slot{}, fmt.Errorf("%w: subject %q is not risk.<session>.<proto>.<round>.<to>.<from>.<part>", ErrUntrusted, subject)
	}
	slot := Slot{Session: tokens[1], Proto: tokens[2], To: tokens[4], From: tokens[5], Part: HeadPart}
	var ok bool
	if slot.Round, ok = parseNumber(tokens[3], MaxRound); !ok {
		return Slot{}, fmt.Errorf("%w: subject %q: bad round", ErrUntrusted, subject)
	}
	if tokens[6] != "head" {
		part, ok := parseNumber(tokens[6], MaxPart)
		if !ok {
			return Slot{}, fmt.Errorf("%w: subject %q: bad part", ErrUntrusted, subject)
		}
		slot.Part = Part(part)
	}
	if err := slot.Validate(); err != nil {
		return Slot{}, fmt.Errorf("%w: subject %q: %v", ErrUntrusted, subject, err)
	}
	return slot, nil
}

// Validate checks every token of the address.
func (s Slot) Validate() error {
	switch {
	case ValidateSession(s.Session) != nil:
		return ValidateSession(s.Session)
	case s.Proto != Keygen && s.Proto != Propagate:
		return fmt.Errorf("protocol %q is neither %s nor %s", s.Proto, Keygen, Propagate)
	case s.Round < 0 || s.Round > MaxRound:
		return fmt.Errorf("round %d is not between 0 and %d", s.Round, MaxRound)
	case s.To != All && ValidateName(s.To) != nil:
		return ValidateName(s.To)
	case ValidateName(s.From) != nil:
		return ValidateName(s.From)
	case s.Part < HeadPart || s.Part > MaxPart:
		return fmt.Errorf("part %d is not between 0 and %d", s.Part, MaxPart)
	case s.Part == HeadPart && s.To != All:
		return fmt.Errorf("a head is always addressed to %s", All)
	}
	return nil
}

// ValidateName checks a party's name: 1 to 32 letters, digits, "-" or "_", and not "all".
func ValidateName(name string) error {
	if name == All {
		return fmt.Errorf("the name %q is reserved", All)
	}
	return validateToken("name", name, MaxName)
}

// ValidateSession checks a session's id: 1 to 64 letters, digits, "-" or "_".
func ValidateSession(id string) error { return validateToken("session", id, MaxSession) }

func validateToken(kind, token string, limit int) error {
	if token == "" || len(token) > limit {
		return fmt.Errorf("%s %.40q must have 1 to %d characters", kind, token, limit)
	}
	for _, c := range []byte(token) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return fmt.Errorf("%s %.40q may hold only letters, digits, - and _", kind, token)
		}
	}
	return nil
}

// parseNumber reads a canonical decimal: no sign, no leading zero, at most max.
func parseNumber(token string, max int) (int, bool) {
	if len(token) == 0 || len(token) > 7 || token[0] == '0' && len(token) > 1 {
		return 0, false
	}
	n := 0
	for _, c := range []byte(token) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, n <= max
}
