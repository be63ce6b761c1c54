package sample

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// Stream returns the AES-256-CTR key stream under key with an all-zero initial counter block. It never fails and, at 2^128
// blocks, never ends. The bytes do not depend on how they are split over reads. A key serves for one stream: two streams
// under one key are equal. A stream is for one goroutine at a time.
func Stream(key [32]byte) io.Reader {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(fmt.Sprintf("sample: AES-256 refuses a 32-byte key: %v", err))
	}
	return keystream{cipher.NewCTR(block, make([]byte, aes.BlockSize))}
}

// Hash returns the public stream of a transcript: Stream under the SHA-256 digest of domain and parts, each preceded by its
// length in bytes as a 64-bit big-endian integer. That encoding is injective, so different transcripts have unrelated
// streams: moving a byte from one part to the next, or adding an empty part, gives another stream. domain names the use;
// no two uses share one.
func Hash(domain string, parts ...[]byte) io.Reader {
	h := sha256.New()
	var length [8]byte
	write := func(part []byte) {
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	write([]byte(domain))
	for _, part := range parts {
		write(part)
	}
	return Stream([32]byte(h.Sum(nil)))
}

// keystream reads a stream cipher's key stream: the encryption of zeros.
type keystream struct{ cipher cipher.Stream }

// Read fills p. It never fails.
func (k keystream) Read(p []byte) (int, error) {
	clear(p)
	k.cipher.XORKeyStream(p, p)
	return len(p), nil
}
