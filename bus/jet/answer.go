package jet

import (
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
)

// What the server puts on the answers to a direct get, besides the names in package jetstream.
const (
	statusHeader      = "Status"
	descriptionHeader = "Description"
	pendingHeader     = "Nats-Num-Pending"   // of a batch: how many messages come after this one
	previousHeader    = "Nats-Last-Sequence" // of a batch: the sequence number of the message sent before
)

// The statuses of an answer that is the server's own word, and no message.
const (
	statusEndOfBatch   = "204"
	statusNotFound     = "404"
	statusNoResponders = "503"
)

// answer is one message that answers a direct get.
//
// The server takes a stored message's header block as it is and puts its own headers at the end. So whoever stores a
// message can repeat the server's headers, or end the block early with an empty line behind which nothing is parsed,
// and make a record look like a status or like another record. An answer is therefore believed only if every header is one
// that the server sets on it, or Append's, once, and if nothing was left out in parsing: an early end hides the server's
// headers, more bytes than other spellings of the few headers that are left can make up for.
type answer struct{ *nats.Msg }

// status returns the status when a is the server's own word, or "".
func (a answer) status() string {
	status := a.Header.Get(statusHeader)
	if status == "" || len(a.Data) > 0 ||
		!a.only(statusHeader, descriptionHeader, pendingHeader, previousHeader, jetstream.SubjectHeader) {
		return ""
	}
	return status
}

// clean reports whether a is a message that Append can have written.
func (a answer) clean() bool {
	return a.Header.Get(jetstream.SequenceHeader) != "" && bus.ReadableSize(len(a.Data)) &&
		(a.Header[jetstream.ExpectedLastSubjSeqHeader] == nil || a.Header.Get(jetstream.ExpectedLastSubjSeqHeader) == "0") &&
		a.only(jetstream.ExpectedLastSubjSeqHeader, jetstream.StreamHeader, jetstream.SubjectHeader, jetstream.SequenceHeader,
			jetstream.TimeStampHeaer, pendingHeader, previousHeader)
}

// only reports whether a has no headers but these, each at most once, and no byte of its header block is hidden.
func (a answer) only(names ...string) bool {
	size := len("NATS/1.0\r\n\r\n")
	for name, values := range a.Header {
		if len(values) != 1 || !slices.Contains(names, name) {
			return false
		}
		switch name {
		case statusHeader, descriptionHeader: // in the first line, after a space
			size += len(" ") + len(values[0])
		default:
			size += len(name) + len(": ") + len(values[0]) + len("\r\n")
		}
	}
	return size == a.Size()-len(a.Subject)-len(a.Reply)-len(a.Data)
}

// number returns a header's value, or 0. Only for a clean answer, or a status.
func (a answer) number(header string) uint64 {
	n, err := strconv.ParseUint(a.Header.Get(header), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// record returns a clean answer's record.
func (a answer) record() bus.Record {
	stored, err := time.Parse(time.RFC3339Nano, a.Header.Get(jetstream.TimeStampHeaer))
	if err != nil {
		stored = time.Time{}
	}
	return bus.Record{
		Seq:     a.number(jetstream.SequenceHeader),
		Subject: a.Header.Get(jetstream.SubjectHeader),
		Data:    a.Data,
		Time:    stored,
	}
}
