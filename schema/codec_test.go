package schema

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/wire.txt anew")

// testRoundTrip checks that Decode inverts Encode, down to the difference of nil and empty, and that the limit is the
// number of bytes.
func testRoundTrip[B Body](t *testing.T, bodies *rapid.Generator[B]) {
	t.Run(fmt.Sprintf("%T", *new(B)), rapid.MakeCheck(func(t *rapid.T) {
		body := bodies.Draw(t, "body")
		raw := Encode(body)
		got, err := Decode[B](raw, len(raw))
		if err != nil || !reflect.DeepEqual(got, body) {
			t.Fatalf("%x: %v\ngot  %+v\nwant %+v", raw, err, got, body)
		}
		if again := Encode(body); !bytes.Equal(raw, again) {
			t.Fatalf("encoded once %x, again %x", raw, again)
		}
		if _, err := Decode[B](raw, len(raw)-1); err == nil {
			t.Fatalf("%d bytes pass a limit of %d", len(raw), len(raw)-1)
		}
		if _, err := Decode[B](append(raw, 0), len(raw)+1); err == nil {
			t.Fatal("a byte behind the document passes")
		}
		checkWalk(t, raw)
	}))
}

func TestDecodeInvertsEncode(t *testing.T) {
	testRoundTrip(t, envelopes)
	testRoundTrip(t, heads)
	testRoundTrip(t, batches)
	testRoundTrip(t, keygenManifests)
	testRoundTrip(t, propagateManifests)
	testRoundTrip(t, announcements)
}

// checkFlipped checks that bytes other than the original's are refused or another value that encodes as them.
func checkFlipped[B Body](t testing.TB, original B, raw []byte) {
	t.Helper()
	got, err := Decode[B](raw, len(raw))
	if err != nil {
		wantUntrusted(t, err)
		return
	}
	if reflect.DeepEqual(got, original) {
		t.Errorf("%x decodes as the original %+v", raw, original)
	}
	if !bytes.Equal(Encode(got), raw) {
		t.Errorf("%x decodes as %+v, which encodes as %x", raw, got, Encode(got))
	}
}

// testDamage changes every byte of an encoding to every other value and cuts it off everywhere.
func testDamage[B Body](t *testing.T, body B) {
	t.Run(fmt.Sprintf("%T", body), func(t *testing.T) {
		raw := Encode(body)
		for at := range raw {
			damaged := bytes.Clone(raw)
			for flip := 1; flip < 256; flip++ {
				damaged[at] = raw[at] ^ byte(flip)
				checkFlipped(t, body, damaged)
			}
			_, err := Decode[B](raw[:at], len(raw))
			wantUntrusted(t, err)
			checkFlipped(t, body, append(raw[:at:at], raw[at+1:]...))                           // a byte lost
			checkFlipped(t, body, append(append(raw[:at:at], raw[at]), append(raw[at:], 0)...)) // bytes added
		}
	})
}

// sample bodies, one of each type, whose encodings are pinned in testdata/wire.txt.
var (
	sampleHead = Head{Seen: [32]byte{1, 2, 3}, Parts: []Ref{
		{To: All, Size: 512 << 10, Digest: [32]byte{9}}, {To: "bob", Size: 127, Digest: [32]byte{8}}, {To: "bob", Size: 65535, Digest: [32]byte{7}},
	}}
	sampleAbort    = Head{Seen: [32]byte{4}, Abort: &Abort{Culprit: "bob", Reason: "its share is out of range"}}
	sampleBatch    = Batch{First: 300, Width: 4, Data: []byte{0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}}
	sampleEnvelope = envelope{Version: 1, Payload: []byte{0x90}, Signature: [64]byte{5, 6}}
	sampleKeygen   = KeygenManifest{Version: 1, Session: "k1", Roster: [32]byte{3}, KeyBits: 2048, Threshold: 1, Kappa: 80, Batch: 256, TrialTo: 1 << 17, Deadline: 1796000000}
	sampleManifest = PropagateManifest{
		Version: 1, Session: "p1", Roster: [32]byte{3}, Key: [32]byte{2}, KeySession: "k1", Periods: 3, Delta: []uint64{1 << 39, 255, 256, 0},
		ScoreBits: 32, WeightBits: 40, FailOnMismatch: true, LimitDisclosure: true, MaxSingleSource: 5, MaxAccounts: 1000, MaxEdges: 300, Deadline: 1796000001,
	}
	sampleAnnouncement = Announcement{Manifest: sampleManifest, Ciphertexts: 70000, Commitment: [32]byte{6}}
)

func TestDamagedEncodings(t *testing.T) {
	testDamage(t, sampleHead)
	testDamage(t, sampleAbort)
	testDamage(t, sampleBatch)
	testDamage(t, sampleEnvelope)
	testDamage(t, sampleKeygen)
	testDamage(t, sampleAnnouncement)
}

