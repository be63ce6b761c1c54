package party_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"riskprop/crypto/fixed"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// stage is where a script is played.
type stage struct {
	roster    *schema.Roster
	ids       []*party.Identity
	first     func(t *testing.T, member int) party.Round // the session's first round, for a member
	session   party.Session
	keys      []*keygen.Done
	banks     map[string][2]string // accounts and transactions
	cheats    map[string]alteration
	logs      []*shownLog
	processes []*process
	names     map[int]string // of rounds
	out       strings.Builder
}

// process is a party that is up.
type process struct {
	*partytest.Reader
	name  string
	log   *shownLog
	ended bool
}

// shownLog is a log, and how much of it was printed.
type shownLog struct {
	*partytest.Log
	name  string
	shown int // heads
	round int // the round of the last of them
}

func newStage() *stage {
	return &stage{banks: make(map[string][2]string)}
}

func (s *stage) command(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	s.out.Reset()
	commands := map[string]func(*testing.T, *datadriven.TestData){
		"consortium": s.consortium, "keygen": s.keygen, "key": s.key, "bank": s.bank, "propagate": s.propagate,
		"start": s.start, "cheat": s.cheat, "step": s.step, "run": s.run, "crash": s.crash, "leave": s.leave,
		"settle": s.settle, "noise": s.noise, "log": s.log, "relay": s.relay, "show": s.show,
	}
	run, known := commands[d.Cmd]
	if !known {
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	run(t, d)
	if s.out.Len() == 0 {
		return "ok"
	}
	return s.out.String()
}

func (s *stage) printf(format string, args ...any) { fmt.Fprintf(&s.out, format, args...) }

// words are the arguments without a value.
func words(d *datadriven.TestData) []string {
	var list []string
	for _, arg := range d.CmdArgs {
		if len(arg.Vals) == 0 {
			list = append(list, arg.Key)
		}
	}
	return list
}

// value is an argument's value, or a default.
func value(d *datadriven.TestData, key, otherwise string) string {
	for _, arg := range d.CmdArgs {
		if arg.Key == key && len(arg.Vals) > 0 {
			return strings.Join(arg.Vals, ", ")
		}
	}
	return otherwise
}

func number(t *testing.T, d *datadriven.TestData, key string, otherwise int) int {
	n, err := strconv.Atoi(value(d, key, strconv.Itoa(otherwise)))
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	return n
}

func (s *stage) consortium(t *testing.T, d *datadriven.TestData) {
	var err error
	if s.roster, s.ids, err = partytest.Identities(words(d)...); err != nil {
		d.Fatalf(t, "%v", err)
	}
	for _, p := range s.processes {
		p.Close()
	}
	s.processes, s.cheats, s.names = nil, make(map[string]alteration), make(map[int]string)
	s.logs = []*shownLog{{Log: partytest.NewLog(s.roster), name: "the log", round: -1}}
	s.printf("roster %s\n", short(s.roster.Digest()))
}

func (s *stage) manifest(bits, threshold, batch int, session string) schema.KeygenManifest {
	return schema.KeygenManifest{Version: schema.ManifestVersion, Session: session, Roster: s.roster.Digest(), KeyBits: uint32(bits),
		Threshold: uint32(threshold), Kappa: 80, Batch: uint32(batch), TrialTo: 4096}
}

func (s *stage) keygen(t *testing.T, d *datadriven.TestData) {
	manifest := s.manifest(256, number(t, d, "threshold", 1), number(t, d, "batch", 8), value(d, "session", ""))
	odd := value(d, "odd", "")
	s.session = party.Session{Proto: schema.Keygen, ID: manifest.Session, Roster: s.roster}
	s.first = func(t *testing.T, member int) party.Round {
		own := manifest
		if s.roster.Member(member).Name == odd {
			own.TrialTo++
		}
		return started(t)(keygen.Start(own, s.roster))
	}
}

func started(t *testing.T) func(party.Round, error) party.Round {
	return func(first party.Round, err error) party.Round {
		if err != nil {
			t.Fatal(err)
		}
		return first
	}
}

func (s *stage) key(t *testing.T, d *datadriven.TestData) {
	manifest := s.manifest(512, 1, 64, "key")
	var machines []*party.Machine
	for _, id := range s.ids {
		first := started(t)(keygen.Start(manifest, s.roster))
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: "key", Roster: s.roster}, id, [32]byte{}, first)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
	}
	if err := partytest.Run(partytest.NewLog(s.roster), machines...); err != nil {
		t.Fatal(err)
	}
	for _, m := range machines {
		s.keys = append(s.keys, m.Round().(*keygen.Done))
	}
	s.printf("key %s of %d bits\n", short(s.keys[0].ID), s.keys[0].Key.N.BitLen())
}

