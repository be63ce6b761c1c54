package main

import (
	"context"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus/jet"
)

// outageReminder is the time between two words about the same outage. Ticks are up to a second apart.
const outageReminder = 9 * time.Second

// outageReporter says that the log does not answer, again and again, and when it does again.
type outageReporter struct {
	ui     *ui
	logger zerolog.Logger
	of     func() (jet.Outage, bool)

	since time.Time // of the outage that was spoken about; zero: none
	said  time.Time
}

// tick does what is due at a time. An outage of less than a second or two is not worth a word.
func (r *outageReporter) tick(now time.Time) {
	outage, out := r.of()
	switch {
	case out && r.since.IsZero() && now.Sub(outage.Since) >= time.Second:
		r.since, r.said = outage.Since, now
		r.logger.Warn().Err(outage.Err).Msg("the log does not answer")
		r.say(now, outage)
	case out && !r.since.IsZero() && now.Sub(r.said) >= outageReminder:
		r.said = now
		r.say(now, outage)
	case !out && !r.since.IsZero():
		r.logger.Warn().Float64("seconds", now.Sub(r.since).Seconds()).Msg("the log answers again")
		r.ui.say("  the log answers again, after %v", now.Sub(r.since).Round(time.Second))
		r.since = time.Time{}
	}
}

func (r *outageReporter) say(now time.Time, outage jet.Outage) {
	r.ui.say("  no answer from the log for %v: %s", now.Sub(r.since).Round(time.Second), oneLine(outage.Err))
}

// oneLine is the text of an error, which may be one of several servers.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// reportOutages speaks of a log's outages until the second result is called.
func reportOutages(ctx context.Context, u *ui, logger zerolog.Logger, of func() (jet.Outage, bool)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := &outageReporter{ui: u, logger: logger, of: of}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				r.tick(now)
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
