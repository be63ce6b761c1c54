package main

import (
	"github.com/rs/zerolog"

	"riskprop/cmd/riskprop/internal/config"
)

// sessionLogger is the logger of a party: to standard error, in the form and from the level that its configuration says. With
// --verbose, which has made the given logger, everything is logged.
func sessionLogger(u *ui, c config.LogConfig, given zerolog.Logger) zerolog.Logger {
	level := given.GetLevel()
	if configured, err := zerolog.ParseLevel(c.Level); err == nil && level > zerolog.DebugLevel {
		level = configured
	}
	var w = u.logs()
	if c.Format == "console" {
		w = zerolog.ConsoleWriter{Out: w, NoColor: true, TimeFormat: "2006-01-02 15:04:05"}
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}
