package partytest

import (
	"errors"
	"fmt"

	"riskprop/party"
	"riskprop/schema"
)

// Session says how the parties of one session are made, as often as a rule needs them.
type Session struct {
	Roster *schema.Roster
	// Start makes a member's machine from nothing, as a new process would; with -1 an auditor's.
	Start func(member int) (*party.Machine, error)
	// Result puts into words all that a party ends with, its secrets included, so that two runs can be compared.
	Result func(party.Round) string
}

// Reference is a session that ran undisturbed: what every other run of it must come to.
type Reference struct {
	Log     *Log
	Results []string // by member; the last one is an auditor's
	session Session
}

// ErrDiffers is wrapped when a run came to another log, or another result, than the undisturbed one.
var ErrDiffers = errors.New("differs from the undisturbed session")

// errCrash stands for the sudden end of a process.
var errCrash = errors.New("crash")

// Run runs the session undisturbed, all in turn, with an auditor looking on.
func (s Session) Run() (*Reference, error) {
	log := NewLog(s.Roster)
	readers, err := s.readers(log, 1)
	if err != nil {
		return nil, err
	}
	if err := RunReaders(readers...); err != nil {
		return nil, err
	}
	ref := &Reference{Log: log, session: s}
	for _, r := range readers {
		ref.Results = append(ref.Results, s.Result(r.Machine.Round()))
	}
	return ref, nil
}

// readers starts so many copies of every member, and an auditor.
func (s Session) readers(log *Log, copies int) ([]*Reader, error) {
	var readers []*Reader
	for i := range copies*s.Roster.Len() + 1 {
		member := i % s.Roster.Len()
		if i == copies*s.Roster.Len() {
			member = -1
		}
		r, err := s.reader(log, member)
		if err != nil {
			return nil, err
		}
		readers = append(readers, r)
	}
	return readers, nil
}

// reader starts a member from nothing.
func (s Session) reader(log *Log, member int) (*Reader, error) {
	m, err := s.Start(member)
	if err != nil {
		return nil, fmt.Errorf("starting member %d: %w", member, err)
	}
	return NewReader(log, m), nil
}

// same compares a run with the undisturbed one: the records, and a party's result. The order of the records is compared
// where the run was in turn.
func (ref *Reference) same(log *Log, ordered bool) error {
	for i, subject := range log.Order {
		if want, there := ref.Log.Records[subject]; !there || string(want) != string(log.Records[subject]) {
			return fmt.Errorf("%w: %s holds other bytes", ErrDiffers, subject)
		}
		if ordered && subject != ref.Log.Order[i] {
			return fmt.Errorf("%w: record %d is %s in place of %s", ErrDiffers, i, subject, ref.Log.Order[i])
		}
	}
	if len(log.Order) != len(ref.Log.Order) {
		return fmt.Errorf("%w: %d records in place of %d", ErrDiffers, len(log.Order), len(ref.Log.Order))
	}
	return nil
}

// sameResult compares what a member, or with -1 the auditor, ends with.
func (ref *Reference) sameResult(member int, m *party.Machine) error {
	if member < 0 {
		member = len(ref.Results) - 1
	}
	if !m.Done() {
		return still(m)
	}
	if got := ref.session.Result(m.Round()); got != ref.Results[member] {
		return fmt.Errorf("%w: member %d ends with %s in place of %s", ErrDiffers, member, got, ref.Results[member])
	}
	return nil
}
