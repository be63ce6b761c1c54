package seal

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vector is one line of a data file: its fields in hexadecimal, "-" for an empty one.
type vector [][]byte

// vectors reads testdata/<name>, whose first line is a header that names the fields.
func vectors(t *testing.T, name, header string) []vector {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if lines[0] != header || len(lines) < 3 {
		t.Fatalf("%s: header %q and %d lines, want %q and some", name, lines[0], len(lines)-1, header)
	}
	var out []vector
	for _, line := range lines[1:] {
		var v vector
		for _, field := range strings.Fields(line) {
			v = append(v, unhex(t, strings.TrimPrefix(field, "-")))
		}
		if len(v) != len(strings.Fields(header)) {
			t.Fatalf("%s: %d fields in %q", name, len(v), line)
		}
		out = append(out, v)
	}
	return out
}

// Boxes lie on logs that must open for as long as anybody keeps them: a change of these bytes is a new version. The
// vectors were computed with another implementation of X25519, HKDF, HMAC and AES-GCM, from the package's description.
func TestKnownBoxes(t *testing.T) {
	for i, v := range vectors(t, "boxes.txt", "own_seed peer_seed context_0 context_1 plaintext box") {
		own, peer := NewPrivateKey([32]byte(v[0])), NewPrivateKey([32]byte(v[1]))
		p, err := NewPair(own, peer.Public())
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Seal(v[4], v[2], v[3]); !bytes.Equal(got, v[5]) {
			t.Errorf("line %d: sealed as %x, want %x", i+2, got, v[5])
		}
		other, err := NewPair(peer, own.Public())
		if err != nil {
			t.Fatal(err)
		}
		if got, err := other.Open(v[5], v[2], v[3]); err != nil || !bytes.Equal(got, v[4]) {
			t.Errorf("line %d: opened as %x, %v; want %x", i+2, got, err, v[4])
		}
		if got := plainSeal(t, v); !bytes.Equal(got, v[5]) {
			t.Errorf("line %d: the plain construction gives %x, want %x", i+2, got, v[5])
		}
	}
}

func TestKnownKeysAndTags(t *testing.T) {
	for i, v := range vectors(t, "keys.txt", "secret label part_0 part_1 derived tag") {
		derived := Derive(v[0], string(v[1]), v[2], v[3])
		if !bytes.Equal(derived[:], v[4]) {
			t.Errorf("line %d: derived %x, want %x", i+2, derived, v[4])
		}
		if tag := Tag(derived, v[2], v[3]); !bytes.Equal(tag[:], v[5]) {
			t.Errorf("line %d: tag %x, want %x", i+2, tag, v[5])
		}
	}
}

// RFC 7748, section 6.1: the keys of Bob.
func TestPublicKeyOfRFC7748(t *testing.T) {
	private := unhex(t, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
	public := unhex(t, "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")
	if got := NewPrivateKey([32]byte(private)).Public(); !bytes.Equal(got[:], public) {
		t.Errorf("public key %x, want %x", got, public)
	}
}

// plainDerive is HKDF-SHA-256 for one block, as RFC 5869, sections 2.2 and 2.3, writes it.
func plainDerive(secret []byte, parts ...[]byte) []byte {
	prk := plainMAC(make([]byte, 32), secret)
	var info []byte
	for _, part := range parts {
		info = binary.BigEndian.AppendUint32(info, uint32(len(part)))
		info = append(info, part...)
	}
	return plainMAC(prk, append(info, 1))
}

func plainMAC(key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil)
}

// plainSeal makes the box of a vector, step by step as the package describes it.
func plainSeal(t *testing.T, v vector) []byte {
	t.Helper()
	own, err := ecdh.X25519().NewPrivateKey(v[0])
	if err != nil {
		t.Fatal(err)
	}
	peer, err := ecdh.X25519().NewPrivateKey(v[1])
	if err != nil {
		t.Fatal(err)
	}
	shared, err := own.ECDH(peer.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	low, high := own.PublicKey().Bytes(), peer.PublicKey().Bytes()
	if bytes.Compare(low, high) > 0 {
		low, high = high, low
	}
	secret := plainDerive(shared, []byte("riskprop/v1 pair"), low, high)
	synthetic := plainMAC(plainDerive(secret, []byte("riskprop/v1 box vector"), v[2], v[3]), v[4])
	block, err := aes.NewCipher(plainDerive(secret, []byte("riskprop/v1 box key"), synthetic, v[2], v[3]))
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm.Seal(synthetic, make([]byte, 12), v[4], nil)
}
