package config

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riskprop/crypto/fixed"
	"riskprop/schema"
)

// keygenText is a key generation of the consortium, with everything in it.
func keygenText(c *Consortium) string {
	return fmt.Sprintf(`version: 1
kind: keygen
session: keys-2026
roster: %x
deadline: 2026-12-31T19:00:00+01:00
key_bits: 3072
threshold: 1
kappa: 90
batch: 128
trial_to: 4096
`, c.Roster().Digest())
}

// propagateText is a propagation of the consortium, with everything in it.
func propagateText(c *Consortium) string {
	return fmt.Sprintf(`version: 1
kind: propagate
session: run-2026-q4
roster: %x
deadline: 2026-12-31T18:00:00Z
key_session: keys-2026
periods: 3
iterations: 2
delta: {a: 0.5, b: 1}
score_bits: 30
weight_bits: 35
mismatch: fail
randomizer: full
disclosure: {max_single_source: 0}
max_accounts: 1000
max_edges: 2000
`, c.Roster().Digest())
}

// deadline is that of both.
func deadline() time.Time { return time.Date(2026, 12, 31, 18, 0, 0, 0, time.UTC) }

func TestKeygenSession(t *testing.T) {
	c := agreed(t)
	digest := c.Roster().Digest()
	small := fmt.Sprintf("version: 1\nkind: keygen\nsession: 2026\nroster: %x\n", digest)
	for text, want := range map[string]schema.KeygenManifest{
		keygenText(c): {
			Version: 1, Session: "keys-2026", Roster: digest, KeyBits: 3072, Threshold: 1, Kappa: 90, Batch: 128, TrialTo: 4096,
			Deadline: uint64(deadline().Unix()),
		},
		small: {Version: 1, Session: "2026", Roster: digest, KeyBits: 2048, Threshold: 1, Kappa: 80, Batch: 384, TrialTo: 1 << 17},
	} {
		s, err := ParseSession("keygen.yaml", []byte(text))
		if err != nil {
			t.Errorf("%s\n%v", text, err)
			continue
		}
		got, err := s.KeygenManifest(c)
		if err != nil || got != want {
			t.Errorf("%s\nis read as %+v, %v, want %+v", text, got, err, want)
		}
		if s.Kind != schema.Keygen || s.ID != want.Session || s.KeySession() != want.Session || s.Roster != digest || s.Deadline.IsZero() != (want.Deadline == 0) {
			t.Errorf("%+v", s)
		}
		_, err = s.PropagateManifest(c, [32]byte{})
		says(t, err, "keygen.yaml: this is a session of kind keygen: one of kind propagate is needed")
	}
}

// The threshold is the consortium's where the session has none of its own.
func TestThresholdOfASession(t *testing.T) {
	all := publics(t)
	for _, name := range []string{"dora", "fred"} {
		all = append(all, known(t, name, Member).Public())
	}
	c, err := NewConsortium(all, 0, "RISK")
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]uint32{"": 2, "threshold: 1\n": 1, "threshold: 2\n": 2, "threshold: 3\n": 0, "threshold: 15\n": 0} {
		s, err := ParseSession("s.yaml", fmt.Appendf(nil, "version: 1\nkind: keygen\nsession: k\nroster: %x\n%s", c.Roster().Digest(), line))
		if err != nil {
			t.Fatal(err)
		}
		switch got, err := s.KeygenManifest(c); {
		case want == 0:
			says(t, err, "s.yaml: threshold", "with 5 members")
		case err != nil || got.Threshold != want:
			t.Errorf("%q gives %d, %v, want %d", line, got.Threshold, err, want)
		}
	}
}

