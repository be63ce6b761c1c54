package main

// This file shows a session while it goes on.

import (
	"context"
	"fmt"
	"strings"
)

// clearScreen empties a terminal and begins at its top.
const clearScreen = "\x1b[H\x1b[2J"

// watch follows a session until it has ended. On a terminal the table is drawn anew after every change and every tick; elsewhere it is
// written once, when everything has been read, and then there is a line for every head that comes.
func (r *statusRun) watch(ctx context.Context, f *follower, terms sessionTerms) error {
	f.watch = true
	changed := make(chan struct{}, 1)
	f.told = func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	if !r.ui.inPlace {
		f.spoken = func(n news) { r.ui.say("%s", f.describe(n, terms)) }
	}
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx, r.logger) }()
	for drawn := false; ; {
		select {
		case err := <-ended:
			if err != nil {
				return err
			}
			return r.last(f, terms, drawn)
		case <-changed:
		case <-r.ticks:
			if !drawn {
				continue // not everything has been read
			}
		}
		if r.ui.inPlace || !drawn {
			r.draw(f, terms)
			drawn = true
		}
	}
}

// last writes how the session has ended.
func (r *statusRun) last(f *follower, terms sessionTerms, drawn bool) error {
	if r.ui.inPlace || !drawn {
		r.draw(f, terms)
		return nil
	}
	r.ui.say("%s", strings.Join(f.status(terms, r.now().UTC()).standing(), "\n"))
	return nil
}

// draw writes the table, on a terminal in the place of the last one.
func (r *statusRun) draw(f *follower, terms sessionTerms) {
	text := f.status(terms, r.now().UTC()).text(r.All)
	if r.outage != nil {
		if outage, out := r.outage(); out {
			text = fmt.Sprintf("No answer from the log for %s: %s. What follows was read before.\n\n", duration(r.now().Sub(outage.Since).Seconds()), oneLine(outage.Err)) + text
		}
	}
	if r.ui.inPlace {
		text = clearScreen + text
	}
	r.ui.print(false, "%s", text)
}

// describe puts a head that has come into one line.
func (f *follower) describe(n news, terms sessionTerms) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := fmt.Sprintf("%s  round %d", n.Word.At.UTC().Format(statusTime), n.Round)
	if name := terms.name(n.Round, f.names); name != "" {
		text += fmt.Sprintf(" (%s)", name)
	}
	if n.Word.Settle {
		return fmt.Sprintf("%s  %s has settled the round: the session goes on without who had not spoken", n.Word.At.UTC().Format(statusTime), n.Member)
	}
	if n.Word.Abort && !f.endedBy(n.Member) {
		return text + fmt.Sprintf(": %s has left, and the session can do without it", n.Member)
	}
	if n.Word.Abort {
		return text + fmt.Sprintf(": %s ends the session", n.Member)
	}
	text += fmt.Sprintf(": %s has spoken, %d parts, %s", n.Member, n.Word.Parts, size(n.Word.Bytes))
	switch {
	case n.Round == f.number && len(f.await) > 0:
		text += "; waiting for " + list(f.await)
	case n.Round < f.number && !f.done:
		text += fmt.Sprintf("; round %d (%s) begins", f.number, f.names[f.number])
	}
	return text
}
