package config

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"pgregory.net/rapid"
)

const quickWork = 4 // log2 of scrypt's cost, for tests

func TestEncryptIsDecrypted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "text")
		passphrase := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "passphrase")
		data, err := encrypt(text, passphrase, quickWork)
		if err != nil || !encrypted(data) {
			t.Fatalf("%q, %v", data, err)
		}
		back, err := decrypt("f", data, passphrase)
		if err != nil || !bytes.Equal(back, text) {
			t.Fatalf("%q comes back as %q, %v", text, back, err)
		}
	})
}

// A plaintext of more than one chunk is no larger than its file.
func TestDecryptLong(t *testing.T) {
	text := bytes.Repeat([]byte("text"), 50000)
	data, err := encrypt(text, []byte("pass"), quickWork)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := decrypt("f", data, []byte("pass")); err != nil || !bytes.Equal(back, text) {
		t.Errorf("%d bytes, %v", len(back), err)
	}
}

func TestDecryptRefuses(t *testing.T) {
	data, err := encrypt(bytes.Repeat([]byte("secret "), 20), []byte("pass"), quickWork)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(data), "\n")
	for what, damaged := range map[string]string{
		"cut":        string(data[:len(data)/2]),
		"no footer":  strings.Join(lines[:len(lines)-2], ""),
		"line lost":  strings.Join(append(lines[:3:3], lines[4:]...), ""),
		"only begun": lines[0],
		"changed":    rearmored(t, data, func(raw []byte) []byte { raw[len(raw)-1] ^= 1; return raw }),
		"shortened":  rearmored(t, data, func(raw []byte) []byte { return raw[:len(raw)-1] }),
		"expensive": rearmored(t, data, func(raw []byte) []byte {
			return bytes.Replace(raw, []byte(" 4\n"), []byte(" 30\n"), 1)
		}),
	} {
		text, err := decrypt("f", []byte(damaged), []byte("pass"))
		says(t, err, "f: the encrypted file is damaged: ")
		if text != nil {
			t.Errorf("%s: %q", what, text)
		}
		silent(t, err.Error(), []byte("secret"))
	}
	_, err = decrypt("f", data, []byte("Pass"))
	says(t, err, "f: the passphrase does not open it")
	_, err = decrypt("f", data, bytes.Repeat([]byte("x"), maxPassphrase+1))
	says(t, err, "f: the passphrase has more than 1024 bytes")
	_, err = encrypt(nil, nil, quickWork)
	says(t, err, "the passphrase is empty")
}

// A file for a key instead of a passphrase is told apart from a wrong passphrase.
func TestDecryptRefusesOtherRecipients(t *testing.T) {
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	armored := armor.NewWriter(&file)
	w, err := age.Encrypt(armored, other.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	if w.Close() != nil || armored.Close() != nil {
		t.Fatal("not closed")
	}
	_, err = decrypt("f", file.Bytes(), []byte("pass"))
	says(t, err, "f: it is encrypted, but not with a passphrase")
}

// rearmored changes what is inside of the armor.
func rearmored(t *testing.T, data []byte, change func([]byte) []byte) string {
	t.Helper()
	raw, err := io.ReadAll(armor.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	w := armor.NewWriter(&file)
	if _, err := w.Write(change(raw)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.String()
}
