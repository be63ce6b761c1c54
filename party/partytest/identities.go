package partytest

import (
	"crypto/ed25519"

	"riskprop/crypto/seal"
	"riskprop/party"
	"riskprop/schema"
)

// Identities makes the roster and the identities of parties with the given names, in the roster's order. Equal names
// give equal keys: they are for tests only.
func Identities(names ...string) (*schema.Roster, []*party.Identity, error) {
	var members []schema.Member
	byName := make(map[string]*party.Identity)
	for _, name := range names {
		id, err := party.NewIdentity(name, seed(name))
		if err != nil {
			return nil, nil, err
		}
		byName[name] = id
		members = append(members, id.Public())
	}
	roster, err := schema.NewRoster(members)
	if err != nil {
		return nil, nil, err
	}
	identities := make([]*party.Identity, roster.Len())
	for i, name := range roster.Names() {
		identities[i] = byName[name]
	}
	return roster, identities, nil
}

func seed(name string) [32]byte { return seal.Derive([]byte(name), "partytest") }

// SignHead makes the record of whatever a test wants a party with one of our names to have said.
func SignHead(slot schema.Slot, head schema.Head) []byte {
	secret := seed(slot.From)
	private := seal.Derive(secret[:], "riskprop/v1 signing key")
	return schema.SealHead(slot, head, ed25519.NewKeyFromSeed(private[:]))
}
