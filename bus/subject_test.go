package bus_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/bus"
)

// anyText draws what looks like a subject or a filter, right or wrong.
func anyText() *rapid.Generator[string] {
	return rapid.StringMatching(`[abZ09_\-.*> ä\n]{0,6}`)
}

// A second, simple way to say what a subject and a filter are.
var (
	subjectPattern = regexp.MustCompile(`\A[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\z`)
	filterPattern  = regexp.MustCompile(`\A([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*\z`)
)

func TestSubjectsAndFilters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyText().Draw(t, "s")
		for _, c := range []struct {
			name string
			err  error
			want bool
		}{
			{"CheckSubject", bus.CheckSubject(s), subjectPattern.MatchString(s)},
			{"CheckFilter", bus.CheckFilter(s), filterPattern.MatchString(s)},
		} {
			if ok := c.err == nil; ok != c.want || !ok && !errors.Is(c.err, bus.ErrInvalid) {
				t.Fatalf("%s(%q) = %v, want it accepted: %t", c.name, s, c.err, c.want)
			}
		}
	})
}

func TestMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		filter := rapid.StringMatching(`(a|b|\*)(\.(a|b|\*)){0,3}`).Draw(t, "filter")
		subject := rapid.StringMatching(`(a|b|ab)(\.(a|b|ab)){0,3}`).Draw(t, "subject")
		pattern := strings.ReplaceAll(strings.ReplaceAll(filter, ".", `\.`), "*", `[^.]+`)
		want := regexp.MustCompile(`\A` + pattern + `\z`).MatchString(subject)
		if got := bus.Match(filter, subject); got != want {
			t.Fatalf("Match(%q, %q) = %t", filter, subject, got)
		}
	})
}

func TestLengths(t *testing.T) {
	for n, want := range map[int]bool{0: false, 1: true, 512: true, 513: false} {
		if got := bus.CheckSubject(strings.Repeat("a", n)) == nil; got != want {
			t.Errorf("subject of %d bytes accepted: %t", n, got)
		}
	}
	for n, want := range map[int]bool{0: false, 1: true, bus.MaxRecord: true, bus.MaxRecord + 1: false} {
		if got := bus.CheckRecord("a", make([]byte, n)) == nil; got != want || bus.ReadableSize(n) != want {
			t.Errorf("record of %d bytes accepted: %t, want %t", n, got, want)
		}
	}
	if err := bus.CheckRecord("a.*", []byte("x")); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("CheckRecord with a wildcard = %v, want ErrInvalid", err)
	}
}
