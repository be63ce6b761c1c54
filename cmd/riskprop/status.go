package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/crypto/paillier"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// statusTick is how often status --watch shows how long somebody has been awaited.
const statusTick = time.Second

// statusCommand is the subcommand status.
type statusCommand struct {
	Config  string `required:"" placeholder:"FILE" help:"Configuration of a member or of the auditor."`
	Session string `required:"" placeholder:"FILE" help:"File that describes the session."`
	All     bool   `help:"A line for every round, also where many of a kind have ended."`
	Watch   bool   `xor:"watch" help:"Go on until the session has ended."`
	JSON    bool   `xor:"watch" name:"json" help:"Write one JSON object to standard output, and all text to standard error."`
}

// Run shows where a session stands. It reads the log and writes nothing to it.
func (c *statusCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	if c.JSON {
		u.onlyJSON()
	}
	p, err := config.Load(c.Config, config.ParseParty)
	if err != nil {
		return err
	}
	consortium, err := config.Load(p.Consortium, config.ParseConsortium)
	if err != nil {
		return err
	}
	session, err := config.Load(c.Session, config.ParseSession)
	if err != nil {
		return err
	}
	id, err := config.ReadIdentity(p.Identity, knownPassphrase(ctx, u, p.PassphraseFile, p.Identity))
	if err != nil {
		return err
	}
	defer id.Wipe()
	if id.Role == config.Operator {
		return fmt.Errorf("the operator %s does not follow sessions: use the configuration of a member or of the auditor", id.Name)
	}
	log, done, err := dial(ctx, p, id, consortium.Stream, logger)
	if err != nil {
		return err
	}
	defer done()
	ticker := time.NewTicker(statusTick)
	defer ticker.Stop()
	s := &statusRun{statusCommand: *c, ui: u, logger: logger, log: log, roster: consortium.Roster(), now: time.Now, ticks: ticker.C, patience: statusPatience, outage: log.Outage}
	if c.Watch && !u.inPlace { // on a terminal the table says so
		defer reportOutages(ctx, u, logger, log.Outage)()
	}
	return s.session(ctx, session, consortium)
}

// statusRun is one run of status over a log.
type statusRun struct {
	statusCommand
	ui       *ui
	logger   zerolog.Logger
	log      bus.Log
	roster   *schema.Roster
	now      func() time.Time
	ticks    <-chan time.Time
	patience time.Duration             // with a part that a signed head lists
	outage   func() (jet.Outage, bool) // of the log; nil: it has none
}

// session shows a session of either kind.
func (r *statusRun) session(ctx context.Context, session *config.Session, consortium *config.Consortium) error {
	if session.Kind == schema.Keygen {
		manifest, err := session.KeygenManifest(consortium)
		if err != nil {
			return err
		}
		f, err := r.followKeygen(manifest)
		if err != nil {
			return err
		}
		return r.show(ctx, f, keygenTerms(manifest))
	}
	// What follows from the file alone is checked before anything is read.
	manifest, err := session.PropagateManifest(consortium, [32]byte{})
	if err != nil {
		return err
	}
	key, why, err := r.key(ctx, session.KeySession())
	if err != nil {
		return err
	}
	if key == nil {
		return r.keyless(ctx, manifest, why)
	}
	if manifest, err = session.PropagateManifest(consortium, key.ID); err != nil {
		return err
	}
	f, err := r.followPropagate(manifest, key.Key)
	if err != nil {
		return err
	}
	return r.show(ctx, f, propagateTerms(manifest))
}

func (r *statusRun) followKeygen(manifest schema.KeygenManifest) (*follower, error) {
	first, err := keygen.Start(manifest, r.roster)
	if err != nil {
		return nil, err
	}
	return r.follow(schema.Keygen, manifest.Session, first)
}

func (r *statusRun) followPropagate(manifest schema.PropagateManifest, key *paillier.Key) (*follower, error) {
	first, err := propagate.Start(propagate.Config{Manifest: manifest, Roster: r.roster, Key: key, KeyID: manifest.Key})
	if err != nil {
		return nil, err
	}
	return r.follow(schema.Propagate, manifest.Session, first)
}

// follow makes a follower with an auditor's machine.
func (r *statusRun) follow(proto, session string, first party.Round) (*follower, error) {
	machine, err := party.NewMachine(party.Session{Proto: proto, ID: session, Roster: r.roster}, nil, [32]byte{}, first)
	if err != nil {
		return nil, err
	}
	f := follow(r.log, r.roster, machine)
	f.patience = r.patience
	return f, nil
}