func (s *stage) bank(t *testing.T, d *datadriven.TestData) {
	accounts, transactions := accountColumns, transactionColumns
	for line := range strings.Lines(d.Input + "\n") {
		if strings.Count(line, ",") == 1 {
			accounts += line
		} else {
			transactions += line
		}
	}
	s.banks[words(d)[0]] = [2]string{accounts, transactions}
	s.printf("%d accounts, %d transactions\n", strings.Count(accounts, "\n")-1, strings.Count(transactions, "\n")-1)
}

func (s *stage) propagate(t *testing.T, d *datadriven.TestData) {
	manifest := schema.PropagateManifest{Version: schema.ManifestVersion, Session: value(d, "session", ""), KeySession: "keys", Roster: s.roster.Digest(),
		Key: s.keys[0].ID, Periods: uint32(number(t, d, "periods", 1)), ScoreBits: 32, WeightBits: 40, MaxAccounts: 100, MaxEdges: 100,
		FailOnMismatch: value(d, "mismatch", "ignore") == "fail"}
	for _, text := range strings.Split(value(d, "delta", "0.5"), ", ") {
		delta, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		manifest.Delta = append(manifest.Delta, fixed.Delta(delta, 40))
	}
	s.session = party.Session{Proto: schema.Propagate, ID: manifest.Session, Roster: s.roster}
	s.first = func(t *testing.T, member int) party.Round {
		files := s.banks[s.roster.Member(member).Name]
		l, err := ledger.Read(s.roster.Member(member).Name, s.roster.Names(),
			ledger.File{Name: "accounts.csv", Data: []byte(files[0])}, ledger.File{Name: "transactions.csv", Data: []byte(files[1])})
		if err != nil {
			t.Fatal(err)
		}
		return started(t)(propagate.Start(propagate.Config{Manifest: manifest, Roster: s.roster, Key: s.keys[0].Key, KeyID: s.keys[0].ID,
			Share: s.keys[member].Share, Ledger: l}))
	}
}

// start makes processes. Their input is what they bring, digested; "input" stands for other data.
func (s *stage) start(t *testing.T, d *datadriven.TestData) {
	log := s.logs[0]
	if i := slices.IndexFunc(s.logs, func(l *shownLog) bool { return l.name == value(d, "log", "") }); i >= 0 {
		log = s.logs[i]
	}
	for _, name := range words(d) {
		member, ok := s.roster.Index(name)
		if !ok {
			d.Fatalf(t, "%s is no member", name)
		}
		files := s.banks[name]
		input := schema.Digest("test", []byte(value(d, "input", "")), []byte(files[0]), []byte(files[1]))
		m, err := party.NewMachine(s.session, s.ids[member], input, cheating(s.first(t, member), s.cheats[name]))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		s.processes = append(s.processes, &process{Reader: partytest.NewReader(log.Log, m), name: name, log: log})
	}
	slices.SortStableFunc(s.processes, func(a, b *process) int { return strings.Compare(a.name, b.name) })
}

// nonsense are the lies of cheats.
func nonsense() map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"nothing": func([]byte) []byte { return nil },
		"ones": func(data []byte) []byte {
			return []byte(strings.Repeat("\xff", len(data)))
		},
		"twice": func(data []byte) []byte { return slices.Concat(data, data) },
	}
}

func (s *stage) cheat(t *testing.T, d *datadriven.TestData) {
	name, at, to := words(d)[0], value(d, "round", ""), party.Everybody
	if recipient := value(d, "to", schema.All); recipient != schema.All {
		to, _ = s.roster.Index(recipient)
	}
	lie, known := nonsense()[value(d, "say", "")]
	if !known {
		d.Fatalf(t, "no such lie")
	}
	s.cheats[name] = func(round string, draft party.Draft) party.Draft {
		if round == at && draft.To == to {
			draft.Data = lie(draft.Data)
		}
		return draft
	}
}
