package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/jet"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/node"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// partyCommand is the subcommand party.
type partyCommand struct {
	Config  string `required:"" placeholder:"FILE" help:"Configuration of the member."`
	Session string `required:"" placeholder:"FILE" help:"File that describes the session: the same at all members."`
	Metrics string `placeholder:"HOST:PORT" help:"Serve /metrics and /healthz there, in place of the address in the configuration."`
	JSON    bool   `name:"json" help:"Write one JSON object to standard output, and all text to standard error."`
}

// partyOutcome is the JSON object of party.
type partyOutcome struct {
	Party    string  `json:"party"`
	Session  string  `json:"session"`
	Protocol string  `json:"protocol"`
	Verdict  string  `json:"verdict"`           // what the session has come to, or "failed" or "input" where it has not ended
	Culprit  string  `json:"culprit,omitempty"` // the member that is blamed
	Reason   string  `json:"reason,omitempty"`  // why there is no result
	Key      string  `json:"key,omitempty"`     // id
	Seconds  float64 `json:"seconds"`
	Records  int     `json:"records_written"`
	Bytes    int64   `json:"bytes_written"`
	Noise    int     `json:"noise"`

	KeyBits   int       `json:"key_bits,omitempty"`
	Keygen    *attempts `json:"keygen,omitempty"`
	Scores    string    `json:"scores,omitempty"` // path of the file
	Accounts  int       `json:"accounts,omitempty"`
	Single    *int      `json:"single_source,omitempty"` // accounts whose score can reveal a foreign one
	Unchecked []string  `json:"unchecked,omitempty"`     // members without whose shares the scores were opened
	// Unverified is set where too few shares were there to notice wrong ones.
	Unverified bool       `json:"unverified,omitempty"`
	Left       []lastWord `json:"left,omitempty"` // members who have ended the session, which could do without them
}

// lastWord is what a member has ended a session with.
type lastWord struct {
	By      string `json:"by"`
	Culprit string `json:"culprit,omitempty"`
	Reason  string `json:"reason"`
}

// Run takes part in a session until it has ended. Killed and started again it goes on where it was.
func (c *partyCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	if c.JSON {
		u.onlyJSON()
	}
	m, err := loadMember(ctx, u, logger, c.Config, c.Session)
	if err != nil {
		return err
	}
	defer m.secret.Wipe()
	if c.Metrics != "" {
		m.config.Metrics = c.Metrics
	}
	run := &partyRun{membership: m, out: partyOutcome{Party: m.config.Name, Session: m.session.ID, Protocol: m.session.Kind}}
	begun := time.Now()
	err = run.attend(ctx)
	run.conclude(begun, err)
	if !c.JSON {
		return err
	}
	text, failure := json.Marshal(run.out)
	if failure != nil {
		return errors.Join(err, fmt.Errorf("encode the result: %w", failure))
	}
	u.object(text)
	return err
}

// partyRun is a member's part in one session.
type partyRun struct {
	*membership
	ledger  *ledger.Ledger // of a propagation
	place   output         // for the scores of a propagation
	start   time.Time
	ticks   <-chan time.Time
	metrics *metrics
	link    atomic.Pointer[jet.Log] // nil where the log needs no connection, and before there is one
	out     partyOutcome
}

// conclude fills in what the run has come to.
func (r *partyRun) conclude(begun time.Time, err error) {
	r.out.Seconds, r.out.Verdict, r.out.Culprit = since(begun), verdictOf(err), culpritOf(err)
	if err != nil {
		r.out.Reason = err.Error()
	}
}

// attend connects to the log and takes part.
func (r *partyRun) attend(ctx context.Context) error {
	if err := r.prepare(); err != nil {
		return err
	}
	stop, err := r.serveMetrics()
	if err != nil {
		return err
	}
	defer stop()
	log, done, err := r.connect(ctx, jet.Forever)
	if err != nil {
		return err
	}
	defer done()
	r.metrics.watch(log)
	r.link.Store(log)
	defer reportOutages(ctx, r.ui, r.logger, log.Outage)()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	r.start, r.ticks = time.Now(), ticker.C
	return r.take(ctx, log)
}

