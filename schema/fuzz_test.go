package schema

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func FuzzParseSubject(f *testing.F) {
	f.Add(headSlot().Subject())
	f.Add("risk.s.propagate.999999.bob.alice.99999")
	f.Fuzz(func(t *testing.T, subject string) { checkParse(t, subject) })
}

// FuzzOpen feeds whole records. What opens as a head is what its sender would have written.
func FuzzOpen(f *testing.F) {
	f.Add(headSlot().Subject(), SealHead(headSlot(), sampleHead, signer("alice")))
	f.Add("risk.s1.keygen.3.bob.alice.0", []byte{1})
	roster := testRoster(f)
	f.Fuzz(func(t *testing.T, subject string, raw []byte) {
		event, err := Open(subject, raw, roster)
		if err != nil {
			wantUntrusted(t, err)
			return
		}
		checkEvent(t, event, subject, raw)
	})
}

// FuzzOpenSigned feeds payloads with a valid signature: what a member may try.
func FuzzOpenSigned(f *testing.F) {
	f.Add(Encode(sampleHead))
	f.Add(Encode(sampleAbort))
	roster := testRoster(f)
	f.Fuzz(func(t *testing.T, payload []byte) {
		subject := headSlot().Subject()
		signed := envelope{Version: version, Payload: payload}
		signed.Signature = [64]byte(ed25519.Sign(signer("alice"), signedText(subject, payload)))
		event, err := Open(subject, Encode(signed), roster)
		if err != nil {
			wantUntrusted(t, err)
			return
		}
		checkEvent(t, event, subject, Encode(signed))
	})
}

func checkEvent(t *testing.T, event Event, subject string, raw []byte) {
	t.Helper()
	if event.Slot.Subject() != subject || !bytes.Equal(event.Raw, raw) {
		t.Errorf("opened as %+v", event)
	}
	if (event.Head != nil) != (event.Slot.Part == HeadPart) {
		t.Errorf("head %+v in %s", event.Head, subject)
	}
	if event.Head == nil {
		return
	}
	if again := SealHead(event.Slot, *event.Head, signer(event.Slot.From)); !bytes.Equal(again, raw) {
		t.Errorf("%x opened, but is sealed as %x", raw, again)
	}
	count := 0
	for _, to := range []string{"alice", All, "bob", "charlie"} {
		count += len(event.Head.For(to))
	}
	if count != len(event.Head.Parts) {
		t.Errorf("%d of %d parts have a recipient", count, len(event.Head.Parts))
	}
	if event.Head.Abort != nil {
		checkPrintable(t, event.Head.Abort.Reason)
	}
}

// checkDecode checks that bytes are refused as noise, or are the one encoding of what they decode as.
func checkDecode[B Body](t *testing.T, raw []byte) {
	t.Helper()
	checkWalk(t, raw)
	body, err := Decode[B](raw, MaxHead)
	if err != nil {
		wantUntrusted(t, err)
		if !reflect.ValueOf(body).IsZero() {
			t.Errorf("refused, yet %+v", body)
		}
		return
	}
	again, err := Decode[B](Encode(body), MaxHead)
	if err != nil || !bytes.Equal(Encode(body), raw) || !reflect.DeepEqual(again, body) {
		t.Errorf("%x is %+v, encoded as %x, read again %+v: %v", raw, body, Encode(body), again, err)
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(Encode(sampleEnvelope))
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecode[envelope](t, raw) })
}

func FuzzDecodeHead(f *testing.F) {
	f.Add(Encode(sampleHead))
	f.Add(Encode(sampleAbort))
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecode[Head](t, raw) })
}

func FuzzDecodeBatch(f *testing.F) {
	f.Add(Encode(sampleBatch))
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecode[Batch](t, raw) })
}

func FuzzDecodeKeygenManifest(f *testing.F) {
	f.Add(Encode(sampleKeygen))
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecode[KeygenManifest](t, raw) })
}

func FuzzDecodeAnnouncement(f *testing.F) {
	f.Add(Encode(sampleAnnouncement))
	f.Fuzz(func(t *testing.T, raw []byte) { checkDecode[Announcement](t, raw) })
}

// A corpus that was lost would otherwise go unnoticed.
func TestFuzzSeedsAreThere(t *testing.T) {
	for _, target := range []string{
		"FuzzParseSubject", "FuzzOpen", "FuzzOpenSigned", "FuzzDecodeEnvelope", "FuzzDecodeHead", "FuzzDecodeBatch",
		"FuzzDecodeKeygenManifest", "FuzzDecodeAnnouncement",
	} {
		seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		if err != nil || len(seeds) == 0 {
			t.Errorf("%s has no seeds in testdata: %v", target, err)
		}
		for _, seed := range seeds {
			data, err := os.ReadFile(seed)
			if err != nil || !bytes.HasPrefix(data, []byte("go test fuzz v1\n")) {
				t.Errorf("%s is not a seed: %v", seed, err)
			}
		}
	}
}
