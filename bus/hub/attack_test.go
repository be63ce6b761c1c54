package hub_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"riskprop/bus"
	"riskprop/bus/hub/hubtest"
	"riskprop/bus/jet"
)

// hang is when a test that waits gives up.
const hang = 30 * time.Second

// victims are alice, who has an inbox, is about to write, and reads all the time; and charlie, who writes what she reads.
type victims struct {
	site           *hubtest.Site
	alice, charlie *jet.Log
	records        chan bus.Record
	done           chan error
	written        int
}

// secret is what the records hold that are for alice alone.
const secret = "for alice's eyes"

// free are the slots that alice has yet to fill: a head, and parts to all, to bob and to herself.
func free() []string {
	return []string{head("alice", 1), part("alice", "all", 1), part("alice", "bob", 1), part("alice", "alice", 1)}
}

// newVictims starts a server whose configuration has the widenings and is then changed by edit, unless that is nil.
func newVictims(t *testing.T, tls bool, edit func(string) string, widenings ...widening) *victims {
	t.Helper()
	v := &victims{site: hubtest.New(t, 1, tls, "alice", "bob", "charlie"), records: make(chan bus.Record, 10000), done: make(chan error, 1)}
	v.site.Edit = func(text string) string {
		for _, w := range widenings {
			text = w.apply(t, v.site.Credentials("bob").NKey)(text)
		}
		if edit != nil {
			text = edit(text)
		}
		return text
	}
	v.site.StartAll(t)
	v.alice, v.charlie = v.site.Open(t, "alice"), v.site.Open(t, "charlie")
	if err := v.charlie.Append(t.Context(), part("charlie", "alice", 0), []byte(secret)); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, v.alice, head("alice", 0))
	go func() {
		v.done <- v.alice.Tail(t.Context(), 0, "risk.s.keygen.*.all.charlie.head",
			func(r bus.Record) error { v.records <- r; return nil }, func() error { return nil })
	}()
	return v
}

// unharmed returns what is wrong: alice's slots must be free, what is stored must be there, and what charlie writes must arrive.
func (v *victims) unharmed(t *testing.T) error {
	for _, slot := range free() {
		if data, err := v.alice.Get(t.Context(), slot); !errors.Is(err, bus.ErrNone) {
			return fmt.Errorf("alice's slot %s is taken: %q, %v", slot, data, err)
		}
	}
	if data, err := v.alice.Get(t.Context(), part("charlie", "alice", 0)); err != nil || string(data) != secret {
		return fmt.Errorf("alice's inbox holds %q, %v", data, err)
	}
	v.written++
	subject := head("charlie", v.written)
	if err := v.charlie.Append(t.Context(), subject, []byte(subject)); err != nil {
		return err
	}
	select {
	case r := <-v.records:
		if r.Subject != subject || string(r.Data) != subject {
			return fmt.Errorf("alice read %s %q, want %s", r.Subject, r.Data, subject)
		}
	case err := <-v.done:
		return fmt.Errorf("alice's Tail ended: %w", err)
	case <-time.After(hang):
		return errors.New("alice reads nothing more")
	}
	return nil
}

// finish checks that alice can fill her slots, also after the server was started again.
func (v *victims) finish(t *testing.T) error {
	v.site.Servers[0].Shutdown()
	v.site.Start(t, 0)
	log := v.site.Open(t, "alice")
	for _, slot := range free() {
		if err := log.Append(t.Context(), slot, []byte(slot)); err != nil {
			return fmt.Errorf("alice cannot fill her slot: %w", err)
		}
		if data, err := log.Get(t.Context(), slot); err != nil || string(data) != slot {
			return fmt.Errorf("alice's slot holds %q, %v", data, err)
		}
	}
	count, caughtUp := 0, errors.New("caught up")
	err := log.Tail(t.Context(), 0, "risk.s.keygen.*.all.*.head", func(r bus.Record) error {
		if !strings.Contains(r.Subject, ".bob.") {
			count++
		}
		return nil
	}, func() error { return caughtUp })
	if want := v.written + 2; err != caughtUp || count != want {
		return fmt.Errorf("%d of %d heads are left: %w", count, want, err)
	}
	return nil
}

// attacker is bob with a plain client of NATS.
type attacker struct {
	nc    *nats.Conn
	in    chan *nats.Msg // everything that is sent to inbox
	inbox string
	own   int
}

