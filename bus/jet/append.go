package jet

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
)

// The server's answers to a publish under a subject that is not empty.
const (
	codeStoreFailed       jetstream.ErrorCode = 10077 // the stream's own refusal; also a full disk
	codeWrongSequence     jetstream.ErrorCode = 10071
	codeWrongSequenceRace jetstream.ErrorCode = 10164 // another publish is in flight
)

// Append implements bus.Log. Subjects that do not match Subjects are refused with bus.ErrInvalid.
func (l *Log) Append(ctx context.Context, subject string, data []byte) error {
	if err := bus.CheckRecord(subject, data); err != nil {
		return err
	}
	at, err := l.placeOf(subject)
	if err != nil {
		return err
	}
	select {
	case l.inFlight <- struct{}{}:
		defer func() { <-l.inFlight }()
	case <-ctx.Done():
		return fmt.Errorf("append %s: %w", subject, ctx.Err())
	}
	try := func(ctx context.Context) error { return l.publish(ctx, at, data) }
	if err := l.persist(ctx, bus.Units(1, int64(len(data))), try, at.subject, l.directGet(at)); err != nil {
		return fmt.Errorf("%s appends %s: %w", l.cfg.Party, subject, err)
	}
	return nil
}

// publish sends one publish; when the subject is not empty it compares what is there.
func (l *Log) publish(ctx context.Context, at place, data []byte) error {
	msg := &nats.Msg{Subject: at.subject, Data: data}
	ack, err := l.js.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(0))
	switch apiError(err).ErrorCode {
	case codeStoreFailed, codeWrongSequence, codeWrongSequenceRace:
		return l.compare(ctx, at, data, err)
	}
	if err != nil {
		return err
	}
	if ack.Stream != at.stream {
		return fmt.Errorf("%w: the subject belongs to the stream %s, not to %s", bus.ErrInvalid, ack.Stream, at.stream)
	}
	return nil
}

// compare settles a publish that was refused: nil when data is there, bus.ErrTaken when anything else is, and errAgain when
// this replica does not know of anything yet.
func (l *Log) compare(ctx context.Context, at place, data []byte, refusal error) error {
	there, err := l.read(ctx, at)
	switch {
	case errors.Is(err, errNoise):
		return fmt.Errorf("%w: %w", bus.ErrTaken, err)
	case errors.Is(err, bus.ErrNone):
		return fmt.Errorf("%w: %w", errAgain, refusal)
	case err != nil:
		return err
	case !bytes.Equal(there, data):
		return bus.ErrTaken
	}
	return nil
}
