package jet

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
)

// errNoise: a message is there that this module cannot have written.
var errNoise = errors.New("message with foreign headers or of an impossible size")

// Get implements bus.Log. It returns bus.ErrNone also for noise, see the package comment.
func (l *Log) Get(ctx context.Context, subject string) (data []byte, err error) {
	if err := bus.CheckSubject(subject); err != nil {
		return nil, err
	}
	at, err := l.placeOf(subject)
	if err != nil {
		return nil, err
	}
	try := func(ctx context.Context) (err error) {
		data, err = l.read(ctx, at)
		return err
	}
	if err := l.persist(ctx, 1, try, l.directGet(at)); err != nil {
		return nil, fmt.Errorf("%s gets %s: %w", l.cfg.Party, subject, err)
	}
	return data, nil
}

// read asks once for the data there. The error wraps bus.ErrNone, together with errNoise when there is noise.
func (l *Log) read(ctx context.Context, at place) ([]byte, error) {
	m, err := l.request(ctx, l.directGet(at))
	if err != nil {
		return nil, err
	}
	switch status := m.status(); {
	case status == statusNotFound:
		return nil, bus.ErrNone
	case status == statusNoResponders:
		return nil, nats.ErrNoResponders
	case status != "":
		return nil, fmt.Errorf("%w: direct get has status %s", errAgain, status)
	case !m.clean():
		return nil, fmt.Errorf("%w: %w", bus.ErrNone, errNoise)
	}
	return m.Data, nil
}

// request sends an empty request and returns the first answer, whatever it is. The client's own requests take any empty
// message with a status header, also one that a member has stored, for a lack of responders.
func (l *Log) request(ctx context.Context, subject string) (answer, error) {
	inbox := l.nc.NewInbox()
	in := make(chan *nats.Msg, 1)
	sub, err := l.nc.ChanSubscribe(inbox, in)
	if err != nil {
		return answer{}, err
	}
	defer sub.Unsubscribe() // fails on a closed connection only, where nothing is left to undo
	if err := l.nc.PublishRequest(subject, inbox, nil); err != nil {
		return answer{}, err
	}
	select {
	case m := <-in:
		return answer{m}, nil
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}