// serveMetrics answers /metrics and /healthz from now on, where that is asked for. The result ends it.
func (r *partyRun) serveMetrics() (stop func(), err error) {
	r.metrics = newMetrics(r.session.ID, r.session.Kind, r.config.Name)
	r.metrics.up = func() bool { return r.link.Load() != nil && r.connected() }
	if r.config.Metrics == "" {
		return func() {}, nil
	}
	return r.metrics.serve(r.config.Metrics)
}

// prepare checks what can be checked before anybody is spoken to.
func (r *partyRun) prepare() error {
	if r.session.Kind == schema.Keygen {
		_, err := r.session.KeygenManifest(r.consortium)
		return err
	}
	if _, err := r.session.PropagateManifest(r.consortium, [32]byte{}); err != nil {
		return err
	}
	var err error
	if r.ledger, err = r.readLedger(); err != nil {
		return err
	}
	if err := os.MkdirAll(r.config.Scores, 0o700); err != nil { // stays, since other parties may write beside it
		return fmt.Errorf("cannot make the folder for the scores: %w", err)
	}
	r.place = output{dir: r.config.Scores, private: true, survives: true}
	if err := r.place.tidy(r.session.ID, scoresFile); err != nil {
		return err
	}
	return r.place.check([]string{r.session.ID}, scoresFile)
}

// take takes part in the session over a log.
func (r *partyRun) take(ctx context.Context, log bus.Log) error {
	r.metrics.started()
	var err error
	if r.session.Kind == schema.Keygen {
		err = r.generateKey(ctx, log)
	} else {
		err = r.propagate(ctx, log)
	}
	r.metrics.ended(err)
	return err
}

// generateKey takes part in a key generation.
func (r *partyRun) generateKey(ctx context.Context, log bus.Log) error {
	manifest, err := r.session.KeygenManifest(r.consortium)
	if err != nil {
		return err
	}
	machine, err := r.keygenMachine(manifest)
	if err != nil {
		return err
	}
	if manifest.KeyBits < secureKeyBits {
		r.ui.warn("a key of %d bits is not secure: use %d or more for anything but a test", manifest.KeyBits, secureKeyBits)
	}
	if err := r.follow(ctx, log, machine); err != nil {
		return err
	}
	done := machine.Round().(*keygen.Done) // the session has ended well
	r.out.Key, r.out.KeyBits = fmt.Sprintf("%x", done.ID), done.Key.N.BitLen()
	r.out.Keygen = &attempts{done.Stats.Attempts, done.Stats.Candidates, done.Stats.Tested}
	r.ui.say("The key of %s is there: %d bits, id %s. Any %d of the %d members can decrypt with it.",
		r.session.ID, r.out.KeyBits, r.out.Key, done.Key.Threshold+1, r.roster().Len())
	r.ui.say("Nothing needs to be kept but the identity: the share of %s comes from the log again when it is needed, or from a backup (riskprop key export).", r.config.Name)
	return nil
}

// propagate takes part in a propagation.
func (r *partyRun) propagate(ctx context.Context, log bus.Log) error {
	key, err := r.keyShare(ctx, log, r.session.KeySession())
	if err != nil {
		return err
	}
	manifest, err := r.session.PropagateManifest(r.consortium, key.ID)
	if err != nil {
		return err
	}
	config := propagate.Config{Manifest: manifest, Roster: r.roster(), Key: key.Key, KeyID: key.ID, Share: key.Share, Ledger: r.ledger}
	r.ledger = nil // its edges go when the rounds do not need them any more
	sparing(len(config.Ledger.Accounts))
	first, err := propagate.Start(config)
	if err != nil {
		return err
	}
	machine, err := party.NewMachine(party.Session{Proto: schema.Propagate, ID: manifest.Session, Roster: r.roster()}, r.identity, config.Input(), first)
	if err != nil {
		return err
	}
	r.out.Key = fmt.Sprintf("%x", key.ID)
	if err := r.follow(ctx, log, machine); err != nil {
		return err
	}
	return r.finish(ctx, machine.Round().(*propagate.Done))
}

// connected tells whether the log answers.
func (r *partyRun) connected() bool {
	log := r.link.Load()
	return log == nil || log.Connected()
}

