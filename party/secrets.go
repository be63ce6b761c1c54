package party

import (
	"encoding/binary"
	"fmt"
	"io"

	"riskprop/crypto/sample"
	"riskprop/crypto/seal"
)

// Secrets is a party's only randomness, bound to one round of one session. Every stream is derived from the party's
// seed, the digest of its own input, the session, the round and the transcript before it. So a party that is started
// again draws the same, and one with another input or another history draws something unrelated: no random value
// ever serves two different messages. A session's id must never be used again with the same identities.
type Secrets struct {
	self    int
	seen    [32]byte
	seed    [32]byte
	pairs   []*seal.Pair
	session [][]byte // protocol and id: what both ends of a pair have in common
	context [][]byte // all that a stream depends on
	said    map[int][]byte
}

// Format writes the type's name, whatever the verb: Secrets that are printed by mistake show nothing.
func (s *Secrets) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "party.Secrets") }

// Self is the index of the party in the roster.
func (s *Secrets) Self() int { return s.self }

// Seen is the transcript before the round: public, the same for all, and known to nobody earlier.
func (s *Secrets) Seen() [32]byte { return s.seen }

// Stream is the pseudorandom stream with the given label. Asked again with the same label it starts again: a round
// uses every label once.
func (s *Secrets) Stream(label string) io.Reader {
	return sample.Stream(seal.Derive(s.seed[:], "riskprop/v1 stream "+label, s.context...))
}

// Said is what the log already holds of this party's message to a member, from an earlier life: the elements of its first
// parts, or nothing. They bear this party's mark, so nobody else can have written them.
func (s *Secrets) Said(to int) []byte { return s.said[to] }

// Shared is a key that only this party and the given member can derive, for this session; both derive the same.
func (s *Secrets) Shared(member int, label string) [32]byte {
	return s.pairs[member].Key(label, s.session...)
}

// secrets binds the identity to the round that the machine is in.
func (m *Machine) secrets() *Secrets {
	session := [][]byte{[]byte(m.session.Proto), []byte(m.session.ID)}
	number := binary.BigEndian.AppendUint64(nil, uint64(m.number))
	return &Secrets{
		self:    m.self,
		seen:    m.now.seen,
		seed:    m.identity.seed,
		pairs:   m.pairs,
		session: session,
		context: append(session, m.input[:], number, []byte(m.identity.name), m.now.seen[:]),
		said:    m.said,
	}
}