func TestPropagateSession(t *testing.T) {
	c := agreed(t)
	digest, key := c.Roster().Digest(), [32]byte{7}
	s, err := ParseSession("run.yaml", []byte(propagateText(c)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.PropagateManifest(c, key)
	want := schema.PropagateManifest{
		Version: 1, Session: "run-2026-q4", Roster: digest, Key: key, KeySession: "keys-2026", Periods: 3,
		Delta: []uint64{1 << 34, 1 << 33}, ScoreBits: 30, WeightBits: 35, FailOnMismatch: true, FullRandomizer: true,
		LimitDisclosure: true, MaxSingleSource: 0, MaxAccounts: 1000, MaxEdges: 2000, Deadline: uint64(deadline().Unix()),
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	if s.Kind != schema.Propagate || s.ID != "run-2026-q4" || s.KeySession() != "keys-2026" || s.Roster != digest || s.Deadline != deadline() {
		t.Errorf("%+v", s)
	}
	got.Delta[0] = 0
	if again, err := s.PropagateManifest(c, key); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("the second manifest is %+v, %v", again, err)
	}
	_, err = s.KeygenManifest(c)
	says(t, err, "run.yaml: this is a session of kind propagate: one of kind keygen is needed")

	s, err = ParseSession("run.yaml", fmt.Appendf(nil,
		"version: 1\nkind: propagate\nsession: r\nroster: %x\nkey_session: k\nperiods: 1\ndelta: [0.5, 0.25, 0]\ndisclosure: {max_single_source: 3}\n", digest))
	if err != nil {
		t.Fatal(err)
	}
	got, err = s.PropagateManifest(c, key)
	want = schema.PropagateManifest{
		Version: 1, Session: "r", Roster: digest, Key: key, KeySession: "k", Periods: 1, Delta: []uint64{1 << 39, 1 << 38, 0},
		ScoreBits: 32, WeightBits: 40, LimitDisclosure: true, MaxSingleSource: 3, MaxAccounts: 1 << 20, MaxEdges: 1 << 22,
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// A session is of one consortium, and says so of another, with both digests and the place.
func TestSessionOfAnotherConsortium(t *testing.T) {
	c := agreed(t)
	other, err := NewConsortium(append(publics(t), known(t, "dora", Member).Public()), 0, "RISK")
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"s.yaml:4:9: roster: ", fmt.Sprintf("%x", c.Roster().Digest()), fmt.Sprintf("%x", other.Roster().Digest())}
	s, err := ParseSession("s.yaml", []byte(keygenText(c)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.KeygenManifest(other)
	says(t, err, both...)
	if s, err = ParseSession("s.yaml", []byte(propagateText(c))); err != nil {
		t.Fatal(err)
	}
	_, err = s.PropagateManifest(other, [32]byte{})
	says(t, err, both...)
}

// Every way to write the deltas gives what fixed.Schedule makes of the same text, in units of 2^-weight_bits.
func TestDeltas(t *testing.T) {
	c := agreed(t)
	rapid.Check(t, func(t *rapid.T) {
		iterations, bits := rapid.IntRange(1, 20).Draw(t, "iterations"), rapid.IntRange(8, 62).Draw(t, "bits")
		number := rapid.Custom(func(t *rapid.T) string {
			return strconv.FormatFloat(rapid.Float64Range(0, 0.999).Draw(t, "x"), rapid.SampledFrom([]byte("fge")).Draw(t, "form"), -1, 64)
		})
		lines, flag := fmt.Sprintf("iterations: %d\n", iterations), ""
		switch rapid.IntRange(0, 2).Draw(t, "way") {
		case 0:
			flag = number.Draw(t, "constant")
			lines += "delta: " + flag + "\n"
		case 1:
			list := rapid.SliceOfN(number, iterations, iterations).Draw(t, "list")
			flag = strings.Join(list, ",")
			if rapid.Bool().Draw(t, "silent") {
				lines = ""
			}
			if rapid.Bool().Draw(t, "flow") {
				lines += "delta: [" + strings.Join(list, ", ") + "]\n"
			} else {
				lines += "delta:\n  - " + strings.Join(list, "\n  - ") + "\n"
			}
		case 2:
			a, b := number.Draw(t, "a"), number.Draw(t, "b")
			flag = "{" + a + "," + b + "}"
			lines += "delta:\n  a: " + a + "\n  b: " + b + "\n"
		}
		text := fmt.Sprintf("version: 1\nkind: propagate\nsession: r\nroster: %x\nkey_session: k\nperiods: 1\nweight_bits: %d\n%s", c.Roster().Digest(), bits, lines)
		s, err := ParseSession("s.yaml", []byte(text))
		if err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		manifest, err := s.PropagateManifest(c, [32]byte{})
		if err != nil {
			t.Fatal(err)
		}
		schedule, err := fixed.ParseSchedule(flag)
		if err != nil {
			t.Fatal(err)
		}
		floats, err := schedule.Resolve(iterations)
		if err != nil || len(manifest.Delta) != iterations {
			t.Fatalf("%d deltas, %v", len(manifest.Delta), err)
		}
		for i, x := range floats {
			if got := float64(manifest.Delta[i]); math.Abs(got-math.Ldexp(x, bits)) > 1+math.Ldexp(1, bits-50) {
				t.Fatalf("delta %d is %v, want about %v", i, got, math.Ldexp(x, bits))
			}
		}
	})
}

func TestSessionRefused(t *testing.T) {
	c := agreed(t)
	long := "[" + strings.Repeat("0.5,", 1000) + "0.5]"
	const place = "this must be a time with its zone, to the second, such as 2026-12-31T18:00:00Z"
	for _, x := range []struct{ text, from, to, says string }{
		{keygenText(c), "kind: keygen\n", "", "s.yaml: kind is missing"},
		{keygenText(c), "kind: keygen", "kind: sign", "s.yaml:2:7: kind: choose one of keygen, propagate"},
		{keygenText(c), "kind: keygen", "kind: propagate", "s.yaml:6:11: key_bits: a session of kind propagate has no such field: remove the line"},
		{propagateText(c), "kind: propagate", "kind: keygen", "s.yaml:6:14: key_session: a session of kind keygen has no such field"},
		{keygenText(c), "session: keys-2026\n", "", "s.yaml: session is missing"},
		{keygenText(c), "session: keys-2026", "session: keys.2026", `s.yaml:3:10: session: session "keys.2026"`},
		{keygenText(c), "roster: ", "roster: 0", "s.yaml:4:9: roster: this must be 64"},
		{keygenText(c), "roster: ", "roaster: ", "s.yaml:4:1: roaster is unknown: the keys here are version, kind, session, roster, deadline, key_bits"},
		{keygenText(c), "+01:00", "", "s.yaml:5:11: deadline: " + place},
		{keygenText(c), "+01:00", ".5+01:00", "s.yaml:5:11: deadline: " + place},
		{keygenText(c), "2026-12-31T19:00:00+01:00", "2026-12-31", "s.yaml:5:11: deadline: " + place},
		{keygenText(c), "2026-12-31T19:00:00+01:00", "1969-12-31T00:00:00Z", "s.yaml:5:11: deadline: " + place},
		{keygenText(c), "2026-12-31T19:00:00+01:00", "9999-12-31T23:59:59-01:00", "s.yaml:5:11: deadline: " + place},
		{keygenText(c), "2026-12-31T19:00:00+01:00", "1798740000", "s.yaml:5:11: deadline: " + place},
		{keygenText(c), "key_bits: 3072", "key_bits: 2000", "s.yaml: key_bits is 2000: choose one of"},
		{keygenText(c), "key_bits: 3072", "key_bits: 4294969344", "s.yaml:6:11: key_bits: this must be a whole number from 0 to 4294967295"},
		{keygenText(c), "threshold: 1", "threshold: 0", "s.yaml:7:12: threshold: threshold 0"},
		{keygenText(c), "threshold: 1", "threshold: 16", "s.yaml:7:12: threshold: threshold 16"},
		{keygenText(c), "kappa: 90", "kappa: 39", "s.yaml: kappa 39 is not between 40 and 256"},
		{keygenText(c), "batch: 128", "batch: 0", "s.yaml: batch 0 is not between"},
		{keygenText(c), "trial_to: 4096", "trial_to: 0", "s.yaml: trial_to 0 is not between"},
		{propagateText(c), "key_session: keys-2026\n", "", "s.yaml: key_session is missing"},
		{propagateText(c), "periods: 3\n", "", "s.yaml: periods is missing"},
		{propagateText(c), "periods: 3", "periods: 0", "s.yaml: periods 0 is not between 1 and 10000"},
		{propagateText(c), "iterations: 2\n", "", "s.yaml: iterations is missing"},
		{propagateText(c), "iterations: 2", "iterations: 0", "s.yaml:8:13: iterations: choose 1 to 1000"},
		{propagateText(c), "iterations: 2", "iterations: 1001", "s.yaml:8:13: iterations: this must be a whole number from 0 to 1000"},
		{propagateText(c), "{a: 0.5, b: 1}", "[0.5, 0.4, 0.3]", "s.yaml:8:13: iterations: 2, but delta lists 3 values"},
		{propagateText(c), "{a: 0.5, b: 1}", "[0.5]", "s.yaml:8:13: iterations: 2, but delta lists 1 values"},
		{propagateText(c), "{a: 0.5, b: 1}", long, "s.yaml:9:8: delta: there are 1001 elements in the list: between 1 and 1000 are possible"},
		{propagateText(c), "{a: 0.5, b: 1}", "[0.5, half]", "s.yaml:9:14: delta[1]: not a decimal number"},
		{propagateText(c), "{a: 0.5, b: 1}", "[0.5, 1]", "s.yaml:9:8: delta: delta 1 of iteration 1 is outside [0, 1)"},
		{propagateText(c), "{a: 0.5, b: 1}", "1.0", "s.yaml:9:8: delta: delta 1 of iteration 0 is outside"},
		{propagateText(c), "{a: 0.5, b: 1}", `"0.5,0.4"`, "s.yaml:9:8: delta: not a decimal number"},
		{propagateText(c), "{a: 0.5, b: 1}", `"{0.5,1}"`, "s.yaml:9:8: delta: not a decimal number"},
		{propagateText(c), "{a: 0.5, b: 1}", "{a: 1.5, b: 1}", "s.yaml:9:8: delta: delta 1.5 of iteration 0 is outside"},
		{propagateText(c), "{a: 0.5, b: 1}", "{a: 0.5}", "delta.b is missing"},
		{propagateText(c), "{a: 0.5, b: 1}", "{a: 0.5, b: x}", "s.yaml:9:20: delta.b: not a decimal number"},
		{propagateText(c), "{a: 0.5, b: 1}", "{a: 0.5, b: 1, c: 2}", "s.yaml:9:23: delta.c is unknown: the keys here are a, b"},
		{propagateText(c), "delta: {a: 0.5, b: 1}\n", "", "s.yaml: delta is missing"},
		{propagateText(c), "score_bits: 30", "score_bits: 7", "s.yaml: score_bits 7 is not between"},
		{propagateText(c), "weight_bits: 35", "weight_bits: 63", "s.yaml: weight_bits 63 is not between"},
		{propagateText(c), "mismatch: fail", "mismatch: warn", "s.yaml:12:11: mismatch: choose one of ignore, fail"},
		{propagateText(c), "randomizer: full", "randomizer: none", "s.yaml:13:13: randomizer: choose one of short, full"},
		{propagateText(c), "disclosure: {max_single_source: 0}", "disclosure: 0", "s.yaml:14:13: disclosure must be a mapping with the keys max_single_source"},
		{propagateText(c), "{max_single_source: 0}", "{max_single_source: -1}", "s.yaml:14:33: disclosure.max_single_source: this must be a whole number"},
		{propagateText(c), "max_accounts: 1000", "max_accounts: 0", "s.yaml: max_accounts 0 is not between"},
		{propagateText(c), "max_edges: 2000", "max_edges: 99999999", "s.yaml: max_edges 99999999 is not between"},
		{propagateText(c), "periods: 3\niterations: 2\ndelta: {a: 0.5, b: 1}", "periods: 10000\niterations: 1000\ndelta: 0.5",
			"s.yaml: iterations times periods are 10000000"},
	} {
		if !strings.Contains(x.text, x.from) {
			t.Fatalf("%q has no %q", x.text, x.from)
		}
		got, err := ParseSession("s.yaml", []byte(strings.Replace(x.text, x.from, x.to, 1)))
		says(t, err, x.says)
		if got != nil {
			t.Errorf("%+v", got)
		}
	}
}
