package schema

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// headSlot is where the test heads of alice lie.
func headSlot() Slot {
	return Slot{Session: "s1", Proto: Keygen, Round: 3, To: All, From: "alice", Part: HeadPart}
}

// goodRefs draws parts that alice may write: sorted by recipient.
var goodRefs = rapid.Custom(func(t *rapid.T) []Ref {
	var refs []Ref
	for _, to := range []string{"alice", All, "bob", "charlie"} {
		for range rapid.IntRange(0, 3).Draw(t, "parts for "+to) {
			refs = append(refs, Ref{To: to, Size: rapid.Uint32Range(1, MaxRecord).Draw(t, "size"), Digest: digests.Draw(t, "digest")})
		}
	}
	return refs
})

func TestOpenInvertsSealHead(t *testing.T) {
	roster := testRoster(t)
	rapid.Check(t, func(t *rapid.T) {
		slot := slots.Draw(t, "slot")
		slot.To, slot.Part = All, HeadPart
		slot.From = rapid.SampledFrom(roster.Names()).Draw(t, "from")
		head := Head{Seen: digests.Draw(t, "seen")}
		if rapid.Bool().Draw(t, "abort") {
			culprit := rapid.SampledFrom(append(roster.Names(), "")).Draw(t, "culprit")
			head.Abort = &Abort{Culprit: culprit, Reason: Printable(rapid.String().Draw(t, "reason"))}
		} else {
			head.Parts = goodRefs.Draw(t, "refs")
		}
		raw := SealHead(slot, head, signer(slot.From))
		if !bytes.Equal(raw, SealHead(slot, head, signer(slot.From))) {
			t.Fatal("sealed twice, two records")
		}
		event, err := Open(slot.Subject(), raw, roster)
		if err != nil {
			t.Fatal(err)
		}
		sender, _ := roster.Index(slot.From)
		if event.Slot != slot || event.Sender != sender || !bytes.Equal(event.Raw, raw) || !reflect.DeepEqual(*event.Head, head) {
			t.Fatalf("got %+v with %+v, want %+v", event, *event.Head, head)
		}
	})
}

func TestOpenTakesPartsOfMembersAsTheyAre(t *testing.T) {
	roster := testRoster(t)
	subject := "risk.s1.keygen.3.bob.alice.0"
	for _, size := range []int{1, 100, MaxRecord} {
		event, err := Open(subject, make([]byte, size), roster)
		if err != nil || event.Head != nil || len(event.Raw) != size || event.Slot.Subject() != subject {
			t.Errorf("%d bytes: %+v, %v", size, event.Slot, err)
		}
	}
	for _, size := range []int{0, MaxRecord + 1} {
		_, err := Open(subject, make([]byte, size), roster)
		wantUntrusted(t, err)
	}
	_, err := Open("risk.s1.keygen.3.bob.mallory.0", []byte{1}, roster)
	wantUntrusted(t, err)
}

// refused fails if the record opens at the subject.
func refused(t *testing.T, roster *Roster, what, subject string, raw []byte) {
	t.Helper()
	event, err := Open(subject, raw, roster)
	if err == nil || event.Head != nil || event.Raw != nil {
		t.Errorf("%s: opened as %+v", what, event)
	}
	wantUntrusted(t, err)
}

func TestOpenBindsTheSubject(t *testing.T) {
	roster := testRoster(t)
	raw := SealHead(headSlot(), sampleHead, signer("alice"))
	if _, err := Open(headSlot().Subject(), raw, roster); err != nil {
		t.Fatal(err)
	}
	for what, move := range map[string]func(*Slot){
		"another session":  func(s *Slot) { s.Session = "s2" },
		"another protocol": func(s *Slot) { s.Proto = Propagate },
		"the next round":   func(s *Slot) { s.Round++ },
		"another sender":   func(s *Slot) { s.From = "bob" },
		"no member":        func(s *Slot) { s.From = "mallory" },
		"another case":     func(s *Slot) { s.From = "Alice" },
	} {
		slot := headSlot()
		move(&slot)
		refused(t, roster, what, slot.Subject(), raw)
	}
	refused(t, roster, "no subject", "", raw)
	refused(t, roster, "a wildcard", "risk.s1.keygen.*.all.alice.head", raw)
	// As a part nobody vouches for it: it opens, and carries no head.
	event, err := Open("risk.s1.keygen.3.all.alice.0", raw, roster)
	if err != nil || event.Head != nil {
		t.Errorf("a head's record in a part's slot: %+v, %v", event.Head, err)
	}
}

