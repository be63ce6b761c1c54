package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus/jet"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/exampledata"
	"riskprop/party/ledger"
	"riskprop/party/plain"
)

// elsewhere holds sessions as a consortium does: a server and a party for every bank, each a process of its own that finds its files in a
// folder, and speaks TLS.
type elsewhere struct {
	ui     *ui
	logger zerolog.Logger
	dir    string   // absolute
	banks  []string // sorted
	terms  *terms

	roster  [32]byte
	address string
	server  *child
	key     string // session of the last key
}

// What a consortium on one machine calls its files and its operator.
const (
	benchOperator  = "operator"
	consortiumFile = "consortium.yaml"
	sessionFile    = "session.yaml"
)

// serverIn is how long a server may take until it answers.
const serverIn = time.Minute

// newElsewhere makes the files of a consortium in an empty folder, starts its server and creates the log.
func newElsewhere(ctx context.Context, u *ui, logger zerolog.Logger, dir string, banks []string, t *terms) (*elsewhere, error) {
	e := &elsewhere{ui: u, logger: logger, dir: dir, banks: banks, terms: t}
	if err := e.found(); err != nil {
		return nil, err
	}
	var err error
	e.server, err = startChild(ctx, "the server", e.path("server.log"), func(*child, string) {}, "server", "--config", e.path("nats", "nats-1.conf"))
	if err != nil {
		return nil, err
	}
	if err := e.createLog(ctx); err != nil {
		_, failed := e.close()
		return nil, errors.Join(err, failed)
	}
	return e, nil
}

func (e *elsewhere) path(parts ...string) string {
	return filepath.Join(append([]string{e.dir}, parts...)...)
}

// found makes identities, the consortium of them, and the server's configuration.
func (e *elsewhere) found() error {
	var publics []config.Public
	for _, name := range append([]string{benchOperator}, e.banks...) {
		role := config.Member
		if name == benchOperator {
			role = config.Operator
		}
		id, err := config.NewIdentity(name, role, rand.Reader)
		if err != nil {
			return err
		}
		publics = append(publics, id.Public())
		if err := os.MkdirAll(e.path("identities"), 0o700); err != nil {
			return err
		}
		if err := config.WriteIdentity(e.path("identities", name+".yaml"), id, nil); err != nil {
			return err
		}
	}
	consortium, err := config.NewConsortium(publics, int(e.terms.keygen.Threshold), streamName)
	if err != nil {
		return err
	}
	e.roster = consortium.Roster().Digest()
	if err := config.WriteNew(e.path(consortiumFile), consortium.Marshal(), publicMode); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	e.address = fmt.Sprintf("tls://127.0.0.1:%d", port)
	hub := serverConfigCommand{Out: folder(e.path("nats")), Nodes: 1, Host: []string{"127.0.0.1"}, Port: port, DevCA: true}
	files, _, err := hub.files(consortium)
	if err != nil {
		return err
	}
	return writeNewFiles(string(hub.Out), files)
}

// freePort finds a port of the loopback interface that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port for the server: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// configure writes the configuration of a party into a folder below the consortium's.
func (e *elsewhere) configure(place, name, more string) error {
	text := fmt.Sprintf("version: 1\nname: %[1]s\nidentity: ../identities/%[1]s.yaml\nconsortium: ../%[2]s\nservers: [%[3]s]\nca: ../nats/ca.pem\n%[4]s",
		name, consortiumFile, e.address, more)
	return config.WriteNew(e.path(place, name+".yaml"), []byte(text), secretMode)
}

// createLog creates the log as soon as the server answers.
func (e *elsewhere) createLog(ctx context.Context) error {
	if err := os.Mkdir(e.path(benchOperator), 0o700); err != nil {
		return err
	}
	if err := e.configure(benchOperator, benchOperator, "replicas: 1\n"); err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, serverIn)
	defer cancel()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for {
		command := streamCommand{Config: e.path(benchOperator, benchOperator+".yaml"), Patience: serverIn}
		err := command.Run(limit, silent(), e.logger)
		if !errors.Is(err, jet.ErrUnreachable) {
			return err
		}
		select {
		case <-pause.C:
		case <-e.server.ended:
			return e.server.failure()
		case <-limit.Done():
			return errors.Join(context.Cause(ctx), err)
		}
	}
}