// logTime is the time by the log's clock.
func (r *partyRun) logTime(ctx context.Context) (time.Time, error) {
	log := r.link.Load()
	if log == nil {
		return time.Time{}, errors.New("there is no log yet")
	}
	return log.Now(ctx)
}

// follow runs the node to the end of the session, and tells what happens.
func (r *partyRun) follow(ctx context.Context, log bus.Log, machine *party.Machine) error {
	r.ui.say("%s takes part in %s %s with %s.", r.config.Name, r.session.Kind, r.session.ID, strings.Join(r.others(), ", "))
	own := &tracked{Log: log}
	stats, err := node.Run(ctx, node.Config{
		Log: own, Roster: r.roster(), Machine: machine, Logger: r.logger,
		Ticks: r.ticks, Start: r.start, Deadline: r.session.Deadline, Grace: r.config.Grace, Connected: r.connected, Now: r.logTime,
		Observe: func(e node.Event) {
			r.metrics.observe(e)
			r.tell(e)
		},
	})
	r.out.Records, r.out.Bytes, r.out.Noise = stats.Records, stats.Bytes, stats.Noise
	var word *party.Aborted
	if early := time.Until(r.session.Deadline); errors.As(err, &word) && !r.session.Deadline.IsZero() && early > skewFailure {
		r.ui.warn("by the clock of this machine the deadline is %v away: if %s ended the session because of it, one of the two clocks is wrong", early.Round(time.Second), word.By)
	}
	if err != nil && ctx.Err() != nil && verdictOf(err) == verdictNone {
		return &paused{r.config.Name, fmt.Sprintf("round %d (%s) of %s", machine.Number(), machine.Name(), r.session.ID), context.Cause(ctx)}
	}
	return own.judge(ctx, err)
}

// others are the names of the other members.
func (r *partyRun) others() []string {
	var names []string
	for _, name := range r.roster().Names() {
		if name != r.config.Name {
			names = append(names, name)
		}
	}
	return names
}

// tell shows what happens: the present round in place, a line for every wait.
func (r *partyRun) tell(e node.Event) {
	switch e.Kind {
	case node.Began:
		if e.Name != "done" {
			r.ui.show("  round %d: %s", e.Round, e.Name)
		}
	case node.Settled:
		r.ui.say("  %s has settled round %d (%s): the session goes on without who had not spoken", e.Party, e.Round, e.Name)
	case node.Waiting:
		r.ui.say("  waiting for %s in round %d (%s) for %v", strings.Join(e.Awaited, ", "), e.Round, e.Name, e.Duration.Round(time.Second))
	}
}

// finish writes the scores and tells about them.
func (r *partyRun) finish(ctx context.Context, done *propagate.Done) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := r.place.write([]file{{r.session.ID, scoresFile, ledger.FormatScores(done.Scores)}}); err != nil {
		return err
	}
	r.out.Scores, r.out.Accounts = r.place.path(r.session.ID, scoresFile), len(done.Scores)
	r.out.Single, r.out.Unchecked = &done.Report.SingleSource, done.Report.Unchecked
	for _, a := range done.Report.Peers {
		if a.OnlyHere+a.OnlyThere+a.AmountsDiffer > 0 {
			r.ui.warn("transactions with %s left out: %d that only %s lists, %d that only %s lists, %d with different amounts",
				a.Peer, a.OnlyHere, r.config.Name, a.OnlyThere, a.Peer, a.AmountsDiffer)
		}
	}
	for _, word := range done.Report.Left {
		r.ui.warn("the scores are there, but %v", word)
		r.out.Left = append(r.out.Left, lastWord{word.By, word.Culprit, word.Reason})
	}
	if absent := done.Report.Unchecked; absent != nil {
		r.ui.warn("the session went on without %s", strings.Join(absent, ", "))
	}
	if r.out.Unverified = done.Report.Unverified; r.out.Unverified {
		r.ui.warn("too few shares were there to notice wrong ones: who has left, or was left out, may know why. Run the session again, with all, before you act on these scores")
	}
	r.ui.say("Accounts with a single foreign source, whose score they could reveal: %d", done.Report.SingleSource)
	r.ui.say("Wrote the scores of %d accounts to %s", r.out.Accounts, r.out.Scores)
	return nil
}