// What is on a log must be readable for as long as anybody asks: a change of these bytes is a new version.
func TestWireFormat(t *testing.T) {
	var text strings.Builder
	fmt.Fprintln(&text, "# body encoding: the samples of codec_test.go as they lie on a log, in hexadecimal; written by go test -rewrite")
	for _, line := range []struct {
		name string
		raw  []byte
	}{
		{"head", Encode(sampleHead)}, {"abort", Encode(sampleAbort)}, {"batch", Encode(sampleBatch)},
		{"envelope", Encode(sampleEnvelope)}, {"keygen", Encode(sampleKeygen)}, {"propagate", Encode(sampleManifest)},
		{"announcement", Encode(sampleAnnouncement)},
		{"record", SealHead(headSlot(), sampleHead, signer("alice"))},
	} {
		fmt.Fprintf(&text, "%s %s\n", line.name, hex.EncodeToString(line.raw))
	}
	file := filepath.Join("testdata", "wire.txt")
	if *rewrite {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("the wire format has changed:\ngot\n%s\nwant\n%s", text.String(), want)
	}
}

// A batch written down by hand from the msgpack specification: array of 3, uint 16, fixint, bin 8.
func TestEncodingByHand(t *testing.T) {
	want := append([]byte{0x94, 0xcd, 1, 44, 4, 0xc4, 8, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xc4, 16}, make([]byte, 16)...)
	if got := Encode(sampleBatch); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestDecodeRefusesOtherForms(t *testing.T) {
	const digest = "c4200100000000000000000000000000000000000000000000000000000000000000" // 32 bytes behind bin 8
	digest31 := "c41f" + digest[4:66]
	mark := "c410" + strings.Repeat("00", 16)
	digest33 := "c421" + digest[4:] + "00"
	for name, test := range map[string]struct {
		text   string
		decode func([]byte) error
	}{
		"batch: uint 8 for a small integer": {"94cc0001c40100" + mark, bodies[2].decode},
		"batch: uint 16 for 255":            {"94cd00ff01c40100" + mark, bodies[2].decode},
		"batch: uint 32 for 65535":          {"94ce0000ffff01c40100" + mark, bodies[2].decode},
		"batch: uint 64 for 1":              {"94cf000000000000000101c40100" + mark, bodies[2].decode},
		"batch: first beyond 32 bits":       {"94cf000000010000000001c40100" + mark, bodies[2].decode},
		"batch: nil for an integer":         {"94c001c40100" + mark, bodies[2].decode},
		"batch: true for an integer":        {"94c301c40100" + mark, bodies[2].decode},
		"batch: bin 16 for one byte":        {"940001c5000100" + mark, bodies[2].decode},
		"batch: bin 32 for one byte":        {"940001c60000000100" + mark, bodies[2].decode},
		"batch: a string for bytes":         {"940001a161" + mark, bodies[2].decode},
		"batch: an array for bytes":         {"93000191 61", bodies[2].decode},
		"batch: array 16 for a struct":      {"dc00030001c40100", bodies[2].decode},
		"batch: array 32 for a struct":      {"dd000000030001c40100", bodies[2].decode},
		"batch: a field too few":            {"920001", bodies[2].decode},
		"batch: a field too many":           {"940001c4010000", bodies[2].decode},
		"batch: no field":                   {"90", bodies[2].decode},
		"batch: empty in a long form":       {"940001c50000" + mark, bodies[2].decode},
		"head: nil for the digest":          {"93c09090", bodies[1].decode},
		"head: an empty abort":              {"94" + digest + "009090", bodies[1].decode},
		"head: digest of 31 bytes":          {"93" + digest31 + "c0c0", bodies[1].decode},
		"head: digest of 33 bytes":          {"93" + digest33 + "c0c0", bodies[1].decode},
		"head: digest as an array":          {"93dc0020" + strings.Repeat("00", 32) + "c0c0", bodies[1].decode},
		"head: array 16 for no parts":       {"94" + digest + "00dc0000c0", bodies[1].decode},
		"head: a nil part":                  {"94" + digest + "0091c0c0", bodies[1].decode},
		"head: an empty part":               {"94" + digest + "009190c0", bodies[1].decode},
		"head: part of two fields":          {"94" + digest + "009192a16101c0", bodies[1].decode},
		"head: false for no abort":          {"94" + digest + "00c0c2", bodies[1].decode},
		"head: bytes for a name":            {"94" + digest + "00c092c400a0", bodies[1].decode},
		"head: str 8 for a short text":      {"94" + digest + "00c092d900a0", bodies[1].decode},
		"head: nil for a text":              {"94" + digest + "00c092c0a0", bodies[1].decode},
		"envelope: version 256":             {"93cd0100c40190c440" + strings.Repeat("00", 64), bodies[0].decode},
		"envelope: signature of 63 bytes":   {"9301c40190c43f" + strings.Repeat("00", 63), bodies[0].decode},
		"envelope: signature of 65 bytes":   {"9301c40190c441" + strings.Repeat("00", 65), bodies[0].decode},
		"announcement: nil manifest":        {"93c001" + digest, bodies[5].decode},
		"announcement: empty manifest":      {"939001" + digest, bodies[5].decode},
	} {
		t.Run(name, func(t *testing.T) {
			raw := unhex(t, strings.ReplaceAll(test.text, " ", ""))
			if err := checkShape(raw); err != nil {
				t.Errorf("the shape is refused already: %v", err)
			}
			wantUntrusted(t, test.decode(raw))
		})
	}
	for name, text := range map[string]string{"no parts": "94" + digest + "00c0c0", "an empty list": "94" + digest + "0090c0"} {
		head, err := Decode[Head](unhex(t, text), MaxHead)
		if err != nil || (head.Parts == nil) != (name == "no parts") || len(head.Parts) != 0 {
			t.Errorf("%s: %+v, %v", name, head, err)
		}
	}
}
