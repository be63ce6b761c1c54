package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"riskprop/exampledata"
)

// genCommand is the subcommand gen.
type genCommand struct {
	Out          folder `required:"" placeholder:"DIR" help:"Folder for the data: a new one, or an empty one."`
	Banks        int    `default:"3" help:"Banks, 3 to 31."`
	Accounts     int    `default:"120" help:"Accounts of all banks together."`
	Transactions int    `default:"360" help:"Transactions of all banks together."`
	Periods      int    `default:"1" help:"Periods over which the transactions are spread."`
	Seed         uint64 `default:"1" help:"Another seed makes other data, the same seed the same."`
}

// Run writes the folders of a random network.
func (g *genCommand) Run(ctx context.Context, u *ui) error {
	config := exampledata.Config{Banks: g.Banks, Accounts: g.Accounts, Transactions: g.Transactions, Periods: g.Periods, Seed: g.Seed}
	if err := config.Validate(); err != nil {
		return err
	}
	if err := unused(string(g.Out)); err != nil {
		return err
	}
	folders, err := exampledata.Random(config)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := writeData(string(g.Out), folders); err != nil {
		return err
	}
	u.say("Wrote %d accounts and %d transactions of %d banks to %s (seed %d).", g.Accounts, g.Transactions, g.Banks, g.Out, g.Seed)
	return nil
}

// unused refuses a folder that holds anything: what is in it would be mixed with what is written.
func unused(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case len(entries) > 0:
		return fmt.Errorf("%s is not empty, and nothing in it is overwritten: choose a new folder, or empty it", dir)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot write into %s: %w", dir, err)
	}
	return nil
}

// writeData writes the folders of banks.
func writeData(dir string, folders []exampledata.Folder) error {
	var files []file
	for _, f := range folders {
		files = append(files, file{f.Bank, accountsFile, f.Accounts}, file{f.Bank, transactionsFile, f.Transactions})
	}
	return output{dir: dir}.write(files)
}
