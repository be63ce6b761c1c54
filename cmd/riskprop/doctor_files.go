package main

// The checks of what is on this machine.

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party/ledger"
)

// checkConfiguration reads the configuration's file. Without it there is nothing to look at.
func (d *doctor) checkConfiguration() bool {
	var err error
	if d.party, err = config.Load(d.config, config.ParseParty); err != nil {
		d.failed("config", "correct the file, or name the right one with --config", "%v", err)
		return false
	}
	d.Name = d.party.Name
	d.ok("config", "%s is that of %s", d.config, d.party.Name)
	return true
}

// checkConsortium reads the file on which all banks agree.
func (d *doctor) checkConsortium() {
	c, err := config.Load(d.party.Consortium, config.ParseConsortium)
	if err != nil {
		d.failed("consortium", "get the file from those with whom you agreed on it", "%v", err)
		return
	}
	d.consortium, d.roster = c, c.Roster()
	d.ok("consortium", "%s: %s, any %d of the %d can open scores; fingerprint %s, which must be the others' as well",
		d.party.Consortium, list(d.roster.Names()), c.Threshold+1, d.roster.Len(), c.Fingerprint())
}

// checkIdentity reads the identity, the passphrase file where there is one, and compares the keys with those of the consortium.
func (d *doctor) checkIdentity(ctx context.Context) {
	if d.party.PassphraseFile != "" {
		passphrase, err := config.ReadPassphrase(d.party.PassphraseFile)
		clear(passphrase)
		if err != nil {
			d.failed("passphrase", "put the passphrase alone into the file, and chmod 600 it", "%v", err)
			return
		}
		d.ok("passphrase", "%s is for its owner alone", d.party.PassphraseFile)
	}
	id, err := config.ReadIdentity(d.party.Identity, knownPassphrase(ctx, d.ui, d.party.PassphraseFile, d.party.Identity))
	if err != nil {
		d.failed("identity", "name the right file, for nobody but its owner (chmod 600); where it is lost, only a new identity and a new consortium help", "%v", err)
		return
	}
	d.Role = id.Role
	if id.Name != d.party.Name {
		d.failed("identity", "name the right file in the configuration", "%s holds the identity of %s, the configuration is that of %s", d.party.Identity, id.Name, d.party.Name)
		id.Wipe()
		return
	}
	if d.consortium == nil {
		d.unknown("identity", "%s is for its owner alone; without the consortium its keys cannot be compared", d.party.Identity)
		id.Wipe()
		return
	}
	if public, known := publicOf(d.consortium, id.Name); !known || public != id.Public() {
		d.failed("identity", "make the consortium's file anew from the present public files, or use the identity that it was made from",
			"%s is not in the consortium with the keys of %s as %s", id.Name, d.party.Identity, id.Role)
		id.Wipe()
		return
	}
	d.id = id
	if folder := filepath.Dir(d.party.Identity); writableByOthers(folder) {
		d.warn("identity", "chmod 700 "+folder, "others on this machine may write into %s, and so put another identity in the place of %s", folder, d.party.Identity)
		return
	}
	d.ok("identity", "%s is for its owner alone, and the consortium knows its keys as those of the %s %s", d.party.Identity, id.Role, id.Name)
}

// checkData reads the files that the bank brings.
func (d *doctor) checkData() {
	const mend = "data is the folder with " + accountsFile + " and " + transactionsFile
	if d.party.Data == "" {
		d.failed("data", "name it in the configuration: "+mend, "no folder is configured")
		return
	}
	accounts, err := readFile(filepath.Join(d.party.Data, accountsFile))
	if err != nil {
		d.failed("data", mend, "%v", err)
		return
	}
	transactions, err := readFile(filepath.Join(d.party.Data, transactionsFile))
	if err != nil {
		d.failed("data", mend, "%v", err)
		return
	}
	if d.roster == nil {
		d.unknown("data", "%s can be read; without the consortium it cannot be checked", d.party.Data)
		return
	}
	l, err := ledger.Read(d.party.Name, d.roster.Names(),
		ledger.File{Name: filepath.Join(d.party.Data, accountsFile), Data: accounts},
		ledger.File{Name: filepath.Join(d.party.Data, transactionsFile), Data: transactions})
	if err != nil {
		d.failed("data", "correct the file", "%v", err)
		return
	}
	if len(l.Warnings) > 0 {
		d.warn("data", "see whether that is meant", "%s: %s", d.party.Data, l.Warnings[0])
		return
	}
	d.ok("data", "%s: %d accounts, %d transactions", d.party.Data, len(l.Accounts), len(l.Edges))
}

