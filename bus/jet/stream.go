package jet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
)

// headerRoom is what a message may have in headers on top of bus.MaxRecord bytes of data: the server counts both.
const headerRoom = 4 << 10

// StreamConfig says which stream to create.
type StreamConfig struct {
	Name     string        // one token
	Replicas int           // 1, or 3 on a cluster
	Budget   time.Duration // how long to try; 0 means 30 s. A cluster that is starting up may not answer at first
}

// Validate returns an error wrapping bus.ErrInvalid that says what to correct.
func (c StreamConfig) Validate() error {
	if err := checkToken("stream", c.Name); err != nil {
		return err
	}
	if c.Replicas != 1 && c.Replicas != 3 {
		return fmt.Errorf("%w: %d replicas, want 1 or 3", bus.ErrInvalid, c.Replicas)
	}
	if c.Budget < 0 {
		return fmt.Errorf("%w: negative budget %v", bus.ErrInvalid, c.Budget)
	}
	return nil
}

// Difference is one field of a stream that is not what a log needs.
type Difference struct {
	Field, Want, Have string
}

// StreamError says that a stream exists and does not do as a log: create it under another name, or have the operator correct it.
type StreamError struct {
	Name        string
	Differences []Difference
}

// Error names every field that differs.
func (e *StreamError) Error() string {
	parts := make([]string, len(e.Differences))
	for i, d := range e.Differences {
		parts[i] = fmt.Sprintf("%s is %s, want %s", d.Field, d.Have, d.Want)
	}
	return fmt.Sprintf("stream %s is not fit for a log: %s", e.Name, strings.Join(parts, "; "))
}

// CreateStream makes sure that the stream of a log exists: it creates the stream, or verifies every field of the one that is
// there and returns a *StreamError when one differs. It is for the operator: it needs STREAM.CREATE and STREAM.INFO.
func CreateStream(ctx context.Context, nc *nats.Conn, cfg StreamConfig) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	l, err := New(ctx, nc, Config{Stream: cfg.Name, Party: "operator", Budget: cfg.Budget})
	if err != nil {
		return err
	}
	want := streamConfig(cfg)
	var have jetstream.StreamConfig
	try := func(ctx context.Context) error {
		_, err := l.js.CreateStream(ctx, want)
		if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		s, err := l.js.Stream(ctx, cfg.Name)
		if err != nil {
			return err
		}
		have = s.CachedInfo().Config
		return nil
	}
	if err := l.persist(ctx, try, l.api("STREAM.CREATE."+cfg.Name), l.api("STREAM.INFO."+cfg.Name)); err != nil {
		return fmt.Errorf("create stream %s: %w", cfg.Name, err)
	}
	if d := differences(want, have); len(d) > 0 {
		return &StreamError{Name: cfg.Name, Differences: d}
	}
	return nil
}

// streamConfig returns what a log needs of a stream: one message a subject for ever, nothing removed, nothing rewritten.
func streamConfig(cfg StreamConfig) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:                 cfg.Name,
		Subjects:             []string{Subjects},
		Storage:              jetstream.FileStorage,
		Replicas:             cfg.Replicas,
		Retention:            jetstream.LimitsPolicy,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxMsgSize:           bus.MaxRecord + headerRoom,
		MaxMsgs:              -1,
		MaxBytes:             -1,
		MaxConsumers:         -1,
		DenyDelete:           true,
		DenyPurge:            true,
		AllowDirect:          true,
		Duplicates:           100 * time.Millisecond,
	}
}

// differences compares all fields that change what a stream does.
func differences(want, have jetstream.StreamConfig) []Difference {
	var out []Difference
	for _, f := range []struct {
		name string
		of   func(jetstream.StreamConfig) string
	}{
		{"subjects", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.Subjects) }},
		{"storage", func(c jetstream.StreamConfig) string { return c.Storage.String() }},
		{"replicas", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.Replicas) }},
		{"retention", func(c jetstream.StreamConfig) string { return c.Retention.String() }},
		{"discard", func(c jetstream.StreamConfig) string { return c.Discard.String() }},
		{"discard new per subject", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.DiscardNewPerSubject) }},
		{"messages per subject", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.MaxMsgsPerSubject) }},
		{"message size", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.MaxMsgSize) }},
		{"messages", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.MaxMsgs) }},
		{"bytes", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.MaxBytes) }},
		{"consumers", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.MaxConsumers) }},
		{"consumer limits", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.ConsumerLimits) }},
		{"age", func(c jetstream.StreamConfig) string { return c.MaxAge.String() }},
		{"duplicate window", func(c jetstream.StreamConfig) string { return c.Duplicates.String() }},
		{"no acknowledgements", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.NoAck) }},
		{"sealed", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.Sealed) }},
		{"deny delete", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.DenyDelete) }},
		{"deny purge", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.DenyPurge) }},
		{"rollup", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.AllowRollup) }},
		{"direct get", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.AllowDirect) }},
		{"mirror", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.Mirror != nil || c.MirrorDirect) }},
		{"sources", func(c jetstream.StreamConfig) string { return fmt.Sprint(len(c.Sources)) }},
		{"subject transform", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.SubjectTransform != nil) }},
		{"republish", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.RePublish != nil) }},
		{"message TTL", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.AllowMsgTTL) }},
		{"delete marker TTL", func(c jetstream.StreamConfig) string { return c.SubjectDeleteMarkerTTL.String() }},
		{"counters", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.AllowMsgCounter) }},
		{"schedules", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.AllowMsgSchedules) }},
		{"atomic publish", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.AllowAtomicPublish) }},
		{"batch publish", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.AllowBatchPublish) }},
		{"persist mode", func(c jetstream.StreamConfig) string { return fmt.Sprint(c.PersistMode) }},
	} {
		if w, h := f.of(want), f.of(have); w != h {
			out = append(out, Difference{Field: f.name, Want: w, Have: h})
		}
	}
	return out
}
