package jet

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// errDisconnected: the client library is looking for a server.
var errDisconnected = fmt.Errorf("no server is connected: %w", nats.ErrDisconnected)

// Outage is a time in which the log gives no answer: no server can be reached, none leads the streams, or they are overloaded. Calls
// under way go on trying, see [Config].Budget.
type Outage struct {
	Err   error     // what the last try has come to
	Since time.Time // the first one in a row that failed
}

// Outages keeps the one that lasts, if any. The zero value is ready; safe for concurrent use.
type Outages struct {
	mu      sync.Mutex
	present Outage
}

// Met notes a try that found no answer.
func (o *Outages) Met(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.present.Err == nil {
		o.present.Since = time.Now()
	}
	o.present.Err = err
}

// Over notes an answer, whatever it was.
func (o *Outages) Over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.present = Outage{}
}

// Present returns the outage that lasts. It is false when there is none.
func (o *Outages) Present() (Outage, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.present, o.present.Err != nil
}

// Outage returns the present outage of the log. It is false while the log answers.
func (l *Log) Outage() (Outage, bool) {
	connected := l.nc.IsConnected()
	present, out := l.outages.Present()
	if !out && !connected { // nothing has been tried since
		return Outage{Err: errDisconnected, Since: time.Now()}, true
	}
	return present, out
}

// Connected tells whether the log answers at the moment. What was read before an outage may be stale.
func (l *Log) Connected() bool {
	_, out := l.Outage()
	return !out
}
