package embed

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// logger passes the server's log on to zerolog. What the server calls fatal is logged as an error and remembered: the process
// belongs to the caller, so it does not exit.
type logger struct {
	to      zerolog.Logger
	trouble zerolog.Logger // to the same, some lines a second: clients can cause as many as they like

	mu     sync.Mutex
	fatals []error
}

// troubleLines is how many warnings and errors of the server are logged a second.
const troubleLines = 50

func newLogger(to zerolog.Logger) *logger {
	named := to.With().Str("component", "nats-server").Logger()
	return &logger{to: named, trouble: named.Sample(&zerolog.BurstSampler{Burst: troubleLines, Period: time.Second})}
}

// Noticef logs at level info.
func (l *logger) Noticef(format string, v ...any) { l.to.Info().Msgf(format, v...) }

// Warnf logs at level warn.
func (l *logger) Warnf(format string, v ...any) { l.trouble.Warn().Msgf(format, v...) }

// Errorf logs at level error.
func (l *logger) Errorf(format string, v ...any) { l.trouble.Error().Msgf(format, v...) }

// Debugf logs at level debug.
func (l *logger) Debugf(format string, v ...any) { l.to.Debug().Msgf(format, v...) }

// Tracef logs at level trace.
func (l *logger) Tracef(format string, v ...any) { l.to.Trace().Msgf(format, v...) }

// Fatalf logs at level error, marked as fatal, and does not exit.
func (l *logger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.to.Error().Bool("fatal", true).Msg(text)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatals = append(l.fatals, errors.New(text))
}

// fatal returns everything that was fatal so far, or nil.
func (l *logger) fatal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.fatals...)
}
