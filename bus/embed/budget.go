package embed

import (
	"time"

	"golang.org/x/time/rate"

	"riskprop/bus"
)

// How long an account is shut out: longer each time, until it has kept to its share for forgiven.
const (
	firstTerm = time.Minute
	maxTerm   = time.Hour
	forgiven  = 2 * time.Hour
)

// traffic is what an account has sent, and how often it has subscribed: each request of a party does so once.
type traffic struct{ messages, bytes, subscriptions int64 }

// minus returns what was sent since.
func (t traffic) minus(before traffic) traffic {
	return traffic{t.messages - before.messages, t.bytes - before.bytes, t.subscriptions - before.subscriptions}
}

// account is what the guard knows of one account: what it may still send, and whether it is shut out. It has no clock: time is what it
// is told.
type account struct {
	units         *rate.Limiter // see bus.Units
	volume        *rate.Limiter // of bytes
	subscriptions *rate.Limiter
	seen          traffic // up to the last look

	shut  bool
	until time.Time     // when the last term ends, or ended
	term  time.Duration // how long it was
}

// newAccount returns the budget of an account that has sent nothing.
func newAccount(g Guard, servers int) *account {
	volume := g.Volume / int64(servers)
	units := func() *rate.Limiter { return bus.Limiter(float64(g.Units)/float64(servers), g.Burst/servers) }
	return &account{
		units:         units(),
		volume:        bus.Limiter(float64(volume)/3600, int(volume)),
		subscriptions: units(), // at most one for a message
	}
}

// look is told at now what the account has sent in all. It returns what was sent since the last look, and whether that was beyond
// what it may send, so that it is shut out from now on.
func (a *account) look(now time.Time, sent traffic) (since traffic, beyond bool) {
	since = sent.minus(a.seen)
	units := bus.Units(sent.messages, sent.bytes) - bus.Units(a.seen.messages, a.seen.bytes)
	a.seen = sent
	if a.shut && !now.Before(a.until) {
		a.shut = false
	}
	within := a.units.AllowN(now, int(units))
	within = a.volume.AllowN(now, int(since.bytes)) && within
	within = a.subscriptions.AllowN(now, int(since.subscriptions)) && within
	if a.shut || within {
		return since, false
	}
	a.sentence(now)
	return since, true
}

// sentence shuts the account out.
func (a *account) sentence(now time.Time) {
	if a.term == 0 || now.Sub(a.until) >= forgiven {
		a.term = firstTerm
	} else {
		a.term = min(2*a.term, maxTerm)
	}
	a.shut, a.until = true, now.Add(a.term)
}