// checkScores sees whether results can be written, and whether others could read them.
func (d *doctor) checkScores() {
	if d.party.Scores == "" {
		d.failed("scores", "name it in the configuration: scores is the folder for the results", "no folder is configured")
		return
	}
	folder := output{dir: filepath.Dir(d.party.Scores), private: true}
	if err := folder.check([]string{filepath.Base(d.party.Scores)}, "doctor"); err != nil {
		d.failed("scores", "make the folder writable for this user, or name another", "%v", err)
		return
	}
	d.private("scores", d.party.Scores)
}

// writableByOthers reports whether others than the owner may put files into a folder.
func writableByOthers(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && info.Mode().Perm()&0o022 != 0
}

// checkKeys looks at the folder of key shares, which may be missing, and at the shares in it.
func (d *doctor) checkKeys() {
	if d.party.Keys == "" {
		d.ok("keys", "no folder is configured: key shares come from the log")
		return
	}
	d.private("keys", d.party.Keys)
	shares, err := filepath.Glob(shareFile(d.party, "*"))
	if err != nil || d.roster == nil {
		return // the folder's name is a pattern, or it was said already what is missing
	}
	for _, path := range shares {
		d.checkShare(path)
	}
}

// checkShare reads a key share, as far as that is possible without asking for a passphrase.
func (d *doctor) checkShare(path string) {
	const mend = "move it away and import the backup again (riskprop key import), or do without: the share comes from the log then"
	if err := config.CheckEncryptedShare(path); err != nil {
		d.failed("keys", mend, "%v", err)
		return
	}
	if d.party.PassphraseFile == "" {
		d.unknown("keys", "%s is behind a passphrase: the configuration names no passphrase_file", path)
		return
	}
	passphrase, err := config.ReadPassphrase(d.party.PassphraseFile)
	if err != nil {
		return // said already
	}
	defer clear(passphrase)
	share, err := config.ReadKeyShare(path, passphrase, d.roster)
	switch session := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)); {
	case err != nil:
		d.failed("keys", mend, "%v", err)
	case share.Name != d.party.Name || share.Session != session:
		d.failed("keys", mend, "%s is %v, not the share of %s from session %s", path, share, d.party.Name, session)
	default:
		d.ok("keys", "%s is %v", path, share)
	}
}

// checkMetrics sees whether the address for metrics is free.
func (d *doctor) checkMetrics() {
	if d.party.Metrics == "" {
		return
	}
	listener, err := net.Listen("tcp", d.party.Metrics)
	if err != nil {
		d.warn("metrics", "unless it is this party, at work already, name another address under metrics", "%v", err)
		return
	}
	_ = listener.Close() // nothing was sent
	d.ok("metrics", "%s is free", d.party.Metrics)
}

// private sees whether a folder, and what is in it, is for its owner alone.
func (d *doctor) private(check, folder string) {
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.ok(check, "%s is not there yet, and will be made for its owner alone", folder)
		return
	case err != nil:
		d.failed(check, "make it readable for this user", "%v", err)
		return
	case !info.IsDir():
		d.failed(check, "name a folder in the configuration", "%s is not a folder", folder)
		return
	case info.Mode().Perm()&0o077 != 0:
		d.warn(check, "chmod 700 "+folder, "others on this machine may look into %s (mode %04o)", folder, info.Mode().Perm())
		return
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		d.failed(check, "make it readable for this user", "%v", err)
		return
	}
	d.ok(check, "%s is for its owner alone; %d entries", folder, len(entries))
}
