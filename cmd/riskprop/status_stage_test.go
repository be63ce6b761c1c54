package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/bus/jet"
	"riskprop/bus/mem"
	"riskprop/cmd/riskprop/internal/config"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// epoch is when the first record of every log of these tests is stored; each one after it comes a second later.
var epoch = time.Date(2026, time.December, 30, 12, 0, 0, 0, time.UTC)

// knownIdentities are always the same, so that the whole of a session is: they are for tests only.
func knownIdentities(t testing.TB) ([]*config.Identity, *config.Consortium) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{17})
	var ids []*config.Identity
	var publics []config.Public
	for _, c := range []struct {
		name string
		role config.Role
	}{{"alice", config.Member}, {"bob", config.Member}, {"charlie", config.Member}, {"oscar", config.Operator}, {"audrey", config.Auditor}} {
		id, err := config.NewIdentity(c.name, c.role, random)
		if err != nil {
			t.Fatal(err)
		}
		ids, publics = append(ids, id), append(publics, id.Public())
	}
	consortium, err := config.NewConsortium(publics, 0, streamName)
	if err != nil {
		t.Fatal(err)
	}
	return ids, consortium
}

// theatre is a consortium of three whose sessions run in lock step, as far as a test wants.
type theatre struct {
	t          *testing.T
	ids        []*party.Identity
	consortium *config.Consortium
	log        *partytest.Log
	readers    []*partytest.Reader
	passed     time.Duration // since the last record
	hook       mem.Hook
	input      [32]byte // what the members say depends on it
	ticks      chan time.Time
	outage     func() (jet.Outage, bool)
}

func newTheatre(t *testing.T) *theatre {
	t.Helper()
	all, consortium := knownIdentities(t)
	th := &theatre{t: t, consortium: consortium, passed: 10 * time.Second, log: partytest.NewLog(consortium.Roster())}
	for _, one := range all[:3] {
		id, err := one.Party()
		if err != nil {
			t.Fatal(err)
		}
		th.ids = append(th.ids, id)
	}
	return th
}

// session parses the rest of a session's file.
func (th *theatre) session(kind, id, rest string) *config.Session {
	th.t.Helper()
	text := fmt.Sprintf("version: 1\nkind: %s\nsession: %s\nroster: %x\n%s", kind, id, th.consortium.Roster().Digest(), rest)
	s, err := config.ParseSession("session.yaml", []byte(text))
	if err != nil {
		th.t.Fatal(err)
	}
	return s
}

// keys is a key generation that needs a few attempts.
func (th *theatre) keys() *config.Session {
	return th.session("keygen", "keys-2026", "key_bits: 256\nbatch: 5\ntrial_to: 100\n")
}

// run is a propagation over two periods, with two iterations each.
func (th *theatre) run() *config.Session {
	return th.session("propagate", "run-2026", "key_session: keys-2026\nperiods: 2\niterations: 2\ndelta: 0.5\ndeadline: 2026-12-31T18:00:00Z\n")
}

// begin has every member begin a session.
func (th *theatre) begin(proto, id string, first func(member int) (party.Round, error)) {
	th.t.Helper()
	th.readers = nil
	for i, identity := range th.ids {
		round, err := first(i)
		if err != nil {
			th.t.Fatal(err)
		}
		session := party.Session{Proto: proto, ID: id, Roster: th.consortium.Roster()}
		m, err := party.NewMachine(session, identity, th.input, round)
		if err != nil {
			th.t.Fatal(err)
		}
		th.readers = append(th.readers, partytest.NewReader(th.log, m))
	}
}

// beginKeys has the members begin the key generation.
func (th *theatre) beginKeys() {
	th.t.Helper()
	manifest, err := th.keys().KeygenManifest(th.consortium)
	if err != nil {
		th.t.Fatal(err)
	}
	th.begin(schema.Keygen, "keys-2026", func(int) (party.Round, error) { return keygen.Start(manifest, th.consortium.Roster()) })
}

// beginRun has the members begin the propagation, with the key that they have just generated.
func (th *theatre) beginRun() {
	th.t.Helper()
	var keys []*keygen.Done
	for _, r := range th.readers {
		keys = append(keys, r.Machine.Round().(*keygen.Done))
	}
	const header = "id_source,bank_source,id_destination,bank_destination,amount\n"
	th.begin(schema.Propagate, "run-2026", func(i int) (party.Round, error) {
		name := th.consortium.Roster().Member(i).Name
		transactions := header
		if name != "charlie" {
			transactions += "x,alice,x,bob,10\n"
		}
		l, err := ledger.Read(name, th.consortium.Roster().Names(), ledger.File{Name: "accounts", Data: []byte("id,risk_score\nx,0.5\n")},
			ledger.File{Name: "transactions", Data: []byte(transactions)})
		if err != nil {
			return nil, err
		}
		manifest, err := th.run().PropagateManifest(th.consortium, keys[i].ID)
		if err != nil {
			return nil, err
		}
		return propagate.Start(propagate.Config{Manifest: manifest, Roster: th.consortium.Roster(), Key: keys[i].Key, KeyID: keys[i].ID, Share: keys[i].Share, Ledger: l})
	})
}

