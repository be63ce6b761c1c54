package schema

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of records.
const (
	MaxHead   = 1 << 20   // bytes of a head's record
	MaxRecord = 512 << 10 // bytes of a part's record
	maxReason = 400       // bytes of an abort's reason
	MaxRefs   = 12000     // parts of one round of one party
)

// version is the first field of every envelope.
const version = 1

// Kind tells what a head is.
type Kind uint8

// The kinds of heads.
const (
	Speaks  Kind = iota // the party has spoken in the round; or, with an Abort, it leaves the session
	Settles             // it closes the round before, without those who have not spoken in it
)

// Head is what a party signs about a round: all parts it wrote in it, for every recipient, and the history it saw.
type Head struct {
	Seen  [32]byte
	Kind  Kind   // what it is
	Parts []Ref  // sorted by recipient, then by part number, which counts from 0 for each recipient
	Abort *Abort // set when the party ends the session with this word instead of taking part in the round
}

// Ref commits to one part.
type Ref struct {
	To     string
	Size   uint32
	Digest [32]byte // SHA-256 of the record
}

// Abort is a party's last word in a session.
type Abort struct {
	Culprit string // the member that it blames, or empty
	Reason  string
}

// envelope is the record of a head.
type envelope struct {
	Version   uint8
	Payload   []byte
	Signature [64]byte
}

// Event is a record that passed [Open]: a head with a valid signature, or a part whose content nobody vouches for yet.
type Event struct {
	Slot   Slot
	Raw    []byte
	Sender int   // the sender's index in the roster
	Head   *Head // nil for a part
}

// Open is the only maker of an Event from the log. For a head it verifies the signature and the form; for a part only
// address and size, since its head vouches for it (see [Ref.Verify]). All errors wrap [ErrUntrusted].
func Open(subject string, raw []byte, roster *Roster) (Event, error) {
	slot, err := ParseSubject(subject)
	if err != nil {
		return Event{}, err
	}
	sender, ok := roster.Index(slot.From)
	if !ok {
		return Event{}, fmt.Errorf("%w: %q is no member", ErrUntrusted, slot.From)
	}
	event := Event{Slot: slot, Raw: raw, Sender: sender}
	if slot.Part != HeadPart {
		if len(raw) == 0 || len(raw) > MaxRecord {
			return Event{}, fmt.Errorf("%w: part of %d bytes", ErrUntrusted, len(raw))
		}
		return event, nil
	}
	signed, err := Decode[envelope](raw, MaxHead)
	if err != nil {
		return Event{}, err
	}
	if signed.Version != version {
		return Event{}, fmt.Errorf("%w: version %d, ours is %d", ErrUntrusted, signed.Version, version)
	}
	if !roster.verify(sender, signedText(subject, signed.Payload), signed.Signature[:]) {
		return Event{}, fmt.Errorf("%w: no valid signature of %s", ErrUntrusted, slot.From)
	}
	head, err := Decode[Head](signed.Payload, MaxHead)
	if err != nil {
		return Event{}, err
	}
	if err := head.validate(roster); err != nil {
		return Event{}, fmt.Errorf("%w: head of %s: %v", ErrUntrusted, slot.From, err)
	}
	event.Head = &head
	return event, nil
}

// SealHead makes the record of a head: the signed envelope.
func SealHead(slot Slot, head Head, key ed25519.PrivateKey) []byte {
	if slot.Part != HeadPart {
		panic("schema: a head in the slot of a part")
	}
	signed := envelope{Version: version, Payload: Encode(head)}
	signed.Signature = [64]byte(ed25519.Sign(key, signedText(slot.Subject(), signed.Payload)))
	return Encode(signed)
}

// signedText is what a signature covers: purpose, address and bytes. Neither purpose nor subject holds a line feed.
func signedText(subject string, payload []byte) []byte {
	text := append([]byte("riskprop/v1 head\n"), subject...)
	return append(append(text, '\n'), payload...)
}

func (h *Head) validate(roster *Roster) error {
	if len(h.Parts) > MaxRefs {
		return fmt.Errorf("%d parts, at most %d allowed", len(h.Parts), MaxRefs)
	}
	for i, ref := range h.Parts {
		if _, member := roster.Index(ref.To); !member && ref.To != All {
			return fmt.Errorf("part for %.40q, who is no member", ref.To)
		}
		if ref.Size == 0 || ref.Size > MaxRecord {
			return fmt.Errorf("part of %d bytes", ref.Size)
		}
		if i > 0 && strings.Compare(h.Parts[i-1].To, ref.To) > 0 {
			return fmt.Errorf("parts are not sorted by recipient")
		}
	}
	if h.Kind > Settles {
		return fmt.Errorf("a head of the unknown kind %d", h.Kind)
	}
	if h.Kind == Settles && (len(h.Parts) > 0 || h.Abort != nil) {
		return fmt.Errorf("it closes a round and says more")
	}
	if h.Abort == nil {
		return nil
	}
	if _, member := roster.Index(h.Abort.Culprit); !member && h.Abort.Culprit != "" {
		return fmt.Errorf("abort blames %.40q, who is no member", h.Abort.Culprit)
	}
	if len(h.Parts) > 0 || h.Abort.Reason != Printable(h.Abort.Reason) {
		return fmt.Errorf("malformed abort")
	}
	return nil
}

// For lists the refs of the parts for one recipient, in the order of their numbers.
func (h *Head) For(to string) []Ref {
	first := 0
	for first < len(h.Parts) && h.Parts[first].To != to {
		first++
	}
	last := first
	for last < len(h.Parts) && h.Parts[last].To == to {
		last++
	}
	return h.Parts[first:last]
}

// NewRef commits to a part's record.
func NewRef(to string, raw []byte) Ref {
	return Ref{To: to, Size: uint32(len(raw)), Digest: sha256.Sum256(raw)}
}

// Verify tells whether a record is the one that the head's signer wrote.
func (r Ref) Verify(raw []byte) error {
	if NewRef(r.To, raw) != r {
		return fmt.Errorf("%w: part differs from the digest that its sender signed", ErrUntrusted)
	}
	return nil
}

// Printable makes a reason of a text: one line of valid UTF-8 without control characters, at most 400 bytes.
func Printable(text string) string {
	clean := []rune{}
	size := 0
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			r = '.'
		}
		if size += utf8.RuneLen(r); size > maxReason {
			break
		}
		clean = append(clean, r)
	}
	return string(clean)
}
