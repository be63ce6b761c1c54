// Package mem is a [bus.Log] in memory, for tests and for sessions whose parties share one process.
//
// One [Store] holds the records; every party opens a handle of its own with [Store.Open]. A handle may carry a [Hook], which is
// called before and after every effect and may make it fail, so that a test can try each storage step in both ways that
// matter: "failed and was not stored" and "failed but WAS stored". Nothing here depends on time: a waiting Tail is woken
// by the next record, and the order of records is the order in which Append took the store's lock.
package mem

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"riskprop/bus"
)

// Store holds the records of one log. The zero value is not ready; use NewStore. Safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	records []bus.Record   // record i has Seq i+1; only ever appended to
	index   map[string]int // subject to its place in records
	grown   chan struct{}  // closed, and replaced, when a record is added
}

// NewStore returns an empty store.
func NewStore() *Store {
	return &Store{index: make(map[string]int), grown: make(chan struct{})}
}

// Open returns a new handle. hook may be nil.
func (s *Store) Open(hook Hook) *Log {
	if hook == nil {
		hook = func(Step) error { return nil }
	}
	return &Log{store: s, hook: hook, closed: make(chan struct{})}
}

// Records returns a copy of all records in order, for a test to compare.
func (s *Store) Records() []bus.Record {
	records, _ := s.from(0)
	out := make([]bus.Record, len(records))
	for i, r := range records {
		out[i] = owned(r)
	}
	return out
}

// put stores data under subject unless something is there.
func (s *Store) put(subject string, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.index[subject]; ok {
		if bytes.Equal(s.records[i].Data, data) {
			return nil
		}
		return fmt.Errorf("append %s: %w", subject, bus.ErrTaken)
	}
	s.index[subject] = len(s.records)
	s.records = append(s.records, bus.Record{Seq: uint64(len(s.records)) + 1, Subject: subject, Data: bytes.Clone(data)})
	close(s.grown)
	s.grown = make(chan struct{})
	return nil
}

func (s *Store) get(subject string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.index[subject]
	if !ok {
		return nil, fmt.Errorf("get %s: %w", subject, bus.ErrNone)
	}
	return bytes.Clone(s.records[i].Data), nil
}

// from returns the records with Seq > after, and a channel that is closed when there are more.
func (s *Store) from(after uint64) ([]bus.Record, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[min(after, uint64(len(s.records))):], s.grown
}

// last returns the sequence number of the last record, 0 when there is none.
func (s *Store) last() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return uint64(len(s.records))
}

// owned returns r with a copy of its data.
func owned(r bus.Record) bus.Record {
	r.Data = bytes.Clone(r.Data)
	return r
}

// Log is one handle on a Store. Safe for concurrent use.
type Log struct {
	store  *Store
	hook   Hook
	closed chan struct{}
	once   sync.Once
	tails  bus.Tails
}

var _ bus.Log = (*Log)(nil)

// Close ends the handle, as if its process had died: running Tails and all later calls return an error wrapping
// bus.ErrClosed. The store is untouched.
func (l *Log) Close() {
	l.once.Do(func() { close(l.closed) })
}

// Append implements bus.Log.
func (l *Log) Append(ctx context.Context, subject string, data []byte) error {
	if err := bus.CheckRecord(subject, data); err != nil {
		return err
	}
	if err := l.usable(ctx); err != nil {
		return fmt.Errorf("append %s: %w", subject, err)
	}
	return l.around(Append, subject, func() error { return l.store.put(subject, data) })
}

// Get implements bus.Log.
func (l *Log) Get(ctx context.Context, subject string) (data []byte, err error) {
	if err := bus.CheckSubject(subject); err != nil {
		return nil, err
	}
	if err := l.usable(ctx); err != nil {
		return nil, fmt.Errorf("get %s: %w", subject, err)
	}
	err = l.around(Get, subject, func() (err error) {
		data, err = l.store.get(subject)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// Tail implements bus.Log.
func (l *Log) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	leave, err := l.tails.Enter(filter)
	if err != nil {
		return err
	}
	defer leave()
	if last := l.store.last(); after > last {
		return fmt.Errorf("tail %s after record %d, but the log ends at %d: %w", filter, after, last, bus.ErrRollback)
	}
	for {
		records, grown := l.store.from(after)
		for _, r := range records {
			if err := l.usable(ctx); err != nil {
				return err
			}
			after = r.Seq
			if !bus.Match(filter, r.Subject) {
				continue
			}
			if err := l.around(Deliver, r.Subject, func() error { return fold(owned(r)) }); err != nil {
				return err
			}
		}
		if len(records) > 0 {
			continue // a long fold may have left us behind
		}
		if err := l.usable(ctx); err != nil {
			return err
		}
		if err := head(); err != nil {
			return err
		}
		select {
		case <-grown:
		case <-l.closed:
			return fmt.Errorf("tail %s: %w", filter, bus.ErrClosed)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// usable returns ctx's error, or ErrClosed after Close.
func (l *Log) usable(ctx context.Context) error {
	select {
	case <-l.closed:
		return bus.ErrClosed
	default:
		return ctx.Err()
	}
}
