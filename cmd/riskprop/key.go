package main

import (
	"context"
	"fmt"
	"os"

	"github.com/rs/zerolog"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/schema"
)

// keyCommand is the subcommand key.
type keyCommand struct {
	Show   keyShow   `cmd:"" help:"Show what is public about a key."`
	Export keyExport `cmd:"" help:"Write the member's share of a key to an encrypted file: a backup, or to move to another machine."`
	Import keyImport `cmd:"" help:"Take a share from such a file into the folder that the configuration names under keys."`
}

// keySource is where a key comes from.
type keySource struct {
	Config  string `required:"" placeholder:"FILE" help:"Configuration of the member."`
	Session string `required:"" placeholder:"FILE" help:"File that describes the key generation."`
}

// share is the member's share of the key of a session.
func (k keySource) share(ctx context.Context, u *ui, logger zerolog.Logger) (config.KeyShare, *membership, error) {
	m, err := loadMember(ctx, u, logger, k.Config, k.Session)
	if err != nil {
		return config.KeyShare{}, nil, err
	}
	defer m.secret.Wipe()
	if m.session.Kind != schema.Keygen {
		return config.KeyShare{}, nil, fmt.Errorf("%s describes a propagation: name the file of the key generation %s", k.Session, m.session.KeySession())
	}
	log, done, err := m.connect(ctx, keyPatience)
	if err != nil {
		return config.KeyShare{}, nil, err
	}
	defer done()
	share, err := m.replay(ctx, log, m.session.ID)
	return share, m, err
}

// keyShow is the subcommand key show.
type keyShow struct{ keySource }

// Run shows what is public about a key.
func (k *keyShow) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	share, m, err := k.share(ctx, u, logger)
	if err != nil {
		return err
	}
	sayKey(u, share, m.roster())
	return nil
}

// sayKey tells what is public about a key.
func sayKey(u *ui, share config.KeyShare, roster *schema.Roster) {
	u.say("key        %x", share.ID)
	u.say("session    %s", share.Session)
	u.say("bits       %d", share.Key.N.BitLen())
	u.say("members    %v, any %d of which can decrypt", roster.Names(), share.Key.Threshold+1)
}

// keyExport is the subcommand key export.
type keyExport struct {
	keySource
	Out            string `required:"" placeholder:"FILE" help:"New file for the share."`
	PassphraseFile string `placeholder:"FILE" help:"Take the passphrase of the new file from the first line of a file of mode 0600, in place of the terminal."`
}

// Run writes the member's share to an encrypted file.
func (k *keyExport) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	if _, err := os.Lstat(k.Out); err == nil {
		return fmt.Errorf("%s is there already, and is not overwritten: choose another name", k.Out)
	}
	passphrase, err := newPassphrase(ctx, u, k.PassphraseFile, k.Out)
	if err != nil {
		return err
	}
	defer clear(passphrase)
	share, m, err := k.share(ctx, u, logger)
	if err != nil {
		return err
	}
	if err := config.WriteKeyShare(k.Out, share, passphrase); err != nil {
		return err
	}
	sayKey(u, share, m.roster())
	u.say("Wrote the share of %s to %s", share.Name, k.Out)
	return nil
}

// keyImport is the subcommand key import.
type keyImport struct {
	Config         string `required:"" placeholder:"FILE" help:"Configuration of the member, with a folder under keys."`
	In             string `required:"" placeholder:"FILE" help:"File that riskprop key export has written."`
	PassphraseFile string `placeholder:"FILE" help:"Take the passphrase of the file from the first line of a file of mode 0600, in place of the terminal."`
}

// Run takes a share into the member's folder. The file stays encrypted, under the passphrase of the member's identity if the
// configuration names its file, or else under the one it has.
func (k *keyImport) Run(ctx context.Context, u *ui) error {
	p, err := config.Load(k.Config, config.ParseParty)
	if err != nil {
		return err
	}
	if p.Keys == "" {
		return fmt.Errorf("%s names no folder under keys: add one", k.Config)
	}
	consortium, err := config.Load(p.Consortium, config.ParseConsortium)
	if err != nil {
		return err
	}
	passphrase, err := knownPassphrase(ctx, u, k.PassphraseFile, k.In)()
	if err != nil {
		return fmt.Errorf("%s is encrypted: %w", k.In, err)
	}
	defer clear(passphrase)
	share, err := config.ReadKeyShare(k.In, passphrase, consortium.Roster())
	if err != nil {
		return err
	}
	if share.Name != p.Name {
		return fmt.Errorf("%s is the share of %s, and the configuration is that of %s", k.In, share.Name, p.Name)
	}
	return k.keep(u, p, share, passphrase)
}

// keep writes the share into the folder of the configuration.
func (k *keyImport) keep(u *ui, p *config.Party, share config.KeyShare, passphrase []byte) error {
	if p.PassphraseFile != "" {
		own, err := config.ReadPassphrase(p.PassphraseFile)
		if err != nil {
			return err
		}
		defer clear(own)
		passphrase = own
	}
	if err := os.MkdirAll(p.Keys, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder: %w", err)
	}
	path := shareFile(p, share.Session)
	if err := config.WriteKeyShare(path, share, passphrase); err != nil {
		return err
	}
	u.say("Wrote the share of %s of the key of %s to %s: riskprop party uses it in place of the log", share.Name, share.Session, path)
	return nil
}
