package config

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/sample"
	"riskprop/schema"
)

// names draws names of parties, those that YAML could take for something else among them.
func names() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"null", "Null", "NULL", "true", "no", "Off", "y", "-", "--", "---", "_", "1", "0x1f", "0b1", "0o7", "1e5", "1_0", "-1", "2001-01-01"}),
		rapid.StringMatching(`[A-Za-z0-9_-]{1,32}`).Filter(func(s string) bool { return s != schema.All }),
	)
}

// parties draws a party of each given role, of different names.
func parties(t *rapid.T, roles ...Role) []Public {
	drawn := rapid.SliceOfNDistinct(names(), len(roles), len(roles), rapid.ID).Draw(t, "names")
	var all []Public
	for i, role := range roles {
		id, err := NewIdentity(drawn[i], role, sample.Stream([32]byte{byte(i), 1}))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, id.Public())
	}
	return all
}

func TestPublicIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := parties(t, rapid.SampledFrom([]Role{Member, Auditor, Operator}).Draw(t, "role"))[0]
		got, err := ParsePublic("p.yaml", want.Marshal())
		if err != nil || got != want {
			t.Fatalf("%q is read as %+v, %v", want.Marshal(), got, err)
		}
	})
}

func TestPublicRefused(t *testing.T) {
	member, auditor := string(known(t, "alice", Member).Public().Marshal()), string(known(t, "eve", Auditor).Public().Marshal())
	nkey := known(t, "alice", Member).Public().NKey
	for _, c := range []struct{ text, from, to, says string }{
		{member, "name: alice", "name: all", `a.pub.yaml:2:7: name: the name "all" is reserved`},
		{member, "name: alice", "name: " + strings.Repeat("a", 33), "a.pub.yaml:2:7: name: name"},
		{member, "role: member", "role: auditor", "a.pub.yaml:4:7: sign: auditor has no such key, only members have: remove the line"},
		{member, "sign: ", "sign: 0", "a.pub.yaml:4:7: sign: this must be 64 lower-case hexadecimal digits"},
		{member, "seal: ", "seel: ", "a.pub.yaml:5:1: seel is unknown"},
		{member, nkey, nkey[:55] + "A", "a.pub.yaml:6:7: nkey: this must be the nkey of a user"},
		{member, nkey, strings.ToLower(nkey), "a.pub.yaml:6:7: nkey: this must be the nkey of a user"},
		{member, nkey, "A" + nkey[1:], "a.pub.yaml:6:7: nkey: this must be"},
		{member, nkey, nkey[:55], "a.pub.yaml:6:7: nkey: this must be"},
		{auditor, "role: auditor", "role: member", "a.pub.yaml: sign is missing"},
		{auditor, "role: auditor", "role: member\nsign: " + strings.Repeat("ab", 32), "a.pub.yaml: seal is missing"},
		{auditor, "nkey: ", "mkey: ", "a.pub.yaml:4:1: mkey is unknown"},
		{auditor, "role: auditor\n", "", "a.pub.yaml: role is missing"},
	} {
		if !strings.Contains(c.text, c.from) {
			t.Fatalf("%q has no %q", c.text, c.from)
		}
		_, err := ParsePublic("a.pub.yaml", []byte(strings.Replace(c.text, c.from, c.to, 1)))
		says(t, err, c.says)
	}
}

func TestConsortium(t *testing.T) {
	c := agreed(t)
	if c.Threshold != 1 || c.Stream != "RISK" || c.Operator.Name != "otto" || c.Auditor.Name != "eve" || c.Roster().Len() != 3 {
		t.Errorf("%+v", c)
	}
	if got := c.Roster().Names(); !slices.Equal(got, []string{"alice", "bob", "charlie"}) {
		t.Error(got)
	}
	for i, p := range c.Members {
		if member := c.Roster().Member(i); member.Name != p.Name || Hex32(member.Sign) != p.Sign || Hex32(member.Seal) != p.Seal {
			t.Errorf("member %d is %v and %v", i, member, p)
		}
	}
}

// sameConsortium compares two consortia by all that is in them.
func sameConsortium(t reporter, a, b *Consortium) {
	t.Helper()
	if a.Stream != b.Stream || a.Threshold != b.Threshold || !slices.Equal(a.Members, b.Members) || a.Operator != b.Operator ||
		(a.Auditor == nil) != (b.Auditor == nil) || a.Auditor != nil && *a.Auditor != *b.Auditor ||
		a.Roster().Digest() != b.Roster().Digest() || a.Fingerprint() != b.Fingerprint() {
		t.Fatalf("%+v is not %+v", a, b)
	}
}

func TestConsortiumIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		roles := append(slices.Repeat([]Role{Member}, rapid.SampledFrom([]int{3, 3, 4, 4, 5, 6, 7, 8, 9, schema.MaxMembers}).Draw(t, "members")), Operator)
		if rapid.Bool().Draw(t, "audited") {
			roles = append(roles, Auditor)
		}
		all := parties(t, roles...)
		stream := rapid.OneOf(names(), rapid.Just("RISK")).Draw(t, "stream")
		threshold := rapid.IntRange(0, (len(all)-2)/2).Draw(t, "threshold")
		if threshold > (slices.Index(roles, Operator)-1)/2 {
			threshold = 0
		}
		c, err := NewConsortium(all, threshold, stream)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseConsortium("c.yaml", c.Marshal())
		if err != nil {
			t.Fatalf("%s\n%v", c.Marshal(), err)
		}
		sameConsortium(t, c, back)
		shuffled, err := NewConsortium(rapid.Permutation(all).Draw(t, "order"), threshold, stream)
		if err != nil {
			t.Fatal(err)
		}
		sameConsortium(t, c, shuffled)
		if !bytes.Equal(c.Marshal(), shuffled.Marshal()) {
			t.Fatalf("%s\nis not\n%s", c.Marshal(), shuffled.Marshal())
		}
	})
}

func TestConsortiumThatCannotBe(t *testing.T) {
	good := publics(t)
	with := func(change func(p []Public) []Public) []Public { return change(slices.Clone(good)) }
	for _, c := range []struct {
		publics   []Public
		threshold int
		stream    string
		says      []string
	}{
		{good, 2, "RISK", []string{"threshold 2 with 3 members"}},
		{good, -1, "RISK", []string{"threshold -1 with 3 members"}},
		{good, 0, "", []string{`stream ""`, "1 to 32 letters"}},
		{good, 0, "a.b", []string{`stream "a.b"`}},
		{good, 0, strings.Repeat("a", 33), []string{"stream"}},
		{good[:4], 0, "RISK", []string{"nobody is operator", "--role operator"}},
		{good[1:], 0, "RISK", []string{"2 members"}},
		{append(slices.Clone(good), known(t, "oscar", Operator).Public()), 0, "RISK", []string{"otto, oscar are all operators"}},
		{append(slices.Clone(good), known(t, "edith", Auditor).Public()), 0, "RISK", []string{"eve, edith are all auditors"}},
		{with(func(p []Public) []Public { p[4].Name = "alice"; return p }), 0, "RISK", []string{"two parties have the name alice"}},
		{with(func(p []Public) []Public { p[1].Name = "bob"; return p }), 0, "RISK", []string{`"bob" is listed twice`}},
		{with(func(p []Public) []Public { p[4].NKey = p[1].NKey; return p }), 0, "RISK", []string{"alice and otto have the same nkey"}},
		{with(func(p []Public) []Public { p[2].NKey = "U"; return p }), 0, "RISK", []string{"nkey of eve"}},
		{with(func(p []Public) []Public { p[2].Name = "e e"; return p }), 0, "RISK", []string{`name "e e"`}},
		{with(func(p []Public) []Public { p[0].Sign = p[1].Sign; return p }), 0, "RISK", []string{`"alice" and "charlie" share a key`}},
		{with(func(p []Public) []Public { p[0].Seal = Hex32{}; return p }), 0, "RISK", []string{"charlie", "low order"}},
		{with(func(p []Public) []Public { p[0].Role = "boss"; return p }), 0, "RISK", []string{`"charlie" has no role`}},
	} {
		got, err := NewConsortium(c.publics, c.threshold, c.stream)
		says(t, err, c.says...)
		if got != nil {
			t.Errorf("%v", got)
		}
	}
	if c, err := NewConsortium(with(func(p []Public) []Public { return append(p[:2], p[3:]...) }), 0, "RISK"); err != nil || c.Auditor != nil {
		t.Errorf("without an auditor: %v, %v", c, err)
	}
}