// key is the public key that a session has generated. Where there is none it is nil, and the text tells why. With Watch the end of the
// session is waited for, once a member has begun it.
func (r *statusRun) key(ctx context.Context, session string) (*keygen.Done, string, error) {
	unfinished := fmt.Sprintf("its key generation %s has not ended", session)
	manifest, err := r.statedManifest(ctx, session)
	if errors.Is(err, bus.ErrNone) {
		return nil, unfinished, nil
	}
	if err != nil {
		return nil, "", err
	}
	f, err := r.followKeygen(manifest)
	if err != nil {
		return nil, "", fmt.Errorf("the key generation %s: %w", session, err)
	}
	r.ui.show("  reading the key generation %s …", session)
	if err := f.run(ctx, r.logger); err != nil {
		return nil, "", err
	}
	if r.Watch && !f.done && f.ended == nil {
		r.ui.say("The key for this propagation is still being generated.")
		if f, err = r.followKeygen(manifest); err != nil {
			return nil, "", err
		}
		if err := r.watch(ctx, f, keygenTerms(manifest)); err != nil {
			return nil, "", err
		}
	}
	if done, ok := f.machine.Round().(*keygen.Done); ok {
		return done, "", nil
	}
	if f.ended != nil {
		return nil, fmt.Sprintf("its key generation %s has ended without a key: %v", session, f.ended), nil
	}
	return nil, unfinished, nil
}

// keyless shows a propagation whose key is not there, so that nobody can have spoken in it.
func (r *statusRun) keyless(ctx context.Context, manifest schema.PropagateManifest, why string) error {
	err := r.log.Tail(ctx, 0, schema.HeadFilter(manifest.Session, schema.Propagate), func(record bus.Record) error {
		if event, err := schema.Open(record.Subject, record.Data, r.roster); err == nil {
			return fmt.Errorf("%s has spoken in %s, but %s: look at that with riskprop status, and whether key_session is right",
				event.Slot.From, manifest.Session, why)
		}
		return nil
	}, func() error { return errCaughtUp })
	if !errors.Is(err, errCaughtUp) {
		return err
	}
	terms := propagateTerms(manifest)
	return r.write(sessionStatus{
		Session: terms.id, Protocol: terms.proto, Members: r.roster.Names(), State: stateSilent, Name: terms.name(0, nil),
		Reason: why, Awaited: []string{}, Rounds: []roundStatus{}, Deadline: terms.until(), Now: r.now().UTC(),
	})
}

// statedManifest is the manifest of a key generation as the first member has stated it that has spoken. That it is every
// member's is for the machine to see. The error wraps bus.ErrNone where nobody has spoken.
func (r *statusRun) statedManifest(ctx context.Context, session string) (schema.KeygenManifest, error) {
	for _, member := range r.roster.Names() {
		manifest, err := manifestOf(ctx, r.log, r.roster, member, session)
		if !errors.Is(err, bus.ErrNone) {
			return manifest, err
		}
	}
	return schema.KeygenManifest{}, fmt.Errorf("the key generation %s: %w", session, bus.ErrNone)
}

// openManifest decodes the part that holds a manifest, after comparing it with what its sender has signed.
func openManifest(ref schema.Ref, raw []byte) (schema.KeygenManifest, error) {
	if err := ref.Verify(raw); err != nil {
		return schema.KeygenManifest{}, err
	}
	batch, err := schema.Decode[schema.Batch](raw, schema.MaxRecord)
	if err != nil {
		return schema.KeygenManifest{}, err
	}
	return schema.Decode[schema.KeygenManifest](batch.Data, schema.MaxRecord)
}

// show follows a session and writes where it stands: once at the end of the log, or with Watch after every change.
func (r *statusRun) show(ctx context.Context, f *follower, terms sessionTerms) error {
	if r.Watch {
		return r.watch(ctx, f, terms)
	}
	if err := f.run(ctx, r.logger); err != nil {
		return err
	}
	return r.write(f.status(terms, r.now().UTC()))
}

// write writes a status, as JSON or as a table.
func (r *statusRun) write(s sessionStatus) error {
	if !r.JSON {
		r.ui.print(false, "%s", s.text(r.All))
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode the status: %w", err)
	}
	r.ui.object(text)
	return nil
}
