package jet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
)

// What one pull asks for. The byte limit must stay above twice the largest message, or the pull stalls; together with the
// message limit it bounds what waits in the client.
const (
	pullMessages  = 256
	pullBytes     = 8 << 20
	pullExpires   = 30 * time.Second
	pullHeartbeat = time.Second
	// missedHeartbeats is how long the server may be silent.
	missedHeartbeats = 3 * pullHeartbeat
	// pullBuffer holds all that one pull can bring: its messages, its heartbeats, and the word that ends it and those before.
	pullBuffer = pullMessages + int(pullExpires/pullHeartbeat) + 34
)

// Statuses of a pull.
const (
	statusHeartbeat = "100"
	statusExpired   = "408"
	statusEnded     = "409" // the byte limit is reached; also the consumer is gone
)

// lastDeliveryHeader of a heartbeat is the number of messages that the consumer has sent since it was made.
const lastDeliveryHeader = "Nats-Last-Consumer"

// errLost means that the consumer must be made anew.
var errLost = errors.New("consumer lost")

// pullRequest is the body of a pull as the server expects it.
type pullRequest struct {
	Batch     int           `json:"batch"`
	MaxBytes  int           `json:"max_bytes"`
	Expires   time.Duration `json:"expires"`
	Heartbeat time.Duration `json:"idle_heartbeat"`
}

// puller pulls the messages of one consumer, one pull at a time, and only when the last is used up: while nobody calls next,
// nothing is asked for, and nothing overflows. Unlike the client library's reader it tells messages from the server's statuses by
// the acknowledgement subject and not by headers, which a member could have stored.
type puller struct {
	nc     *nats.Conn
	next   string // the subject of pulls
	body   []byte
	inbox  string
	sub    *nats.Subscription
	in     chan *nats.Msg
	status <-chan nats.Status

	pulls    int    // pulls so far; each has an answer subject of its own
	left     int    // messages that the pull under way may still bring; 0 when none is
	received uint64 // messages so far
}

// newPuller subscribes to the answers of pulls sent to next. status tells of a new or a closed connection.
func newPuller(nc *nats.Conn, next string, status <-chan nats.Status) (*puller, error) {
	body, err := json.Marshal(pullRequest{pullMessages, pullBytes, pullExpires, pullHeartbeat})
	if err != nil {
		return nil, err
	}
	p := &puller{nc: nc, next: next, body: body, inbox: nc.NewInbox(), in: make(chan *nats.Msg, pullBuffer), status: status}
	if p.sub, err = nc.ChanSubscribe(p.inbox+".*", p.in); err != nil {
		return nil, translate(err)
	}
	return p, nil
}

// close ends the subscription. The error is dropped: a closed connection has no subscriptions.
func (p *puller) close() { _ = p.sub.Unsubscribe() }

// idle reports whether nothing waits in the client.
func (p *puller) idle() bool { return len(p.in) == 0 }

// receive waits for the next message. It returns nil when the server says that it has sent all there is, and errLost when a
// message did not arrive or the consumer must be made anew for another reason.
func (p *puller) receive(ctx context.Context) (*nats.Msg, error) {
	for {
		if p.left == 0 {
			if err := p.pull(); err != nil {
				return nil, err
			}
		}
		m, err := p.wait(ctx)
		if err != nil {
			return nil, err
		}
		if m.Reply != "" {
			p.left = max(p.left-1, 0)
			p.received++
			return m, nil
		}
		if m.Subject != p.answers() {
			continue // about an earlier pull
		}
		idle, err := p.statusOf(m)
		if idle || err != nil {
			return nil, err
		}
	}
}

// statusOf interprets a status of the pull under way; idle means that all there is was sent.
func (p *puller) statusOf(m *nats.Msg) (idle bool, err error) {
	status := m.Header.Get(statusHeader)
	switch {
	case status == statusHeartbeat:
		if sent := m.Header.Get(lastDeliveryHeader); sent != "" && sent != strconv.FormatUint(p.received, 10) {
			return false, fmt.Errorf("%w: %s messages were sent, %d arrived", errLost, sent, p.received)
		}
		return true, nil
	case status == statusExpired, status == statusEnded && p.left < pullMessages:
		p.left = 0
		return false, nil
	}
	return false, fmt.Errorf("%w: pull has status %q", errLost, status)
}

// pull asks for more messages.
func (p *puller) pull() error {
	p.pulls++
	if err := p.nc.PublishRequest(p.next, p.answers(), p.body); err != nil {
		return fmt.Errorf("%w: %w", errLost, translate(err))
	}
	p.left = pullMessages
	return nil
}

// answers returns where the pull under way is answered.
func (p *puller) answers() string { return p.inbox + "." + strconv.Itoa(p.pulls) }

// wait returns whatever comes next.
func (p *puller) wait(ctx context.Context) (*nats.Msg, error) {
	silence := time.NewTimer(missedHeartbeats)
	defer silence.Stop()
	select {
	case m := <-p.in:
		return m, nil
	case s := <-p.status:
		if s == nats.CLOSED {
			return nil, bus.ErrClosed
		}
		return nil, fmt.Errorf("%w: the connection was made anew", errLost)
	case <-silence.C:
		return nil, fmt.Errorf("%w: no heartbeat for %v", errLost, missedHeartbeats)
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}
