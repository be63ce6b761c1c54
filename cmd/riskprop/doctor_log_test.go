package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/jet"
	"riskprop/bus/mem"
)

var errDenied = fmt.Errorf("%w: permissions violation", jet.ErrDenied)

// refusing is the hook of a log on which everybody is alice, with her permissions.
func refusing(step mem.Step) error {
	tokens := strings.Split(step.Subject, ".")
	if step.Phase == mem.Before && (step.Op == mem.Append && tokens[5] != "alice" || step.Op == mem.Get && tokens[4] != "all" && tokens[4] != "alice" && tokens[5] != "alice") {
		return errDenied
	}
	return nil
}

// TestDoctorLog: what can go wrong on the log itself, in whatever step. What is to be found is the list of the checks, with a mark where
// one is not ok.
func TestDoctorLog(t *testing.T) {
	all, consortium := knownIdentities(t)
	own := func(step mem.Step, op mem.Op, phase mem.Phase) bool {
		return step.Op == op && step.Phase == phase && strings.Contains(step.Subject, ".alice.")
	}
	for name, c := range map[string]struct {
		hook mem.Hook
		want string
	}{
		"as it must be": {refusing, "stream foreign inbox publish read skew? peers!"},
		"no permissions": {func(mem.Step) error { return nil },
			"stream foreign!! inbox!! publish? peers!"},
		"no answer to what is another's": {func(step mem.Step) error {
			if refusing(step) != nil {
				return context.DeadlineExceeded
			}
			return nil
		}, "stream foreign! inbox! publish read skew? peers!"},
		"a full disk": {func(step mem.Step) error {
			if own(step, mem.Append, mem.Before) {
				return errDisk
			}
			return refusing(step)
		}, "stream foreign inbox publish!! peers!"},
		"no answers": {func(step mem.Step) error {
			if step.Op == mem.Get {
				return errDisk
			}
			return nil
		}, "stream!!"},
		"no heads": {func(step mem.Step) error {
			if step.Op == mem.Deliver {
				return errDisk
			}
			return refusing(step)
		}, "stream foreign inbox publish read!! peers!"},
		"it cannot be asked for": {func(step mem.Step) error {
			if own(step, mem.Get, mem.After) {
				return errDisk
			}
			return refusing(step)
		}, "stream foreign inbox publish read!! skew? peers!"},
		"another error to what is another's": {func(step mem.Step) error {
			if refusing(step) != nil {
				return errDisk
			}
			return nil
		}, "stream foreign! inbox! publish read skew? peers!"},
		"closed on the way": {func(step mem.Step) error {
			if refusing(step) != nil {
				return bus.ErrClosed
			}
			return nil
		}, "stream foreign! inbox! publish read skew? peers!"},
	} {
		u, stdout, _ := screens(nil)
		d := &doctor{ui: u, logger: zerolog.Nop(), now: time.Now, patience: 30 * time.Second, consortium: consortium, roster: consortium.Roster(), id: all[0]}
		store := mem.NewStore()
		v, err := newVisit(d, store.Open(c.hook))
		if err != nil {
			t.Fatal(err)
		}
		v.check(t.Context())
		var got []string
		for _, f := range d.Findings {
			got = append(got, f.Check+map[verdict]string{verdictWarning: "!", verdictFailed: "!!", verdictUnknown: "?"}[f.Verdict])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s\n%s", name, strings.Join(got, " "), c.want, stdout)
		}
		if n := len(store.Records()); n > 1 {
			t.Errorf("%s: %d records", name, n)
		}
	}
}

// TestDoctorTrouble: what does not happen with a server that is as it should be, or was so a moment ago.
func TestDoctorTrouble(t *testing.T) {
	c := newClinic(t).start(true)
	c.configure("alice")
	d, _ := c.visit("alice")
	c.server.Shutdown()
	for name, check := range map[string]func(*doctor){
		"account FAILED": func(d *doctor) { d.checkAccount(t.Context(), c.url) },
		"log FAILED":     func(d *doctor) { d.checkLog(t.Context(), []string{c.url}) },
		"stream FAILED": func(d *doctor) {
			d.id = c.ids["oscar"]
			d.party.Name = "oscar"
			d.checkLog(t.Context(), []string{c.url})
		},
	} {
		fresh := &doctor{ui: d.ui, logger: d.logger, now: d.now, patience: time.Second, consortium: d.consortium, roster: d.roster, id: c.ids["alice"]}
		party := *d.party
		fresh.party = &party
		check(fresh)
		if len(fresh.Findings) != 1 || fresh.Findings[0].Check+" "+string(fresh.Findings[0].Verdict) != name {
			t.Errorf("%s: %+v", name, fresh.Findings)
		}
	}
}