func TestOpenRefusesOtherSigners(t *testing.T) {
	roster := testRoster(t)
	subject := headSlot().Subject()
	refused(t, roster, "signed by bob", subject, SealHead(headSlot(), sampleHead, signer("bob")))
	refused(t, roster, "signed by a stranger", subject, SealHead(headSlot(), sampleHead, signer("mallory")))
	payload := Encode(sampleHead)
	seal := func(version uint8, text []byte) []byte {
		return Encode(envelope{Version: version, Payload: payload, Signature: [64]byte(ed25519.Sign(signer("alice"), text))})
	}
	if _, err := Open(subject, seal(version, signedText(subject, payload)), roster); err != nil {
		t.Errorf("the control: %v", err)
	}
	refused(t, roster, "version 0", subject, seal(0, signedText(subject, payload)))
	refused(t, roster, "version 2", subject, seal(2, signedText(subject, payload)))
	refused(t, roster, "the payload alone is signed", subject, seal(version, payload))
	refused(t, roster, "no purpose is signed", subject, seal(version, append([]byte(subject+"\n"), payload...)))
	refused(t, roster, "no signature", subject, Encode(envelope{Version: version, Payload: payload}))
}

// Signatures are not malleable: s + L is refused (RFC 8032, 5.1.7), else one statement could have two records.
func TestOpenRefusesMalleatedSignatures(t *testing.T) {
	roster := testRoster(t)
	raw := SealHead(headSlot(), sampleHead, signer("alice"))
	order := unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010") // L, little-endian
	s, carry := raw[len(raw)-32:], 0
	for i := range s {
		sum := int(s[i]) + int(order[i]) + carry
		s[i], carry = byte(sum), sum>>8
	}
	refused(t, roster, "s + L", headSlot().Subject(), raw)
}

func TestOpenRefusesEveryChangedByte(t *testing.T) {
	roster := testRoster(t)
	raw := SealHead(headSlot(), sampleHead, signer("alice"))
	subject := headSlot().Subject()
	for at := range raw {
		for _, flip := range []byte{1, 2, 0x10, 0x80, 0xff} {
			changed := bytes.Clone(raw)
			changed[at] ^= flip
			refused(t, roster, "a changed byte", subject, changed)
		}
		refused(t, roster, "a prefix", subject, raw[:at])
	}
	refused(t, roster, "a byte more", subject, append(bytes.Clone(raw), 0))
}

func TestOpenCapsTheSizeOfAHead(t *testing.T) {
	head := Head{Parts: make([]Ref, MaxRefs)}
	long := strings.Repeat("z", MaxName) // the longest names make the longest heads
	for i := range head.Parts {
		head.Parts[i] = Ref{To: long, Size: MaxRecord, Digest: sha256.Sum256([]byte{byte(i), byte(i >> 8)})}
	}
	roster, err := NewRoster(testMembers(t, "alice", "bob", long))
	if err != nil {
		t.Fatal(err)
	}
	raw := SealHead(headSlot(), head, signer("alice"))
	if _, err := Open(headSlot().Subject(), raw, roster); err != nil {
		t.Errorf("the largest head that may be written: %v", err)
	}
	head.Parts = append(head.Parts, head.Parts[0])
	_, err = Open(headSlot().Subject(), SealHead(headSlot(), head, signer("alice")), roster)
	wantUntrusted(t, err)

	payload := make([]byte, MaxHead) // a valid signature of too much
	big := envelope{Version: version, Payload: payload}
	big.Signature = [64]byte(ed25519.Sign(signer("alice"), signedText(headSlot().Subject(), payload)))
	bytes := allocated(func() { refused(t, roster, "an oversized head", headSlot().Subject(), Encode(big)) })
	if floor := allocated(func() { Encode(big) }); bytes > floor+1<<20 {
		t.Errorf("refusing an oversized head allocates %d bytes", bytes-floor)
	}
}