// silent is a ui for a subcommand of which only the outcome is of interest.
func silent() *ui { return newUI(io.Discard, io.Discard, func(error) {}) }

func (e *elsewhere) keygen(ctx context.Context, session string) (*measured, error) {
	text := fmt.Sprintf("version: 1\nkind: keygen\nsession: %s\nroster: %x\nkey_bits: %d\n", session, e.roster, e.terms.keygen.KeyBits)
	if err := e.prepare(session, text, nil); err != nil {
		return nil, err
	}
	done, outcomes, err := e.hold(ctx, session, newMeter(len(e.banks), 1, oneForAll))
	if err != nil {
		return nil, err
	}
	e.key, done.attempts = session, *outcomes[0].Keygen
	return done, nil
}

func (e *elsewhere) propagate(ctx context.Context, data benchData) (*measured, error) {
	text := fmt.Sprintf("version: 1\nkind: propagate\nsession: %s\nroster: %x\nkey_session: %s\nperiods: %d\niterations: %d\ndelta: %v\n",
		data.session, e.roster, e.key, e.terms.propagate.Periods, len(e.terms.delta), e.terms.schedule)
	folders, err := exampledata.Random(data.config)
	if err != nil {
		return nil, err
	}
	if err := e.prepare(data.session, text, folders); err != nil {
		return nil, err
	}
	done, outcomes, err := e.hold(ctx, data.session, newMeter(len(e.banks), len(benchPhases()), phaseOf))
	if err != nil {
		return nil, err
	}
	for i, bank := range e.banks {
		scores, err := readScores(outcomes[i].Scores)
		if err != nil {
			return nil, err
		}
		done.results = append(done.results, plain.Result{Bank: bank, Scores: scores})
	}
	return done, nil
}

func readScores(path string) ([]ledger.Score, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ledger.ParseScores(ledger.File{Name: path, Data: text})
}

// prepare writes the files of a session: its own, the parties' configurations, and their data.
func (e *elsewhere) prepare(session, text string, data []exampledata.Folder) error {
	if err := os.Mkdir(e.path(session), 0o700); err != nil {
		return err
	}
	if err := config.WriteNew(e.path(session, sessionFile), []byte(text), secretMode); err != nil {
		return err
	}
	// Nobody goes on without another party, however slow it is.
	for _, bank := range e.banks {
		if err := e.configure(session, bank, fmt.Sprintf("data: data/%[1]s\nscores: scores/%[1]s\ngrace: 24h\n", bank)); err != nil {
			return err
		}
	}
	return writeData(e.path(session, "data"), data)
}

// shared lets every bank read its share on the log.
func (e *elsewhere) shared(ctx context.Context) (*sharedKey, error) {
	k := new(sharedKey)
	for _, bank := range e.banks {
		m, err := loadMember(ctx, silent(), e.logger, e.path(e.key, bank+".yaml"), e.path(e.key, sessionFile))
		if err != nil {
			return nil, err
		}
		log, hangUp, err := m.connect(ctx, keyPatience)
		if err != nil {
			return nil, err
		}
		share, err := m.keyShare(ctx, log, e.key)
		hangUp()
		if err != nil {
			return nil, err
		}
		k.key, k.shares = share.Key, append(k.shares, share.Share)
	}
	return k, nil
}

func (e *elsewhere) close() (*benchServer, error) {
	peak := peakOf(e.server.cmd.Process.Pid)
	e.server.stop()
	<-e.server.ended
	used := new(benchServer)
	used.CPU, used.Peak = usageOf(e.server.cmd.ProcessState, peak)
	if err := e.server.err; err != nil && !errors.Is(err, context.Canceled) {
		return used, e.server.failure()
	}
	return used, nil
}
