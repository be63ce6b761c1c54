package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/schema"
)

// doctorCommand is the subcommand doctor.
type doctorCommand struct {
	Config string `required:"" placeholder:"FILE" help:"Configuration of a member, of the auditor or of the operator."`
	JSON   bool   `name:"json" help:"Write one JSON object to standard output, and all text to standard error."`
}

// verdict is what a check has come to.
type verdict string

const (
	verdictOK      verdict = "ok"
	verdictWarning verdict = "warning"
	verdictFailed  verdict = "FAILED"
	verdictUnknown verdict = "unknown" // it could not be looked at
)

// finding is one check.
type finding struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Detail  string  `json:"detail"`
	Mend    string  `json:"mend,omitempty"` // what to do
}

// diagnosis is the JSON object of doctor.
type diagnosis struct {
	Name     string      `json:"name"`
	Role     config.Role `json:"role"`
	Findings []finding   `json:"findings"`
	Failed   int         `json:"failed"`
	Warnings int         `json:"warnings"`
}

// doctor looks at every link between a party and the log, one after the other. What a check needs of an earlier one that
// failed is nil, and the check is left out: the first link that is broken is the one to mend.
type doctor struct {
	ui       *ui
	logger   zerolog.Logger
	now      func() time.Time
	config   string        // the configuration's file
	patience time.Duration // with one step

	diagnosis
	party      *config.Party
	consortium *config.Consortium
	roster     *schema.Roster
	id         *config.Identity // one that the consortium knows
}

// Run looks at everything that a party needs, and says how to mend what is not as it should be. It writes at most one record to the log,
// in a session that nobody runs. The two things that it tries although they are forbidden appear in the server's own log as violations of permissions.
func (c *doctorCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	if c.JSON {
		u.onlyJSON()
	}
	d := &doctor{ui: u, logger: logger, now: time.Now, config: c.Config, patience: doctorPatience}
	d.examine(ctx)
	if c.JSON {
		text, err := json.Marshal(d.diagnosis)
		if err != nil {
			return fmt.Errorf("encode the diagnosis: %w", err)
		}
		u.object(text)
	}
	if d.Failed > 0 {
		return fmt.Errorf("%d of %d checks failed: mend the first one first", d.Failed, len(d.Findings))
	}
	return context.Cause(ctx)
}

// examine makes all checks.
func (d *doctor) examine(ctx context.Context) {
	d.checkClock()
	if !d.checkConfiguration() {
		return
	}
	d.checkConsortium()
	d.checkIdentity(ctx)
	if d.id != nil {
		defer d.id.Wipe()
	}
	if d.id == nil || d.id.Role == config.Member {
		d.checkData()
		d.checkScores()
		d.checkKeys()
		d.checkMetrics()
	}
	servers := d.checkServers(ctx)
	if len(servers) > 0 && d.id != nil && d.consortium != nil {
		d.checkLog(ctx, servers)
	}
	d.checkMonitors(ctx)
}

// found notes a finding and shows it.
func (d *doctor) found(f finding) {
	d.Findings = append(d.Findings, f)
	switch f.Verdict {
	case verdictFailed:
		d.Failed++
	case verdictWarning:
		d.Warnings++
	}
	d.ui.say("%-7s  %-10s  %s", f.Verdict, f.Check, f.Detail)
	if f.Mend != "" {
		d.ui.say("%-7s  %-10s  → %s", "", "", f.Mend)
	}
}

// ok notes that something is as it should be.
func (d *doctor) ok(check, format string, args ...any) {
	d.found(finding{Check: check, Verdict: verdictOK, Detail: fmt.Sprintf(format, args...)})
}

// unknown notes that something could not be looked at.
func (d *doctor) unknown(check, format string, args ...any) {
	d.found(finding{Check: check, Verdict: verdictUnknown, Detail: fmt.Sprintf(format, args...)})
}

// failed notes what must be mended.
func (d *doctor) failed(check, mend, format string, args ...any) {
	d.found(finding{check, verdictFailed, fmt.Sprintf(format, args...), mend})
}

// warn notes what may do harm.
func (d *doctor) warn(check, mend, format string, args ...any) {
	d.found(finding{check, verdictWarning, fmt.Sprintf(format, args...), mend})
}

// earliest is before the first release: a clock that shows less was never set.
func earliest() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// checkClock looks at the local clock alone; it is compared with the log's later.
func (d *doctor) checkClock() {
	now := d.now().UTC()
	if now.Before(earliest()) || now.Year() > 2200 {
		d.failed("clock", "set the clock of this machine, best with NTP: certificates and deadlines depend on it", "it shows %s", now.Format(statusTime))
		return
	}
	d.ok("clock", "it shows %s", now.Format(statusTime))
}
