package jet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
)

// What one batch may bring: what waits in the client. The server exceeds the bytes by less than one message.
const (
	batchMessages = 256
	batchBytes    = 8 << 20
)

// errLost means that an answer did not arrive as it must: ask again.
var errLost = errors.New("reading was interrupted")

// batchRequest is the body of a direct get as the server expects it: the messages from From on, of any subject or under those that
// match Filter.
type batchRequest struct {
	From     uint64 `json:"seq"`
	Filter   string `json:"next_by_subj,omitempty"`
	Messages int    `json:"batch"`
	Bytes    int    `json:"max_bytes"`
}

// batch is what came back. Without an error it is complete.
type batch struct {
	records []bus.Record
	noise   int    // messages that are no records
	last    uint64 // sequence number of the last message that is known to have been sent; 0 when there is none
	more    bool   // the server has more of them
}

// batch asks for messages of the shared stream. With an error that wraps errLost the batch holds what arrived before it.
func (l *Log) batch(ctx context.Context, ask batchRequest) (batch, error) {
	if pace(ctx, l.batches, 1) != nil {
		return batch{}, ended(ctx)
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return batch{}, err
	}
	inbox := l.nc.NewInbox()
	in := make(chan *nats.Msg, ask.Messages+1)
	sub, err := l.nc.ChanSubscribe(inbox, in)
	if err != nil {
		return batch{}, fmt.Errorf("%w: %w", errLost, translate(err))
	}
	defer sub.Unsubscribe() // fails on a closed connection only, where nothing is left to undo
	shared, _ := Streams(l.cfg.Stream)
	if err := l.nc.PublishRequest(l.api("DIRECT.GET."+shared), inbox, body); err != nil {
		return batch{}, fmt.Errorf("%w: %w", errLost, translate(err))
	}
	return collect(ctx, in)
}

// collect reads the answers up to the one that ends the batch.
func collect(ctx context.Context, in <-chan *nats.Msg) (batch, error) {
	var b batch
	hidden := 0 // messages since the last one that is known, whose sequence numbers only the next can tell
	silence := time.NewTimer(tryTimeout)
	defer silence.Stop()
	for {
		var a answer
		select {
		case m := <-in:
			a = answer{m}
		case <-silence.C:
			return b, fmt.Errorf("%w: no answer for %v", errLost, tryTimeout)
		case <-ctx.Done():
			return b, ended(ctx)
		}
		silence.Reset(tryTimeout)
		status := a.status()
		switch {
		case status == "" && !a.clean():
			hidden++
			continue
		case status == statusNotFound && b.last == 0 && hidden == 0:
			return b, nil
		case status == statusNoResponders:
			return b, fmt.Errorf("%w: %w", errLost, nats.ErrNoResponders)
		case status != "" && status != statusEndOfBatch:
			return b, fmt.Errorf("%w: status %s", errLost, status)
		}
		previous := a.number(previousHeader)
		if previous < b.last+uint64(hidden) || hidden == 0 && previous != b.last {
			return b, fmt.Errorf("%w: a message was sent after record %d and did not arrive", errLost, b.last)
		}
		b.noise, b.last, hidden = b.noise+hidden, previous, 0
		if status == statusEndOfBatch {
			b.more = a.number(pendingHeader) > 0
			return b, nil
		}
		r := a.record()
		if r.Seq <= b.last {
			return b, fmt.Errorf("%w: record %d follows %d", errLost, r.Seq, b.last)
		}
		b.records = append(b.records, r)
		b.last = a.number(jetstream.SequenceHeader)
	}
}
