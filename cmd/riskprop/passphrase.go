package main

// This file is where passphrases come from: the first line of a file for nobody but its owner, or else the terminal, without an echo. Never a flag, which
// other users of the machine see, and never the environment, which every child inherits.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"riskprop/cmd/riskprop/internal/config"
)

// errNoTerminal is the error of a run that nobody can answer.
var errNoTerminal = errors.New("there is no terminal to ask for the passphrase at: put it into a file of mode 0600, alone in its first line, and name that file " +
	"(passphrase_file in a party's configuration, --passphrase-file on the command line)")

// knownPassphrase returns a function that gets the passphrase of something that is encrypted already, and is told to people as what. Who calls it wipes what
// it returns.
func knownPassphrase(ctx context.Context, u *ui, file, what string) func() ([]byte, error) {
	return func() ([]byte, error) {
		if file != "" {
			return config.ReadPassphrase(file)
		}
		return readTerminal(ctx, u, "Passphrase of "+what)
	}
}

// newPassphrase gets the passphrase for something that is going to be encrypted; at the terminal it is asked for twice. The caller wipes it.
func newPassphrase(ctx context.Context, u *ui, file, what string) ([]byte, error) {
	if file != "" {
		return config.ReadPassphrase(file)
	}
	first, err := readTerminal(ctx, u, "New passphrase of "+what)
	if err != nil {
		return nil, fmt.Errorf("%s needs a passphrase: %w", what, err)
	}
	second, err := readTerminal(ctx, u, "The same again")
	defer clear(second)
	if err == nil && !bytes.Equal(first, second) {
		err = errors.New("the two passphrases differ: start again")
	}
	if err != nil {
		clear(first)
		return nil, err
	}
	return first, nil
}

// readTerminal asks at the terminal. When ctx ends it gives the terminal its echo back.
func readTerminal(ctx context.Context, u *ui, prompt string) ([]byte, error) {
	terminal := int(os.Stdin.Fd())
	state, err := term.GetState(terminal)
	if err != nil {
		return nil, errNoTerminal
	}
	u.print(true, "%s: ", prompt)
	defer u.print(true, "\n")
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1)
	go func() { // blocks until there is a line; after an interrupt the process ends before that
		text, err := term.ReadPassword(terminal)
		answers <- answer{text, err}
	}()
	select {
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), term.Restore(terminal, state))
	case a := <-answers:
		switch {
		case errors.Is(a.err, io.EOF) || a.err == nil && len(a.text) == 0:
			return nil, errors.New("no passphrase was given: start again")
		case a.err != nil:
			return nil, fmt.Errorf("read the passphrase: %w", a.err)
		}
		return a.text, nil
	}
}
