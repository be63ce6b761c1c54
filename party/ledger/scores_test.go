package ledger

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFormatScores(t *testing.T) {
	scores := []Score{{"b", 1, 1.0 / 3}, {"a,1", 0.1, 0}, {`q"`, 0, 1e-13}}
	before := slices.Clone(scores)
	const want = "id,initial_score,risk_score\n" +
		"\"a,1\",0.100000000000,0.000000000000\n" +
		"b,1.000000000000,0.333333333333\n" +
		"\"q\"\"\",0.000000000000,0.000000000000\n"
	if got := string(FormatScores(scores)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !slices.Equal(scores, before) {
		t.Error("the argument was sorted")
	}
	if got := string(FormatScores(nil)); got != "id,initial_score,risk_score\n" {
		t.Errorf("no scores are %q", got)
	}
}

func TestParseScoresTakesAnyOrderAndOtherColumns(t *testing.T) {
	got, err := ParseScores(File{"S.csv", []byte("risk_score,x,id,initial_score\r\n0.5,,b,0.25\r\n1,,a,0\r\n")})
	if want := []Score{{"a", 0, 1}, {"b", 0.25, 0.5}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestParseScoresRefuses(t *testing.T) {
	for file, want := range map[string]string{
		"":                                     `S.csv: the file is empty: its first line names the columns id,initial_score,risk_score`,
		"id,risk_score\n":                      `S.csv:1: column initial_score is missing: the header has "id", "risk_score"`,
		"id,initial_score,risk_score\n,0,0\n":  `S.csv:2: column id: an account id is missing`,
		"id,initial_score,risk_score\na,2,0\n": `S.csv:2: column initial_score: a score is from 0 to 1, found "2"`,
		"id,initial_score,risk_score\na,0,x\n": `S.csv:2: column risk_score: not a decimal number: write digits with a point, such as 0.25, found "x"`,
		"id,initial_score,risk_score\na,0,0\na,0,0\n": `S.csv:3: column id: account "a" is there twice: it is in line 2 already`,
		"id,initial_score,risk_score\na,0\n":          `S.csv:2: the line has 2 fields, the header has 3`,
	} {
		if got, err := ParseScores(File{"S.csv", []byte(file)}); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v, %v\nwant %s", file, got, err, want)
		}
	}
}

func TestScoresAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[ -~é]{1,20}`), 0, 8, rapid.ID[string]).Draw(t, "ids")
		var scores []Score
		for _, id := range ids {
			scores = append(scores, Score{id, rapid.Float64Range(0, 1).Draw(t, "initial"), rapid.Float64Range(0, 1).Draw(t, "final")})
		}
		back, err := ParseScores(File{"S.csv", FormatScores(scores)})
		if err != nil || len(back) != len(scores) {
			t.Fatalf("%v, %v", back, err)
		}
		for i, s := range sortScores(scores) {
			if b := back[i]; b.ID != s.ID || math.Abs(b.Initial-s.Initial) > 1e-12 || math.Abs(b.Final-s.Final) > 1e-12 {
				t.Fatalf("%v came back as %v", s, b)
			}
		}
	})
}
