package main

import (
	"context"
	"errors"
	"sync"

	"riskprop/bus"
)

// tracked is a log that remembers what it has failed with itself, apart from what was found on it.
type tracked struct {
	bus.Log
	mu   sync.Mutex
	errs []error
}

func (l *tracked) note(err error) error {
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.errs = append(l.errs, err)
	}
	return err
}

// failed tells whether err comes from the log.
func (l *tracked) failed(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, own := range l.errs {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}

// judge says what an error of a node is that ran on this log: one that is nobody's, neither the log's nor the interrupt's nor this
// party's own, is the computation's.
func (l *tracked) judge(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil || l.failed(err) || verdictOf(err) != verdictNone {
		return err
	}
	return &unfit{err}
}

// Append implements bus.Log.
func (l *tracked) Append(ctx context.Context, subject string, data []byte) error {
	return l.note(l.Log.Append(ctx, subject, data))
}

// Get implements bus.Log. That a record is not there is no failure.
func (l *tracked) Get(ctx context.Context, subject string) ([]byte, error) {
	data, err := l.Log.Get(ctx, subject)
	if errors.Is(err, bus.ErrNone) {
		return data, err
	}
	return data, l.note(err)
}

// Tail implements bus.Log.
func (l *tracked) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	var ours error // of fold or head
	err := l.Log.Tail(ctx, after, filter, func(r bus.Record) error {
		ours = fold(r)
		return ours
	}, func() error {
		ours = head()
		return ours
	})
	if ours == nil {
		return l.note(err)
	}
	return err
}
