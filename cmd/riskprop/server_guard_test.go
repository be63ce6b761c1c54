package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"riskprop/bus"
	"riskprop/bus/embed"
	"riskprop/bus/hub"
	"riskprop/bus/jet"
)

// The flags of the guard mean what they say, and the default is the one of package embed.
func TestGuardFlags(t *testing.T) {
	of := func(units int, volume int64) serverCommand {
		return serverCommand{GuardUnits: units, GuardVolume: volume}
	}
	standard := embed.DefaultGuard(hub.OwnerAccount)
	for _, c := range []struct {
		flags serverCommand
		units int
		burst int
	}{
		{of(standard.Units, standard.Volume>>30), standard.Units, standard.Burst},
		{of(2*standard.Units, 1), 2 * standard.Units, 2 * standard.Burst},
		{of(leastUnits, 1), leastUnits, standard.Burst * leastUnits / standard.Units},
		{of(0, 1), 0, 0},
	} {
		flags := c.flags
		g := flags.guard()
		if err := c.flags.Validate(); err != nil || g.Units != c.units || g.Burst != c.burst || g.Volume != c.flags.GuardVolume<<30 || len(g.Exempt) != 1 {
			t.Errorf("%+v: %+v, %v", c.flags, g, err)
		}
	}
	least := of(leastUnits, 1)
	if g := least.guard(); g.Burst/3 < bus.PaceUnitsBurst+bus.PaceBatchesBurst {
		t.Errorf("a guard that is permitted shuts out a party that starts: %+v", g)
	}
	for _, flags := range []string{"--guard-units=-1", "--guard-units=100", "--guard-units=2000000", "--guard-volume=0", "--guard-volume=2000000"} {
		got := runHere(t, "server", "--config=none.conf", flags)
		if name, _, _ := strings.Cut(flags, "="); got.status != statusUsage || !strings.Contains(got.stderr, name) {
			t.Errorf("%s: %+v", flags, got)
		}
	}
	help := runHere(t, "server", "--help")
	if !strings.Contains(help.stdout, "1200") || !strings.Contains(help.stdout, "--guard-volume") {
		t.Error(help.stdout)
	}
}

// TestServerShutsOut: who floods the log is disconnected, and the operator reads whose account it was.
func TestServerShutsOut(t *testing.T) {
	chdirTemp(t)
	makeConsortium(t, 1)
	server := startServer(t, "servers/nats-1.conf")
	mustRun(t, "stream", "--config=operator.yaml")
	p, id := partyOf(t, "alice")
	c, err := credentials(p, id)
	if err != nil {
		t.Fatal(err)
	}
	lost := make(chan struct{}, 1)
	nc, err := jet.Dial(t.Context(), p.Servers, c, func(error) {
		select {
		case lost <- struct{}{}:
		default:
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for i := 0; len(lost) == 0; i++ {
		_ = nc.Publish(fmt.Sprintf("risk.s.keygen.%d.all.alice.head", i), []byte("x")) // fails when the connection is lost
	}
	if _, err := jet.Dial(t.Context(), p.Servers, c); !errors.Is(err, jet.ErrNotAdmitted) {
		t.Errorf("the flooder connects again: %v", err)
	}
	server.stop()
	if text := server.stderr.String(); !strings.Contains(text, "floods the log: shut out") || !strings.Contains(text, `"account":"PARTY-alice"`) {
		t.Error(text)
	}
}
