package hub_test

import (
	"fmt"
	"strings"
	"testing"

	"riskprop/bus/hub/hubtest"
)

// widening is one thing that a configuration could permit bob beyond what it does.
type widening struct {
	hub       string // a subject of HUB, exported to bob and imported under local; empty: neither
	local     string // imported as this, with $1, $2, … for wildcards
	publish   string // permission; empty: none
	subscribe string // permission; empty: none
	caughtBy  string // for a permission: what the first attack that it permits is called
}

// apply returns what puts the widening into a configuration in which bob has this key.
func (w widening) apply(t *testing.T, bob string) func(string) string {
	replace := func(text, old, by string) string {
		if strings.Count(text, old) != 1 {
			t.Errorf("the configuration has %q %d times, want once", old, strings.Count(text, old))
		}
		return strings.Replace(text, old, by, 1)
	}
	return func(text string) string {
		if w.publish != "" {
			old := fmt.Sprintf(`{nkey: "%s", permissions: {publish: [`, bob)
			text = replace(text, old, fmt.Sprintf(`%s"%s", `, old, w.publish))
		}
		if w.subscribe != "" {
			old := `subscribe: ["_INBOX_bob.>"`
			text = replace(text, old, fmt.Sprintf(`%s, "%s"`, old, w.subscribe))
		}
		if w.hub != "" {
			text = replace(text, "exports: [", fmt.Sprintf(`exports: [{service: "%s", accounts: ["PARTY-bob"], response: stream}`, w.hub))
			at := strings.Index(text, `"PARTY-bob": {`)
			text = text[:at] + strings.Replace(text[at:], "imports: [", fmt.Sprintf(`imports: [{service: {account: HUB, subject: "%s"}, to: "%s"}`, w.hub, w.local), 1)
		}
		return text
	}
}

// service exports and imports a subject of HUB.
func service(hub string) widening {
	w := widening{hub: hub, local: strings.Replace(hub, "$JS.API", "RISK.API", 1)}
	for n := 1; strings.Contains(w.local, "*"); n++ {
		w.local = strings.Replace(w.local, "*", fmt.Sprint("$", n), 1)
	}
	return w
}

// The attacks see every way in which bob could be permitted more: else they would test nothing.
func TestEveryWideningIsSeen(t *testing.T) {
	t.Parallel()
	for _, w := range []widening{
		{publish: "risk.>", caughtBy: "publish as alice"},
		{publish: "risk.*.*.*.all.*.*", caughtBy: "publish as alice"},
		{publish: "private.>", caughtBy: "publish as alice, private"},
		{publish: "private.risk.*.*.*.bob.*.*", caughtBy: "publish as alice, private"},
		{publish: "_INBOX_alice.*", caughtBy: "publish"},
		{publish: "RISK.STORED.*", caughtBy: "publish"},
		{publish: "$JS.ACK.>", caughtBy: "publish"},
		{publish: "$SYS.REQ.SERVER.PING", caughtBy: "publish"},
		{publish: "RISK.API.DIRECT.GET.>", caughtBy: "get"},
		{publish: "RISK.API.DIRECT.GET.RISK-PRIVATE", caughtBy: "get {\"seq\":1}"},
		{publish: "RISK.API.DIRECT.GET.RISK-PRIVATE.private.risk.*.*.*.alice.*.*", caughtBy: "get"},
		{publish: "RISK.API.STREAM.MSG.GET.*", caughtBy: "message get {\"seq\":1}"},
		{publish: "RISK.API.CONSUMER.>", caughtBy: "pull consumer with one filter"},
		{publish: "RISK.API.CONSUMER.CREATE.RISK.*.risk.*.*.*.all.*.head", caughtBy: "pull consumer with one filter"},
		{publish: "RISK.API.CONSUMER.MSG.NEXT.RISK.*", caughtBy: "another's consumer"},
		{publish: "RISK.API.STREAM.DELETE.*", caughtBy: "stream"},
		{publish: "RISK.API.STREAM.UPDATE.*", caughtBy: "stream"},
		{publish: "RISK.API.STREAM.PURGE.*", caughtBy: "stream"},
		{publish: "$JS.API.>", caughtBy: "get without the prefix"},
		{subscribe: "risk.>", caughtBy: "subscribe"},
		{subscribe: "private.>", caughtBy: "subscribe"},
		{subscribe: "_INBOX_alice.>", caughtBy: "subscribe"},
		{subscribe: "$SYS.>", caughtBy: "subscribe"},
		{subscribe: ">", caughtBy: "subscribe"},
	} {
		t.Run("permission "+w.publish+w.subscribe, func(t *testing.T) {
			t.Parallel()
			s := hubtest.New(t, 1, false, "alice", "bob", "charlie")
			s.Edit = w.apply(t, s.Credentials("bob").NKey)
			s.Start(t, 0)
			if got := permitted(t, newAttacker(t, s)); got != w.caughtBy {
				t.Errorf("seen by %q, want %q", got, w.caughtBy)
			}
		})
	}
	// Where permissions are no help, the accounts are what can be widened.
	for _, w := range []widening{
		service("risk.*.*.*.*.alice.*"),
		service("private.risk.*.*.*.*.alice.*"),
		service("$JS.API.DIRECT.GET.RISK-PRIVATE"),
		service("$JS.API.DIRECT.GET.RISK-PRIVATE.private.risk.*.*.*.alice.*.*"),
		service("$JS.API.STREAM.MSG.GET.*"),
		service("$JS.API.CONSUMER.CREATE.RISK.bob-1.risk.*.*.*.all.*.head"),
		service("$JS.API.STREAM.DELETE.*"),
		service("$JS.API.STREAM.UPDATE.*"),
	} {
		t.Run("service "+w.hub, func(t *testing.T) {
			t.Parallel()
			err := try(t, newVictims(t, false, withoutPermissions, w), false)
			if err == nil {
				t.Error("no attack succeeded")
			}
			t.Log(err)
		})
	}
}

// permitted returns the first attack that bob may not carry out, and may.
func permitted(t *testing.T, bob *attacker) string {
	t.Helper()
	for _, x := range attacks() {
		if x.legal {
			continue
		}
		if _, violation, err := bob.send(x); err != nil {
			t.Fatal(err)
		} else if !violation {
			return x.name
		}
	}
	return ""
}
