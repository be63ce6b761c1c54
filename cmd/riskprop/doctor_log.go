package main

// The checks of the log itself: what the party may do, what it may not, and who else has been there.

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"riskprop/bus"
	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/schema"
)

// How far the clocks may be apart.
const (
	skewWarning = 2 * time.Second
	skewFailure = 30 * time.Second
)

// firstHeads matches the heads of the first round of every session.
const firstHeads = "risk.*.*.0.all.*.head"

// doctorReason is what doctor's record says to whoever reads it.
const doctorReason = "riskprop doctor was here: this is no session"

// visit is what doctor does on the log: one record, in a session of its own that nobody runs.
type visit struct {
	*doctor
	log  bus.Log
	slot schema.Slot // of the record
	data []byte      // the record: a signed head that ends the session before it begins; nil for who does not publish

	before, after time.Time             // the local clock around the writing
	written       bool                  // there is a record of this run
	own           bus.Record            // the record as the log delivers it
	peers         map[string]bus.Record // the latest valid head of every other member
}

// checkLog looks at the log over the servers that admit the party.
func (d *doctor) checkLog(ctx context.Context, servers []string) {
	reachable := *d.party
	reachable.Servers = servers
	if d.id.Role == config.Operator {
		d.checkStream(ctx, &reachable)
		return
	}
	log, done, err := dialAs(ctx, &reachable, d.id, jet.Config{Stream: d.consortium.Stream, Budget: d.patience}, d.logger)
	if err != nil {
		d.failed("log", "see what the server logs", "%v", err)
		return
	}
	defer done()
	v, err := newVisit(d, log)
	if err != nil {
		d.failed("log", "see whether identity and consortium are of the same version of riskprop", "%v", err)
		return
	}
	v.check(ctx)
}

// newVisit prepares the record. Only members publish.
func newVisit(d *doctor, log bus.Log) (*visit, error) {
	random := make([]byte, 6)
	rand.Read(random) // never fails
	v := &visit{doctor: d, log: log, peers: make(map[string]bus.Record), slot: schema.Slot{
		Session: "doctor-" + hex.EncodeToString(random), Proto: schema.Keygen, To: schema.All, From: d.id.Name, Part: schema.HeadPart,
	}}
	if d.id.Role != config.Member {
		return v, nil
	}
	id, err := d.id.Party()
	if err != nil {
		return nil, err
	}
	manifest := schema.KeygenManifest{Version: schema.ManifestVersion, Session: v.slot.Session, Roster: d.roster.Digest(),
		KeyBits: 256, Threshold: 1, Kappa: config.DefaultKappa, Batch: 1, TrialTo: 1}
	first, err := keygen.Start(manifest, d.roster)
	if err != nil {
		return nil, err
	}
	machine, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: v.slot.Session, Roster: d.roster}, id, [32]byte{}, first)
	if err != nil {
		return nil, err
	}
	effect, ok := machine.Abort("", doctorReason)
	if !ok || effect.Slot != v.slot {
		return nil, errors.New("the record of this check cannot be made")
	}
	v.data = effect.Data
	return v, nil
}

// check looks at the log, in an order in which nothing is written that need not be.
func (v *visit) check(ctx context.Context) {
	if !v.checkAnswers(ctx) {
		return
	}
	if !v.tail(ctx, false) {
		return
	}
	v.checkForeign(ctx)
	v.checkInbox(ctx)
	if v.id.Role == config.Member && v.checkPublish(ctx) && v.tail(ctx, true) {
		v.checkRead(ctx)
		v.checkSkew()
	}
	v.checkPeers()
}

// checkAnswers asks both streams of the log for something that is not there.
func (v *visit) checkAnswers(ctx context.Context) bool {
	private := v.slot
	private.To, private.Part = v.id.Name, 0
	slots := []schema.Slot{v.slot, private}
	if v.id.Role != config.Member {
		slots = slots[:1] // nothing is addressed to others
	}
	for _, slot := range slots {
		if _, err := v.log.Get(ctx, slot.Subject()); !errors.Is(err, bus.ErrNone) {
			v.failed("stream", "the operator creates the stream with riskprop stream, and sees whether the servers are up", "the log %s does not answer: %v", v.consortium.Stream, err)
			return false
		}
	}
	v.ok("stream", "the log %s answers; whether all its fields are right is for the operator's doctor to see", v.consortium.Stream)
	return true
}

