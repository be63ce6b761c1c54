package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// knownSeed is the seed of the identity named name, the same in every run.
func knownSeed(name string) []byte {
	seed := sha256.Sum256([]byte("the seed of " + name))
	seed[0] = 0x5e
	return seed[:]
}

// known is an identity with the known seed.
func known(t testing.TB, name string, role Role) *Identity {
	t.Helper()
	id, err := NewIdentity(name, role, bytes.NewReader(knownSeed(name)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// publics are three members, an operator and an auditor, not in order.
func publics(t testing.TB) []Public {
	t.Helper()
	return []Public{
		known(t, "charlie", Member).Public(), known(t, "alice", Member).Public(), known(t, "eve", Auditor).Public(),
		known(t, "bob", Member).Public(), known(t, "otto", Operator).Public(),
	}
}

// agreed is a consortium of them.
func agreed(t testing.TB) *Consortium {
	t.Helper()
	c, err := NewConsortium(publics(t), 0, "RISK")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// put writes a file with exactly this mode.
func put(t testing.TB, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// reporter is what tests and properties have in common.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// says checks that an error has all the fragments, in one line.
func says(t reporter, err error, fragments ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("accepted: want an error with %q", fragments)
		return
	}
	for _, fragment := range fragments {
		if !strings.Contains(err.Error(), fragment) {
			t.Errorf("%q does not say %q", err, fragment)
		}
	}
	if strings.ContainsAny(err.Error(), "\n\r\t") {
		t.Errorf("%q is not one line", err)
	}
}

// silent checks that a text tells nothing of a secret: no 6 digits of it in a row, nor bytes of it.
func silent(t reporter, text string, secret []byte) {
	t.Helper()
	digits := hex.EncodeToString(secret)
	for i := 0; i+6 <= len(digits); i++ {
		if strings.Contains(strings.ToLower(text), digits[i:i+6]) {
			t.Fatalf("%q tells %q", text, digits[i:i+6])
		}
	}
	for i := 0; i+4 <= len(secret); i++ {
		if strings.Contains(text, string(secret[i:i+4])) {
			t.Fatalf("%q tells %q", text, secret[i:i+4])
		}
	}
}

// alone checks that a folder holds files of these names and nothing else.
func alone(t testing.TB, folder string, names ...string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := filepath.Glob(filepath.Join(folder, ".*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(names) || len(hidden) > 0 {
		t.Errorf("%s holds %v and %v, want %v", folder, found, hidden, names)
	}
	for _, name := range names {
		if _, err := os.Lstat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}
