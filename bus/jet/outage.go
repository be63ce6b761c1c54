package jet

import (
	"errors"
	"sync"
	"time"
)

// errDisconnected: the client library is looking for a server.
var errDisconnected = errors.New("no server is connected")

// Outage is a time in which the log gives no answer: no server can be reached, none leads the streams, or they are overloaded. Calls
// under way go on trying, see [Config].Budget.
type Outage struct {
	Err   error     // what the last try has come to
	Since time.Time // the first one in a row that failed
}

// outages keeps the one that lasts, if any.
type outages struct {
	mu      sync.Mutex
	present Outage
}

// met notes a try that found no answer.
func (o *outages) met(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.present.Err == nil {
		o.present.Since = time.Now()
	}
	o.present.Err = err
}

// over notes an answer, whatever it was.
func (o *outages) over() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.present = Outage{}
}

// Outage returns the present outage. It is false while the log answers.
func (l *Log) Outage() (Outage, bool) {
	connected := l.nc.IsConnected()
	l.outages.mu.Lock()
	defer l.outages.mu.Unlock()
	present := l.outages.present
	if present.Err == nil && !connected { // nothing has been tried since
		present = Outage{Err: errDisconnected, Since: time.Now()}
	}
	return present, present.Err != nil
}

// Connected tells whether the log answers at the moment. What was read before an outage may be stale.
func (l *Log) Connected() bool {
	_, out := l.Outage()
	return !out
}
