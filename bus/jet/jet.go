// Package jet is a [bus.Log] on NATS JetStream. It is the only package that imports nats.go.
//
// # Writing
//
// A record is one message under a subject of its own, published with the expectation that the subject is empty. That makes it
// write-once without any time window. After a refusal the record is read back and compared; after a timeout, or while a
// cluster elects a leader, the publish is tried again until [Config].Budget is used up. A message id is never set: the server's
// table of ids is shared by everybody, so that another member's message could make the server acknowledge ours and drop it.
//
// # Reading
//
// Tail uses a pull consumer whose name, [ConsumerName], is fixed by the party and the filter, so that a server's permissions can
// name it. It is kept in memory, acknowledges nothing, and is deleted and made anew at every start and after every
// irregularity: a lost connection, a missed heartbeat, a gap in its sequence. It then starts at the last record handled, and
// a log that no longer has that record, byte for byte, is reported as bus.ErrRollback. Two processes that use one party's name
// at once take each other's consumer away: both make progress, slowly. Give each its own [Config].Party.
//
// Nothing is asked of the server while fold or head runs. At most 8 MiB of records wait in the client.
//
// That Tail has caught up is the server's hint; after a second without records Tail calls head in any case. In a cluster,
// Get may be answered by a replica that lags behind and so does not know a record yet that Tail has delivered: ask again.
//
// # Trust
//
// A message that has headers other than the one that Append sets was not written by this module and is noise: Tail skips and
// counts it, Get reports bus.ErrNone, and Append reports bus.ErrTaken since the subject is lost. The same holds
// for a message of an impossible size. Headers are never used to learn anything about a record.
//
// A member needs these permissions, with P for [Config].APIPrefix and S for the stream: publish to the subjects it may write,
// to P.DIRECT.GET.S.<subject> for those it may read, to P.CONSUMER.CREATE.S.<name>.<filter> and to P.CONSUMER.INFO.S.<name>,
// P.CONSUMER.DELETE.S.<name> and P.CONSUMER.MSG.NEXT.S.<name> for its consumers, and subscribe to its own inbox. STREAM.INFO is
// not needed.
package jet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
)

// Subjects is the filter that every subject of a log matches: seven tokens, the first of which is "risk".
const Subjects = "risk.*.*.*.*.*.*"

// DefaultAPIPrefix is where a client without account imports finds the JetStream API.
const DefaultAPIPrefix = "$JS.API"

// maxInFlight is the number of Appends of one handle that are on their way at once. Others wait.
const maxInFlight = 8

// Config says which log to use, and as whom. Zero durations mean the defaults.
type Config struct {
	Stream    string        // the stream's name, one token
	Party     string        // one token; names the consumers of this party
	APIPrefix string        // prefix of the JetStream API; empty means DefaultAPIPrefix
	Budget    time.Duration // how long Append and Get try before they give up; 30 s by default
	Grace     time.Duration // how long a record that was seen before may be missing, on a replica that lags, until that is a rollback; 10 s by default
}

// Validate returns an error wrapping bus.ErrInvalid that says what to correct.
func (c Config) Validate() error {
	if err := checkToken("stream", c.Stream); err != nil {
		return err
	}
	if err := checkToken("party", c.Party); err != nil {
		return err
	}
	if c.Budget < 0 || c.Grace < 0 {
		return fmt.Errorf("%w: negative budget %v or grace %v", bus.ErrInvalid, c.Budget, c.Grace)
	}
	return nil
}

// withDefaults returns c with the defaults in place of zeros.
func (c Config) withDefaults() Config {
	if c.APIPrefix == "" {
		c.APIPrefix = DefaultAPIPrefix
	}
	if c.Budget == 0 {
		c.Budget = 30 * time.Second
	}
	if c.Grace == 0 {
		c.Grace = 10 * time.Second
	}
	return c
}

// Stats counts what a handle has met since New.
type Stats struct {
	Noise   uint64 // messages that Tail skipped because this module cannot have written them
	Rebuilt uint64 // consumers made anew after an irregularity
}

// Log is one party's handle on a stream. Safe for concurrent use.
type Log struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	cfg      Config
	guard    *guard
	inFlight chan struct{} // holds a token for every Append on its way
	noise    atomic.Uint64
	rebuilt  atomic.Uint64
	tails    bus.Tails
}

var _ bus.Log = (*Log)(nil)

// New returns a handle that uses nc, which must be connected; make it with [Options]. The error handler of nc is kept and
// called, after one that New puts before it. The caller closes nc; every call then returns an error wrapping bus.ErrClosed.
// New does not look at the stream: see [CreateStream].
func New(ctx context.Context, nc *nats.Conn, cfg Config) (*Log, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, cfg.Budget)
	defer cancel()
	if err := nc.FlushWithContext(ctx); err != nil {
		return nil, fmt.Errorf("reach the NATS server: %w", translate(err))
	}
	js, err := jetstream.NewWithAPIPrefix(nc, cfg.APIPrefix)
	if err != nil {
		return nil, fmt.Errorf("use the API prefix %s: %w", cfg.APIPrefix, err)
	}
	return &Log{
		nc:       nc,
		js:       js,
		cfg:      cfg,
		guard:    newGuard(nc),
		inFlight: make(chan struct{}, maxInFlight),
	}, nil
}

// Stats returns the counters.
func (l *Log) Stats() Stats {
	return Stats{Noise: l.noise.Load(), Rebuilt: l.rebuilt.Load()}
}

// ConsumerName returns the name of the consumer with which party tails filter: the party's name, "-" and the first 16
// hexadecimal digits of the filter's SHA-256.
func ConsumerName(party, filter string) string {
	sum := sha256.Sum256([]byte(filter))
	return party + "-" + hex.EncodeToString(sum[:8])
}

// api returns the full subject of a JetStream API call.
func (l *Log) api(call string) string {
	return l.cfg.APIPrefix + "." + call
}

// checkToken returns an error unless s is a subject of one token.
func checkToken(kind, s string) error {
	if err := bus.CheckSubject(s); err != nil {
		return fmt.Errorf("%s name: %w", kind, err)
	}
	if !bus.Match("*", s) {
		return fmt.Errorf("%w: %s name %q, want a name without dots", bus.ErrInvalid, kind, s)
	}
	return nil
}

// checkHere returns an error unless subject or filter s, which passed its own check, lies within Subjects.
func checkHere(s string) error {
	if !bus.Match(Subjects, s) {
		return fmt.Errorf("%w: %s does not match %s", bus.ErrInvalid, s, Subjects)
	}
	return nil
}

// translate adds this module's meaning to an error of the client library.
func translate(err error) error {
	if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrConnectionDraining) {
		return fmt.Errorf("%w: %w", bus.ErrClosed, err)
	}
	return err
}
