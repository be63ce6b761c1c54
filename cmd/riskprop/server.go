package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/embed"
	"riskprop/bus/hub"
)

// serverCommand is the subcommand server.
type serverCommand struct {
	Config      string `required:"" placeholder:"FILE" help:"Configuration of this server, as server-config writes it."`
	GuardUnits  int    `default:"${guardUnits}" placeholder:"N" help:"What one account may send to all servers together: messages a second, and one more for each 512 KiB (default: ${guardUnits}). One that sends more is shut out, for a minute or longer. 0: no guard."`
	GuardVolume int64  `default:"${guardVolume}" placeholder:"GIB" help:"GiB an hour that one account may send to all servers together (default: ${guardVolume})."`
}

const (
	// leastUnits is what three processes of a party send at their fastest, on each of three servers.
	leastUnits = 3 * 3 * (bus.PaceUnits + bus.PaceBatches)
	mostUnits  = 1_000_000
	mostVolume = 1 << 20 // GiB an hour
)

// guardVars are the defaults of the flags.
func guardVars() kong.Vars {
	g := embed.DefaultGuard()
	return kong.Vars{"guardUnits": fmt.Sprint(g.Units), "guardVolume": fmt.Sprint(g.Volume >> 30)}
}

// Validate checks the flags.
func (c *serverCommand) Validate() error {
	if c.GuardUnits != 0 && (c.GuardUnits < leastUnits || c.GuardUnits > mostUnits) {
		return fmt.Errorf("--guard-units: %d, want 0, or %d, so that it does not shut out a party at work, to %d", c.GuardUnits, leastUnits, mostUnits)
	}
	if c.GuardVolume < 1 || c.GuardVolume > mostVolume {
		return fmt.Errorf("--guard-volume: %d GiB an hour, want 1 to %d", c.GuardVolume, mostVolume)
	}
	return nil
}

// guard returns what the flags say.
func (c *serverCommand) guard() embed.Guard {
	g := embed.DefaultGuard(hub.OwnerAccount)
	g.Burst = g.Burst * c.GuardUnits / g.Units
	g.Units, g.Volume = c.GuardUnits, c.GuardVolume<<30
	return g
}

// Run runs a server until it is interrupted, which is its ordinary end.
func (c *serverCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	server, err := embed.StartFile(c.Config, c.guard(), logger)
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
