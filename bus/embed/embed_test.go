package embed

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"
)

// startTest starts a server and stops it with the test.
func startTest(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func TestConfigIsChecked(t *testing.T) {
	for _, cfg := range []Config{{}, {StoreDir: t.TempDir()}, {Name: "a"}} {
		if s, err := Start(cfg); err == nil {
			s.Shutdown()
			t.Errorf("Start(%+v) succeeded", cfg)
		}
	}
}

func TestAStoreDirectoryHasOneServer(t *testing.T) {
	cfg := Config{StoreDir: filepath.Join(t.TempDir(), "new"), Name: "a"}
	first := startTest(t, cfg)
	if _, err := Start(cfg); !errors.Is(err, ErrLocked) {
		t.Fatalf("second Start = %v, want ErrLocked", err)
	}
	startTest(t, Config{StoreDir: t.TempDir(), Name: "a"}) // another directory is another log
	first.Shutdown()
	first.Shutdown()
	startTest(t, cfg)
}

func TestAnUnusableDirectoryIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Config{StoreDir: file, Name: "a"}); err == nil {
		t.Error("Start on a file succeeded")
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, lockName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Config{StoreDir: dir, Name: "a"}); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("Start where the lock is a directory = %v", err)
	}
}

// A failed start must not keep the lock.
func TestAFailedStartSaysWhyAndUnlocks(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, server.JetStreamStoreDir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := Config{StoreDir: dir, Name: "a"}
	if _, err := Start(cfg); !errors.Is(err, ErrStart) {
		t.Fatalf("Start = %v, want ErrStart", err)
	}
	if err := os.Remove(filepath.Join(dir, server.JetStreamStoreDir)); err != nil {
		t.Fatal(err)
	}
	startTest(t, cfg)
}

func TestAServerThatDoesNotSyncIsRefused(t *testing.T) {
	opts := options(Config{StoreDir: t.TempDir(), Name: "a"})
	opts.SyncAlways = false
	if _, err := start(opts, Guard{}, zerolog.Nop()); !errors.Is(err, ErrStart) || !strings.Contains(err.Error(), "sync") {
		t.Fatalf("start without sync = %v, want ErrStart", err)
	}
	opts = options(Config{StoreDir: t.TempDir(), Name: "a"})
	opts.JetStream = false
	if _, err := start(opts, Guard{}, zerolog.Nop()); !errors.Is(err, ErrStart) {
		t.Fatalf("start without JetStream = %v, want ErrStart", err)
	}
}

func TestInvalidOptionsAreAnError(t *testing.T) {
	opts := options(Config{StoreDir: t.TempDir(), Name: "with space"})
	opts.MaxPayload = server.MAX_PENDING_SIZE + 1 // above the server's max_pending
	if s, err := start(opts, Guard{}, zerolog.Nop()); !errors.Is(err, ErrStart) {
		s.Shutdown()
		t.Fatalf("start = %v, want ErrStart", err)
	}
}

// A file that a stock server takes is refused where it would lose records, or lose them with its temporary directory.
func TestConfigurationFilesAreChecked(t *testing.T) {
	dir := t.TempDir()
	good := fmt.Sprintf("listen: \"127.0.0.1:-1\"\njetstream: {store_dir: %q, sync_interval: always}\n", dir)
	for name, c := range map[string]struct {
		text, says string
		is         error
	}{
		"nothing":      {"", "no jetstream block", ErrConfig},
		"no sync":      {strings.Replace(good, ", sync_interval: always", "", 1), "sync_interval", ErrConfig},
		"slow sync":    {strings.Replace(good, "always", "\"2m\"", 1), "sync_interval", ErrConfig},
		"no store":     {"listen: \"127.0.0.1:-1\"\njetstream: {sync_interval: always}\n", "store_dir", ErrConfig},
		"no syntax":    {"accounts: {", "", ErrConfig},
		"unknown user": {good + "accounts: {A: {users: [{nkey: UX}]}}", "nkey", ErrConfig},
		"no such port": {strings.Replace(good, "127.0.0.1:-1", "192.0.2.1:4222", 1), "", ErrStart},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "nats.conf")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := StartFile(path, Guard{}, zerolog.Nop())
			if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("StartFile = %v, want %v with %q", err, c.is, c.says)
			}
			if err == nil {
				s.Shutdown()
			}
		})
	}
	if _, err := StartFile(filepath.Join(dir, "missing.conf"), Guard{}, zerolog.Nop()); !errors.Is(err, ErrConfig) {
		t.Errorf("StartFile without a file = %v, want ErrConfig", err)
	}
	path := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := StartFile(path, Guard{}, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	if !strings.HasPrefix(s.URL(), "nats://127.0.0.1:") || strings.HasSuffix(s.URL(), ":-1") {
		t.Errorf("URL = %s", s.URL())
	}
	if _, err := StartFile(path, Guard{}, zerolog.Nop()); !errors.Is(err, ErrLocked) {
		t.Errorf("second StartFile = %v, want ErrLocked", err)
	}
}

func TestTheLogGoesToZerolog(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(zerolog.New(&out).Level(zerolog.TraceLevel))
	log.Noticef("n %d", 1)
	log.Warnf("w %d", 2)
	log.Errorf("e %d", 3)
	log.Debugf("d %d", 4)
	log.Tracef("t %d", 5)
	if err := log.fatal(); err != nil {
		t.Fatalf("fatal = %v before anything was", err)
	}
	log.Fatalf("f %d", 6)
	want := `{"level":"info","component":"nats-server","message":"n 1"}
{"level":"warn","component":"nats-server","message":"w 2"}
{"level":"error","component":"nats-server","message":"e 3"}
{"level":"debug","component":"nats-server","message":"d 4"}
{"level":"trace","component":"nats-server","message":"t 5"}
{"level":"error","component":"nats-server","fatal":true,"message":"f 6"}
`
	if out.String() != want {
		t.Errorf("logged\n%s, want\n%s", &out, want)
	}
	if err := log.fatal(); err == nil || err.Error() != "f 6" {
		t.Errorf("fatal = %v", err)
	}
}
