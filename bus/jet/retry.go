package jet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"
)

const (
	// tryTimeout bounds one request: a server that has just died never answers it.
	tryTimeout = 3 * time.Second
	// minWait and maxWait bound the pause between two tries.
	minWait = 20 * time.Millisecond
	maxWait = time.Second
)

const (
	codeNoPeers     jetstream.ErrorCode = 10005 // a cluster, to a stream of several replicas while some servers are missing
	codeStorageFull jetstream.ErrorCode = 10023 // a server whose disk was full, also when it is not any more
)

// errAgain means that a try was answered and settled nothing.
var errAgain = errors.New("no final answer yet")

// backoff is a growing pause between tries. The zero value is ready.
type backoff struct{ wait time.Duration }

// after returns a channel that delivers after the next pause.
func (b *backoff) after() <-chan time.Time {
	b.wait = min(max(2*b.wait, minWait), maxWait)
	return time.After(b.wait)
}

// pause waits, longer each time. It returns false when ctx ended.
func (b *backoff) pause(ctx context.Context) bool {
	select {
	case <-b.after():
		return true
	case <-ctx.Done():
		return false
	}
}

// reset makes the next pause short again.
func (b *backoff) reset() { b.wait = 0 }

// persist calls try, which sends requests of so many units to subjects, until it succeeds or fails for good, or Config.Budget is used up.
func (l *Log) persist(ctx context.Context, units int64, try func(context.Context) error, subjects ...string) error {
	if err := pace(ctx, l.records, units); err != nil {
		return err
	}
	budget, cancel := context.WithTimeout(ctx, l.cfg.Budget)
	defer cancel()
	var b backoff
	var last error // what was answered, rather than that a try took too long
	for {
		err := l.once(budget, try, subjects...)
		if err == nil || !transient(err) {
			l.outages.Over()
			return err
		}
		if !errors.Is(err, errAgain) {
			l.outages.Met(err)
		}
		if last == nil || !errors.Is(err, context.DeadlineExceeded) {
			last = err
		}
		if !b.pause(budget) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("gave up after %v: %w", l.cfg.Budget, last)
		}
		l.retries.Add(1)
		if err := pace(ctx, l.records, units); err != nil {
			return err
		}
	}
}

// pace waits until so many units may be sent.
func pace(ctx context.Context, bucket *rate.Limiter, units int64) error {
	if bucket == nil {
		return nil
	}
	turn := bucket.ReserveN(time.Now(), int(units))
	wait := time.NewTimer(turn.Delay())
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		turn.Cancel()
		return ctx.Err()
	}
}

// once calls try with a context that ends after tryTimeout, or when publishing to subjects turns out not to be permitted.
func (l *Log) once(ctx context.Context, try func(context.Context) error, subjects ...string) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	ctx, done := l.guard.watch(ctx, subjects...)
	defer done()
	err := try(ctx)
	if err != nil && ctx.Err() != nil {
		return ended(ctx)
	}
	return translate(err)
}

// ended returns why ctx, which was made by guard.watch, ended: the permission violation, as ErrDenied, or its parent's error.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, nats.ErrPermissionViolation) {
		return fmt.Errorf("%w: %w", ErrDenied, cause)
	}
	return ctx.Err()
}

// transient reports whether the same request may succeed later: the connection is down, a cluster is electing a leader, the
// answer is late, or it settled nothing.
func transient(err error) bool {
	for _, target := range []error{
		errAgain,
		context.DeadlineExceeded,
		nats.ErrTimeout,
		nats.ErrNoResponders,
		nats.ErrDisconnected,
		nats.ErrStaleConnection,
		jetstream.ErrNoStreamResponse,
	} {
		if errors.Is(err, target) {
			return true
		}
	}
	api := apiError(err)
	return api.Code >= http.StatusInternalServerError || api.Code == http.StatusTooManyRequests || api.ErrorCode == codeNoPeers
}

// apiError returns what the JetStream API answered, or zeros when err is no such answer.
func apiError(err error) jetstream.APIError {
	var je jetstream.JetStreamError
	if errors.As(err, &je) && je.APIError() != nil {
		return *je.APIError()
	}
	return jetstream.APIError{}
}
