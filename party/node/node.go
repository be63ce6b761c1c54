// Package node is the shell around a party's machine: the only place that knows a log, a context and a logger.
//
// [Run] tails the heads of a session, opens every record, folds it into the machine, and carries out what the machine
// says is due: fetch the parts of a complete round, append what the party has to say. It keeps no state of its own
// that matters: started again it reads the log from the beginning and goes on where the log ends.
//
// Records that nobody signed, or that come again, are noise: they are counted, logged and passed over. Noise where a
// member's next head should be is a warning: its slot is taken for ever, so the session will wait for it in vain.
//
// When the machine finds that the session cannot go on (a member broke the protocol, the parties have different
// histories or describe the session differently), or a part that a member has signed is not on the log, the node
// appends its last word, an abort, and returns the error.
//
// Trouble with the log itself, or with this party's own input, is returned without a word to the others: started again
// as it was, the party goes on.
//
// # Time
//
// Time comes in as events, through [Config].Ticks, and changes nothing by itself. While the node waits for others it says
// for whom, every nine seconds. After the session's deadline it appends an abort; what the session has come to is still
// decided by the log, on which another member's word may have been earlier. A round that a quorum can complete is settled
// after [Config].Grace, or at the deadline, by a word on the log as well. A party whose clock is ahead would act too early: it asks
// the log for its time before. Who keeps the log can make it late with that, as by not answering at all.
package node

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party"
	"riskprop/schema"
)

// Config is what a node runs.
type Config struct {
	Log     bus.Log
	Roster  *schema.Roster
	Machine *party.Machine
	Logger  zerolog.Logger // gets a line a round: session, protocol, round, party, parts, bytes, seconds
	Observe func(Event)    // called with what happens, never twice at once; may be nil
	// Patience is how long a part is asked for that a signed head lists and the log does not hold: a replica may lag
	// behind. 0 means 30 seconds.
	Patience time.Duration

	// Ticks is the time, as an event: one value a second or so. Without it there is no time: the node waits for ever,
	// and in silence.
	Ticks <-chan time.Time
	// Start is when Run is called: after the deadline a party does not begin. Zero: always in time.
	Start time.Time
	// Deadline is when the session ends, whoever is awaited then: the node appends an abort. Zero: never.
	Deadline time.Time
	// Now asks the log for its time, before the party does anything because the deadline has passed: where that is not so by the log's
	// clock, this party's own is ahead, and it waits on. If the log does not tell, it goes by its own. Nil: it always does.
	Now func(context.Context) (time.Time, error)
	// Grace is how long a round that a quorum can complete waits for the rest.
	Grace time.Duration
	// Connected tells whether the log answers. While it does not, nobody is waited for: what has been read may be stale. Nil: it
	// always does.
	Connected func() bool
}

// ErrLate is wrapped when a party that has not said anything in a session starts after its deadline, while nobody has ended it: its
// first word would be to end it, and the session's name would be spent.
var ErrLate = errors.New("the session's deadline has passed, and this party has not said anything in it")

// ErrMissing is wrapped when the log does not hold a part as a member has signed it. The log has lost it, or the member
// has never written it; that cannot be told apart.
var ErrMissing = errors.New("the log does not hold what was signed")

// Stats counts what a node did in this run. What it appended again, after a restart, counts again.
type Stats struct {
	Records int   // appended
	Bytes   int64 // appended
	Noise   int   // records passed over
}

// Run takes part in the session until it has ended. The result is in the machine's final round.
func Run(ctx context.Context, config Config) (Stats, error) {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n := &node{Config: config, ctx: inner, spoken: -1, shown: -1, warned: make(map[string]int)}
	session := config.Machine.Session()
	n.Logger = config.Logger.With().Str("session", session.ID).Str("protocol", session.Proto).Str("party", config.Machine.Self()).Logger()
	if err := n.progress(); err != nil {
		return n.stats, nil // it had ended before
	}
	var ticking sync.WaitGroup
	ticking.Go(func() { n.watch(cancel) })
	err := config.Log.Tail(inner, 0, config.Machine.Filter(),
		func(r bus.Record) error { return n.alone(func() error { return n.fold(r) }) },
		func() error { return n.alone(n.head) })
	cancel(err)
	ticking.Wait()
	if cause := context.Cause(inner); errors.Is(err, context.Canceled) && ctx.Err() == nil {
		err = cause // of the clock's goroutine
	}
	switch {
	case errors.Is(err, errFinished):
		err = nil
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		m := config.Machine
		err = fmt.Errorf("in round %d (%s), waiting for %v: %w", m.Number(), m.Name(), m.Waiting(), err)
	}
	return n.stats, err
}

