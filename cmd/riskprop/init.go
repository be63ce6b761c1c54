package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/schema"
)

// initCommand is the subcommand init.
type initCommand struct {
	Name           partyName `arg:"" help:"Name of the party in its consortium: letters, digits, - or _."`
	Dir            folder    `required:"" placeholder:"DIR" help:"Folder for the two files; it is made where it is missing."`
	Role           string    `default:"member" enum:"member,auditor,operator" help:"member, auditor or operator."`
	Passphrase     bool      `xor:"passphrase" help:"Ask at the terminal for a passphrase, and keep the identity behind it."`
	PassphraseFile string    `xor:"passphrase" placeholder:"FILE" help:"Take the passphrase from the first line of a file of mode 0600."`
}

// The names of an identity's file, in the clear and behind a passphrase.
const (
	plainIdentity     = "identity.yaml"
	encryptedIdentity = "identity.age"
)

// partyName makes an argument of the name of a party.
type partyName string

// UnmarshalText refuses a name that no party can have.
func (n *partyName) UnmarshalText(text []byte) error {
	*n = partyName(text)
	return schema.ValidateName(string(text))
}

// Run makes the identity of a party and its public file, and prints the latter.
func (c *initCommand) Run(ctx context.Context, u *ui) error {
	if err := c.free(); err != nil {
		return err
	}
	secret, public := filepath.Join(string(c.Dir), plainIdentity), c.public()
	var passphrase []byte
	if c.Passphrase || c.PassphraseFile != "" {
		var err error
		secret = filepath.Join(string(c.Dir), encryptedIdentity)
		if passphrase, err = newPassphrase(ctx, u, c.PassphraseFile, secret); err != nil {
			return err
		}
		defer clear(passphrase)
	}
	id, err := config.NewIdentity(string(c.Name), config.Role(c.Role), rand.Reader)
	if err != nil {
		return err
	}
	defer id.Wipe()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	text := id.Public().Marshal()
	if err := c.write(id, secret, passphrase, text); err != nil {
		return err
	}
	u.note("wrote %s, the secret of %s: nobody else may ever read it, and without it or a backup of it there is no way back", secret, c.Name)
	u.note("wrote %s, which is for everybody: send it to who puts the consortium together", public)
	u.say("%s", strings.TrimSuffix(string(text), "\n"))
	return nil
}

// public is the path of the public file.
func (c *initCommand) public() string {
	return filepath.Join(string(c.Dir), string(c.Name)+".pub.yaml")
}

// free refuses a folder that has an identity, of either kind, before anything is asked or made.
func (c *initCommand) free() error {
	for _, path := range []string{filepath.Join(string(c.Dir), plainIdentity), filepath.Join(string(c.Dir), encryptedIdentity), c.public()} {
		_, err := os.Lstat(path)
		switch {
		case err == nil:
			return fmt.Errorf("%s is there already, and is not overwritten: choose another folder", path)
		case !errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("cannot write into %s: %w", c.Dir, err)
		}
	}
	return nil
}

// write writes both files or none.
func (c *initCommand) write(id *config.Identity, secret string, passphrase, public []byte) error {
	dir := string(c.Dir)
	_, err := os.Lstat(dir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder: %w", err)
	}
	err = config.WriteIdentity(secret, id, passphrase)
	if err == nil {
		if err = config.WriteNew(c.public(), public, 0o644); err != nil {
			err = errors.Join(err, os.Remove(secret))
		}
	}
	if err != nil && made {
		err = errors.Join(err, os.Remove(dir))
	}
	return err
}
