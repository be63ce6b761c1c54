package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// one checks that an error is one line, and shorter than what it is about could make it.
func one(t *testing.T, err error) {
	t.Helper()
	if text := err.Error(); bytes.ContainsAny([]byte(text), "\n\r\x00") || len(text) > 1000 {
		t.Errorf("error %q", text)
	}
}

func FuzzParsePublic(f *testing.F) {
	for _, p := range publics(f) {
		f.Add(p.Marshal())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePublic("f", data)
		if err != nil {
			one(t, err)
			return
		}
		if again, err := ParsePublic("f", p.Marshal()); err != nil || again != p {
			t.Errorf("%q is %+v, and again %+v, %v", data, p, again, err)
		}
	})
}

func FuzzParseConsortium(f *testing.F) {
	f.Add(agreed(f).Marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConsortium("f", data)
		if err != nil {
			one(t, err)
			return
		}
		again, err := ParseConsortium("f", c.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		sameConsortium(t, c, again)
	})
}

func FuzzParseIdentity(f *testing.F) {
	for _, role := range []Role{Member, Auditor, Operator} {
		f.Add(known(f, "alice", role).marshal())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		id, err := parseIdentity("f", data)
		if err != nil {
			one(t, err)
			return
		}
		again, err := parseIdentity("f", id.marshal())
		if err != nil || *again.seed != *id.seed || again.Name != id.Name || again.Role != id.Role {
			t.Errorf("%v is again %v, %v", id, again, err)
		}
	})
}

// FuzzParseKeyShare: what is behind the passphrase was written by somebody as well.
func FuzzParseKeyShare(f *testing.F) {
	c := agreed(f)
	f.Add(shareOf(f, c, secretShare()).marshal())
	f.Fuzz(func(t *testing.T, data []byte) {
		share, err := parseKeyShare("f", data)
		if err != nil {
			one(t, err)
			return
		}
		if err := share.complete(c.Roster()); err != nil {
			one(t, err)
			return
		}
		again, err := parseKeyShare("f", share.marshal())
		if err != nil || again.complete(c.Roster()) != nil {
			t.Fatal(err)
		}
		sameShare(t, share, again)
	})
}

// FuzzParseParty: what is read has what every party needs.
func FuzzParseParty(f *testing.F) {
	f.Add([]byte(fullParty))
	f.Add([]byte(smallParty))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseParty("f", data)
		if err != nil {
			one(t, err)
			return
		}
		again, err := ParseParty("f", data)
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Errorf("%+v is again %+v, %v", p, again, err)
		}
		if p.Name == "" || p.Identity == "" || p.Consortium == "" || len(p.Servers) == 0 || p.Grace < 0 || p.Replicas != 1 && p.Replicas != 3 {
			t.Errorf("%+v", p)
		}
	})
}

// FuzzParseSession: what is read makes a manifest of its consortium that is valid, or an error.
func FuzzParseSession(f *testing.F) {
	c := agreed(f)
	f.Add([]byte(keygenText(c)))
	f.Add([]byte(propagateText(c)))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSession("f", data)
		if err != nil {
			one(t, err)
			return
		}
		if k, err := s.KeygenManifest(c); err != nil {
			one(t, err)
		} else if err := k.Validate(c.Roster().Len()); err != nil || k.Session != s.ID {
			t.Errorf("%+v: %v", k, err)
		}
		if p, err := s.PropagateManifest(c, [32]byte{1}); err != nil {
			one(t, err)
		} else if err := p.Validate(); err != nil || p.Session != s.ID || p.KeySession != s.KeySession() {
			t.Errorf("%+v: %v", p, err)
		}
	})
}

// A corpus that was lost would otherwise go unnoticed.
func TestFuzzSeedsAreThere(t *testing.T) {
	for _, target := range []string{
		"FuzzParsePublic", "FuzzParseConsortium", "FuzzParseIdentity", "FuzzParseKeyShare", "FuzzParseParty", "FuzzParseSession",
	} {
		seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		if err != nil || len(seeds) == 0 {
			t.Errorf("%s has no seeds in testdata: %v", target, err)
		}
		for _, seed := range seeds {
			data, err := os.ReadFile(seed)
			if err != nil || !bytes.HasPrefix(data, []byte("go test fuzz v1\n")) {
				t.Errorf("%s is not a seed: %v", seed, err)
			}
		}
	}
}
