package jet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
)

// Tail implements bus.Log. Filters that do not lie within Shared are refused with bus.ErrInvalid. When the log gives no answer
// at all within Config.Budget, Tail returns; once it has had one it goes on through lost connections and restarts of the
// server, for as long as they take.
func (l *Log) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	leave, err := l.tails.Enter(filter)
	if err != nil {
		return err
	}
	defer leave()
	if !bus.Match(Shared, filter) {
		return fmt.Errorf("%w: the filter %s is not within %s", bus.ErrInvalid, filter, Shared)
	}
	r := &reader{log: l, filter: filter, fold: fold, head: head, last: after, due: true, begun: time.Now(), verified: after == 0}
	err = r.run(ctx)
	var own *userError
	if errors.As(err, &own) {
		return own.err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("%s tails %s: %w", l.cfg.Party, filter, err)
}

// userError carries an error of fold or head out of Tail unchanged.
type userError struct{ err error }

func (e *userError) Error() string { return e.err.Error() }

// reader is one Tail.
type reader struct {
	log    *Log
	filter string
	fold   func(bus.Record) error
	head   func() error

	last uint64      // position: every message up to here was handled
	seen *bus.Record // the last record handled, with the SHA-256 of its data in their place; nil when this Tail has handled none
	due  bool        // head must be called when we have caught up

	begun      time.Time
	answered   bool      // the log has answered since then
	verified   bool      // the log is known to be the one that we have read so far
	connection uint64    // the connection on which that was found
	doubtful   time.Time // since when it is not known
}

// run reads until something is final.
func (r *reader) run(ctx context.Context) error {
	subject := r.log.announcements(r.filter)
	ctx, done := r.log.guard.watch(ctx, subject, r.log.api("DIRECT.GET."+r.log.cfg.Stream))
	defer done()
	status := r.log.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
	defer r.log.nc.RemoveStatusListener(status)
	announced := make(chan struct{}, 1)
	sub, err := r.log.nc.Subscribe(subject, func(*nats.Msg) {
		select {
		case announced <- struct{}{}:
		default: // one is as good as many
		}
	})
	if err != nil {
		return translate(err)
	}
	defer sub.Unsubscribe() // fails on a closed connection only, where nothing is left to undo

	var quiet backoff
	for {
		before := r.last
		if err := r.catchUp(ctx); err != nil {
			return err
		}
		if r.last > before {
			quiet.reset()
		}
		select {
		case <-announced: // the replica that answers next may not have it yet
			quiet.reset()
		case s := <-status:
			if s == nats.CLOSED {
				return bus.ErrClosed
			}
		case <-quiet.after():
		case <-ctx.Done():
			return ended(ctx)
		}
	}
}

// catchUp reads until there is no more, however often it is interrupted, and calls head when that is due.
func (r *reader) catchUp(ctx context.Context) error {
	var trouble backoff
	for more := true; more; {
		before := r.last
		var err error
		if more, err = r.advance(ctx); err == nil {
			r.answered = true
			r.log.outages.Over()
			continue
		}
		switch {
		case !errors.Is(err, errLost) || errors.Is(err, bus.ErrClosed):
			return err
		case !r.answered && time.Since(r.begun) >= r.log.cfg.Budget:
			return fmt.Errorf("gave up after %v: %w", r.log.cfg.Budget, err)
		}
		r.log.rebuilt.Add(1)
		r.log.outages.Met(err)
		r.verified, r.due, more = r.last == 0, true, true // what was found at the end of the log is to be looked at anew
		if r.last > before {
			trouble.reset()
		}
		if !trouble.pause(ctx) {
			return ended(ctx)
		}
	}
	if !r.due {
		return nil
	}
	r.due = false
	if err := r.head(); err != nil {
		return &userError{err}
	}
	return nil
}

// advance asks once for what comes next and passes it on. more says that there is more at once. errLost is wrapped when it must be
// tried again from the last record handled.
func (r *reader) advance(ctx context.Context) (more bool, err error) {
	if err := r.verify(ctx); err != nil {
		return false, err
	}
	if r.log.reconnects() != r.connection {
		if r.last > 0 {
			return false, fmt.Errorf("%w: the connection was made anew", errLost)
		}
		r.connection = r.log.reconnects()
	}
	b, err := r.log.batch(ctx, batchRequest{From: r.last + 1, Filter: r.filter, Messages: batchMessages, Bytes: batchBytes})
	if r.last > 0 && r.log.reconnects() != r.connection { // this may be another log
		return false, fmt.Errorf("%w: the connection was made anew", errLost)
	}
	for _, record := range b.records {
		if ctx.Err() != nil {
			return false, ended(ctx)
		}
		if err := r.handle(record); err != nil {
			return false, err
		}
	}
	r.log.noise.Add(uint64(b.noise))
	r.last = max(r.last, b.last)
	return b.more, err
}

// handle passes a record on.
func (r *reader) handle(record bus.Record) error {
	if record.Seq <= r.last || bus.CheckSubject(record.Subject) != nil || !bus.Match(r.filter, record.Subject) {
		return fmt.Errorf("%w: got record %d %q after %d", errLost, record.Seq, record.Subject, r.last)
	}
	seen := record
	seen.Data = digest(record.Data)
	if err := r.fold(record); err != nil {
		return &userError{err}
	}
	r.last, r.seen, r.due = record.Seq, &seen, true
	return nil
}

// verify makes sure that the log still has what was handled before. A replica that lags behind has until Config.Grace is over.
func (r *reader) verify(ctx context.Context) error {
	if r.verified {
		return nil
	}
	connection := r.log.reconnects()
	ask := batchRequest{From: r.last, Messages: 1, Bytes: batchBytes}
	if r.seen != nil {
		ask.From, ask.Filter = r.seen.Seq, r.filter
	}
	b, err := r.log.batch(ctx, ask)
	if err != nil {
		return err
	}
	switch {
	case b.last == 0: // nothing from there on
		if r.doubtful.IsZero() {
			r.doubtful = time.Now()
		}
		if time.Since(r.doubtful) >= r.log.cfg.Grace {
			return fmt.Errorf("%w: record %d is gone", bus.ErrRollback, ask.From)
		}
		return fmt.Errorf("%w: record %d is not there yet", errLost, ask.From)
	case r.seen != nil && (len(b.records) == 0 || !same(b.records[0], *r.seen)):
		return fmt.Errorf("%w: record %d was lost or changed", bus.ErrRollback, ask.From)
	}
	r.verified, r.connection, r.doubtful = true, connection, time.Time{}
	return nil
}

// same reports whether record is the one that was seen.
func same(record, seen bus.Record) bool {
	return record.Seq == seen.Seq && record.Subject == seen.Subject && bytes.Equal(digest(record.Data), seen.Data)
}

// digest returns the SHA-256 of data.
func digest(data []byte) []byte {
	sum := sha256.Sum256(data)
	return sum[:]
}

// reconnects numbers the connections that were made one after the other.
func (l *Log) reconnects() uint64 { return l.nc.Stats().Reconnects }
