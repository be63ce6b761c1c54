// Package bus is the one channel between the parties of a session: an append-only log of opaque bytes.
//
// A record is a subject, which is its address, and at least one byte of data. Policy, the same for every implementation:
//
//   - A subject is written at most once, for ever. Writing the same bytes again succeeds and changes nothing, so a writer that
//     does not know whether its last attempt was stored simply tries again. Other bytes are refused with [ErrTaken].
//   - A record that was acknowledged is durable and is never changed, removed or reordered. A reader that finds otherwise says
//     [ErrRollback] and stops: going on would mean taking part in two histories.
//   - The records of a log have one total order, by a sequence number that starts at 1 and may have gaps.
//   - The log is trusted for liveness only. Nothing here looks into the data; who wrote a record, and whether it may stand where
//     it stands, is for the reader to verify from the bytes.
//
// Transport and store are one thing: there is no message that is not a record, no acknowledgement to a reader and no state
// that a reader leaves behind. A reader that was interrupted asks again from the last sequence number it handled.
//
// Package bus imports nothing of this module. Its children are bus/mem (in memory, with fault hooks), bus/jet (NATS JetStream),
// bus/embed (a NATS server in this process), bus/hub (the configuration of servers that a consortium shares, with bus/hub/hubtest to
// run them in tests) and bus/bustest (the conformance suite that every Log must pass).
package bus

import (
	"context"
	"errors"
	"time"
)

// MaxRecord is the largest size of a record's data, in bytes. Append refuses more; readers ignore more.
const MaxRecord = 2 << 20

// The errors that callers tell apart, with errors.Is. Implementations wrap them, with the subject or the position concerned.
var (
	// ErrTaken: the subject already holds other bytes.
	ErrTaken = errors.New("subject is taken by other data")
	// ErrNone: the subject holds nothing, or nothing that this module could have written.
	ErrNone = errors.New("no record under this subject")
	// ErrRollback: the log lost, or replaced, a record that was handled before.
	ErrRollback = errors.New("log was rolled back: restore it, or leave the session")
	// ErrClosed: the handle, or the connection under it, was closed by this side.
	ErrClosed = errors.New("log is closed")
	// ErrBusy: the handle already runs a Tail with this filter.
	ErrBusy = errors.New("this filter is already being tailed: use another handle")
	// ErrInvalid: the subject, filter or data breaks a rule of this package; the caller has a bug.
	ErrInvalid = errors.New("invalid argument")
)

// Record is one entry of a log.
type Record struct {
	Seq     uint64 // position in the log's total order, from 1
	Subject string // its address
	Data    []byte // 1 to MaxRecord bytes; the receiver owns them

	// Time is when the log stored the record, by the log's clock; zero where that is not known. It is for people, never for the
	// protocol: nobody signs it, and it may run backwards.
	Time time.Time
}

// Log is an append-only log of write-once records. All methods are safe for concurrent use.
type Log interface {
	// Append writes data under subject. It is durable when nil is returned. When the subject already holds the same bytes it
	// returns nil; when it holds other bytes, an error wrapping ErrTaken that names the subject. After any other error the
	// record may or may not have been stored: call again with the same bytes to find out. Data is not kept.
	// ErrInvalid is wrapped when [CheckRecord] refuses the record.
	Append(ctx context.Context, subject string, data []byte) error

	// Get returns the data under subject, or an error wrapping ErrNone. The caller owns the returned bytes.
	Get(ctx context.Context, subject string) ([]byte, error)

	// Tail calls fold for every record that matches filter and has Seq > after, in order, each exactly once, and calls head
	// every time it has caught up, also at once when there is nothing to read. Both run on the caller's goroutine, never at
	// once, and may take as long as they like. At least one head follows the last fold before Tail waits for more.
	//
	// Tail returns ctx's error when ctx ends, or the first error of fold or head unchanged, or an error of the log itself.
	// It wraps ErrRollback when the log ends before sequence number after, or lost or changed a record that this call handled;
	// ErrInvalid when [CheckFilter] refuses the filter, or the log lets nobody tail what matches it; ErrBusy when this handle
	// runs a Tail with this filter already.
	Tail(ctx context.Context, after uint64, filter string, fold func(Record) error, head func() error) error
}
