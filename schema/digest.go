package schema

import (
	"crypto/sha256"
	"encoding/binary"
)

// Digest is SHA-256 over a label and parts, each behind its length in 8 bytes: no two lists give the same input.
func Digest(label string, parts ...[]byte) [32]byte {
	h := sha256.New()
	for _, part := range append([][]byte{[]byte(label)}, parts...) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return [32]byte(h.Sum(nil))
}

// FirstSeen is the transcript before round 0: it binds version, protocol, session and roster.
func FirstSeen(proto, session string, roster *Roster) [32]byte {
	digest := roster.Digest()
	return Digest("riskprop/v1 transcript", []byte(proto), []byte(session), digest[:])
}

// NextSeen is the transcript after a round: the one before it and the digests of the round's heads in the roster's
// order. A zero digest stands for a member that the round did not wait for.
func NextSeen(seen [32]byte, round int, heads [][32]byte) [32]byte {
	parts := [][]byte{seen[:], binary.BigEndian.AppendUint64(nil, uint64(round))}
	for i := range heads {
		parts = append(parts, heads[i][:])
	}
	return Digest("riskprop/v1 round", parts...)
}
