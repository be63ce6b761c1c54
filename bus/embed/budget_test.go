package embed

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/nats-io/nkeys"
	"golang.org/x/time/rate"

	"riskprop/bus"
)

// begin is when the tests of this file begin.
func begin() time.Time { return time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC) }

// walk looks at an account every 50 ms, which sends a steady traffic a second, and returns how often it went beyond its share.
func walk(a *account, from time.Time, seconds int, perSecond traffic) (beyond int) {
	const looks = 20 // a second
	sent := a.seen
	for i := range seconds * looks {
		now := from.Add(time.Duration(i+1) * time.Second / looks)
		part := func(all int64) int64 { return all*int64(i+1)/looks - all*int64(i)/looks }
		sent = traffic{sent.messages + part(perSecond.messages), sent.bytes + part(perSecond.bytes), sent.subscriptions + part(perSecond.subscriptions), sent.connections + part(perSecond.connections)}
		if _, out := a.look(now, sent); out {
			beyond++
		}
	}
	return beyond
}

// What keeps to a share is never shut out, what is above it is; a third of it on each of three servers.
func TestShares(t *testing.T) {
	const limit = bus.GuardUnits
	for _, c := range []struct {
		name      string
		servers   int
		perSecond traffic
		beyond    bool
	}{
		{"nothing", 1, traffic{}, false},
		{"the share", 1, traffic{messages: limit, subscriptions: limit}, false},
		{"a tenth more", 1, traffic{messages: limit * 11 / 10}, true},
		{"large ones", 1, traffic{messages: 10, bytes: 40 << 20}, true}, // 144 GB an hour
		{"subscriptions alone", 1, traffic{subscriptions: limit * 11 / 10}, true},
		{"connections", 1, traffic{connections: connectionsRate}, false},
		{"many connections", 1, traffic{connections: 3 * connectionsRate}, true},
		{"a third", 3, traffic{messages: limit / 3, subscriptions: limit}, false},
		{"half", 3, traffic{messages: limit / 2}, true},
	} {
		if beyond := walk(newAccount(DefaultGuard(), c.servers), begin(), 3600, c.perSecond); (beyond > 0) != c.beyond {
			t.Errorf("%s: beyond its share %d times, want that to be %v", c.name, beyond, c.beyond)
		}
	}
}

// Three processes of a party that go as fast as they may, on one of three servers, are not shut out.
func TestAPartyAtItsFastestIsWithinItsShare(t *testing.T) {
	type paced struct{ records, batches *rate.Limiter }
	var processes []paced
	for range 3 {
		processes = append(processes, paced{bus.Limiter(bus.PaceUnits, bus.PaceUnitsBurst), bus.Limiter(bus.PaceBatches, bus.PaceBatchesBurst)})
	}
	a := newAccount(DefaultGuard(), 3)
	var sent traffic
	for i := range 20 * 60 { // a minute of replaying, without a pause
		now := begin().Add(time.Duration(i) * 50 * time.Millisecond)
		for _, p := range processes {
			for _, bucket := range []*rate.Limiter{p.records, p.batches} {
				for bucket.AllowN(now, 1) {
					sent.messages++
					sent.subscriptions++
				}
			}
		}
		if _, beyond := a.look(now, sent); beyond {
			t.Fatalf("shut out after %d messages, at %v", sent.messages, now.Sub(begin()))
		}
	}
	if want := int64(3 * 60 * (bus.PaceUnits + bus.PaceBatches)); sent.messages < want {
		t.Errorf("they have sent %d messages only, want %d", sent.messages, want)
	}
}

// After the machine has stood still for a while, what an honest party has sent meanwhile is still within its share, and a flood is not.
func TestAStandstill(t *testing.T) {
	for perSecond, beyond := range map[int64]bool{bus.GuardUnits * 9 / 10: false, 3 * bus.GuardUnits: true} {
		for _, pause := range []int64{1, 10, 60, 3600} { // seconds
			a := newAccount(DefaultGuard(), 1)
			a.look(begin(), traffic{})
			if _, out := a.look(begin().Add(time.Duration(pause)*time.Second), traffic{messages: perSecond * pause}); out != beyond && (beyond || pause <= 60) {
				t.Errorf("%d a second for %d s: shut out is %v", perSecond, pause, out)
			}
		}
	}
}

// A large message counts as what it takes of the disk.
func TestBytesCount(t *testing.T) {
	few := DefaultGuard()
	few.Volume = 1 << 40
	for bytes, beyond := range map[int64]bool{(bus.GuardBurst - 2) * bus.UnitBytes: false, (bus.GuardBurst + 2) * bus.UnitBytes: true} {
		if _, out := newAccount(few, 1).look(begin(), traffic{messages: 1, bytes: bytes}); out != beyond {
			t.Errorf("%d bytes at once: shut out is %v", bytes, out)
		}
	}
	few.Volume = 1 << 20
	if _, out := newAccount(few, 1).look(begin(), traffic{messages: 1, bytes: 1<<20 + 1}); !out {
		t.Error("more than an hour's volume at once is within the share")
	}
}

// Who goes on is shut out for longer each time, up to an hour, and for a minute again when he has kept to his share for long.
func TestTermsGrow(t *testing.T) {
	a := newAccount(DefaultGuard(), 1)
	now, sent := begin(), traffic{}
	flood := func() time.Duration {
		sent.messages += 1_000_000
		if _, beyond := a.look(now, sent); !beyond || !a.shut {
			t.Fatal("a flood is within the share")
		}
		term := a.until.Sub(now)
		sent.messages += 1_000_000
		if _, beyond := a.look(a.until.Add(-1), sent); beyond || !a.shut {
			t.Fatal("what comes while the account is shut out shuts it out again, or it is admitted too early")
		}
		now = a.until
		if _, beyond := a.look(now, sent); beyond || a.shut {
			t.Fatal("the account is still shut out when its term is over")
		}
		return term
	}
	for i, want := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		if got := flood(); got != time.Duration(want)*time.Minute {
			t.Errorf("term %d is %v, want %d minutes", i, got, want)
		}
	}
	if now = now.Add(forgiven); flood() != time.Minute {
		t.Error("nothing is forgiven")
	}
}

// A signature is one of the nonce of this connection, and there must be one.
func TestSigned(t *testing.T) {
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	sign := func(nonce string) string {
		raw, err := key.Sign([]byte(nonce))
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	standard := func(signature string) string { // encoded as by other clients
		raw, err := base64.RawURLEncoding.DecodeString(signature)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(raw)
	}
	for _, c := range []struct {
		nkey, nonce, signature string
		want                   bool
	}{
		{public, "nonce", sign("nonce"), true},
		{public, "nonce", standard(sign("nonce")), true},
		{public, "nonce", sign("other"), false},
		{public, "", sign(""), false},
		{public, "nonce", "", false},
		{public, "nonce", "?", false},
		{"", "nonce", sign("nonce"), false},
	} {
		if got := signed(c.nkey, []byte(c.nonce), c.signature); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
