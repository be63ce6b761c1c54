package jet

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
)

// inactive is how long the server keeps a consumer that nobody pulls from: longer than any fold.
const inactive = time.Hour

// Tail implements bus.Log. Filters that do not lie within Subjects are refused with bus.ErrInvalid. It goes on through lost
// connections and restarts of the server, for as long as they take.
func (l *Log) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	leave, err := l.tails.Enter(filter)
	if err != nil {
		return err
	}
	defer leave()
	if err := checkHere(filter); err != nil {
		return err
	}
	status := l.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer l.nc.RemoveStatusListener(status)
	r := &reader{log: l, filter: filter, name: ConsumerName(l.cfg.Party, filter), fold: fold, head: head, last: after, due: true}
	err = r.run(ctx, status)
	var own *userError
	if errors.As(err, &own) {
		return own.err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("tail %s: %w", filter, err)
}

// userError carries an error of fold or head out of Tail unchanged.
type userError struct{ err error }

func (e *userError) Error() string { return e.err.Error() }

// reader is one Tail.
type reader struct {
	log          *Log
	filter, name string
	fold         func(bus.Record) error
	head         func() error

	last   uint64             // the last sequence number handled
	digest *[sha256.Size]byte // of the record there; nil when this Tail has not seen it
	due    bool               // head must be called when we have caught up
}

// run makes one consumer after the other until one of them ends for good.
func (r *reader) run(ctx context.Context, status <-chan nats.Status) error {
	defer r.drop(ctx)
	var b backoff
	for {
		before := r.last
		err := r.live(ctx, status)
		if !errors.Is(err, errLost) || errors.Is(err, bus.ErrClosed) {
			return err
		}
		if r.last > before {
			b.reset()
		}
		r.log.rebuilt.Add(1)
		if !b.pause(ctx) {
			return ctx.Err()
		}
	}
}

// drop deletes the consumer, as a courtesy: the next start does it as well.
func (r *reader) drop(ctx context.Context) {
	if r.log.nc.IsConnected() {
		_ = r.log.once(context.WithoutCancel(ctx), r.remove, r.api("CONSUMER.DELETE"))
	}
}

// checkEnd returns bus.ErrRollback when the log ends before the last sequence number handled, and does so for Config.Grace.
func (r *reader) checkEnd(ctx context.Context) error {
	var b backoff
	for start := time.Now(); ; {
		info, err := r.create(ctx, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
		if err != nil {
			return err
		}
		end := info.Delivered.Stream // a consumer of what is new starts behind the last record
		if end >= r.last {
			return nil
		}
		if time.Since(start) >= r.log.cfg.Grace {
			return fmt.Errorf("%w: it ends at record %d, before %d", bus.ErrRollback, end, r.last)
		}
		if !b.pause(ctx) {
			return ctx.Err()
		}
	}
}

// create makes the consumer anew and returns what the server says of it. It tries until ctx ends or an error is final.
func (r *reader) create(ctx context.Context, from jetstream.ConsumerConfig) (*jetstream.ConsumerInfo, error) {
	from.Name = r.name
	from.FilterSubject = r.filter
	from.AckPolicy = jetstream.AckNonePolicy
	from.MemoryStorage = true
	from.Replicas = 1
	from.InactiveThreshold = inactive
	var info *jetstream.ConsumerInfo
	try := func(ctx context.Context) error {
		if err := r.remove(ctx); err != nil {
			return err
		}
		c, err := r.log.js.CreateConsumer(ctx, r.log.cfg.Stream, from)
		if err != nil {
			return err
		}
		info = c.CachedInfo()
		return nil
	}
	createSubject := r.api("CONSUMER.CREATE") + "." + r.filter
	var b backoff
	for {
		err := r.log.once(ctx, try, createSubject, r.api("CONSUMER.DELETE"))
		if err == nil {
			return info, nil
		}
		if taken := errors.Is(err, jetstream.ErrConsumerExists); !taken && !transient(err) {
			return nil, fmt.Errorf("create consumer %s: %w", r.name, err)
		}
		if !b.pause(ctx) {
			return nil, ctx.Err()
		}
	}
}

// remove deletes the consumer if there is one.
func (r *reader) remove(ctx context.Context) error {
	err := r.log.js.DeleteConsumer(ctx, r.log.cfg.Stream, r.name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}

// api returns the full subject of an API call about the consumer.
func (r *reader) api(call string) string {
	return r.log.api(call + "." + r.log.cfg.Stream + "." + r.name)
}
