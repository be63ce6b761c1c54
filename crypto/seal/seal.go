// Package seal keeps what one party writes to another confidential, and derives every key in the system.
//
// All messages of a session lie on a log that every member and the broker can read, so a message for one party is
// sealed for it. Two things are special about a log that is replayed after a crash:
//
//   - Sealing must be deterministic. A party that is started again has to write the very bytes it wrote before,
//     otherwise its slot would be contested by two versions of the same statement. There is no fresh nonce to draw.
//   - A key must nevertheless never encrypt two different messages. So the key of a box is derived from the pair of
//     parties, the context (slot and transcript) AND a keyed digest of the plaintext, in the manner of a synthetic
//     initialisation vector (Rogaway, Shrimpton, "Deterministic Authenticated-Encryption", EUROCRYPT 2006). Equal
//     plaintexts in an equal context give equal boxes, which is what a replay needs; anything else gives an
//     unrelated key.
//
// A box is authenticated by the static keys of both ends: only the two of a [Pair] can make or open it. There is no
// forward secrecy, on purpose: a party finds its key share again by replaying the log with its identity alone. So who
// gets a private key opens all boxes from and to its owner, old ones included.
package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Overhead is the number of bytes by which a box is longer than its plaintext: the synthetic vector and the GCM tag.
const Overhead = sha256.Size + 16

// ErrOpen is returned for a box that was not made by the other end of the pair for this context, or was changed.
var ErrOpen = errors.New("seal: box does not open")

// PrivateKey is an X25519 private key.
type PrivateKey struct{ key *ecdh.PrivateKey }

// NewPrivateKey makes a private key of 32 uniformly random secret bytes (RFC 7748; clamping is done at use).
func NewPrivateKey(seed [32]byte) *PrivateKey {
	key, err := ecdh.X25519().NewPrivateKey(seed[:])
	if err != nil {
		panic("seal: " + err.Error()) // only a wrong length is refused
	}
	return &PrivateKey{key}
}

// Public returns the public key, 32 bytes.
func (k *PrivateKey) Public() [32]byte { return [32]byte(k.key.PublicKey().Bytes()) }

// Format prints the type in place of the key, whatever the verb: a key that is printed by mistake shows no secret.
func (PrivateKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "seal.PrivateKey") }

// Pair holds the secret that two parties share. Both ends derive the same one. A party may be paired with itself,
// for what it writes to be read by itself after a restart.
type Pair struct{ secret [32]byte }

// NewPair computes the secret of a private key and a peer's public key. It fails for a public key of low order, with
// which the secret would be known to all.
func NewPair(own *PrivateKey, peer [32]byte) (*Pair, error) {
	public, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return nil, fmt.Errorf("seal: peer's public key: %w", err)
	}
	shared, err := own.key.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("seal: peer's public key: %w", err)
	}
	low, high := own.Public(), peer
	if bytes.Compare(low[:], high[:]) > 0 {
		low, high = high, low
	}
	return &Pair{Derive(shared, "riskprop/v1 pair", low[:], high[:])}, nil
}

// Format prints the type in place of the secret, whatever the verb.
func (Pair) Format(f fmt.State, _ rune) { fmt.Fprint(f, "seal.Pair") }

// Seal encrypts plaintext for the other end. The context, which both ends must give alike, binds the box to its
// place: the slot's subject and the transcript before it.
func (p *Pair) Seal(plaintext []byte, context ...[]byte) []byte {
	vector := p.vector(plaintext, context)
	out := make([]byte, sha256.Size, len(plaintext)+Overhead)
	copy(out, vector[:])
	return p.aead(vector, context).Seal(out, make([]byte, 12), plaintext, nil)
}

// Open decrypts a box made by the other end's Seal with the same context. It returns [ErrOpen] for anything else.
func (p *Pair) Open(box []byte, context ...[]byte) ([]byte, error) {
	if len(box) < Overhead {
		return nil, ErrOpen
	}
	vector := [32]byte(box[:sha256.Size])
	plaintext, err := p.aead(vector, context).Open(nil, make([]byte, 12), box[sha256.Size:], nil)
	if err != nil {
		return nil, ErrOpen
	}
	want := p.vector(plaintext, context)
	if !hmac.Equal(vector[:], want[:]) {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// Key derives a key that both ends share for another purpose than boxes, named by the label.
func (p *Pair) Key(label string, context ...[]byte) [32]byte {
	return Derive(p.secret[:], "riskprop/v1 pair key "+label, context...)
}

// vector is the synthetic initialisation vector: a keyed digest of the plaintext, so that it tells nothing about a
// plaintext that could be guessed.
func (p *Pair) vector(plaintext []byte, context [][]byte) [32]byte {
	key := Derive(p.secret[:], "riskprop/v1 box vector", context...)
	mac := hmac.New(sha256.New, key[:])
	mac.Write(plaintext)
	return [32]byte(mac.Sum(nil))
}

// aead is AES-256-GCM under a key that serves one plaintext only; its nonce is therefore zero.
func (p *Pair) aead(vector [32]byte, context [][]byte) cipher.AEAD {
	key := Derive(p.secret[:], "riskprop/v1 box key", append([][]byte{vector[:]}, context...)...)
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("seal: " + err.Error()) // 32 bytes are always a key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("seal: " + err.Error())
	}
	return aead
}

// Derive is the one key derivation of the system: HKDF-SHA-256 (RFC 5869) without salt. The info string is the label
// and the parts, each behind its length in 4 bytes, so that no two lists of parts give the same string.
func Derive(secret []byte, label string, parts ...[]byte) [32]byte {
	info := lengthPrefixed(nil, []byte(label))
	for _, part := range parts {
		info = lengthPrefixed(info, part)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, string(info), 32)
	if err != nil {
		panic("seal: " + err.Error()) // 32 bytes are always to be had
	}
	return [32]byte(key)
}

// Tag is a keyed digest of the parts, 16 bytes: equal for equal parts, and telling nothing to who lacks the key.
func Tag(key [32]byte, parts ...[]byte) [16]byte {
	mac := hmac.New(sha256.New, key[:])
	var text []byte
	for _, part := range parts {
		text = lengthPrefixed(text[:0], part)
		mac.Write(text)
	}
	return [16]byte(mac.Sum(nil)[:16])
}

func lengthPrefixed(dst, part []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(part)))
	return append(dst, part...)
}
