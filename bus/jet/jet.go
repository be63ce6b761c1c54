// Package jet is a [bus.Log] on NATS JetStream. It is the only package that imports nats.go.
//
// # Where records are
//
// A log called S has two streams, see [Streams]. Records whose recipient, the fifth token of the subject, is "all" are in the shared
// stream, under their subjects; all others are in the private stream, under "private." and their subjects. Tail reads the
// shared stream alone. So a server's permissions can let everybody read the one as a whole and of the other each
// party its own records.
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
// Tail asks for what comes after the last record that it handled, a batch at a time, and again whenever the server announces
// that something was stored, or after a second at most. It leaves nothing on the server, so any number of processes of
// one party may read at once. It has no consumer on purpose: whoever may create one may also name the subject to which
// it delivers, and so make the server publish whatever he likes in the account of the stream, such as a request to delete
// the stream, or one that takes another member's deliveries away.
//
// After every irregularity (an answer that is late or has a gap, a connection made anew) it begins at the last record handled, and
// a log that no longer has that record, byte for byte, is reported as bus.ErrRollback. Nothing is asked of the server while
// fold or head runs. At most 8 MiB of records, and one more, wait in the client.
//
// In a cluster, Get may be answered by a replica that lags behind and so does not know a record yet that Tail has
// delivered: ask again.
//
// # Trust
//
// A message that has headers other than the one that Append sets was not written by this module and is noise: Tail skips and
// counts it, Get reports bus.ErrNone, and Append reports bus.ErrTaken since the subject is lost. The same holds
// for a message of an impossible size. Stored headers are never used to learn anything about a record.
//
// A member needs these permissions, with P for [Config].APIPrefix, S for the stream and m for its name. Publish: to
// risk.*.*.*.all.m.* and private.risk.*.*.*.*.m.*, which are the subjects of its own records; to P.DIRECT.GET.S and
// P.DIRECT.GET.S.risk.*.*.*.all.*.*, which read the shared stream; to P.DIRECT.GET.S-PRIVATE.private.risk.*.*.*.m.*.* and
// P.DIRECT.GET.S-PRIVATE.private.risk.*.*.*.*.m.*, which read what is addressed to it and what it wrote. Subscribe: to
// _INBOX_m.> and to S.STORED.*, the announcements. Package bus/hub makes a server's configuration of this.
package jet

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"

	"riskprop/bus"
)

// Where clients find the JetStream API.
const (
	DefaultAPIPrefix = "$JS.API"  // without account imports
	MemberAPIPrefix  = "RISK.API" // in the account of a member, as bus/hub sets it up
)

// Forever is a Budget that outlives every outage.
const Forever = 100 * 365 * 24 * time.Hour

// ErrDenied: the server does not permit what was asked of it.
var ErrDenied = errors.New("the server does not permit this")

// maxInFlight is the number of Appends of one handle that are on their way at once. Others wait.
const maxInFlight = 8

// Config says which log to use, and as whom. Zero durations mean the defaults.
type Config struct {
	Stream    string        // the log's name, one token: see Streams
	Party     string        // one token; says in errors whose handle it is
	APIPrefix string        // prefix of the JetStream API; empty means DefaultAPIPrefix
	Budget    time.Duration // how long Append and Get try before they give up; 30 s by default, see Forever
	Paced     bool          // keep to what the servers' guard grants a party: see bus.PaceUnits
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
	Rebuilt uint64 // times that a Tail began anew at the last record handled, after an irregularity
	Retries uint64 // tries of Append and Get beyond the first
}

// Log is one party's handle on a stream. Safe for concurrent use.
type Log struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	cfg      Config
	guard    *guard
	inFlight chan struct{} // holds a token for every Append on its way
	records  *rate.Limiter // of units, for Append and Get; nil: not paced
	batches  *rate.Limiter // of requests for what is new; nil: not paced
	noise    atomic.Uint64
	rebuilt  atomic.Uint64
	retries  atomic.Uint64
	outages  Outages
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
	l := &Log{
		nc:       nc,
		js:       js,
		cfg:      cfg,
		guard:    newGuard(nc),
		inFlight: make(chan struct{}, maxInFlight),
	}
	if cfg.Paced {
		l.records = bus.Limiter(bus.PaceUnits, bus.PaceUnitsBurst)
		l.batches = bus.Limiter(bus.PaceBatches, bus.PaceBatchesBurst)
	}
	return l, nil
}

// Stats returns the counters.
func (l *Log) Stats() Stats {
	return Stats{Noise: l.noise.Load(), Rebuilt: l.rebuilt.Load(), Retries: l.retries.Load()}
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

// translate adds this module's meaning to an error of the client library.
func translate(err error) error {
	switch {
	case errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrConnectionDraining):
		return fmt.Errorf("%w: %w", bus.ErrClosed, err)
	case errors.Is(err, nats.ErrReconnectBufExceeded): // there is no such buffer, see Options
		return errDisconnected
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse):
		return fmt.Errorf("%w: the log does not exist, or no server leads it", err)
	case apiError(err).ErrorCode == codeStorageFull:
		return fmt.Errorf("the servers' storage is full: free space on their disks, then start them again, since they take the limit from the disk at their start: %w", err)
	case apiError(err).Code == http.StatusTooManyRequests:
		return fmt.Errorf("the log is overloaded: %w", err)
	}
	return err
}
