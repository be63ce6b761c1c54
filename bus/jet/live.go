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

// identity is the key under which a consumer's metadata tells it from others of the same name.
const identity = "riskprop-reader"

// life is what a reader knows of one consumer.
type life struct {
	pull     *puller
	born     time.Time
	ours     int    // the last pull that is known to have reached this consumer
	sequence uint64 // of the consumer's last delivery; deliveries are numbered 1, 2, 3, …
	pending  uint64 // the server's hint of how many matching messages come after the last one
	verified bool   // the last record handled is still on the log
}

// live makes a consumer and follows it. errLost is wrapped when another one is needed.
func (r *reader) live(ctx context.Context, status <-chan nats.Status) error {
	from := jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.last + 1}
	switch {
	case r.digest != nil:
		from.OptStartSeq = r.last
	case r.last > 0:
		if err := r.checkEnd(ctx); err != nil {
			return err
		}
	}
	next := r.api("CONSUMER.MSG.NEXT")
	ctx, done := r.log.guard.watch(ctx, next)
	defer done()
	pull, err := newPuller(r.log.nc, next, status)
	if err != nil {
		return err
	}
	defer pull.close()
	from.Metadata = map[string]string{identity: pull.inbox}
	info, err := r.create(ctx, from)
	if err != nil {
		return err
	}
	c := &life{pull: pull, born: time.Now(), pending: info.NumPending, verified: r.digest == nil}
	for {
		if err := r.caughtUp(c); err != nil {
			return err
		}
		m, err := pull.receive(ctx)
		if err != nil {
			return err
		}
		if err := r.confirm(ctx, c); err != nil {
			return err
		}
		if m != nil {
			err = r.handle(ctx, c, m)
		} else {
			err = r.silence(c)
		}
		if err != nil {
			return err
		}
	}
}

// confirm makes sure that the pull under way has reached the consumer that live made, and not one of the same name that
// another process of this party has put in its place, which would be elsewhere in the log. A pull ends with its consumer, so
// when our consumer is there after the pull's first sign of life, all that the pull brings is from it.
func (r *reader) confirm(ctx context.Context, c *life) error {
	if c.ours == c.pull.pulls {
		return nil
	}
	var found string
	err := r.log.once(ctx, func(ctx context.Context) error {
		consumer, err := r.log.js.Consumer(ctx, r.log.cfg.Stream, r.name)
		if err == nil {
			found = consumer.CachedInfo().Config.Metadata[identity]
		}
		return err
	}, r.api("CONSUMER.INFO"))
	if err != nil && (transient(err) || errors.Is(err, jetstream.ErrConsumerNotFound)) {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	if err != nil {
		return err
	}
	if found != c.pull.inbox {
		return fmt.Errorf("%w: another reader of this party and filter took the consumer's place", errLost)
	}
	c.ours = c.pull.pulls
	return nil
}

// caughtUp calls head when it is due and nothing more is known to come.
func (r *reader) caughtUp(c *life) error {
	if !r.due || !c.verified || c.pending > 0 || !c.pull.idle() {
		return nil
	}
	r.due = false
	if err := r.head(); err != nil {
		return &userError{err}
	}
	return nil
}

// silence takes note that the server has nothing now, whatever its hint was.
func (r *reader) silence(c *life) error {
	c.pending = 0
	if !c.verified && time.Since(c.born) >= r.log.cfg.Grace {
		return fmt.Errorf("%w: record %d is gone", bus.ErrRollback, r.last)
	}
	return nil
}

// handle checks that m is the next delivery and passes it on.
func (r *reader) handle(ctx context.Context, c *life, m *nats.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("%w: %w", errLost, err)
	}
	if meta.Stream != r.log.cfg.Stream || meta.Consumer != r.name || meta.Sequence.Consumer != c.sequence+1 {
		return fmt.Errorf("%w: delivery %d follows %d", errLost, meta.Sequence.Consumer, c.sequence)
	}
	c.sequence++
	c.pending = meta.NumPending
	digest := digestOf(m)
	if !c.verified {
		if meta.Sequence.Stream != r.last || digest != *r.digest {
			return fmt.Errorf("%w: record %d was lost or changed", bus.ErrRollback, r.last)
		}
		c.verified = true
		return nil
	}
	if meta.Sequence.Stream <= r.last {
		return fmt.Errorf("%w: record %d follows %d", bus.ErrRollback, meta.Sequence.Stream, r.last)
	}
	if ctx.Err() != nil {
		return ended(ctx)
	}
	if r.readable(m) {
		if err := r.fold(bus.Record{Seq: meta.Sequence.Stream, Subject: m.Subject, Data: m.Data}); err != nil {
			return &userError{err}
		}
		r.due = true
	} else {
		r.log.noise.Add(1)
	}
	r.last, r.digest = meta.Sequence.Stream, &digest
	return nil
}

// readable reports whether m is a record that this module can have written.
func (r *reader) readable(m *nats.Msg) bool {
	return clean(m.Header) && bus.ReadableSize(len(m.Data)) && bus.CheckSubject(m.Subject) == nil && bus.Match(r.filter, m.Subject)
}

// digestOf returns the SHA-256 of m's subject, a zero byte, and its data.
func digestOf(m *nats.Msg) (digest [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(m.Subject))
	h.Write([]byte{0})
	h.Write(m.Data)
	h.Sum(digest[:0])
	return digest
}