func TestConsortiumFileRefused(t *testing.T) {
	c := agreed(t)
	good := string(c.Marshal())
	digest := fmt.Sprintf("%x", c.Roster().Digest())
	for _, c := range []struct{ from, to, says string }{
		{"stream: RISK", "stream: a.b", `c.yaml:2:9: stream: stream "a.b"`},
		{"stream: RISK\n", "", "c.yaml: stream is missing"},
		{"threshold: 1", "threshold: 2", "c.yaml: threshold 2 with 3 members"},
		{"threshold: 1", "threshold: 32", "c.yaml:3:12: threshold: this must be a whole number from 0 to 31"},
		{"threshold: 1", "threshold: 0", "c.yaml: threshold 0 with 3 members"},
		{"roster: " + digest[:1], "roster: 0", "c.yaml:4:9: roster: this is not the digest of the members below, which is " + digest},
		{"- name: alice", "- name: anna", "c.yaml:4:9: roster: this is not the digest"},
		{"- name: alice", "- name: bob", `c.yaml: member "bob" is listed twice`},
		{"- name: alice\n    sign", "- sign", "c.yaml:6:"},
		{"    seal: ", "    seel: ", "c.yaml:8:5: members[0].seel is unknown: the keys here are name, sign, seal, nkey"},
		{"    nkey: ", "    nkey: X", "c.yaml:9:11: members[0].nkey: this must be the nkey of a user"},
		{"    nkey: ", "    role: member\n    nkey: ", "c.yaml:9:5: members[0].role is unknown"},
		{"operator:\n  name: otto", "operator:\n  name: bob", "c.yaml: two parties have the name bob"},
		{"operator:\n  name: otto\n  nkey: " + c.Operator.NKey, "operator: x", "c.yaml:18:11: operator must be a mapping with the keys name, nkey"},
		{"operator:\n", "opperator:\n", "c.yaml:18:1: opperator is unknown"},
		{"auditor:\n", "auditor: &x\n", "c.yaml:21:10: anchors"},
		{"members:\n", "members: []\nm:\n", "c.yaml:6:1: m is unknown"},
	} {
		if !strings.Contains(good, c.from) {
			t.Fatalf("%q has no %q", good, c.from)
		}
		_, err := ParseConsortium("c.yaml", []byte(strings.Replace(good, c.from, c.to, 1)))
		says(t, err, c.says)
	}
	head, tail, _ := strings.Cut(good, "members:\n")
	_, rest, _ := strings.Cut(tail, "operator:")
	for members, fragment := range map[string]string{
		"":              "c.yaml: members is missing",
		"members: x\n":  "c.yaml:5:10: members: this must be a list",
		"members: []\n": "c.yaml:5:10: members: there are 0 elements in the list: between 1 and 31 are possible",
		"members: [" + strings.Repeat("{name: a},", 31) + "{name: a}]\n": "c.yaml:5:10: members: there are 32 elements",
		"members: [x]\n":         "c.yaml:5:11: members[0] must be a mapping with the keys name, sign, seal, nkey",
		"members: [{name: a}]\n": "members[0].sign is missing",
	} {
		_, err := ParseConsortium("c.yaml", []byte(head+members+"operator:"+rest))
		says(t, err, fragment)
	}
}

// The fingerprint has the form that people read out, stays what it was, and changes with everything in the consortium.
func TestFingerprint(t *testing.T) {
	base := agreed(t)
	const want = "56f3-a311-25b7-f140-0dee-de9e-a782-e657"
	if got := base.Fingerprint(); got != want {
		t.Errorf("fingerprint %s, want %s: consortia that were compared look different now", got, want)
	}
	seen := map[string]string{want: "nothing"}
	others := known(t, "mallory", Member).Public()
	for what, change := range map[string]func(c *Consortium){
		"stream":        func(c *Consortium) { c.Stream = "RISQ" },
		"threshold":     func(c *Consortium) { c.Threshold = 2 },
		"name":          func(c *Consortium) { c.Members[0].Name = "alicia" },
		"sign":          func(c *Consortium) { c.Members[1].Sign = others.Sign },
		"seal":          func(c *Consortium) { c.Members[2].Seal = others.Seal },
		"nkey":          func(c *Consortium) { c.Members[0].NKey = others.NKey },
		"member":        func(c *Consortium) { c.Members = append(c.Members, others) },
		"fewer":         func(c *Consortium) { c.Members = c.Members[:2] },
		"operator":      func(c *Consortium) { c.Operator.NKey = others.NKey },
		"operator name": func(c *Consortium) { c.Operator.Name = "oscar" },
		"no auditor":    func(c *Consortium) { c.Auditor = nil },
		"auditor":       func(c *Consortium) { c.Auditor.NKey = others.NKey },
		"auditor name":  func(c *Consortium) { c.Auditor.Name = "edith" },
	} {
		c := agreed(t)
		change(c)
		if twin, twice := seen[c.Fingerprint()]; twice {
			t.Errorf("a change of %s has the fingerprint of a change of %s", what, twin)
		}
		seen[c.Fingerprint()] = what
	}
}
