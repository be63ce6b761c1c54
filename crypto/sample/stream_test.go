package sample_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"riskprop/crypto/sample"
)

func read(t testing.TB, r io.Reader, n int) []byte {
	t.Helper()
	buf := make([]byte, n)
	if _, err := io.ReadFull(r, buf); err != nil {
		t.Fatal(err)
	}
	return buf
}

// The values were computed with OpenSSL (enc -aes-256-ctr, zero IV); the first block of the first is NIST's known answer for the
// zero block under the zero key.
func TestStreamKnownAnswers(t *testing.T) {
	var count [32]byte
	for i := range count {
		count[i] = byte(i)
	}
	for _, c := range []struct {
		key  [32]byte
		want string
	}{
		{[32]byte{}, "dc95c078a2408989ad48a21492842087530f8afbc74536b9a963b4f1c4cb738b"},
		{count, "f29000b62a499fd0a9f39a6add2e7780f05d76ae4ab99fe5a6f69b3148c2363d"},
	} {
		if got := hex.EncodeToString(read(t, sample.Stream(c.key), 32)); got != c.want {
			t.Errorf("Stream(%x) starts with %s, want %s", c.key, got, c.want)
		}
	}
}

func TestHashKnownAnswer(t *testing.T) {
	encoding := "\x00\x00\x00\x00\x00\x00\x00\x06domain" +
		"\x00\x00\x00\x00\x00\x00\x00\x03abc" +
		"\x00\x00\x00\x00\x00\x00\x00\x00"
	want := read(t, sample.Stream(sha256.Sum256([]byte(encoding))), 64)
	got := read(t, sample.Hash("domain", []byte("abc"), nil), 64)
	if !bytes.Equal(got, want) {
		t.Errorf("Hash = %x, want %x", got, want)
	}
	if text := hex.EncodeToString(got[:16]); text != "6d62b4efdd97a182847243f5a9e4a19e" {
		t.Errorf("Hash starts with %s", text)
	}
}

func TestHashEncodingIsInjective(t *testing.T) {
	seen := map[string]string{}
	for _, c := range []struct {
		name, domain string
		parts        [][]byte
	}{
		{"domain", "ab", nil},
		{"domain and empty part", "ab", [][]byte{{}}},
		{"domain and two empty parts", "ab", [][]byte{{}, {}}},
		{"domain and part", "a", [][]byte{[]byte("b")}},
		{"empty domain", "", [][]byte{[]byte("ab")}},
		{"empty domain, two parts", "", [][]byte{[]byte("a"), []byte("b")}},
		{"other order", "", [][]byte{[]byte("b"), []byte("a")}},
		{"nothing", "", nil},
	} {
		key := string(read(t, sample.Hash(c.domain, c.parts...), 32))
		if other, taken := seen[key]; taken {
			t.Errorf("%q and %q have one stream", c.name, other)
		}
		seen[key] = c.name
	}
}

func TestStreamDoesNotDependOnReads(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var key [32]byte
		copy(key[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "key"))
		want := read(t, sample.Stream(key), 1000)
		r, got := sample.Stream(key), []byte{}
		for len(got) < len(want) {
			n := rapid.IntRange(0, len(want)-len(got)).Draw(rt, "read")
			dirty := bytes.Repeat([]byte{0xa5}, n)
			if m, err := r.Read(dirty); m != n || err != nil {
				rt.Fatalf("Read of %d bytes = %d, %v", n, m, err)
			}
			got = append(got, dirty...)
		}
		if !bytes.Equal(got, want) {
			rt.Fatalf("the stream depends on the sizes of the reads")
		}
	})
	if err := iotest.TestReader(io.LimitReader(sample.Stream([32]byte{}), 100), read(t, sample.Stream([32]byte{}), 100)); err != nil {
		t.Error(err)
	}
}

func BenchmarkStream(b *testing.B) {
	r, buf := sample.Stream([32]byte{}), make([]byte, 4096)
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, err := r.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}
