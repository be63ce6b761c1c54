package partytest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"riskprop/party"
	"riskprop/schema"
)

// Log is a log in memory: what package bus promises, without a shell.
type Log struct {
	Heads   []string          // subjects of the heads, in order
	Order   []string          // subjects of all records, in order
	Records map[string][]byte // by subject
	roster  *schema.Roster
}

// NewLog makes an empty log.
func NewLog(roster *schema.Roster) *Log {
	return &Log{Records: make(map[string][]byte), roster: roster}
}

// ErrTaken is returned by Append for a subject that holds other bytes.
var ErrTaken = errors.New("taken by other bytes")

// Put stores a record once; the same bytes again are nothing, others are an error.
func (l *Log) Put(subject string, data []byte) error {
	if stored, taken := l.Records[subject]; taken {
		if !bytes.Equal(stored, data) {
			return fmt.Errorf("%s: %w", subject, ErrTaken)
		}
		return nil
	}
	l.Records[subject] = data
	l.Order = append(l.Order, subject)
	if slot, err := schema.ParseSubject(subject); err == nil && slot.Part == schema.HeadPart {
		l.Heads = append(l.Heads, subject)
	}
	return nil
}

// Append stores what a machine has said.
func (l *Log) Append(effect party.Effect) error { return l.Put(effect.Slot.Subject(), effect.Data) }

// Event opens a record.
func (l *Log) Event(subject string) (schema.Event, error) {
	return schema.Open(subject, l.Records[subject], l.roster)
}

// Equal tells whether two logs hold the same records under the same subjects, in whatever order.
func (l *Log) Equal(other *Log) bool {
	if len(l.Records) != len(other.Records) {
		return false
	}
	return !slices.ContainsFunc(l.Order, func(subject string) bool {
		theirs, there := other.Records[subject]
		return !there || !bytes.Equal(l.Records[subject], theirs)
	})
}