// tail reads the first heads of all sessions, up to the end of the log: with own, until the record of this run has come.
func (v *visit) tail(ctx context.Context, own bool) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*v.patience)
	defer cancel()
	err := v.log.Tail(ctx, 0, firstHeads, func(record bus.Record) error {
		v.note(record)
		return nil
	}, func() error {
		if own && v.own.Seq == 0 {
			return nil // a replica may lag behind
		}
		return errCaughtUp
	})
	if errors.Is(err, errCaughtUp) {
		return true
	}
	v.failed("read", "the operator makes the server's configuration anew with riskprop server-config", "the heads of the log cannot be read: %v", err)
	return false
}

// note keeps what the log delivers: the record of this run, and the latest valid head of every other member.
func (v *visit) note(record bus.Record) {
	event, err := schema.Open(record.Subject, record.Data, v.roster)
	if err != nil {
		return
	}
	switch from := event.Slot.From; {
	case record.Subject == v.slot.Subject():
		v.own = record
	case from != v.id.Name:
		v.peers[from] = record
	}
}

// others are the other members.
func (v *visit) others() []string {
	return slices.DeleteFunc(v.roster.Names(), func(name string) bool { return name == v.id.Name })
}

// checkForeign tries to write under another member's name, which the server must refuse. It tries where that member has written
// already, if there is such a place: then nothing is stored even by a server that permits it. Otherwise what such a
// server stores is the one record of this run.
func (v *visit) checkForeign(ctx context.Context) {
	other, data := v.others()[0], v.data
	subject := schema.Slot{Session: v.slot.Session, Proto: schema.Keygen, To: schema.All, From: other, Part: schema.HeadPart}.Subject()
	for _, name := range v.others() {
		if record, there := v.peers[name]; there {
			other, subject = name, record.Subject
			break
		}
	}
	if data == nil {
		data = []byte(doctorReason) // of an auditor, who signs nothing
	}
	switch err := v.log.Append(ctx, subject, data); {
	case err == nil:
		v.written = true
		fallthrough
	case errors.Is(err, bus.ErrTaken):
		v.failed("foreign", "the operator makes the server's configuration anew with riskprop server-config: until then a member can silence another",
			"the server lets %s write under the name of %s: the permissions are not those of this consortium", v.id.Name, other)
	case errors.Is(err, jet.ErrDenied):
		v.ok("foreign", "the server refuses what %s writes under the name of %s", v.id.Name, other)
	default:
		v.warn("foreign", "try again", "whether the server lets %s write under the name of %s could not be found out: %v", v.id.Name, other, err)
	}
}

// checkInbox tries to read what one other member has for another, which the server must refuse.
func (v *visit) checkInbox(ctx context.Context) {
	others := v.others()
	slot := schema.Slot{Session: v.slot.Session, Proto: schema.Keygen, To: others[0], From: others[1]}
	switch _, err := v.log.Get(ctx, slot.Subject()); {
	case err == nil, errors.Is(err, bus.ErrNone):
		v.failed("inbox", "the operator makes the server's configuration anew with riskprop server-config: what is sealed stays so, but its size and time are the recipient's business",
			"the server lets %s ask for what %s has for %s", v.id.Name, others[1], others[0])
	case errors.Is(err, jet.ErrDenied):
		v.ok("inbox", "the server refuses %s what is for %s", v.id.Name, others[0])
	default:
		v.warn("inbox", "try again", "whether the server lets %s ask for what is for %s could not be found out: %v", v.id.Name, others[0], err)
	}
}

