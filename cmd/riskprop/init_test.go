package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riskprop/cmd/riskprop/internal/config"
)

// The folder and the secret are for their owner alone, the public file for everybody, and both are what the other commands read.
func TestInitFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	if got := runHere(t, "init", "alice", "--dir=banks/alice"); got.status != statusOK {
		t.Fatalf("%+v", got)
	}
	for path, want := range map[string]os.FileMode{
		"banks/alice": os.ModeDir | 0o700, "banks/alice/identity.yaml": 0o600, "banks/alice/alice.pub.yaml": 0o644,
	} {
		if info, err := os.Lstat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, want mode %v", path, err, want)
		}
	}
	id, err := config.ReadIdentity("banks/alice/identity.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if public, err := config.Load("banks/alice/alice.pub.yaml", config.ParsePublic); err != nil || public != id.Public() {
		t.Errorf("%+v, %v, want %+v", public, err, id.Public())
	}
}

// Where the public file cannot be written the secret does not stay: nothing would tell whose it is.
func TestInitWritesBothOrNone(t *testing.T) {
	t.Chdir(t.TempDir())
	c := &initCommand{Name: "alice", Dir: "new", Role: "member"}
	id, err := config.NewIdentity("alice", config.Member, strings.NewReader(strings.Repeat("seed", 8)))
	if err != nil {
		t.Fatal(err)
	}
	c.Name = partyName(strings.Repeat("a", 300)) // a file's name that is too long
	if err := c.write(id, "new/identity.yaml", nil, []byte("public")); err == nil {
		t.Error("written")
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
		t.Errorf("left %v, %v", entries, err)
	}
	c.Name = "alice"
	if err := c.write(id, "new/identity.yaml", nil, []byte("public")); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob("new/*"); err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}
