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

// How often an account may connect to one server, a second and at once: a party has a few connections, and makes them anew when a server
// was away.
const (
	connectionsRate  = 1
	connectionsBurst = 40
)

// traffic is what an account has sent, how often it has subscribed (each request of a party does so once) and how often it has connected:
// the server does not count what a connection has sent last.
type traffic struct{ messages, bytes, subscriptions, connections int64 }

// minus returns what was sent since.
func (t traffic) minus(before traffic) traffic {
	return traffic{t.messages - before.messages, t.bytes - before.bytes, t.subscriptions - before.subscriptions, t.connections - before.connections}
}

// account is what the guard knows of one account: what it may still send, and whether it is shut out. It has no clock: time is what it
// is told.
type account struct {
	units         *rate.Limiter // see bus.Units
	volume        *rate.Limiter // of bytes
	subscriptions *rate.Limiter
	arrivals      *rate.Limiter // of connections
	connections   int64         // so far
	seen          traffic       // up to the last look
	looked        time.Time

	shut  bool
	until time.Time     // when the last term ends, or ended
	term  time.Duration // how long it was
}

// newAccount returns the budget of an account that has sent nothing.
func newAccount(g Guard, servers int) *account {
	volume := g.Volume / int64(servers)
	return &account{
		units:         bus.Limiter(float64(g.Units)/float64(servers), g.Burst/servers),
		volume:        bus.Limiter(float64(volume)/3600, int(volume)),
		subscriptions: bus.Limiter(float64(g.Units), g.Burst), // those made at other servers come to this one, too
		arrivals:      bus.Limiter(connectionsRate, connectionsBurst),
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
	within := a.spend(a.units, now, units)
	within = a.spend(a.volume, now, since.bytes) && within
	within = a.spend(a.subscriptions, now, since.subscriptions) && within
	within = a.spend(a.arrivals, now, since.connections) && within
	a.looked = now
	if a.shut || within {
		return since, false
	}
	a.sentence(now)
	return since, true
}

// maxSteps bounds what spend does after a long time.
const maxSteps = 1200

// spend takes tokens for what was sent since the last look, and reports whether there were enough. Where that is long ago, because the
// machine had stood still, it counts as sent evenly: a bucket does not hold what has flowed in meanwhile.
func (a *account) spend(bucket *rate.Limiter, now time.Time, sent int64) (within bool) {
	var pause time.Duration
	if !a.looked.IsZero() {
		pause = min(now.Sub(a.looked), maxSteps*lookEvery)
	}
	steps := max(1, int64(pause/lookEvery))
	within = true
	for i := range steps {
		at := now.Add(-pause * time.Duration(steps-1-i) / time.Duration(steps))
		within = bucket.AllowN(at, int(sent*(i+1)/steps-sent*i/steps)) && within
	}
	return within
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
