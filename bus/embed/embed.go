// Package embed runs a NATS server with JetStream inside this process. [Start] is for a party that hosts the session's log itself, and
// for tests that need the real thing without a network; [StartFile] runs one server of a consortium from a configuration
// file, as package bus/hub writes it.
//
// A server of Start listens on nothing; clients reach it through [Server.InProcessConn], which is what bus/jet.ConnectInProcess
// asks for. Every write is synced to disk before it is acknowledged, and no server is returned on which that is not
// so: the server's own default acknowledges what is not on the disk yet. The store directory is locked, because the server
// itself would open one that is already in use and destroy it. Signals are the caller's business. A [Guard] shuts out accounts that
// flood the log.
//
// It is the only package that imports nats-server.
package embed

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"
)

const (
	// maxPayload is the largest message in bytes that a client may send: above the 2 MiB of a record and its headers.
	maxPayload = 8 << 20
	// startTimeout bounds how long the server may take until it is ready, startPoll is how often it is asked.
	startTimeout = 60 * time.Second
	startPoll    = 50 * time.Millisecond
	lockName     = "riskprop.lock"
)

// Errors that callers tell apart.
var (
	// ErrLocked: another server, of this or another process, uses the store directory.
	ErrLocked = errors.New("store directory is in use: stop the other server, or choose another directory")
	// ErrConfig: the configuration file cannot be used.
	ErrConfig = errors.New("server configuration")
	// ErrStart: the server did not come up; the error wraps what it said.
	ErrStart = errors.New("embedded NATS server did not start")
)

// Config says where and under which name a server runs.
type Config struct {
	StoreDir string         // where the log is kept; created when missing
	Name     string         // the server's name in its log
	Logger   zerolog.Logger // receives what the server logs; the zero value drops it
}

// Validate returns an error unless both the directory and the name are given.
func (c Config) Validate() error {
	if c.StoreDir == "" {
		return errors.New("embed: no store directory: set StoreDir")
	}
	if c.Name == "" {
		return errors.New("embed: no server name: set Name")
	}
	return nil
}

// Server is a running server. Safe for concurrent use.
type Server struct {
	nats   *server.Server
	lock   *os.File
	warden *warden // nil: no guard
	stop   sync.Once
}

// Start runs a server on cfg.StoreDir and returns when it is ready; a directory that was used before keeps everything. The
// error wraps ErrLocked when the directory is in use and ErrStart when the server did not come up.
func Start(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return start(options(cfg), Guard{}, cfg.Logger)
}

// StartFile runs a server from a configuration file and returns when it takes connections; one of a cluster has JetStream only when
// enough of the others are there, which it logs. The file must enable JetStream with a store directory and set sync_interval
// to always. What it says about logging is passed over for logger. A guard needs users with nkeys. The errors are those of Start; one
// that wraps ErrConfig says what is wrong with the file.
func StartFile(path string, guard Guard, logger zerolog.Logger) (*Server, error) {
	opts, err := server.ProcessConfigFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	opts.NoSigs = true
	opts.DisableJetStreamBanner = true
	switch {
	case !opts.JetStream:
		return nil, fmt.Errorf("%w: %s: no jetstream block", ErrConfig, path)
	case opts.StoreDir == "":
		return nil, fmt.Errorf("%w: %s: no store_dir in the jetstream block: the default is a temporary directory", ErrConfig, path)
	case !opts.SyncAlways:
		return nil, fmt.Errorf("%w: %s: set sync_interval to always in the jetstream block: otherwise what is acknowledged can be lost", ErrConfig, path)
	}
	s, err := start(opts, guard, logger)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if opts.Cluster.Port != 0 {
		logger.Info().Str("component", "nats-server").Int("routes", len(opts.Routes)).
			Msg("takes connections; the log is there as soon as most of the cluster's servers are")
	}
	return s, nil
}

// options returns the server's options; see the package comment for why.
func options(cfg Config) *server.Options {
	return &server.Options{
		ServerName:             cfg.Name,
		StoreDir:               cfg.StoreDir,
		JetStream:              true,
		SyncAlways:             true,
		DontListen:             true,
		NoSigs:                 true, // otherwise the server takes over this process's signals
		DisableJetStreamBanner: true,
		MaxPayload:             maxPayload,
	}
}

// start locks the store directory and runs a server on it, or does neither.
func start(opts *server.Options, guard Guard, logger zerolog.Logger) (*Server, error) {
	if err := os.MkdirAll(opts.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("embed: create store directory: %w", err)
	}
	lock, err := lockFile(filepath.Join(opts.StoreDir, lockName))
	if err != nil {
		return nil, fmt.Errorf("embed: lock %s: %w", opts.StoreDir, err)
	}
	s, err := run(opts, guard, logger)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	return s, nil
}

// run runs a server and shuts it down again unless it is as it must be.
func run(opts *server.Options, guard Guard, logger zerolog.Logger) (*Server, error) {
	s := &Server{}
	var err error
	if guard.on() {
		if s.warden, err = newWarden(guard, opts, logger); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	s.nats = ns
	log := newLogger(logger)
	ns.SetLoggerV2(log, logger.GetLevel() <= zerolog.DebugLevel, logger.GetLevel() <= zerolog.TraceLevel, false)
	if s.warden != nil {
		if err := s.warden.begin(ns); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrStart, err)
		}
	}
	ns.Start()
	if err := ready(ns, log); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("%w: %w", ErrStart, err)
	}
	return s, nil
}

// ready waits until the server takes connections and checks that it syncs every write.
func ready(ns *server.Server, log *logger) error {
	for deadline := time.Now().Add(startTimeout); !ns.ReadyForConnections(startPoll); {
		if err := log.fatal(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v", startTimeout)
		}
	}
	if !ns.JetStreamEnabled() {
		return errors.New("JetStream is not enabled")
	}
	info, err := ns.Jsz(nil)
	if err != nil {
		return fmt.Errorf("ask for the JetStream configuration: %w", err)
	}
	if !info.Config.SyncAlways {
		return errors.New("the server does not sync every write: set sync_interval to always")
	}
	return nil
}

// InProcessConn returns the client's end of a new connection.
func (s *Server) InProcessConn() (net.Conn, error) {
	return s.nats.InProcessConn()
}

// URL returns where clients reach a server that listens: tls://host:port, or nats://host:port without TLS.
func (s *Server) URL() string { return s.nats.ClientURL() }

// Shutdown stops the server, waits until it is down and unlocks the store directory. Calling it again does nothing.
func (s *Server) Shutdown() {
	s.stop.Do(func() {
		s.warden.end()
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
		if s.lock != nil {
			s.lock.Close() // read-only: closing cannot lose anything, and it releases the lock
		}
	})
}
