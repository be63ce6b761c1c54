package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"riskprop/bus"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/node"
	"riskprop/schema"
)

// A member gets its share of a key from a backup, or by reading the key generation's session again with its identity. It
// keeps no other state.

// shareFile is where a member keeps the backup of its share of a session's key; empty where it keeps none.
func shareFile(p *config.Party, session string) string {
	if p.Keys == "" {
		return ""
	}
	return filepath.Join(p.Keys, session+".age")
}

// keyShare is the member's share of the key that a session has generated.
func (m *membership) keyShare(ctx context.Context, log bus.Log, session string) (config.KeyShare, error) {
	if path := shareFile(m.config, session); path != "" {
		_, err := os.Lstat(path)
		switch {
		case err == nil:
			return m.backup(ctx, path, session)
		case !errors.Is(err, fs.ErrNotExist):
			return config.KeyShare{}, err
		}
	}
	return m.replay(ctx, log, session)
}

// backup reads a share from its file.
func (m *membership) backup(ctx context.Context, path, session string) (config.KeyShare, error) {
	passphrase, err := knownPassphrase(ctx, m.ui, m.config.PassphraseFile, path)()
	if err != nil {
		return config.KeyShare{}, fmt.Errorf("%s is encrypted: %w", path, err)
	}
	defer clear(passphrase)
	share, err := config.ReadKeyShare(path, passphrase, m.roster())
	switch {
	case err != nil:
		return config.KeyShare{}, err
	case share.Name != m.config.Name:
		return config.KeyShare{}, fmt.Errorf("%s is the share of %s, not of %s", path, share.Name, m.config.Name)
	case share.Session != session:
		return config.KeyShare{}, fmt.Errorf("%s is a share of the session %s, not of %s", path, share.Session, session)
	}
	return share, nil
}

// replay reads a key generation from the log, as the member that took part in it.
func (m *membership) replay(ctx context.Context, log bus.Log, session string) (config.KeyShare, error) {
	unfinished := fmt.Errorf("the key generation %s is not complete on the log: let it end first (riskprop party --session ...), or import a backup (riskprop key import)", session)
	manifest, err := manifestOf(ctx, log, m.roster(), m.config.Name, session)
	if errors.Is(err, bus.ErrNone) {
		return config.KeyShare{}, unfinished
	}
	if err != nil {
		return config.KeyShare{}, err
	}
	machine, err := m.keygenMachine(manifest)
	if err != nil {
		return config.KeyShare{}, err
	}
	m.ui.show("  reading the key generation %s …", session)
	own := &tracked{Log: log}
	_, err = node.Run(ctx, node.Config{Log: readOnly{own}, Roster: m.roster(), Machine: machine, Logger: m.logger, Patience: m.patience})
	if errors.Is(err, errCaughtUp) {
		return config.KeyShare{}, unfinished
	}
	if errors.Is(err, node.ErrMissing) { // the log's loss, and no verdict on the session that needs the key
		return config.KeyShare{}, fmt.Errorf("the key cannot be read from the log again: %s: the operator sees what the servers have lost; a backup of the share does as well (riskprop key import)", err)
	}
	if err != nil {
		return config.KeyShare{}, fmt.Errorf("reading the key generation %s: %w", session, own.judge(ctx, err))
	}
	done := machine.Round().(*keygen.Done) // the session has ended well
	return config.KeyShare{Name: m.config.Name, Session: session, Manifest: manifest, Key: done.Key, ID: done.ID, Share: done.Share}, nil
}

// keygenMachine is the member's machine in a key generation.
func (m *membership) keygenMachine(manifest schema.KeygenManifest) (*party.Machine, error) {
	first, err := keygen.Start(manifest, m.roster())
	if err != nil {
		return nil, err
	}
	input := schema.Digest("riskprop/v1 input", schema.Encode(manifest))
	return party.NewMachine(party.Session{Proto: schema.Keygen, ID: manifest.Session, Roster: m.roster()}, m.identity, input, first)
}

// readOnly is a log that is read to its end, and on which nothing is written.
type readOnly struct{ bus.Log }

// Append drops what the node would say of a session that it finds broken: that error is what counts, and the members have
// said it, or will.
func (readOnly) Append(context.Context, string, []byte) error { return nil }

// Tail ends with errCaughtUp where the log does.
func (l readOnly) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, _ func() error) error {
	return l.Log.Tail(ctx, after, filter, fold, func() error { return errCaughtUp })
}

// manifestOf is the manifest of a key generation as a member has stated it, with the member's signature. The error wraps
// bus.ErrNone where it has not spoken.
func manifestOf(ctx context.Context, log bus.Log, roster *schema.Roster, member, session string) (schema.KeygenManifest, error) {
	none := schema.KeygenManifest{}
	slot := schema.Slot{Session: session, Proto: schema.Keygen, To: schema.All, From: member, Part: schema.HeadPart}
	raw, err := log.Get(ctx, slot.Subject())
	if err != nil {
		return none, err
	}
	event, err := schema.Open(slot.Subject(), raw, roster)
	if err != nil || len(event.Head.For(schema.All)) != 1 {
		return none, fmt.Errorf("%w: %s states no manifest", bus.ErrNone, slot.Subject()) // noise, or an abort
	}
	slot.Part = 0
	if raw, err = log.Get(ctx, slot.Subject()); err != nil {
		return none, err
	}
	manifest, err := openManifest(event.Head.For(schema.All)[0], raw)
	if err == nil && manifest.Session != session {
		err = fmt.Errorf("it is for the session %s", manifest.Session)
	}
	if err != nil {
		return none, fmt.Errorf("the manifest of the key generation %s that %s has stated: %w", session, member, err)
	}
	return manifest, nil
}
