package ledger

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
)

// Score is an account of the bank with its score before and after a propagation.
type Score struct {
	ID             string
	Initial, Final float64
}

// Columns of a file of scores.
const (
	scoreID = iota
	scoreInitial
	scoreFinal
)

func scoreColumns() []string {
	return []string{scoreID: "id", scoreInitial: "initial_score", scoreFinal: "risk_score"}
}

// FormatScores returns the scores as a CSV file with the columns id, initial_score and risk_score, sorted by id, numbers with 12 decimals. The argument
// is left as it is.
func FormatScores(scores []Score) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out) // a bytes.Buffer takes all it is given
	w.Write(scoreColumns())
	row := make([]string, 3)
	for _, s := range sortScores(slices.Clone(scores)) {
		row[scoreID], row[scoreInitial], row[scoreFinal] = s.ID, decimals(s.Initial), decimals(s.Final)
		w.Write(row)
	}
	w.Flush()
	return out.Bytes()
}

// ParseScores reads what [FormatScores] wrote, or any file with these columns under the rules of an accounts file; other columns are ignored. The result
// is sorted by id.
func ParseScores(f File) ([]Score, error) {
	t, err := open(f, scoreColumns(), scoreFinal+1)
	if err != nil {
		return nil, err
	}
	lines := make(map[string]int)
	var scores []Score
	err = t.each(func() error {
		var s Score
		var err error
		if s.ID, err = t.newID(scoreID, lines); err != nil {
			return err
		}
		if s.Initial, err = t.score(scoreInitial); err != nil {
			return err
		}
		if s.Final, err = t.score(scoreFinal); err != nil {
			return err
		}
		scores = append(scores, s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return sortScores(scores), nil
}

func sortScores(scores []Score) []Score {
	slices.SortFunc(scores, func(a, b Score) int { return strings.Compare(a.ID, b.ID) })
	return scores
}

func decimals(x float64) string { return strconv.FormatFloat(x, 'f', 12, 64) }
