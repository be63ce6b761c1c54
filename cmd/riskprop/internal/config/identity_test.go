package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"
	"pgregory.net/rapid"
)

// noPassphrase fails where a passphrase is asked for.
func noPassphrase(t *testing.T) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Error("a passphrase was asked for")
		return nil, errors.New("none")
	}
}

// sameKeys checks that two identities are the same.
func sameKeys(t *testing.T, a, b *Identity) {
	t.Helper()
	if a.Name != b.Name || a.Role != b.Role || *a.seed != *b.seed || a.Public() != b.Public() {
		t.Errorf("%v with %v is not %v with %v", a, a.Public(), b, b.Public())
	}
}

func TestIdentityIsReadBack(t *testing.T) {
	for _, role := range []Role{Member, Auditor, Operator} {
		path := filepath.Join(t.TempDir(), "identity.yaml")
		id := known(t, "alice", role)
		if err := WriteIdentity(path, id, nil); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		back, err := ReadIdentity(path, noPassphrase(t))
		if err != nil {
			t.Fatal(err)
		}
		sameKeys(t, id, back)
		says(t, WriteIdentity(path, id, nil), path+" is there already")
	}
}

// This test and its like for key shares pay for the work factor of real files.
func TestWriteIdentityBehindAPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.age")
	id := known(t, "alice", Member)
	if err := WriteIdentity(path, id, []byte("pass")); err != nil {
		t.Fatal(err)
	}
	realFile(t, path, id.seed[:])
}

// realFile checks that a file is encrypted as files of real secrets are, which is too dear to be undone here.
func realFile(t *testing.T, path string, secret []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	rearmored(t, data, func(raw []byte) []byte {
		if bytes.Contains(raw, secret) || bytes.Contains(raw, fmt.Appendf(nil, "%x", secret)) {
			t.Errorf("the secret is in the file")
		}
		if !regexp.MustCompile(`^age-encryption.org/v1\n-> scrypt [A-Za-z0-9+/]+ 18\n`).Match(raw) {
			t.Errorf("the file begins with %.80q", raw)
		}
		return raw
	})
}

func TestEncryptedIdentityIsReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.age")
	id := known(t, "alice", Member)
	if err := writeEncrypted(path, id.marshal(), []byte("pass"), quickWork); err != nil {
		t.Fatal(err)
	}
	passphrase := []byte("pass")
	back, err := ReadIdentity(path, func() ([]byte, error) { return passphrase, nil })
	if err != nil {
		t.Fatal(err)
	}
	sameKeys(t, id, back)
	if !bytes.Equal(passphrase, make([]byte, 4)) {
		t.Errorf("the passphrase %q was not overwritten", passphrase)
	}
}

func TestEncryptedIdentityRefuses(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "identity.age")
	id := known(t, "alice", Member)
	if err := writeEncrypted(path, id.marshal(), []byte("right"), quickWork); err != nil {
		t.Fatal(err)
	}
	_, err := ReadIdentity(path, func() ([]byte, error) { return []byte("wrong"), nil })
	says(t, err, path+": the passphrase does not open it")
	_, err = ReadIdentity(path, func() ([]byte, error) { return nil, nil })
	says(t, err, path+": the passphrase is empty")
	none := errors.New("no terminal")
	if _, err = ReadIdentity(path, func() ([]byte, error) { return nil, none }); !errors.Is(err, none) {
		t.Error(err)
	}
	says(t, err, path+" is encrypted: no terminal")
	says(t, WriteIdentity(filepath.Join(folder, "new"), id, []byte{}), "new: the passphrase is empty")
	alone(t, folder, "identity.age")
}

// Each way in which a member is known comes from the one seed, and none tells another.
func TestKeysOfAnIdentity(t *testing.T) {
	id := known(t, "alice", Member)
	own, err := id.Party()
	if err != nil {
		t.Fatal(err)
	}
	public := id.Public()
	if member := own.Public(); Hex32(member.Sign) != public.Sign || Hex32(member.Seal) != public.Seal || member.Name != "alice" {
		t.Errorf("%v is not %v", member, public)
	}
	name, sign, err := id.NKey()
	if err != nil || name != public.NKey || name[0] != 'U' {
		t.Fatalf("%s, %v, want %s", name, err, public.NKey)
	}
	signature, err := sign([]byte("nonce"))
	if err != nil {
		t.Fatal(err)
	}
	user, err := nkeys.FromPublicKey(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := user.Verify([]byte("nonce"), signature); err != nil {
		t.Error(err)
	}
	other := known(t, "bob", Member).Public()
	if other.NKey == public.NKey || other.Sign == public.Sign || other.Seal == public.Seal || public.Sign == public.Seal {
		t.Error("keys repeat")
	}
	for _, role := range []Role{Auditor, Operator} {
		watcher := known(t, "alice", role)
		_, err := watcher.Party()
		says(t, err, "alice is "+string(role)+", not a member")
		if got := watcher.Public(); got.Sign != (Hex32{}) || got.Seal != (Hex32{}) || got.NKey != public.NKey {
			t.Errorf("%+v", got)
		}
	}
}

func TestIdentityThatCannotBe(t *testing.T) {
	_, err := NewIdentity("all", Member, endless{})
	says(t, err, `"all" is reserved`)
	_, err = NewIdentity("alice", "boss", endless{})
	says(t, err, `role "boss"`, "member, auditor, operator")
	_, err = NewIdentity("alice", Member, broken{})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	_, err = NewIdentity("alice", Member, endless{}) // which reads as zeros
	says(t, err, "no seed")
}

func TestWipe(t *testing.T) {
	id := known(t, "alice", Member)
	_, sign, err := id.NKey()
	if err != nil {
		t.Fatal(err)
	}
	seed := id.seed
	id.Wipe()
	if *seed != [32]byte{} {
		t.Errorf("%x is left", *seed)
	}
	_, err = sign([]byte("nonce"))
	says(t, err, "wiped")
	_, err = id.Party()
	says(t, err, "wiped")
	_, _, err = id.NKey()
	says(t, err, "wiped")
	says(t, WriteIdentity(filepath.Join(t.TempDir(), "x"), id, nil), "wiped")
	defer func() {
		if text := fmt.Sprint(recover()); !strings.Contains(text, "wiped") {
			t.Errorf("Public panics with %q", text)
		}
	}()
	(&Identity{Name: "alice"}).Wipe()
	id.Public()
}

// An identity that is printed by mistake, in whatever way, shows no secret.
func TestIdentityIsNotPrinted(t *testing.T) {
	id := known(t, "alice", Member)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%08b", "%t"} {
		for _, text := range []string{
			fmt.Sprintf(verb, id), fmt.Sprintf(verb, *id), fmt.Sprintf(verb, []*Identity{id}), fmt.Sprintf(verb, []Identity{*id}),
			fmt.Sprintf(verb, struct{ inner *Identity }{id}), fmt.Sprintf(verb, map[string]Identity{"x": *id}), fmt.Sprintf(verb, &struct{ inner Identity }{*id}),
		} {
			silent(t, text, id.seed[:])
		}
	}
	if fmt.Sprintf("%v", id) != "alice" {
		t.Errorf("%v", id)
	}
	text, err := json.Marshal(id)
	if err != nil {
		t.Fatal(err)
	}
	silent(t, string(text), id.seed[:])
}

