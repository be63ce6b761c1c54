package jet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// AskServer is where a user asks the server that it is connected to about itself. The answer tells the server's time as well.
const AskServer = "$SYS.REQ.USER.INFO"

const maxServerInfo = 64 << 10 // bytes of the answer

// Now returns the time by the clock of the server that the log is connected to. It writes nothing. It asks once, for 3 seconds at
// most: the error is that of the connection, or wraps ErrDenied where the server's configuration does not permit to ask. A
// server can tell any time: nothing but what this party does by its clock may depend on it.
func (l *Log) Now(ctx context.Context) (now time.Time, err error) {
	try := func(ctx context.Context) error {
		m, err := l.request(ctx, AskServer)
		if err == nil {
			now, err = serverTime(m.Data)
		}
		return err
	}
	if err := l.once(ctx, try, AskServer); err != nil {
		return time.Time{}, fmt.Errorf("%s asks the server for its time: %w", l.cfg.Party, err)
	}
	return now, nil
}

// serverTime reads the time in a server's answer.
func serverTime(answer []byte) (time.Time, error) {
	var info struct {
		Server struct {
			Time time.Time `json:"time"`
		} `json:"server"`
	}
	if len(answer) > maxServerInfo {
		return time.Time{}, fmt.Errorf("an answer of %d bytes", len(answer))
	}
	if err := json.Unmarshal(answer, &info); err != nil {
		return time.Time{}, fmt.Errorf("read its answer: %w", err)
	}
	if info.Server.Time.IsZero() {
		return time.Time{}, errors.New("its answer does not tell")
	}
	return info.Server.Time, nil
}
