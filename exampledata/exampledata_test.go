package exampledata

import (
	"bytes"
	"cmp"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"riskprop/party/ledger"
	"riskprop/party/plain"
)

var update = flag.Bool("update", false, "rewrite the embedded files")

// readAll makes ledgers of folders, which must do without a warning.
func readAll(t *testing.T, folders []Folder) []*ledger.Ledger {
	t.Helper()
	var banks []string
	for _, f := range folders {
		banks = append(banks, f.Bank)
	}
	var ledgers []*ledger.Ledger
	for _, f := range folders {
		l, err := ledger.Read(f.Bank, banks, ledger.File{Name: f.Bank + "/accounts.csv", Data: f.Accounts}, ledger.File{Name: f.Bank + "/transactions.csv", Data: f.Transactions})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Warnings) > 0 {
			t.Errorf("%s: warnings %q", f.Bank, l.Warnings)
		}
		ledgers = append(ledgers, l)
	}
	return ledgers
}

// propagate is what the story's expected files hold.
func propagate(ledgers []*ledger.Ledger) []plain.Result {
	return plain.Propagate(ledgers, []float64{0.5, 0.5, 0.5}, storyPeriods)
}

func TestEmbeddedFilesAreWhatTheGeneratorMakes(t *testing.T) {
	want := make(map[string][]byte)
	folders := Story()
	for i, r := range propagate(readAll(t, folders)) {
		want[r.Bank+"/accounts.csv"] = folders[i].Accounts
		want[r.Bank+"/transactions.csv"] = folders[i].Transactions
		want[r.Bank+"/expected.csv"] = ledger.FormatScores(r.Scores)
	}
	if *update {
		for name, data := range want {
			if err := os.WriteFile(filepath.FromSlash(name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		t.Log("files rewritten; the next build embeds them")
		return
	}
	err := fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		got, err := fs.ReadFile(Files(), name)
		if err != nil {
			return err
		}
		if data, ok := want[name]; !ok || !bytes.Equal(got, data) {
			t.Errorf("%s is not what the generator makes: run go test -update", name)
		}
		delete(want, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		t.Errorf("%s is missing: run go test -update", name)
	}
}

func TestFoldersAreTheStory(t *testing.T) {
	equal := func(a, b Folder) bool {
		return a.Bank == b.Bank && bytes.Equal(a.Accounts, b.Accounts) && bytes.Equal(a.Transactions, b.Transactions)
	}
	if !slices.EqualFunc(Folders(), Story(), equal) {
		t.Error("the embedded folders are not the story")
	}
}

func TestTheStoryHasItsSize(t *testing.T) {
	for _, l := range readAll(t, Story()) {
		if len(l.Accounts) != storyAccounts || l.Periods() != storyPeriods {
			t.Errorf("%s: %d accounts, %d periods", l.Bank, len(l.Accounts), l.Periods())
		}
		if len(l.Edges) < 150 || len(l.Edges) > 300 {
			t.Errorf("%s: %d edges, too few or too many to read", l.Bank, len(l.Edges))
		}
	}
}

// The reason to propagate at all: no bank alone has a suspicion about the layers, and afterwards they are the accounts that rose most.
func TestTheCircleStandsOut(t *testing.T) {
	stages := circle()
	for i, r := range propagate(readAll(t, Story())) {
		slices.SortFunc(r.Scores, func(a, b ledger.Score) int { return cmp.Compare(b.Final-b.Initial, a.Final-a.Initial) })
		hidden := map[int]stage{alice: stages[3], bob: stages[1], charlie: stages[2]}[i]
		var want, got []string
		for _, number := range hidden.numbers {
			want = append(want, accountID(r.Bank, number))
		}
		for _, s := range r.Scores[:len(want)] {
			got = append(got, s.ID)
			if s.Initial >= 0.1 || s.Final < 0.22 || s.Final > 0.28 {
				t.Errorf("%s went from %v to %v, not as README.md has it", s.ID, s.Initial, s.Final)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the largest rises are %v, want %v", r.Bank, got, want)
		}
		last, next := r.Scores[len(want)-1], r.Scores[len(want)]
		if rise, other := last.Final-last.Initial, next.Final-next.Initial; rise < 0.14 || other > 0.02 {
			t.Errorf("%s: %s rose by %v, %s by %v: not as README.md has it", r.Bank, last.ID, rise, next.ID, other)
		}
	}
}

func TestTheReadmeNamesTheCircle(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range circle() {
		for _, number := range s.numbers {
			if id := accountID(bankNames(3)[s.bank], number); !strings.Contains(string(readme), id) {
				t.Errorf("README.md does not name %s", id)
			}
		}
	}
}