// errFinished stops the tail when the session has ended well.
var errFinished = errors.New("the session has ended")

// node is one run. All that follows is guarded by mu: the log's reader and the clock take turns.
type node struct {
	Config
	ctx    context.Context
	mu     sync.Mutex
	failed error // why the run has ended, whichever of the two found out
	stats  Stats
	spoken int // the last round in which everything was appended in this run
	shown  int // the last round that was reported
	gone   int // members without whom the session goes on, as reported
	round  roundStats
	clock  clock
	warned map[string]int // by member: the last round in which its noise was a warning, plus one
}

// alone lets the reader or the clock have the machine for itself. After an error nothing is done any more.
func (n *node) alone(f func() error) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failed == nil {
		n.failed = f()
	}
	return n.failed
}

// fold applies one record, and the parts that its round now needs.
func (n *node) fold(record bus.Record) error {
	n.clock.caughtUp = false
	if err := n.apply(record); err != nil {
		return err
	}
	return n.complete()
}

// complete fetches the parts of rounds whose heads are there.
func (n *node) complete() error {
	for n.Machine.Complete() {
		if err := n.carryOut(); err != nil {
			return err
		}
	}
	return n.progress()
}

// own reads what this party has written in an earlier life, or nil.
func (n *node) own(slot schema.Slot) ([]byte, error) {
	data, err := n.Log.Get(n.ctx, slot.Subject())
	if errors.Is(err, bus.ErrNone) {
		return nil, nil
	}
	return data, unread(slot, err)
}

// unread words an error of the log.
func unread(slot schema.Slot, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("reading %s: %w (nothing is lost: started again, the party goes on)", slot.Subject(), err)
}

// head is called when everything on the log has been folded: now it is this party's turn, if it has not spoken. While it waits for
// others, it fetches what those who have spoken say to it.
func (n *node) head() error {
	n.clock.caughtUp = true
	if n.spoken < n.Machine.Number() {
		if err := n.speak(); err != nil {
			return err
		}
	}
	return n.ahead()
}

// aheadFor is how long ahead fetches at a time: the clock waits for it.
const aheadFor = 3 * time.Second

// ahead fetches parts of a round that is not complete. What is not there yet, or not as it must be, is fetched again when it is.
func (n *node) ahead() error {
	begun := time.Now()
	for _, slot := range n.Machine.Early() {
		if time.Since(begun) > aheadFor {
			break // the rest comes when somebody has spoken again
		}
		data, err := n.Log.Get(n.ctx, slot.Subject())
		if errors.Is(err, bus.ErrNone) {
			continue
		}
		if err != nil {
			return unread(slot, err)
		}
		event, err := schema.Open(slot.Subject(), data, n.Roster)
		if err == nil {
			err = n.Machine.Apply(event)
		}
		if err != nil {
			n.Logger.Debug().Str("subject", slot.Subject()).Err(err).Msg("to be fetched again when the round is complete")
		}
	}
	return nil
}

// speak says what this party has to say in the round.
func (n *node) speak() error {
	number := n.Machine.Number()
	if n.late() {
		return fmt.Errorf("%w: %s: make a session with another name and a later deadline, or set the clock", ErrLate, n.Deadline.UTC().Format(time.RFC3339))
	}
	if number == 0 {
		if err := n.Machine.Repeat(); err != nil {
			return n.end(err)
		}
	}
	before, start := n.stats, time.Now()
	if err := n.carryOut(); err != nil {
		return err
	}
	n.spoken = number
	n.spoke(n.stats.Records-before.Records, n.stats.Bytes-before.Bytes, time.Since(start))
	return nil
}

