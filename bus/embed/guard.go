package embed

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"

	"riskprop/bus"
)

// lookEvery is how often the guard looks. What is sent within that time is not limited. Every countEvery-th time it also counts
// subscriptions, which is more work.
const (
	lookEvery  = 50 * time.Millisecond
	countEvery = 10
)

// Guard limits what an account may send, so that nobody who floods the log under his own name delays the others: the server itself
// limits sizes and connections, but not how much comes through them. An account that goes beyond is disconnected and not admitted
// for a minute; for twice as long each further time, up to an hour. Its client sees that as a wrong key. The zero value is no guard.
//
// Every server of a cluster guards its own connections, against an equal part of the limits. What an account sends is counted in
// messages and bytes, and how often it connects and subscribes; how much it subscribes to is limited by the configuration.
type Guard struct {
	Units  int      // bus.Units a second that an account may send
	Burst  int      // units that it may send at once
	Volume int64    // bytes an hour, and at once: against one that fills the disk
	Exempt []string // accounts that are not limited

	Ticks <-chan time.Time // when to look, for tests; nil: every 50 ms
}

// DefaultGuard returns a guard that admits what parties send, see bus.GuardUnits, and 32 GiB an hour.
func DefaultGuard(exempt ...string) Guard {
	return Guard{Units: bus.GuardUnits, Burst: bus.GuardBurst, Volume: 32 << 30, Exempt: exempt}
}

// on reports whether there is anything to do.
func (g Guard) on() bool { return g.Units > 0 }

// warden is a guard at work.
type warden struct {
	guard    Guard
	servers  int
	gate     *gate
	nats     *server.Server
	log      zerolog.Logger
	stop     context.CancelFunc
	finished chan struct{}

	looks      int              // so far
	subscribed map[string]int64 // by account: how often, when that was last counted

	mu       sync.Mutex
	accounts map[string]*account
}

// newWarden makes the options admit clients through a guard. The error says why that is not possible.
func newWarden(g Guard, opts *server.Options, logger zerolog.Logger) (*warden, error) {
	w := &warden{guard: g, servers: max(1, len(opts.Routes)+1), log: logger.With().Str("component", "guard").Logger(),
		accounts: make(map[string]*account), subscribed: make(map[string]int64), finished: make(chan struct{})}
	var err error
	if w.gate, err = newGate(opts, w.enter); err != nil {
		return nil, fmt.Errorf("the guard against floods knows users with nkeys only: %w; run without it, or make the configuration with server-config", err)
	}
	for _, u := range opts.Nkeys {
		if name := u.Account.Name; !slices.Contains(g.Exempt, name) {
			w.accounts[name] = newAccount(g, w.servers)
		}
	}
	opts.CustomClientAuthentication = w.gate
	opts.AlwaysEnableNonce = true
	return w, nil
}

// begin starts to look. It must come before the server takes connections.
func (w *warden) begin(ns *server.Server) error {
	if err := w.gate.settle(ns); err != nil {
		return err
	}
	w.nats = ns
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	go w.run(ctx)
	return nil
}

// end stops looking.
func (w *warden) end() {
	if w != nil && w.stop != nil {
		w.stop()
		<-w.finished
	}
}

// run looks at every tick.
func (w *warden) run(ctx context.Context) {
	defer close(w.finished)
	ticks := w.guard.Ticks
	if ticks == nil {
		ticker := time.NewTicker(lookEvery)
		defer ticker.Stop()
		ticks = ticker.C
	}
	for {
		select {
		case now := <-ticks:
			w.look(now)
		case <-ctx.Done():
			return
		}
	}
}

// enter counts a connection and reports whether its account is not shut out.
func (w *warden) enter(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, limited := w.accounts[name]
	if !limited {
		return true
	}
	a.connections++
	return !a.shut
}

// look counts what the accounts have sent and disconnects those that are shut out, also a connection that was admitted just before.
func (w *warden) look(now time.Time) {
	if w.looks++; w.looks%countEvery == 1 {
		w.countSubscriptions()
	}
	stats, err := w.nats.AccountStatz(&server.AccountStatzOptions{IncludeUnused: true})
	if err != nil {
		w.log.Error().Err(err).Msg("cannot see what the accounts send")
		return
	}
	for _, s := range stats.Accounts {
		if w.judge(now, s) && s.Conns > 0 {
			w.disconnect(s.Account)
		}
	}
}

// countSubscriptions notes how often each account has subscribed.
func (w *warden) countSubscriptions() {
	for name := range w.accounts { // the names never change
		subs, err := w.nats.Subsz(&server.SubszOptions{Account: name, Subscriptions: true, Limit: 1}) // of one account only with a list
		if err != nil {
			w.log.Error().Err(err).Str("account", name).Msg("cannot see how often it subscribes")
			continue
		}
		w.subscribed[name] = int64(subs.NumInserts)
	}
}

// judge looks at one account and reports whether it is shut out.
func (w *warden) judge(now time.Time, s *server.AccountStat) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, limited := w.accounts[s.Account]
	if !limited {
		return false
	}
	was := a.shut
	since, beyond := a.look(now, traffic{s.Received.Msgs, s.Received.Bytes, w.subscribed[s.Account], a.connections})
	switch {
	case beyond:
		w.log.Warn().Str("account", s.Account).Int64("messages", since.messages).Int64("bytes", since.bytes).
			Int64("subscriptions", since.subscriptions).Int64("connections", since.connections).Float64("minutes", a.term.Minutes()).Msg("floods the log: shut out")
	case was && !a.shut:
		w.log.Warn().Str("account", s.Account).Msg("admitted again")
	}
	return a.shut
}

// disconnect ends all connections of an account.
func (w *warden) disconnect(name string) {
	list, err := w.nats.Connz(&server.ConnzOptions{Account: name, Limit: server.DEFAULT_MAX_CONNECTIONS})
	if err != nil {
		w.log.Error().Err(err).Str("account", name).Msg("cannot disconnect")
		return
	}
	for _, c := range list.Conns {
		if err := w.nats.DisconnectClientByID(c.Cid); err != nil { // it has gone by itself
			w.log.Debug().Err(err).Str("account", name).Uint64("connection", c.Cid).Msg("disconnect")
		}
	}
}
