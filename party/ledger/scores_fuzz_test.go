package ledger

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// Whatever the bytes, reading scores ends in a short error that names the file, or in scores that are written and read
// again as the same bytes.
func FuzzParseScores(f *testing.F) {
	f.Add([]byte("id,initial_score,risk_score\na,0.5,0.25\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		scores, err := ParseScores(File{"S.csv", data})
		if err != nil {
			if text := err.Error(); len(text) > 4000 || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x1b\x00") || !strings.HasPrefix(text, "S.csv:") {
				t.Fatalf("error %q", text)
			}
			return
		}
		first := FormatScores(scores)
		again, err := ParseScores(File{"S.csv", first})
		if err != nil || len(again) != len(scores) || !bytes.Equal(FormatScores(again), first) {
			t.Fatalf("%q is written as %q: %v", data, first, err)
		}
		for i, s := range scores {
			if again[i].ID != s.ID || !(s.Initial >= 0 && s.Initial <= 1 && s.Final >= 0 && s.Final <= 1) {
				t.Fatalf("%+v came back as %+v", s, again[i])
			}
		}
		if !slices.IsSortedFunc(scores, func(a, b Score) int { return strings.Compare(a.ID, b.ID) }) {
			t.Fatal("not sorted")
		}
	})
}