// carryOut does what is due. While a part is being written, the machine computes the next one; everything else waits for it.
func (n *node) carryOut() (err error) {
	var w writing
	defer func() {
		if failure := w.wait(n); err == nil {
			err = failure
		}
	}()
	for effect, err := range n.Machine.Ready() {
		if failure := w.wait(n); failure != nil {
			return failure
		}
		if err != nil {
			return n.end(err)
		}
		switch effect.Op {
		case party.Append:
			if effect.Slot.Part != schema.HeadPart {
				w.begin(n, effect)
				continue
			}
			err = n.append(effect)
		case party.Fetch:
			err = n.fetch(effect.Slot)
		case party.Look:
			err = n.look(effect.Slot)
		case party.Finish:
			err = errFinished
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (n *node) append(effect party.Effect) error {
	return n.appended(effect, n.Log.Append(n.ctx, effect.Slot.Subject(), effect.Data))
}

// appended judges what has come of an append.
func (n *node) appended(effect party.Effect, err error) error {
	subject := effect.Slot.Subject()
	switch {
	case errors.Is(err, bus.ErrTaken):
		return n.taken(effect, err)
	case err != nil:
		return fmt.Errorf("writing %s: %w (nothing is lost: started again, the party goes on)", subject, err)
	}
	n.stats.Records++
	n.stats.Bytes += int64(len(effect.Data))
	return nil
}

// taken words a slot of ours that holds something else: our own word, with another input, or a stranger's. A loose word
// of ours that is there already is as good as the one that was to be said.
func (n *node) taken(effect party.Effect, err error) error {
	judged, slot := party.ErrInput, effect.Slot
	if slot.Part == schema.HeadPart {
		there, failure := n.Log.Get(n.ctx, slot.Subject())
		if failure != nil {
			return errors.Join(err, failure)
		}
		judged = n.Machine.Taken(effect, there)
	}
	var aborted *party.Aborted
	switch {
	case judged == nil || errors.As(judged, &aborted):
		return judged
	case errors.Is(judged, schema.ErrUntrusted):
		return fmt.Errorf("writing %s: somebody else has written there (%w): look at who may write to the log; this session cannot go on: %w",
			slot.Subject(), judged, err)
	}
	return fmt.Errorf("writing %s: %w: %w", slot.Subject(), judged, err)
}

// look recalls what this party has said in an earlier life. That can only be in the first round in which this run speaks.
func (n *node) look(slot schema.Slot) error {
	if n.spoken >= 0 {
		return nil
	}
	data, err := n.own(slot)
	if data != nil {
		n.Machine.Recall(slot, data)
	}
	return err
}

// fetch reads a part that a signed head lists. It was written before the head, so it must be there, as signed.
func (n *node) fetch(slot schema.Slot) error {
	data, err := n.get(slot)
	if errors.Is(err, bus.ErrNone) {
		return n.end(fmt.Errorf("%w: %s of %s is not there", ErrMissing, slot.Subject(), slot.From))
	}
	if err != nil {
		return unread(slot, err)
	}
	event, err := schema.Open(slot.Subject(), data, n.Roster)
	if err == nil {
		err = n.Machine.Apply(event)
	}
	if errors.Is(err, schema.ErrUntrusted) {
		err = fmt.Errorf("%w: %s of %s has other bytes: %w", ErrMissing, slot.Subject(), slot.From, err)
	}
	return n.end(err)
}

// get asks for a record until it is there, as long as Patience says.
func (n *node) get(slot schema.Slot) ([]byte, error) {
	patience := n.Patience
	if patience == 0 {
		patience = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(n.ctx, patience)
	defer cancel()
	pause := time.NewTicker(min(patience, 200*time.Millisecond))
	defer pause.Stop()
	for {
		data, err := n.Log.Get(n.ctx, slot.Subject())
		if !errors.Is(err, bus.ErrNone) {
			return data, err
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, err
		}
	}
}

// apply opens and folds a head. Noise is no error.
func (n *node) apply(record bus.Record) error {
	event, err := schema.Open(record.Subject, record.Data, n.Roster)
	if err == nil {
		err = n.Machine.Apply(event)
	}
	if errors.Is(err, schema.ErrUntrusted) || errors.Is(err, party.ErrStale) {
		n.stats.Noise++
		n.noise(record.Subject, len(record.Data), err)
		return nil
	}
	if err == nil {
		n.heard(event, record)
	}
	return n.end(err)
}

// noise logs a record that was passed over.
func (n *node) noise(subject string, size int, err error) {
	level := zerolog.DebugLevel
	if slot, bad := schema.ParseSubject(subject); bad == nil {
		_, member := n.Roster.Index(slot.From)
		if member && slot.Round >= n.Machine.Number() && n.warned[slot.From] < n.Machine.Number()+1 {
			level = zerolog.WarnLevel // once a round, whatever else comes
			n.warned[slot.From] = n.Machine.Number() + 1
		}
	}
	n.Logger.WithLevel(level).Str("subject", subject).Int("bytes", size).Err(err).Msg("noise")
	n.observe(Event{Kind: Passed, Bytes: int64(size)})
}

// end says the party's last word where the machine has found that the session cannot go on.
func (n *node) end(err error) error {
	effect, due := n.Machine.LastWord(err)
	if !due {
		return err
	}
	if failure := n.append(effect); failure != nil {
		return errors.Join(err, fmt.Errorf("telling the others: %w", failure))
	}
	return err
}
