package party

import (
	"crypto/ed25519"
	"fmt"
	"io"

	"riskprop/crypto/seal"
	"riskprop/schema"
)

// Identity is the private side of a member: who has it is the member.
type Identity struct {
	name string
	sign ed25519.PrivateKey
	seal *seal.PrivateKey
	seed [32]byte
}

// NewIdentity derives a member's keys from 32 uniformly random secret bytes. The same seed gives the same identity.
func NewIdentity(name string, seed [32]byte) (*Identity, error) {
	if err := schema.ValidateName(name); err != nil {
		return nil, err
	}
	signSeed := seal.Derive(seed[:], "riskprop/v1 signing key")
	return &Identity{
		name: name,
		sign: ed25519.NewKeyFromSeed(signSeed[:]),
		seal: seal.NewPrivateKey(seal.Derive(seed[:], "riskprop/v1 sealing key")),
		seed: seal.Derive(seed[:], "riskprop/v1 secrets"),
	}, nil
}

// Public is what the other members know of this one.
func (id *Identity) Public() schema.Member {
	return schema.Member{Name: id.name, Sign: [32]byte(id.sign.Public().(ed25519.PublicKey)), Seal: id.seal.Public()}
}

// Format writes the name, whatever the verb: an Identity that is printed by mistake shows no secret.
func (id *Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, id.name) }

// pairs computes the secret shared with every member of the roster, the party itself included.
func (id *Identity) pairs(roster *schema.Roster) ([]*seal.Pair, error) {
	pairs := make([]*seal.Pair, roster.Len())
	for i := range pairs {
		pair, err := seal.NewPair(id.seal, roster.Member(i).Seal)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", roster.Member(i).Name, err)
		}
		pairs[i] = pair
	}
	return pairs, nil
}