func newAttacker(t *testing.T, s *hubtest.Site) *attacker {
	t.Helper()
	a := &attacker{in: make(chan *nats.Msg, 10000)}
	c := s.Credentials("bob")
	options := []nats.Option{
		nats.Nkey(c.NKey, c.Sign), nats.CustomInboxPrefix("_INBOX_bob"), nats.MaxReconnects(-1), nats.ReconnectWait(10 * time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // seen by LastError
	}
	if s.CA != nil {
		options = append(options, nats.RootCAs(s.Config.CA))
	}
	var err error
	if a.nc, err = nats.Connect(strings.Join(s.URLs(), ","), options...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.nc.Close)
	a.inbox = a.nc.NewInbox()
	if _, err = a.nc.ChanSubscribe(a.inbox+".*", a.in); err != nil {
		t.Fatal(err)
	}
	return a
}

// attack is one thing that bob tries.
type attack struct {
	name    string
	subject string      // to publish to, or to subscribe to
	reply   string      // where he wants the answer; empty: his inbox
	header  nats.Header //
	body    string
	listen  bool // he subscribes
	legal   bool // he is permitted to send this; what comes of it must do no harm
}

// send sends what the attack says, or subscribes, and returns whether the server said that this is not permitted.
func (a *attacker) send(x attack) (heard *nats.Subscription, violation bool, err error) {
	before := a.nc.LastError()
	a.own++
	reply := x.reply
	if reply == "" {
		reply = fmt.Sprint(a.inbox, ".", a.own)
	}
	if x.listen {
		heard, err = a.nc.SubscribeSync(x.subject)
	} else {
		err = a.nc.PublishMsg(&nats.Msg{Subject: x.subject, Reply: reply, Header: x.header, Data: []byte(x.body)})
	}
	if err == nil {
		err = a.nc.FlushTimeout(hang) // the server reports a violation before it answers the flush
	}
	return heard, a.nc.LastError() != before, err
}

// carryOut does what the attack says and returns why it was no failure: what it gave bob that he must not have. denied says that he must
// not even be permitted to send it.
func (a *attacker) carryOut(x attack, denied bool) error {
	heard, violation, err := a.send(x)
	if err != nil {
		return err
	}
	if denied && !x.legal && !violation {
		return errors.New("this was permitted")
	}
	answers, err := a.answers(!violation && x.reply == "" && !x.listen)
	if err != nil {
		return err
	}
	if x.listen {
		for m, err := heard.NextMsg(0); err == nil; m, err = heard.NextMsg(0) {
			answers = append(answers, m)
		}
		_ = heard.Unsubscribe() // fails where it was not permitted
	}
	for _, m := range answers {
		if all := m.Subject + fmt.Sprint(m.Header) + string(m.Data); strings.Contains(all, secret) || x.listen && strings.Contains(all, ".alice.") {
			return fmt.Errorf("bob got %q", all)
		}
		if !x.legal && bytes.Contains(m.Data, []byte(`"type":"io.nats.jetstream.api`)) && !bytes.Contains(m.Data, []byte(`"error"`)) {
			return fmt.Errorf("the API did it: %s", m.Data)
		}
	}
	return nil
}

// answers returns what came to bob's inbox until requests of his own that follow, one to each stream, are answered. Where an answer to
// the attack is expected, it waits a little longer for one; what comes even later is among the answers of the next.
func (a *attacker) answers(expected bool) (answers []*nats.Msg, err error) {
	last := fmt.Sprint(a.inbox, ".", a.own, "-last")
	for _, subject := range []string{head("bob", 10000+a.own), "private." + part("bob", "charlie", 10000+a.own)} {
		if err := a.nc.PublishRequest(subject, last, []byte("x")); err != nil {
			return nil, err
		}
	}
	limit := time.After(hang)
	for missing := 2; missing > 0 || expected && len(answers) == 0; {
		select {
		case m := <-a.in:
			if m.Subject != last {
				answers = append(answers, m)
				continue
			}
			if missing--; missing == 0 {
				limit = time.After(50 * time.Millisecond)
			}
		case <-limit:
			if missing > 0 {
				return nil, fmt.Errorf("no answer, after %s", text(answers))
			}
			return answers, nil
		}
	}
	return answers, nil
}

func text(answers []*nats.Msg) string {
	var out []string
	for _, m := range answers {
		out = append(out, fmt.Sprintf("%v %.200s", m.Header, m.Data))
	}
	return strings.Join(out, "; ")
}

// try carries out all attacks and returns the first that did harm, and what.
func try(t *testing.T, v *victims, denied bool) error {
	bob := newAttacker(t, v.site)
	for _, x := range attacks() {
		if err := bob.carryOut(x, denied); err != nil {
			return fmt.Errorf("%s (%s): %w", x.name, x.subject, err)
		}
		if err := v.unharmed(t); err != nil {
			return fmt.Errorf("%s (%s): %w", x.name, x.subject, err)
		}
	}
	if err := v.finish(t); err != nil {
		return fmt.Errorf("in the end: %w", err)
	}
	return nil
}

// withoutPermissions lets every member send and hear what he likes, in his own account.
func withoutPermissions(config string) string {
	return regexp.MustCompile(`, permissions: \{publish: \["RISK[^}]*\}`).ReplaceAllString(config, "")
}

func TestAttacksFail(t *testing.T) {
	t.Parallel()
	t.Run("permissions", func(t *testing.T) {
		t.Parallel()
		if err := try(t, newVictims(t, true, nil), true); err != nil {
			t.Error(err)
		}
	})
	t.Run("accounts alone", func(t *testing.T) {
		t.Parallel()
		if err := try(t, newVictims(t, false, withoutPermissions), false); err != nil {
			t.Error(err)
		}
	})
}
