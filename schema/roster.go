package schema

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// Limits of a consortium. Below three members every bank could subtract its own scores.
const (
	MinMembers = 3
	MaxMembers = 31
)

// Member is the public side of a party: its name, its Ed25519 key and its X25519 key, 32 bytes each.
type Member struct {
	Name string
	Sign [32]byte
	Seal [32]byte
}

// Roster is the fixed list of a session's members, sorted by name. Party i of the papers is member i-1.
type Roster struct {
	members []Member
	digest  [32]byte
}

// NewRoster sorts and checks the members: 3 to 31, names valid and distinct, keys distinct and none of low order, with
// which anybody could sign or read in the member's place.
func NewRoster(members []Member) (*Roster, error) {
	if len(members) < MinMembers || len(members) > MaxMembers {
		return nil, fmt.Errorf("%d members: a consortium has %d to %d", len(members), MinMembers, MaxMembers)
	}
	sorted := slices.Clone(members)
	slices.SortFunc(sorted, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	keys := make(map[[32]byte]string)
	parts := make([][]byte, 0, 3*len(sorted))
	for i, member := range sorted {
		if err := member.validate(); err != nil {
			return nil, fmt.Errorf("member %.40q: %w", member.Name, err)
		}
		if i > 0 && sorted[i-1].Name == member.Name {
			return nil, fmt.Errorf("member %q is listed twice", member.Name)
		}
		for _, key := range [][32]byte{member.Sign, member.Seal} {
			if owner, taken := keys[key]; taken {
				return nil, fmt.Errorf("members %q and %q share a key", owner, member.Name)
			}
			keys[key] = member.Name
		}
		parts = append(parts, []byte(member.Name), sorted[i].Sign[:], sorted[i].Seal[:])
	}
	return &Roster{members: sorted, digest: Digest("riskprop/v1 roster", parts...)}, nil
}

func (m Member) validate() error {
	if err := ValidateName(m.Name); err != nil {
		return err
	}
	if lowOrder(m.Seal) {
		return fmt.Errorf("sealing key %x is of low order", m.Seal)
	}
	if lowOrder(montgomery(m.Sign)) {
		return fmt.Errorf("signing key %x is of low order", m.Sign)
	}
	return nil
}

// lowOrder tells whether the secret shared with an X25519 key is zero, whatever the other key (RFC 7748, section 6.1).
func lowOrder(key [32]byte) bool {
	// Any scalar tells: clamping makes it a multiple of the cofactor and not of the prime order.
	private, err := ecdh.X25519().NewPrivateKey(make([]byte, 32))
	if err != nil {
		panic("schema: " + err.Error()) // 32 bytes are always a key
	}
	public, err := ecdh.X25519().NewPublicKey(key[:])
	if err != nil {
		panic("schema: " + err.Error())
	}
	_, err = private.ECDH(public)
	return err != nil
}

// montgomery maps an Ed25519 key to the X25519 key of the same order, u = (1+y)/(1-y) mod 2^255-19 (RFC 7748, section
// 4.1). The neutral element, y = 1, becomes 0.
func montgomery(key [32]byte) [32]byte {
	one := big.NewInt(1)
	p := new(big.Int).Lsh(one, 255)
	p.Sub(p, big.NewInt(19))
	key[31] &= 0x7f // the sign of x
	slices.Reverse(key[:])
	y := new(big.Int).SetBytes(key[:])
	u := new(big.Int)
	u.ModInverse(new(big.Int).Sub(one, y), p) // stays 0 where there is none
	u.Mul(u, y.Add(y, one)).Mod(u, p).FillBytes(key[:])
	slices.Reverse(key[:])
	return key
}

// Len is the number of members.
func (r *Roster) Len() int { return len(r.members) }

// Member returns member i, from 0.
func (r *Roster) Member(i int) Member { return r.members[i] }

// Names lists the members in the roster's order.
func (r *Roster) Names() []string {
	names := make([]string, len(r.members))
	for i, member := range r.members {
		names[i] = member.Name
	}
	return names
}

// Index finds a member by name.
func (r *Roster) Index(name string) (int, bool) {
	return slices.BinarySearchFunc(r.members, name, func(m Member, name string) int { return strings.Compare(m.Name, name) })
}

// Digest identifies the roster.
func (r *Roster) Digest() [32]byte { return r.digest }

// verify checks a signature of member i.
func (r *Roster) verify(i int, message, signature []byte) bool {
	return ed25519.Verify(r.members[i].Sign[:], message, signature)
}
