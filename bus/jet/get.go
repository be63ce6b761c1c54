package jet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
)

// errNoise: a message is there that this module cannot have written.
var errNoise = errors.New("message with foreign headers or of an impossible size")

// The status of an answer that is the server's own word, and no message.
const (
	statusHeader       = "Status"
	statusNotFound     = "404"
	statusNoResponders = "503"
)

// Get implements bus.Log. It returns bus.ErrNone also for noise, see the package comment.
func (l *Log) Get(ctx context.Context, subject string) (data []byte, err error) {
	if err := bus.CheckSubject(subject); err != nil {
		return nil, err
	}
	if err := checkHere(subject); err != nil {
		return nil, err
	}
	try := func(ctx context.Context) (err error) {
		data, err = l.read(ctx, subject)
		return err
	}
	if err := l.persist(ctx, try, l.directGet(subject)); err != nil {
		return nil, fmt.Errorf("get %s: %w", subject, err)
	}
	return data, nil
}

// directGet returns where to ask for the message under subject.
func (l *Log) directGet(subject string) string {
	return l.api("DIRECT.GET." + l.cfg.Stream + "." + subject)
}

// read asks once for the data under subject. The error wraps bus.ErrNone, together with errNoise when there is noise.
func (l *Log) read(ctx context.Context, subject string) ([]byte, error) {
	m, err := l.request(ctx, l.directGet(subject))
	if err != nil {
		return nil, err
	}
	if m.Header.Get(jetstream.SequenceHeader) == "" { // the server's own word
		switch status := m.Header.Get(statusHeader); status {
		case statusNotFound:
			return nil, bus.ErrNone
		case statusNoResponders:
			return nil, nats.ErrNoResponders
		default:
			return nil, fmt.Errorf("%w: direct get has status %q", errAgain, status)
		}
	}
	if !clean(m.Header, jetstream.StreamHeader, jetstream.SubjectHeader, jetstream.SequenceHeader, jetstream.TimeStampHeaer) ||
		!bus.ReadableSize(len(m.Data)) {
		return nil, fmt.Errorf("%w: %w", bus.ErrNone, errNoise)
	}
	return m.Data, nil
}

// request sends an empty request and returns the first answer, whatever it is. The client's own requests take any empty
// message with a status header, also one that a member has stored, for a lack of responders.
func (l *Log) request(ctx context.Context, subject string) (*nats.Msg, error) {
	inbox := l.nc.NewInbox()
	answer := make(chan *nats.Msg, 1)
	sub, err := l.nc.ChanSubscribe(inbox, answer)
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe() // fails on a closed connection only, where nothing is left to undo
	if err := l.nc.PublishRequest(subject, inbox, nil); err != nil {
		return nil, err
	}
	select {
	case m := <-answer:
		return m, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// clean reports whether a message with header h can have been written by Append: it has the one header that Append sets, or
// none, and nothing else. added names the headers that the server puts on a direct get's answer, once each; a stored header
// of the same name shows as a second value.
func clean(h nats.Header, added ...string) bool {
	for name, values := range h {
		if len(values) != 1 {
			return false
		}
		if name == jetstream.ExpectedLastSubjSeqHeader && values[0] == "0" {
			continue
		}
		if !slices.Contains(added, name) {
			return false
		}
	}
	return true
}
