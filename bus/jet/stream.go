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

// StreamConfig says which log to create.
type StreamConfig struct {
	Name     string        // the log's name, one token: see Streams
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

// StreamError says that a stream exists and does not do as a log: create the log under another name, or have the operator correct
// the stream.
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
	return "not fit for a log: " + strings.Join(parts, "; ")
}

// StreamState is what a server says of one stream.
type StreamState struct {
	Name     string
	Created  time.Time
	Replicas int
	Leader   string // the server that leads it; empty where there is no cluster
	Messages uint64
	Bytes    uint64 // on the disk of each replica
}

// CreateStream makes sure that the two streams of a log exist: it creates those that do not, and verifies every field of those that
// are there. The error wraps a *StreamError for every stream that differs. It is for the operator: it needs STREAM.CREATE and
// STREAM.INFO for both.
func CreateStream(ctx context.Context, nc *nats.Conn, cfg StreamConfig) error {
	return eachStream(ctx, nc, cfg, func(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) error {
		_, err := js.CreateStream(ctx, want)
		if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		_, err = inspect(ctx, js, want)
		return err
	})
}

// CheckStream verifies the two streams of a log as CreateStream does, and creates nothing. It returns the state of those that are
// there; the error wraps bus.ErrNone for one that is not.
func CheckStream(ctx context.Context, nc *nats.Conn, cfg StreamConfig) ([]StreamState, error) {
	var states []StreamState
	err := eachStream(ctx, nc, cfg, func(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) error {
		info, err := inspect(ctx, js, want)
		if info == nil {
			return err
		}
		state := StreamState{
			Name:     want.Name,
			Created:  info.Created,
			Replicas: info.Config.Replicas,
			Messages: info.State.Msgs,
			Bytes:    info.State.Bytes,
		}
		if info.Cluster != nil {
			state.Leader = info.Cluster.Leader
		}
		states = append(states, state)
		return err
	})
	return states, err
}

// eachStream calls do for both streams, again while its error is transient, and joins what remains.
func eachStream(ctx context.Context, nc *nats.Conn, cfg StreamConfig, do func(context.Context, jetstream.JetStream, jetstream.StreamConfig) error) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	l, err := New(ctx, nc, Config{Stream: cfg.Name, Party: "operator", Budget: cfg.Budget})
	if err != nil {
		return err
	}
	var errs []error
	for _, want := range streamConfigs(cfg) {
		try := func(ctx context.Context) error { return do(ctx, l.js, want) }
		if err := l.persist(ctx, 1, try, l.api("STREAM.CREATE."+want.Name), l.api("STREAM.INFO."+want.Name)); err != nil {
			errs = append(errs, fmt.Errorf("stream %s: %w", want.Name, err))
		}
	}
	return errors.Join(errs...)
}

// inspect returns what the server says of a stream, also when the error is a *StreamError.
func inspect(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig) (*jetstream.StreamInfo, error) {
	s, err := js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, fmt.Errorf("%w: %w", bus.ErrNone, err)
	}
	if err != nil {
		return nil, err
	}
	info := s.CachedInfo()
	if d := differences(want, info.Config); len(d) > 0 {
		return info, &StreamError{Name: want.Name, Differences: d}
	}
	return info, nil
}

// streamConfigs returns what a log needs of its streams: one message a subject for ever, nothing removed, nothing rewritten,
// and an announcement of what is stored in the shared one.
func streamConfigs(cfg StreamConfig) []jetstream.StreamConfig {
	name, privateName := Streams(cfg.Name)
	shared := jetstream.StreamConfig{
		Name:                 name,
		Subjects:             []string{Shared},
		Storage:              jetstream.FileStorage,
		Replicas:             cfg.Replicas,
		Retention:            jetstream.LimitsPolicy,
		Discard:              jetstream.DiscardNew,
		DiscardNewPerSubject: true,
		MaxMsgsPerSubject:    1,
		MaxMsgSize:           MaxMessage,
		MaxMsgs:              -1,
		MaxBytes:             -1,
		MaxConsumers:         -1,
		DenyDelete:           true,
		DenyPurge:            true,
		AllowDirect:          true,
		Duplicates:           100 * time.Millisecond,
	}
	private := shared
	private.Name, private.Subjects = privateName, []string{PrivatePrefix + Subjects}
	shared.RePublish = &jetstream.RePublish{Source: Shared, Destination: Announcements(name, "{{wildcard(1)}}"), HeadersOnly: true}
	return []jetstream.StreamConfig{shared, private}
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
		{"republish", func(c jetstream.StreamConfig) string { return announcement(c.RePublish) }},
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

// announcement describes a stream's republishing.
func announcement(r *jetstream.RePublish) string {
	if r == nil {
		return "none"
	}
	return fmt.Sprintf("%s to %s, headers only: %t", r.Source, r.Destination, r.HeadersOnly)
}