// checkPublish writes the record of this run.
func (v *visit) checkPublish(ctx context.Context) bool {
	if v.written {
		v.unknown("publish", "not tried, so that there is one record a run: it stands under another's name already")
		return false
	}
	v.before = v.now()
	err := v.log.Append(ctx, v.slot.Subject(), v.data)
	v.after = v.now()
	if err != nil {
		v.failed("publish", "the operator makes the server's configuration anew from the present consortium.yaml, and looks whether the disk is full", "%v", err)
		return false
	}
	v.ok("publish", "%s", v.slot.Subject())
	return true
}

// checkRead asks for the record of this run, which has come already as one of many.
func (v *visit) checkRead(ctx context.Context) {
	data, err := v.log.Get(ctx, v.slot.Subject())
	if err == nil && (string(data) != string(v.data) || string(v.own.Data) != string(v.data)) {
		err = errors.New("the log returns other bytes than it was given")
	}
	if err != nil {
		v.failed("read", "the operator looks at the servers' disks and logs", "%v", err)
		return
	}
	v.ok("read", "the record has come back, by its name and among the heads of all sessions")
}

// checkSkew compares the local clock with the log's, which gave the record of this run its time at some moment between before and after.
func (v *visit) checkSkew() {
	at := v.own.Time
	if at.IsZero() {
		v.unknown("skew", "the log does not tell its time")
		return
	}
	skew, text := time.Duration(0), ""
	switch {
	case at.Before(v.before):
		skew, text = v.before.Sub(at), "ahead of"
	case at.After(v.after):
		skew, text = at.Sub(v.after), "behind"
	}
	const mend = "set the clock of this machine, best with NTP; if it is right, tell the operator: deadlines go by each party's own clock"
	switch {
	case skew > skewFailure:
		v.failed("skew", mend, "the clock of this machine is %s %s the log's", duration(skew.Seconds()), text)
	case skew > skewWarning:
		v.warn("skew", mend, "the clock of this machine is %s %s the log's", duration(skew.Seconds()), text)
	default:
		v.ok("skew", "the clock of this machine and the log's agree to %s", duration((skew + v.after.Sub(v.before)).Seconds()))
	}
}

// checkPeers tells when each other member was last seen to begin a session, or to run its doctor.
func (v *visit) checkPeers() {
	var seen []string
	for _, name := range v.others() {
		text := name + " never"
		if record, there := v.peers[name]; there {
			text = name + " at a time that the log does not tell"
			if !record.Time.IsZero() {
				text = fmt.Sprintf("%s %s ago", name, duration(max(0, v.now().Sub(record.Time).Seconds())))
			}
		}
		seen = append(seen, text)
	}
	if len(v.peers) == 0 {
		v.warn("peers", "once they have run their doctor, run it again; if they have, compare the consortium's fingerprint and the servers", "no other member has been seen on this log")
		return
	}
	v.ok("peers", "last seen: %s", strings.Join(seen, ", "))
}

// checkStream is the operator's look at every field of both streams.
func (d *doctor) checkStream(ctx context.Context, p *config.Party) {
	c, err := credentials(p, d.id)
	if err != nil {
		d.failed("stream", "correct the configuration", "%v", err)
		return
	}
	connection, err := jet.Dial(ctx, p.Servers, c, func(err error) { d.logger.Debug().Err(err).Msg("nats") })
	if err != nil {
		d.failed("stream", "see what the server logs", "%v", err)
		return
	}
	defer connection.Close()
	states, err := jet.CheckStream(ctx, connection, jet.StreamConfig{Name: d.consortium.Stream, Replicas: p.Replicas, Budget: d.patience})
	var wrong *jet.StreamError
	switch {
	case errors.Is(err, bus.ErrNone):
		d.failed("stream", "create it with riskprop stream", "%v", err)
	case errors.As(err, &wrong):
		d.failed("stream", "correct these fields, or begin a log of another name", "%v", err)
	case err != nil:
		d.failed("stream", "see what the servers log", "%v", err)
	default:
		for _, s := range states {
			d.ok("stream", "%s: %d records, %s, replicas: %d; every field is as it must be", s.Name, s.Messages, size(int64(s.Bytes)), s.Replicas)
		}
	}
}
