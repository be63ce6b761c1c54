package jet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// reconnectWait is the pause between two attempts at one server; the client library adds some jitter.
const reconnectWait = 250 * time.Millisecond

// A server that says nothing at all is given up after two pings without an answer.
const (
	pingInterval    = 5 * time.Second
	pingsUnanswered = 2
)

// Options returns the connection options that this package relies on; the caller adds addresses, keys and certificates.
// A connection reconnects for ever, keeps nothing in memory to send later (a publish that its caller gave up must not be sent
// after all), and uses inboxes under InboxPrefix(name) alone, so that a server's permissions can name them. handlers are called
// for asynchronous errors, and when the connection is lost.
func Options(name string, handlers ...func(error)) []nats.Option {
	tell := func(err error) {
		for _, h := range handlers {
			h(err)
		}
	}
	return []nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(pingsUnanswered),
		nats.CustomInboxPrefix(InboxPrefix(name)),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { tell(err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // it was not closed by this side
				tell(fmt.Errorf("connection lost: %w", err))
			}
		}),
	}
}

// InboxPrefix returns the first token of the subjects under which the party called name receives answers.
func InboxPrefix(name string) string {
	return "_INBOX_" + name
}

// InProcess is a server in this process: bus/embed.Server.
type InProcess interface {
	InProcessConn() (net.Conn, error)
}

// ConnectInProcess returns a connection to a server in this process, made with Options.
func ConnectInProcess(s InProcess, name string, handlers ...func(error)) (*nats.Conn, error) {
	if err := checkToken("connection", name); err != nil {
		return nil, err
	}
	nc, err := nats.Connect("", append(Options(name, handlers...), nats.InProcessServer(s))...)
	if err != nil {
		return nil, fmt.Errorf("connect %s to the server in this process: %w", name, err)
	}
	return nc, nil
}

// guard ends operations on subjects that the server does not permit. The server reports a violation apart from the
// operation, which would otherwise wait until its time is up.
type guard struct {
	inbox string // how the report names any of our inboxes

	mu  sync.Mutex
	ops map[*guarded]struct{}
}

// guarded is one operation under way.
type guarded struct {
	subjects []string // as the report quotes them
	cancel   context.CancelCauseFunc
}

// newGuard listens to the errors of nc and passes them on to the handler that was there before.
func newGuard(nc *nats.Conn) *guard {
	prefix := nc.Opts.InboxPrefix
	if prefix == "" {
		prefix = strings.TrimSuffix(nats.InboxPrefix, ".")
	}
	g := &guard{inbox: `"` + prefix + ".", ops: make(map[*guarded]struct{})}
	previous := nc.ErrorHandler()
	nc.SetErrorHandler(func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) {
			g.violation(err)
		}
		if previous != nil {
			previous(nc, sub, err)
		}
	})
	return g
}

// violation ends the operations that err concerns. Which these are is an operand of the server's report, in quotes; without
// a readable inbox all of them are.
func (g *guard) violation(err error) {
	report := err.Error()
	g.mu.Lock()
	defer g.mu.Unlock()
	for op := range g.ops {
		for _, named := range append(op.subjects, g.inbox) {
			if strings.Contains(report, named) {
				op.cancel(err)
			}
		}
	}
}

// watch returns a context that also ends, with the violation as its cause, when publishing to one of subjects is not
// permitted. The caller calls the second result when the operation is over.
func (g *guard) watch(ctx context.Context, subjects ...string) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	op := &guarded{cancel: cancel}
	for _, s := range subjects {
		op.subjects = append(op.subjects, `"`+s+`"`)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ops[op] = struct{}{}
	return ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.ops, op)
		cancel(nil)
	}
}
