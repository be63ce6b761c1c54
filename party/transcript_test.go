package party_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestTranscripts plays the scripts in testdata. What they print is kept in them; "go test ./party -run Transcripts
// -rewrite" writes it anew, for a reviewer to read. A script opens with the reason it exists. Its commands are:
//
//	consortium <names>                        who takes part; everything begins anew
//	keygen session= [threshold= batch= odd=]  the session is a key generation; the odd one has another manifest
//	key                                       generates a key of 512 bits aside, without a word
//	bank <name>                               a bank's accounts and transactions, one a line as in its files
//	propagate session= delta=() [mismatch=]   the session propagates scores with that key
//	start <names> [input= log=]               new processes, which know nothing but the log
//	cheat <name> round= to= say=              what the party will say in place of the truth, from its next start on
//	step <name> n=                            so many operations of one party, each printed
//	run [crash= in=]                          everybody does all it can, in turn, until nobody has anything to do; one
//	                                          ends as it comes to the given round
//	crash <names>                             ends processes, whatever they were about to do
//	settle <names>                            time is up: goes on with those who have spoken, if that is enough
//	leave <name> reason=                      the party's operator ends its session
//	noise <subject> | noise from= to=         a stranger writes garbage, or a copy of a record, to the log
//	log <name>                                a second log; relay copies what is missing from each log to the other
//	show log                                  what is on the log, and what each party ends with
func TestTranscripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		names = append(names, name)
		t.Run(name, func(t *testing.T) {
			script, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(script), "# ") {
				t.Fatal("the script does not open with the reason it exists")
			}
			s := newStage()
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return s.command(t, d) })
		})
	}
	if want := scripts(); !slices.Equal(names, want) {
		t.Errorf("the scripts are %q, want %q", names, want)
	}
}

// scripts are those that there must be: a lost file would go unnoticed otherwise.
func scripts() []string {
	return []string{"abort", "blame", "disagree", "input-changed", "late", "mismatch", "no-modulus", "noise", "normal",
		"propagate", "rejoin", "split-view", "vanish"}
}
