// Package exampledata has the files that banks bring to a propagation: a small story of three banks to read and to try things with ([Files], [Folders]; the
// README beside it tells the story), and a generator for networks of any size ([Random]).
//
// The story's files were made by [Story] and are embedded as they lie in the source tree: for every bank a folder with accounts.csv, transactions.csv, and
// expected.csv, the scores after 3 iterations a period with δ = 0.5. Accounts and transactions are made from a seed by integer arithmetic alone, so
// the same seed gives the same bytes on every machine; none of it is the data of a person.
package exampledata

import (
	"embed"
	"io/fs"
)

//go:embed alice bob charlie
var files embed.FS

// Folder is what one bank brings.
type Folder struct {
	Bank                   string
	Accounts, Transactions []byte // the two CSV files
}

// Files returns the embedded files: BANK/accounts.csv, BANK/transactions.csv and BANK/expected.csv for the banks alice, bob and charlie.
func Files() fs.FS { return files }

// Folders returns the embedded folders, by the name of the bank.
func Folders() []Folder {
	entries, err := files.ReadDir(".")
	must(err)
	folders := make([]Folder, len(entries))
	for i, entry := range entries {
		f := Folder{Bank: entry.Name()}
		f.Accounts, err = files.ReadFile(f.Bank + "/accounts.csv")
		must(err)
		f.Transactions, err = files.ReadFile(f.Bank + "/transactions.csv")
		must(err)
		folders[i] = f
	}
	return folders
}

// must panics for an embedded file that is not there, which the compiler rules out.
func must(err error) {
	if err != nil {
		panic("exampledata: " + err.Error())
	}
}
