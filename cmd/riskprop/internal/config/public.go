package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/token"
	"github.com/nats-io/nkeys"
)

// Public is what a consortium must know of a party. Members have three keys, others the nkey alone.
type Public struct {
	Version int
	Name    string
	Role    Role
	Sign    Hex32  // Ed25519
	Seal    Hex32  // X25519
	NKey    string // U...
}

// ParsePublic reads the public file of a party.
func ParsePublic(file string, data []byte) (Public, error) {
	m := parse(file, data, "name", "role", "sign", "seal", "nkey")
	public := Public{Version: fileVersion, Role: m.role("role")}
	m.public(&public)
	if err := m.verdict(nil); err != nil {
		return Public{}, err
	}
	return public, nil
}

// public reads what belongs to a role: keys that it lacks are refused.
func (m *mapping) public(p *Public) {
	p.Name = m.name("name")
	for _, key := range []struct {
		name  string
		value *Hex32
	}{{"sign", &p.Sign}, {"seal", &p.Seal}} {
		if p.Role == Member {
			*key.value = m.hex32(key.name)
		} else if m.has(key.name) {
			m.refuse(key.name, fmt.Sprintf("%s has no such key, only members have: remove the line", p.Role))
		}
	}
	p.NKey = m.text("nkey")
	m.check("nkey", checkNKey(p.NKey))
}

// checkNKey refuses what is not the public nkey of a user.
func checkNKey(nkey string) error {
	if len(nkey) != 56 || !nkeys.IsValidPublicUserKey(nkey) {
		return errors.New("this must be the nkey of a user, U and 55 capital letters and digits")
	}
	return nil
}

// Marshal is the text of the public file.
func (p Public) Marshal() []byte {
	text := fmt.Appendf(nil, "version: %d\nname: %s\nrole: %s\n", fileVersion, quoted(p.Name), p.Role)
	if p.Role == Member {
		text = fmt.Appendf(text, "sign: %s\nseal: %s\n", p.Sign, p.Seal)
	}
	return fmt.Appendf(text, "nkey: %s\n", p.NKey)
}

// quoted is a name as every reader of YAML takes it for text.
func quoted(name string) string {
	if token.IsNeedQuoted(name) || !unicode.IsLetter(rune(name[0])) || strings.EqualFold(name, "null") {
		return `"` + name + `"`
	}
	return name
}
