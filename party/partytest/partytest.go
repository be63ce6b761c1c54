// Package partytest runs machines in lock step over a log in memory, without a shell: for tests of rounds.
//
// [Run] delivers every record to every machine and carries out every effect until all have finished. What it stops at
// is an error of a machine, with the party's name.
package partytest

import (
	"bytes"
	"fmt"

	"riskprop/crypto/seal"
	"riskprop/party"
	"riskprop/schema"
)

// Identities makes the roster and the identities of parties with the given names. Equal names give equal keys: they
// are for tests only.
func Identities(names ...string) (*schema.Roster, []*party.Identity, error) {
	var members []schema.Member
	byName := make(map[string]*party.Identity)
	for _, name := range names {
		id, err := party.NewIdentity(name, seal.Derive([]byte(name), "partytest"))
		if err != nil {
			return nil, nil, err
		}
		byName[name] = id
		members = append(members, id.Public())
	}
	roster, err := schema.NewRoster(members)
	if err != nil {
		return nil, nil, err
	}
	identities := make([]*party.Identity, roster.Len())
	for i, name := range roster.Names() {
		identities[i] = byName[name]
	}
	return roster, identities, nil
}

// Log is a log in memory. The order of its heads is the order of its records.
type Log struct {
	Heads   []string // subjects
	Records map[string][]byte
	roster  *schema.Roster
	// Tamper, when set, may change what a party writes before it is stored.
	Tamper func(party.Effect) party.Effect
}

// NewLog makes an empty log.
func NewLog(roster *schema.Roster) *Log {
	return &Log{Records: make(map[string][]byte), roster: roster}
}

// Append stores a record once; the same bytes again are nothing, others an error.
func (l *Log) Append(effect party.Effect) error {
	if l.Tamper != nil {
		effect = l.Tamper(effect)
	}
	subject := effect.Slot.Subject()
	if stored, taken := l.Records[subject]; taken {
		if !bytes.Equal(stored, effect.Data) {
			return fmt.Errorf("%s is taken by other bytes", subject)
		}
		return nil
	}
	l.Records[subject] = effect.Data
	if effect.Slot.Part == schema.HeadPart {
		l.Heads = append(l.Heads, subject)
	}
	return nil
}

// Reader is a machine and how far it has read.
type Reader struct {
	Machine *party.Machine
	at      int
}

// Step applies one head, with the parts that it completes, or carries out what is due. It tells whether it did
// anything.
func (r *Reader) Step(log *Log) (bool, error) {
	if r.Machine.Done() {
		return false, nil
	}
	if r.at < len(log.Heads) {
		r.at++
		if err := r.apply(log, log.Heads[r.at-1]); err != nil {
			return false, err
		}
		return true, r.effects(log)
	}
	before := len(log.Records)
	err := r.effects(log)
	return len(log.Records) > before, err
}

func (r *Reader) apply(log *Log, subject string) error {
	event, err := schema.Open(subject, log.Records[subject], log.roster)
	if err != nil {
		return err
	}
	return r.Machine.Apply(event)
}

// effects fetches the parts of a complete round, or else, with everything read, says what is due.
func (r *Reader) effects(log *Log) error {
	if !r.Machine.Complete() && r.at < len(log.Heads) {
		return nil
	}
	for effect, err := range r.Machine.Ready() {
		if err != nil {
			return err
		}
		switch effect.Op {
		case party.Append:
			err = log.Append(effect)
		case party.Fetch:
			err = r.apply(log, effect.Slot.Subject())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Run steps the machines in turn until all are done. A session that stands still is an error.
func Run(log *Log, machines ...*party.Machine) error {
	readers := make([]*Reader, len(machines))
	for i, m := range machines {
		readers[i] = &Reader{Machine: m}
	}
	for {
		moved, done := false, true
		for i, reader := range readers {
			stepped, err := reader.Step(log)
			if err != nil {
				return fmt.Errorf("machine %d: %w", i, err)
			}
			moved = moved || stepped
			done = done && reader.Machine.Done()
		}
		if done {
			return nil
		}
		if !moved {
			return fmt.Errorf("the session stands still in round %d (%s), waiting for %v",
				machines[0].Number(), machines[0].Name(), machines[0].Waiting())
		}
	}
}