// However an identity file is damaged, the error tells nothing of the seed.
func TestDamagedIdentityTellsNothing(t *testing.T) {
	id := known(t, "alice", Member)
	text := string(id.marshal())
	digits := fmt.Sprintf("%x", id.seed[:])
	check := func(t reporter, damaged string) {
		t.Helper()
		if _, err := parseIdentity("id.yaml", []byte(damaged)); err != nil { // a space more is no damage
			says(t, err, "id.yaml")
			silent(t, err.Error(), id.seed[:])
		}
	}
	for _, damaged := range []string{
		strings.ToUpper(text), text + text, text + digits, text + digits + ": 1\n", digits + "\n" + text, "? " + text,
		"version: 1\nname: " + digits + "\nrole: member\nseed: " + digits + "\n",
		"version: 1\nname: alice\nrole: " + digits + "\nseed: x\n",
		"version: " + digits + "\nname: alice\nrole: member\n",
		"version: 1\nname: alice\nrole: member\nseed: [" + digits + "]\n",
		"version: 1\nname: alice\nrole: member\nseed: {" + digits + ": 1}\n",
		"version: 1\nname: alice\nrole: member\nseed: \"" + digits + "\n",
		"version: 1\nname: alice\nrole: member\nseed: '" + digits + "\x01'\n",
		"version: 1\nname: alice\nrole: member\nseed: !" + digits + "\n",
		"version: 1\nname: alice\nrole: member\nseed: *" + digits + "\n",
		"version: 1\nname: alice\nrole: member\nseed: " + digits + "00\n",
		"version: 1\nname: alice\nrole: member\nseed: " + digits[1:] + "\n",
		"%" + digits + "\n" + text, "---\n" + text + "---\n" + digits + ": 1\n",
	} {
		check(t, damaged)
	}
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, len(text)-1).Draw(t, "from")
		to := rapid.IntRange(from, min(from+3, len(text))).Draw(t, "to")
		with := rapid.StringOfN(rapid.RuneFrom([]rune("\n\t :-?[]{}'\"#&*!|>%@0aF\x00\xff")), 0, 3, -1).Draw(t, "with")
		check(t, text[:from]+with+text[to:])
	})
}

func TestIdentityFileRefused(t *testing.T) {
	good := string(known(t, "alice", Member).marshal())
	for _, c := range []struct{ from, to, says string }{
		{"version: 1", "version: 2", "id.yaml:1:10: version: 2 is unknown: this program reads version 1"},
		{"version: 1\n", "", "id.yaml: version is missing"},
		{"name: alice", "name: al ice", "id.yaml:2:7: name: not what it must be"},
		{"name: alice\n", "", "id.yaml: name is missing"},
		{"role: member", "role: boss", "id.yaml:3:7: role: choose one of member, auditor, operator"},
		{"role: member\n", "", "id.yaml: role is missing"},
		{"seed: 5e", "seed: 5E", "id.yaml:4:7: seed: this must be 64 lower-case hexadecimal digits"},
		{"seed: 5e", "seed: ", "id.yaml:4:7: seed: this must be 64"},
		{"seed: 5e", "seed: 5e5e", "id.yaml:4:7: seed: this must be 64"},
		{"seed: 5e", "sead: 5e", "id.yaml:4:1: a key that is unknown here: the keys are version, name, role, seed"},
		{"role: member", "role: member\nrole: member", "id.yaml:4:1: role comes twice"},
	} {
		if !strings.Contains(good, c.from) {
			t.Fatalf("%q has no %q", good, c.from)
		}
		_, err := parseIdentity("id.yaml", []byte(strings.Replace(good, c.from, c.to, 1)))
		says(t, err, c.says)
	}
	_, err := parseIdentity("id.yaml", []byte("version: 1\nname: alice\nrole: member\nseed: "+strings.Repeat("0", 64)))
	says(t, err, "id.yaml:4:7: seed: nothing but zeros")
}
