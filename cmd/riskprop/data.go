package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"riskprop/exampledata"
	"riskprop/party/ledger"
	"riskprop/schema"
)

// The files of a bank's folder.
const (
	accountsFile     = "accounts.csv"
	transactionsFile = "transactions.csv"
	scoresFile       = "scores.csv"
)

// maxFile is the size of the largest file that is read, in bytes.
const maxFile = 1 << 30

// input is what the banks of a run bring.
type input struct {
	name    string           // of the data, for people
	ledgers []*ledger.Ledger // by the name of the bank
}

// readInput reads the folders below dir, or without dir those that are built in. Warnings are the caller's to show.
func readInput(dir string) (*input, error) {
	if dir == "" {
		return newInput("the built-in example", "exampledata", exampledata.Folders())
	}
	folders, err := readFolders(dir)
	if err != nil {
		return nil, err
	}
	return newInput(dir, dir, folders)
}

// newInput makes ledgers of folders; root is the folder that errors name.
func newInput(name, root string, folders []exampledata.Folder) (*input, error) {
	banks := make([]string, len(folders))
	for i, f := range folders {
		banks[i] = f.Bank
	}
	if len(banks) < schema.MinMembers || len(banks) > schema.MaxMembers {
		return nil, fmt.Errorf("%s holds %d banks (%s), but a consortium has %d to %d: with fewer, every bank could subtract its own scores; give every bank a folder with %s and %s",
			name, len(banks), cmp.Or(strings.Join(banks, ", "), "no folder"), schema.MinMembers, schema.MaxMembers, accountsFile, transactionsFile)
	}
	in := &input{name: name}
	for _, f := range folders {
		l, err := ledger.Read(f.Bank, banks,
			ledger.File{Name: filepath.Join(root, f.Bank, accountsFile), Data: f.Accounts},
			ledger.File{Name: filepath.Join(root, f.Bank, transactionsFile), Data: f.Transactions})
		if err != nil {
			return nil, err
		}
		in.ledgers = append(in.ledgers, l)
	}
	slices.SortFunc(in.ledgers, func(a, b *ledger.Ledger) int { return strings.Compare(a.Bank, b.Bank) })
	return in, nil
}

// readFolders reads the folder of every bank in dir. Hidden folders, and what is no folder, are passed over.
func readFolders(dir string) ([]exampledata.Folder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read the data folder: %w", err)
	}
	var folders []exampledata.Folder
	for _, entry := range entries {
		bank := entry.Name()
		path := filepath.Join(dir, bank)
		info, err := os.Stat(path) // follows a symbolic link
		if strings.HasPrefix(bank, ".") || errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read the data folder: %w", err)
		}
		if err := schema.ValidateName(bank); err != nil {
			return nil, fmt.Errorf("%s: a folder is named after its bank: %w", path, err)
		}
		f := exampledata.Folder{Bank: bank}
		if f.Accounts, err = readFile(filepath.Join(path, accountsFile)); err != nil {
			return nil, err
		}
		if f.Transactions, err = readFile(filepath.Join(path, transactionsFile)); err != nil {
			return nil, err
		}
		folders = append(folders, f)
	}
	return folders, nil
}

// readFile reads a file of a bank's folder.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: the folder of a bank holds %s and %s", path, accountsFile, transactionsFile)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s has %d bytes: at most %d are read", path, info.Size(), maxFile)
	}
	return os.ReadFile(path)
}

// banks are the names of the banks, sorted.
func (in *input) banks() []string {
	banks := make([]string, len(in.ledgers))
	for i, l := range in.ledgers {
		banks[i] = l.Bank
	}
	return banks
}

// periods is the number of periods of the session: that of the bank with the most.
func (in *input) periods() int {
	most := 0
	for _, l := range in.ledgers {
		most = max(most, l.Periods())
	}
	return most
}

// accounts is the number of accounts of all banks.
func (in *input) accounts() int {
	n := 0
	for _, l := range in.ledgers {
		n += len(l.Accounts)
	}
	return n
}

// transactions is the number of transactions of all banks, where those of one source, destination and period are one, and one that two
// banks list is one, too.
func (in *input) transactions() int {
	type place struct {
		period              int
		source, destination ledger.Endpoint
	}
	distinct := make(map[place]struct{})
	for _, l := range in.ledgers {
		for _, e := range l.Edges {
			distinct[place{e.Period, e.Source, e.Destination}] = struct{}{}
		}
	}
	return len(distinct)
}

// warn shows the warnings of every bank.
func (in *input) warn(u *ui) {
	for _, l := range in.ledgers {
		for _, w := range l.Warnings {
			u.warn("%s: %s", l.Bank, w)
		}
	}
}