// A signature does not make a statement well-formed: these are signed by alice, and refused.
func TestOpenRefusesMalformedHeads(t *testing.T) {
	roster := testRoster(t)
	ref := func(to string, size uint32) Ref { return Ref{To: to, Size: size} }
	blame := func(culprit, reason string) *Abort { return &Abort{Culprit: culprit, Reason: reason} }
	for what, head := range map[string]Head{
		"parts for a stranger":           {Parts: []Ref{ref("mallory", 1)}},
		"parts for nobody":               {Parts: []Ref{ref("", 1)}},
		"parts for a wildcard":           {Parts: []Ref{ref("*", 1)}},
		"an empty part":                  {Parts: []Ref{ref("bob", 0)}},
		"a part too large":               {Parts: []Ref{ref("bob", MaxRecord+1)}},
		"the last part too large":        {Parts: []Ref{ref("bob", 1), ref("bob", 1<<32-1)}},
		"unsorted recipients":            {Parts: []Ref{ref("charlie", 1), ref("bob", 1)}},
		"a recipient twice":              {Parts: []Ref{ref("alice", 1), ref("bob", 1), ref("alice", 1)}},
		"all behind bob":                 {Parts: []Ref{ref("bob", 1), ref(All, 1)}},
		"an abort with parts":            {Parts: []Ref{ref("bob", 1)}, Abort: blame("", "")},
		"blame for a stranger":           {Abort: blame("mallory", "")},
		"blame for all":                  {Abort: blame(All, "")},
		"a reason with a line feed":      {Abort: blame("bob", "two\nlines")},
		"a reason with an escape":        {Abort: blame("bob", "\x1b[2J")},
		"a reason with a reversed order": {Abort: blame("bob", "\u202egnp")},
		"a reason of invalid UTF-8":      {Abort: blame("bob", "\xff")},
		"of an unknown kind":             {Kind: 2},
		"a settled round and a part":     {Kind: Settles, Parts: []Ref{{To: All, Size: 1}}},
		"a settled round and an abort":   {Kind: Settles, Abort: &Abort{}},
		"a reason too long":              {Abort: blame("bob", strings.Repeat("a", maxReason+1))},
	} {
		refused(t, roster, what, headSlot().Subject(), SealHead(headSlot(), head, signer("alice")))
	}
	for what, head := range map[string]Head{
		"nothing":                  {},
		"an empty list":            {Parts: []Ref{}},
		"the smallest and largest": {Parts: []Ref{ref("bob", 1), ref("bob", MaxRecord)}},
		"parts for itself":         {Parts: []Ref{ref("alice", 1), ref(All, 1), ref("bob", 1)}},
		"settles":                  {Kind: Settles},
		"a bare abort":             {Abort: blame("", "")},
		"blame for itself":         {Abort: blame("alice", "wrong key")},
		"the longest reason":       {Abort: blame("bob", strings.Repeat("a", maxReason))},
	} {
		if _, err := Open(headSlot().Subject(), SealHead(headSlot(), head, signer("alice")), roster); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestSealHeadPanicsInThePlaceOfAPart(t *testing.T) {
	slot := headSlot()
	slot.Part = 0
	wantPanic(t, "a head in part 0", func() { SealHead(slot, Head{}, signer("alice")) })
}

func TestRefVerify(t *testing.T) {
	raw := []byte("a sealed batch")
	ref := NewRef("bob", raw)
	if err := ref.Verify(raw); err != nil {
		t.Error(err)
	}
	if ref.To != "bob" || int(ref.Size) != len(raw) || ref.Digest != sha256.Sum256(raw) {
		t.Errorf("%+v", ref)
	}
	for at := range raw {
		changed := bytes.Clone(raw)
		changed[at] ^= 1
		wantUntrusted(t, ref.Verify(changed))
		wantUntrusted(t, ref.Verify(raw[:at]))
	}
	wantUntrusted(t, ref.Verify(append(bytes.Clone(raw), 0)))
	other := ref
	other.Size++
	wantUntrusted(t, other.Verify(raw))
	other = ref
	other.Digest[31] ^= 1
	wantUntrusted(t, other.Verify(raw))
}

// For against a plain filter: they agree on every head that passes Open.
func TestForListsThePartsOfARecipient(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		head := Head{Parts: goodRefs.Draw(t, "refs")}
		for _, to := range []string{"alice", All, "bob", "charlie", "mallory", ""} {
			var want []Ref
			for _, ref := range head.Parts {
				if ref.To == to {
					want = append(want, ref)
				}
			}
			got := head.For(to)
			if len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("For(%q) = %+v, want %+v", to, got, want)
			}
		}
	})
}

// checkPrintable checks what the documentation of Printable promises.
func checkPrintable(t interface{ Fatalf(string, ...any) }, text string) {
	got := Printable(text)
	switch {
	case len(got) > maxReason:
		t.Fatalf("%q: %d bytes", text, len(got))
	case !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }):
		t.Fatalf("%q gave %q", text, got)
	case Printable(got) != got:
		t.Fatalf("%q gave %q, which gave %q", text, got, Printable(got))
	}
}

func TestPrintable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkPrintable(t, rapid.StringN(0, 600, -1).Draw(t, "text"))
		checkPrintable(t, string(rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "bytes")))
	})
	for text, want := range map[string]string{
		"":                                 "",
		"plain text, κ = 80":               "plain text, κ = 80",
		"two\nlines\r\n":                   "two.lines..",
		"\x1b[31mred\x07":                  ".[31mred.",
		"tab\tNUL\x00del\x7f":              "tab.NUL.del.",
		"a\xffb\xc3":                       "a.b.",
		"\ufffd\ufeff\u200b\u2028\u202e":   ".....",
		strings.Repeat("a", 1000):          strings.Repeat("a", maxReason),
		strings.Repeat("é", 1000):          strings.Repeat("é", maxReason/2),
		strings.Repeat("a", 399) + "é":     strings.Repeat("a", 399),
		strings.Repeat("\U0001f600", 1000): strings.Repeat("\U0001f600", maxReason/4),
	} {
		if got := Printable(text); got != want {
			t.Errorf("Printable(%q) = %q, want %q", text, got, want)
		}
	}
	huge := strings.Repeat("x", 1<<20)
	if bytes := allocated(func() { Printable(huge) }); bytes > 1<<15 {
		t.Errorf("a megabyte of text made Printable allocate %d bytes", bytes)
	}
}
