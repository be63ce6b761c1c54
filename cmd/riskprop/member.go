package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party"
	"riskprop/party/ledger"
	"riskprop/schema"
)

// membership is a member that takes part in a session: everything that it brings, loaded and checked before it connects.
type membership struct {
	ui         *ui
	logger     zerolog.Logger
	config     *config.Party
	consortium *config.Consortium
	session    *config.Session
	secret     *config.Identity
	identity   *party.Identity
	patience   time.Duration // with a part of the key generation that the log lacks; 0: the node's
}

// loadMember reads the configuration of a member and the session, and checks that they belong together. The caller wipes the
// identity.
func loadMember(ctx context.Context, u *ui, logger zerolog.Logger, configFile, sessionFile string) (*membership, error) {
	p, err := config.Load(configFile, config.ParseParty)
	if err != nil {
		return nil, err
	}
	m := &membership{ui: u, config: p, logger: sessionLogger(u, p.Log, logger)}
	if m.consortium, err = config.Load(p.Consortium, config.ParseConsortium); err != nil {
		return nil, err
	}
	if m.session, err = config.Load(sessionFile, config.ParseSession); err != nil {
		return nil, err
	}
	if digest := m.roster().Digest(); digest != m.session.Roster {
		return nil, fmt.Errorf("%s is for the roster %x, and %s has %x: take the session's file or the consortium's from the others",
			sessionFile, m.session.Roster, p.Consortium, digest)
	}
	if m.secret, err = config.ReadIdentity(p.Identity, knownPassphrase(ctx, u, p.PassphraseFile, p.Identity)); err != nil {
		return nil, err
	}
	if m.identity, err = m.member(); err != nil {
		m.secret.Wipe()
		return nil, err
	}
	return m, nil
}

func (m *membership) roster() *schema.Roster { return m.consortium.Roster() }

// member checks that the identity is that of a member, as the consortium knows it.
func (m *membership) member() (*party.Identity, error) {
	id, err := m.secret.Party()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.config.Identity, err)
	}
	known, ok := m.roster().Index(m.secret.Name)
	switch {
	case m.secret.Name != m.config.Name:
		return nil, otherIdentity(m.config, m.secret)
	case !ok:
		return nil, fmt.Errorf("%s is no member of the consortium in %s (%v)", m.secret.Name, m.config.Consortium, m.roster().Names())
	case m.roster().Member(known) != id.Public():
		return nil, fmt.Errorf("%s lists other keys for %s than those of %s: that is an old identity, or an old file of the consortium",
			m.config.Consortium, m.secret.Name, m.config.Identity)
	}
	return id, nil
}

// readLedger reads the member's data.
func (m *membership) readLedger() (*ledger.Ledger, error) {
	if m.config.Data == "" || m.config.Scores == "" {
		return nil, fmt.Errorf("the configuration of %s lacks data or scores: a member that propagates needs both", m.config.Name)
	}
	var files []ledger.File
	for _, name := range []string{accountsFile, transactionsFile} {
		path := filepath.Join(m.config.Data, name)
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, ledger.File{Name: path, Data: data})
	}
	l, err := ledger.Read(m.config.Name, m.roster().Names(), files[0], files[1])
	var value *ledger.ValueError
	if errors.As(err, &value) { // it may name accounts and scores, and this output may go to a log
		return nil, fmt.Errorf("%s: this value cannot be used: riskprop doctor shows it, and what is wrong with it", value.Where)
	}
	if err != nil {
		return nil, err
	}
	if n := len(l.Warnings); n > 0 { // they name accounts, and this output may go to a log
		m.ui.warn("%d warnings about the data in %s, which name accounts: riskprop doctor shows them", n, m.config.Data)
	}
	return l, nil
}

// connect opens the log. With a patience of less than jet.Forever, servers that do not answer and calls are given up after it.
func (m *membership) connect(ctx context.Context, patience time.Duration) (*jet.Log, func(), error) {
	var absent jet.Outages // of servers that were not there from the beginning
	stop := reportOutages(ctx, m.ui, m.logger, absent.Present)
	defer stop()
	pause := time.NewTicker(dialPause)
	defer pause.Stop()
	for begun := time.Now(); ; {
		log, done, err := dialAs(ctx, m.config, m.secret, jet.Config{Stream: m.consortium.Stream, Budget: patience}, m.logger)
		if err != nil && ctx.Err() != nil {
			return nil, nil, errors.Join(context.Cause(ctx), err)
		}
		if !errors.Is(err, jet.ErrUnreachable) && !errors.Is(err, jet.ErrCrowded) || time.Since(begun) >= patience {
			return log, done, err
		}
		absent.Met(err)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, nil, errors.Join(context.Cause(ctx), err)
		}
	}
}

// keyPatience is how long a command that reads a key waits for servers, and dialPause the time between two tries.
const (
	keyPatience = 30 * time.Second
	dialPause   = 500 * time.Millisecond
)
