package bus

import (
	"fmt"
	"strings"
)

// maxSubject is the largest length of a subject or filter in bytes; far above what a slot needs, far below the 4096 bytes of
// a NATS protocol line.
const maxSubject = 512

// wildcard matches exactly one token of a subject.
const wildcard = "*"

// CheckSubject returns an error wrapping ErrInvalid unless subject is one or more tokens of [A-Za-z0-9_-]+ separated by dots,
// at most 512 bytes in all.
func CheckSubject(subject string) error {
	return checkTokens("subject", subject, false)
}

// CheckFilter returns an error wrapping ErrInvalid unless filter is a subject in which any token may be "*", which matches
// exactly one token. There is no wildcard for several tokens.
func CheckFilter(filter string) error {
	return checkTokens("filter", filter, true)
}

// CheckRecord returns an error wrapping ErrInvalid unless data may be appended under subject: a subject that CheckSubject
// accepts and 1 to MaxRecord bytes. An empty record is refused because some stores cannot tell it from none.
func CheckRecord(subject string, data []byte) error {
	if err := CheckSubject(subject); err != nil {
		return err
	}
	if !ReadableSize(len(data)) {
		return fmt.Errorf("%w: record %s has %d bytes, want 1 to %d", ErrInvalid, subject, len(data), MaxRecord)
	}
	return nil
}

// ReadableSize reports whether a record of n bytes may stand on a log. Readers ignore all others.
func ReadableSize(n int) bool {
	return 0 < n && n <= MaxRecord
}

// Match reports whether subject matches filter, token by token. Both must have passed their checks.
func Match(filter, subject string) bool {
	for {
		want, filterRest, filterMore := strings.Cut(filter, ".")
		have, subjectRest, subjectMore := strings.Cut(subject, ".")
		if want != wildcard && want != have || filterMore != subjectMore {
			return false
		}
		if !filterMore {
			return true
		}
		filter, subject = filterRest, subjectRest
	}
}

// checkTokens checks s; kind is what to call it in the error.
func checkTokens(kind, s string, wild bool) error {
	if len(s) > maxSubject {
		return fmt.Errorf("%w: %s has %d bytes, want at most %d", ErrInvalid, kind, len(s), maxSubject)
	}
	for token := range strings.SplitSeq(s, ".") {
		if wild && token == wildcard {
			continue
		}
		if token == "" || strings.ContainsFunc(token, notTokenRune) {
			return fmt.Errorf("%w: %s %q has the token %q, want letters, digits, _ and - only", ErrInvalid, kind, s, token)
		}
	}
	return nil
}

func notTokenRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-':
		return false
	}
	return true
}
