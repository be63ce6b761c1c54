package main

import (
	"context"

	"github.com/rs/zerolog"

	"riskprop/bus/embed"
)

// serverCommand is the subcommand server.
type serverCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration of this server, as server-config writes it."`
}

// Run runs a server until it is interrupted, which is its ordinary end.
func (c *serverCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	server, err := embed.StartFile(c.Config, logger)
	if err != nil {
		return err
	}
	defer server.Shutdown()
	u.say("Ready on %s. Interrupt the server to stop it.", server.URL())
	<-ctx.Done()
	server.Shutdown()
	u.say("Stopped.")
	return nil
}
