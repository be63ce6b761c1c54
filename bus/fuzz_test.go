package bus

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// FuzzMatch compares the checks and the match of filters with regular expressions.
func FuzzMatch(f *testing.F) {
	f.Add("risk.s.keygen.*.all.*.head", "risk.s.keygen.0.all.bob.head")
	subjects := regexp.MustCompile(`\A[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\z`)
	filters := regexp.MustCompile(`\A([A-Za-z0-9_-]+|\*)(\.([A-Za-z0-9_-]+|\*))*\z`)
	f.Fuzz(func(t *testing.T, filter, subject string) {
		badFilter, badSubject := CheckFilter(filter), CheckSubject(subject)
		if (badFilter == nil) != (len(filter) <= maxSubject && filters.MatchString(filter)) {
			t.Fatalf("filter %q: %v", filter, badFilter)
		}
		if (badSubject == nil) != (len(subject) <= maxSubject && subjects.MatchString(subject)) {
			t.Fatalf("subject %q: %v", subject, badSubject)
		}
		for _, err := range []error{badFilter, badSubject} {
			if err != nil && !errors.Is(err, ErrInvalid) {
				t.Fatalf("%v", err)
			}
		}
		if badFilter != nil || badSubject != nil {
			return
		}
		tokens := strings.ReplaceAll(regexp.QuoteMeta(filter), `\*`, `[^.]+`)
		if want := regexp.MustCompile(`\A` + tokens + `\z`).MatchString(subject); Match(filter, subject) != want {
			t.Fatalf("%q matches %q: %t", filter, subject, !want)
		}
	})
}
