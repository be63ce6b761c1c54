package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/nats-io/nkeys"

	"riskprop/crypto/seal"
	"riskprop/party"
	"riskprop/schema"
)

// Identity is the private side of a party: who has it is the party. Not safe for use while it is wiped.
type Identity struct {
	Name string
	Role Role
	seed *[32]byte // behind a pointer, so that a copy is no second secret
}

// Format writes the name, whatever the verb: an Identity that is printed by mistake shows no secret.
func (id Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, id.Name) }

// NewIdentity draws a party's seed from random, a source of cryptographic quality.
func NewIdentity(name string, role Role, random io.Reader) (*Identity, error) {
	if err := schema.ValidateName(name); err != nil {
		return nil, err
	}
	if role != Member && role != Auditor && role != Operator {
		return nil, fmt.Errorf("role %.20q: choose one of %s, %s, %s", role, Member, Auditor, Operator)
	}
	id := &Identity{Name: name, Role: role, seed: new([32]byte)}
	if _, err := io.ReadFull(random, id.seed[:]); err != nil {
		return nil, fmt.Errorf("draw a seed: %w", err)
	}
	if err := id.usable(); err != nil {
		return nil, err
	}
	return id, nil
}

// usable refuses a seed that was wiped or never drawn: its keys would be everybody's.
func (id *Identity) usable() error {
	if id.seed == nil || *id.seed == [32]byte{} {
		return errors.New("the identity has no seed: it was wiped, or was never drawn")
	}
	return nil
}

// Wipe overwrites the seed. What was derived from it before stays; nothing more can be.
func (id *Identity) Wipe() {
	if id.seed != nil {
		clear(id.seed[:])
	}
}

// Party is the identity with which a member takes part in sessions. Other roles have none.
func (id *Identity) Party() (*party.Identity, error) {
	if id.Role != Member {
		return nil, fmt.Errorf("%s is %s, not a member: only members take part in a session", id.Name, id.Role)
	}
	if err := id.usable(); err != nil {
		return nil, err
	}
	return party.NewIdentity(id.Name, *id.seed)
}

// NKey is the key that the servers know the party by, and the function that signs what they ask it to sign. The function fails once the identity was
// wiped.
func (id *Identity) NKey() (public string, sign func(nonce []byte) ([]byte, error), err error) {
	pair, err := id.nkey()
	if err != nil {
		return "", nil, err
	}
	defer pair.Wipe()
	public, err = pair.PublicKey()
	if err != nil {
		return "", nil, fmt.Errorf("derive the nkey of %s: %w", id.Name, err)
	}
	sign = func(nonce []byte) ([]byte, error) {
		pair, err := id.nkey()
		if err != nil {
			return nil, err
		}
		defer pair.Wipe()
		return pair.Sign(nonce)
	}
	return public, sign, nil
}

// nkey derives the pair of NATS keys, which the caller wipes.
func (id *Identity) nkey() (nkeys.KeyPair, error) {
	if err := id.usable(); err != nil {
		return nil, err
	}
	raw := seal.Derive(id.seed[:], "riskprop/v1 nats key")
	defer clear(raw[:])
	pair, err := nkeys.FromRawSeed(nkeys.PrefixByteUser, raw[:])
	if err != nil {
		return nil, fmt.Errorf("derive the nkey of %s: %w", id.Name, err)
	}
	return pair, nil
}

// Public is what others must know of the party. It panics once the identity was wiped.
func (id *Identity) Public() Public {
	public := Public{Version: fileVersion, Name: id.Name, Role: id.Role}
	nkey, _, err := id.NKey()
	if err != nil {
		panic("config: " + err.Error())
	}
	public.NKey = nkey
	if id.Role == Member {
		own, err := id.Party()
		if err != nil {
			panic("config: " + err.Error())
		}
		member := own.Public()
		public.Sign, public.Seal = member.Sign, member.Seal
	}
	return public
}

// marshal is the text of an identity file: a secret that the caller wipes. Its room is taken at once, so that growing leaves no copy.
func (id *Identity) marshal() []byte {
	text := make([]byte, 0, 512)
	text = fmt.Appendf(text, "version: %d\nname: %s\nrole: %s\nseed: ", fileVersion, quoted(id.Name), id.Role)
	return append(hex.AppendEncode(text, id.seed[:]), '\n')
}

// parseIdentity reads the text of an identity file.
func parseIdentity(file string, data []byte) (*Identity, error) {
	m := parseSecret(file, data, "name", "role", "seed")
	id := &Identity{Name: m.name("name"), Role: m.role("role"), seed: new([32]byte)}
	*id.seed = m.hex32("seed")
	if m.doc.err == nil && id.usable() != nil {
		m.refuse("seed", "nothing but zeros: everybody knows that")
	}
	if err := m.verdict(nil); err != nil {
		id.Wipe()
		return nil, err
	}
	return id, nil
}

// role is a field with a role.
func (m *mapping) role(key string) Role {
	if !m.has(key) {
		m.missing(key)
	}
	return Role(m.choice(key, string(Member), string(Auditor), string(Operator)))
}

// WriteIdentity writes the identity to a new file for nobody but its owner, behind the passphrase unless that is nil.
func WriteIdentity(path string, id *Identity, passphrase []byte) error {
	if err := id.usable(); err != nil {
		return err
	}
	text := id.marshal()
	defer clear(text)
	if passphrase == nil {
		return WriteNew(path, text, 0o600)
	}
	return writeEncrypted(path, text, passphrase, workFactor)
}

// writeEncrypted writes text to a new file, behind the passphrase.
func writeEncrypted(path string, text, passphrase []byte, work int) error {
	data, err := encrypt(text, passphrase, work)
	if err != nil {
		return fmt.Errorf("encrypt %s: %w", path, err)
	}
	return WriteNew(path, data, 0o600)
}

// ReadIdentity reads an identity file, which must be a regular one for nobody but its owner. The passphrase is asked for only where the file is encrypted,
// and overwritten when it was used.
func ReadIdentity(path string, passphrase func() ([]byte, error)) (*Identity, error) {
	data, err := readBounded(path, private)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	if !encrypted(data) {
		return parseIdentity(path, data)
	}
	secret, err := passphrase()
	if err != nil {
		return nil, fmt.Errorf("%s is encrypted: %w", path, err)
	}
	defer clear(secret)
	text, err := decrypt(path, data, secret)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return parseIdentity(path, text)
}
