package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
)

// streamCommand is the subcommand stream.
type streamCommand struct {
	Config   string        `required:"" placeholder:"FILE" help:"Configuration of the operator."`
	Patience time.Duration `default:"30s" help:"How long to wait for servers that are starting."`
}

// Run creates the log, or what of it is not there, and says what it found.
func (c *streamCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	p, err := config.Load(c.Config, config.ParseParty)
	if err != nil {
		return err
	}
	consortium, err := config.Load(p.Consortium, config.ParseConsortium)
	if err != nil {
		return err
	}
	if p.Name != consortium.Operator.Name {
		return fmt.Errorf("%s is the configuration of %s: only the operator %s creates the log", c.Config, p.Name, consortium.Operator.Name)
	}
	id, err := config.ReadIdentity(p.Identity, knownPassphrase(ctx, u, p.PassphraseFile, p.Identity))
	if err != nil {
		return err
	}
	defer id.Wipe()
	shown, err := credentials(p, id)
	if err != nil {
		return err
	}
	connection, err := jet.Dial(ctx, p.Servers, shown, func(err error) { logger.Debug().Err(err).Msg("nats") })
	if err != nil {
		return err
	}
	defer connection.Close()

	log := jet.StreamConfig{Name: consortium.Stream, Replicas: p.Replicas, Budget: c.Patience}
	found := "Found"
	states, err := jet.CheckStream(ctx, connection, log)
	if errors.Is(err, bus.ErrNone) {
		found = "Created"
		if err = jet.CreateStream(ctx, connection, log); err == nil {
			states, err = jet.CheckStream(ctx, connection, log)
		}
	}
	for _, s := range states {
		u.say("%-14s replicas: %d, records: %d, %s in all, since %s%s", s.Name, s.Replicas, s.Messages, size(int64(s.Bytes)), s.Created.UTC().Format(time.RFC3339), led(s))
	}
	if err != nil {
		return err
	}
	u.say("%s the log %s; every field is as it must be.", found, consortium.Stream)
	return nil
}

// led says who leads a stream, where that is anybody.
func led(s jet.StreamState) string {
	if s.Leader == "" {
		return ""
	}
	return ", led by " + s.Leader
}
