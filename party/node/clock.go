package node

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"riskprop/party"
)

// remind is the time between two words about the same wait. Ticks are up to a second apart.
const remind = 9 * time.Second

// askAgain is the time between two questions for the log's time.
const askAgain = 30 * time.Second

// clock is what a node knows of time.
type clock struct {
	caughtUp bool      // nothing on the log is unread
	aborted  int       // the round in which this party has ended the session, plus one
	settled  int       // the round that this party has settled, plus one
	out      time.Time // when the deadline had passed and the others could do without this party
	asked    time.Time // when, by this party's clock, the log said that the deadline has not passed
	waiting
}

// waiting is the wait in one round.
type waiting struct {
	since  time.Time // the first tick of it
	said   time.Time // when it was spoken about
	quorum time.Time // the first tick at which a quorum was there
}

// watch hands the ticks to the node until the session has ended.
func (n *node) watch(cancel context.CancelCauseFunc) {
	for {
		select {
		case now, ok := <-n.Ticks:
			if !ok {
				return
			}
			if err := n.alone(func() error { return n.tick(now) }); err != nil {
				cancel(err)
				return
			}
		case <-n.ctx.Done():
			return
		}
	}
}

// tick does what is due at a time: nothing unless this party has read everything, said everything, and waits.
func (n *node) tick(now time.Time) error {
	m := n.Machine
	if n.Connected != nil && !n.Connected() {
		n.clock.caughtUp = false // until the log has been read to its end again
	}
	if !n.clock.caughtUp || n.spoken < m.Number() || slices.Contains(m.Waiting(), m.Self()) || n.ctx.Err() != nil {
		return nil
	}
	w := &n.clock.waiting
	if w.since.IsZero() {
		w.since, w.said = now, now
	}
	if m.CanSettle() {
		if w.quorum.IsZero() {
			w.quorum = now
		}
		if now.Sub(w.quorum) >= n.Grace || n.passed(now) {
			return n.settle()
		}
	} else if n.clock.aborted > 0 || !n.clock.out.IsZero() || n.passed(now) { // what has passed once has passed
		if err := n.giveUp(now); err != nil || !m.Out() {
			return err
		}
	}
	if now.Sub(w.said) >= remind {
		w.said = now
		n.wait(now.Sub(w.since))
	}
	return nil
}

// passed tells whether the deadline has passed, by this party's clock and by the log's.
func (n *node) passed(now time.Time) bool {
	if n.Deadline.IsZero() || now.Before(n.Deadline) {
		return false
	}
	if n.Now == nil {
		return true
	}
	if asked := n.clock.asked; !asked.IsZero() && now.Sub(asked).Abs() < askAgain { // the clock may have been set back
		return false
	}
	told, err := n.Now(n.ctx)
	if err != nil {
		n.Logger.Warn().Err(err).Msg("the deadline has passed by the clock of this machine; the log does not tell its time")
		return true
	}
	if !told.Before(n.Deadline) {
		return true
	}
	if n.clock.asked.IsZero() {
		n.Logger.Warn().Float64("ahead_seconds", now.Sub(told).Seconds()).Time("deadline", n.Deadline).
			Msg("the clock of this machine is ahead of the log's, by which the deadline has not passed: going on; set it, best with NTP")
	}
	n.clock.asked = now
	return false
}

// late tells whether this party, caught up, has nothing in the session and its deadline has passed.
func (n *node) late() bool {
	m := n.Machine
	return m.Number() == 0 && slices.Contains(m.Waiting(), m.Self()) && n.passed(n.Start)
}

// settle appends the word that closes the round with those who have spoken. Who that is, is for the log to say: a head may come
// before this word.
func (n *node) settle() error {
	m := n.Machine
	effect, ok := m.Settle()
	if !ok || n.clock.settled > m.Number() {
		return nil
	}
	n.Logger.Warn().Int("round", m.Number()).Strs("awaited", m.Waiting()).Msg("settling the round with a quorum")
	n.clock.settled = m.Number() + 1
	return n.append(effect)
}

// giveUp appends an abort after the deadline. It ends nothing by itself: the log may hold another member's word before
// it, and all parties go by the log. Where the others can do without this party, they may still come to their result, and this party with
// them: it reads on for another grace. Started again later it finds what there is.
func (n *node) giveUp(now time.Time) error {
	m := n.Machine
	reason := fmt.Sprintf("the deadline %s has passed in round %d (%s), waiting for %s",
		n.Deadline.UTC().Format(time.RFC3339), m.Number(), m.Name(), strings.Join(m.Waiting(), ", "))
	if m.Out() {
		if n.clock.out.IsZero() {
			n.clock.out = now
		}
		if now.Sub(n.clock.out) >= n.Grace {
			return &party.Aborted{By: m.Self(), Reason: reason}
		}
		return nil
	}
	effect, ok := m.Abort("", reason)
	if !ok || n.clock.aborted > m.Number() {
		return nil
	}
	n.Logger.Warn().Int("round", m.Number()).Strs("awaited", m.Waiting()).Msg("the deadline has passed: ending the session")
	n.clock.aborted = m.Number() + 1
	return n.append(effect)
}

// wait says whom this party waits for.
func (n *node) wait(so time.Duration) {
	awaited := n.Machine.Waiting()
	n.Logger.Info().Int("round", n.Machine.Number()).Str("name", n.Machine.Name()).Strs("awaited", awaited).
		Float64("seconds", so.Seconds()).Msg("waiting")
	n.observe(Event{Kind: Waiting, Awaited: awaited, Duration: so})
}