// play lets everybody do all it can, in turn; who is in the list of limits does nothing any more when it has come to that round.
func (th *theatre) play(limits map[string]int) {
	th.t.Helper()
	for moved := true; moved; {
		moved = false
		for i, r := range th.readers {
			limit, limited := limits[th.consortium.Roster().Member(i).Name]
			for !limited || r.Machine.Number() < limit {
				stepped, err := r.Step()
				if err != nil {
					th.t.Fatal(err)
				}
				if !stepped {
					break
				}
				moved = true
			}
		}
	}
}

// everybody stops in a round.
func everybody(round int) map[string]int {
	return map[string]int{"alice": round, "bob": round, "charlie": round}
}

// until plays until alice comes to a round of this name.
func (th *theatre) until(name string) {
	th.t.Helper()
	for th.readers[0].Machine.Name() != name {
		before := th.readers[0].Machine.Number()
		th.play(everybody(before + 1))
		if th.readers[0].Machine.Number() == before {
			th.t.Fatalf("no round %s", name)
		}
	}
}

// reader is a member's.
func (th *theatre) reader(name string) *partytest.Reader {
	th.t.Helper()
	i, ok := th.consortium.Roster().Index(name)
	if !ok {
		th.t.Fatalf("no member %s", name)
	}
	return th.readers[i]
}

// settle has a member go on without those who have not spoken.
func (th *theatre) settle(name string) {
	th.t.Helper()
	if ok, err := th.reader(name).Settle(); !ok || err != nil {
		th.t.Fatal(ok, err)
	}
}

// abort has a member leave the session.
func (th *theatre) abort(name, culprit, reason string) {
	th.t.Helper()
	effect, ok := th.reader(name).Machine.Abort(culprit, reason)
	if !ok {
		th.t.Fatal("nothing to say")
	}
	th.put(effect.Slot.Subject(), effect.Data)
}

func (th *theatre) put(subject string, data []byte) {
	th.t.Helper()
	if err := th.log.Put(subject, data); err != nil {
		th.t.Fatal(err)
	}
}

// split has a member say in its current round of the key generation what it says in another world, where bob is another.
func (th *theatre) split(name string) {
	th.t.Helper()
	other := newTheatre(th.t)
	other.input = [32]byte{1}
	other.beginKeys()
	number := th.reader(name).Machine.Number()
	other.play(everybody(number))
	other.play(everybody(number + 1))
	slot := schema.Slot{Session: "keys-2026", Proto: schema.Keygen, Round: number, To: schema.All, From: name, Part: schema.HeadPart}
	th.put(slot.Subject(), other.log.Records[slot.Subject()])
}

// clocked gives every record its time.
type clocked struct{ bus.Log }

func (c clocked) Tail(ctx context.Context, after uint64, filter string, fold func(bus.Record) error, head func() error) error {
	return c.Log.Tail(ctx, after, filter, func(r bus.Record) error {
		r.Time = epoch.Add(time.Duration(r.Seq) * time.Second)
		return fold(r)
	}, head)
}

// store is the log as it is now, in a store that can be followed.
func (th *theatre) store() *mem.Store {
	th.t.Helper()
	store := mem.NewStore()
	log := store.Open(nil)
	for _, subject := range th.log.Order {
		if err := log.Append(th.t.Context(), subject, th.log.Records[subject]); err != nil {
			th.t.Fatal(err)
		}
	}
	return store
}

// over makes a run of status over a store.
func (th *theatre) over(store *mem.Store, u *ui, command statusCommand) *statusRun {
	now := epoch.Add(time.Duration(len(th.log.Order))*time.Second + th.passed)
	return &statusRun{statusCommand: command, ui: u, logger: zerolog.Nop(), log: clocked{store.Open(th.hook)}, roster: th.consortium.Roster(),
		now: func() time.Time { return now }, patience: time.Millisecond}
}

// show is what status shows of a session.
func (th *theatre) show(session *config.Session, command statusCommand) string {
	th.t.Helper()
	u, stdout, _ := screens(nil)
	if err := th.over(th.store(), u, command).session(th.t.Context(), session, th.consortium); err != nil {
		th.t.Fatal(err)
	}
	return stdout.String()
}

// status is the JSON object of a session.
func (th *theatre) status(session *config.Session) sessionStatus {
	th.t.Helper()
	var s sessionStatus
	decoder := json.NewDecoder(strings.NewReader(th.show(session, statusCommand{JSON: true})))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		th.t.Fatal(err)
	}
	return s
}
