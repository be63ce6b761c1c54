package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/node"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// consortium is the parties of all banks, in one process. They share nothing but the log: each has its own identity, its own handle
// on the log and its own machine, and verifies what it reads as if the others were on the other side of the world.
type consortium struct {
	roster  *schema.Roster
	members []*member // in the roster's order
	logger  zerolog.Logger
	watch   watcher
}

// member is the party of one bank.
type member struct {
	bank     string
	identity *party.Identity
	ledger   *ledger.Ledger
	log      bus.Log
	written  int64 // bytes, on the log
}

// watcher is told what happens during a session.
type watcher interface {
	began(proto string, round node.Event) // a member has come to a round; called from the goroutines of all members
	stopping()                            // the run was ended from outside: what is being computed is waited for
}

// newConsortium gives every bank an identity and a handle on the log.
func newConsortium(ledgers []*ledger.Ledger, open func(bank string) (bus.Log, error), logger zerolog.Logger, watch watcher) (*consortium, error) {
	c := &consortium{logger: logger, watch: watch}
	var public []schema.Member
	byBank := make(map[string]*member)
	for _, l := range ledgers {
		var seed [32]byte
		rand.Read(seed[:]) // never fails
		identity, err := party.NewIdentity(l.Bank, seed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Bank, err)
		}
		log, err := open(l.Bank)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.Bank, err)
		}
		byBank[l.Bank] = &member{bank: l.Bank, identity: identity, ledger: l, log: log}
		public = append(public, identity.Public())
	}
	var err error
	if c.roster, err = schema.NewRoster(public); err != nil {
		return nil, err
	}
	for _, bank := range c.roster.Names() {
		c.members = append(c.members, byBank[bank])
	}
	return c, nil
}

// generateKey runs a key generation. The results are in the roster's order.
func (c *consortium) generateKey(ctx context.Context, manifest schema.KeygenManifest) ([]*keygen.Done, error) {
	manifest.Roster = c.roster.Digest()
	input := schema.Digest("riskprop/v1 input", schema.Encode(manifest))
	return hold[*keygen.Done](ctx, c, party.Session{Proto: schema.Keygen, ID: manifest.Session, Roster: c.roster},
		func(int) (party.Round, [32]byte, error) {
			first, err := keygen.Start(manifest, c.roster)
			return first, input, err
		})
}

// propagate runs a propagation with the key that the members hold. The results are in the roster's order.
func (c *consortium) propagate(ctx context.Context, manifest schema.PropagateManifest, keys []*keygen.Done) ([]*propagate.Done, error) {
	return hold[*propagate.Done](ctx, c, party.Session{Proto: schema.Propagate, ID: manifest.Session, Roster: c.roster},
		func(i int) (party.Round, [32]byte, error) {
			own := manifest // every member states what it knows itself
			own.Roster, own.Key = c.roster.Digest(), keys[i].ID
			config := propagate.Config{
				Manifest: own, Roster: c.roster,
				Key: keys[i].Key, KeyID: keys[i].ID, Share: keys[i].Share,
				Ledger: c.members[i].ledger,
			}
			first, err := propagate.Start(config)
			return first, config.Input(), err
		})
}

// hold takes all members through a session and returns the final round of each. Begin gives the first round of a member and the digest
// of what it brings.
func hold[R party.Round](ctx context.Context, c *consortium, session party.Session, begin func(member int) (party.Round, [32]byte, error)) ([]R, error) {
	machines := make([]*party.Machine, len(c.members))
	for i, m := range c.members {
		first, input, err := begin(i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.bank, err)
		}
		if machines[i], err = party.NewMachine(session, m.identity, input, first); err != nil {
			return nil, fmt.Errorf("%s: %w", m.bank, err)
		}
	}
	if err := c.run(ctx, session.Proto, machines); err != nil {
		return nil, err
	}
	results := make([]R, len(machines))
	for i, machine := range machines {
		results[i] = machine.Round().(R) // a session that ended well is in its protocol's final round
	}
	return results, nil
}

// run runs a node for every member and returns when all have ended: without an error, or with the one that the others follow from.
func (c *consortium) run(ctx context.Context, proto string, machines []*party.Machine) error {
	all, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failures := failures{cancel: cancel}
	var running sync.WaitGroup
	for i, m := range c.members {
		running.Go(func() {
			stats, err := node.Run(all, node.Config{
				Log: m.log, Roster: c.roster, Machine: machines[i],
				Logger: c.logger.With().Str("bank", m.bank).Str("protocol", proto).Logger(),
				Observe: func(e node.Event) {
					if e.Kind == node.Began {
						c.watch.began(proto, e)
					}
				},
			})
			m.written += stats.Bytes
			if err != nil {
				failures.add(fmt.Errorf("%s: %w", m.bank, err))
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		c.watch.stopping()
		<-ended
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return failures.cause()
}

// bytesWritten returns what every bank has written on the log.
func (c *consortium) bytesWritten() map[string]int64 {
	written := make(map[string]int64)
	for _, m := range c.members {
		written[m.bank] = m.written
	}
	return written
}

// failures finds out which of several members' errors the others follow from.
type failures struct {
	cancel context.CancelCauseFunc // ends the other members

	mu    sync.Mutex
	first error // a member's own
	told  error // what another member's last word made of a member
}

// add takes a member's error. A member that only heard another's last word is not where the trouble began, and all others will hear it, too,
// so nobody needs to be cancelled.
func (f *failures) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var aborted *party.Aborted
	switch {
	case errors.As(err, &aborted):
		if f.told == nil {
			f.told = err
		}
	case f.first == nil:
		f.first = err
		f.cancel(err)
	}
}

// cause returns the error that the others follow from, or nil.
func (f *failures) cause() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.first != nil {
		return f.first
	}
	return f.told
}
