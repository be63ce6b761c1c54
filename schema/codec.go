package schema

import (
	"bytes"
	"fmt"

	"github.com/vmihailenco/msgpack/v5"
)

// Body is every type that is written to the log, and nothing else.
type Body interface {
	envelope | Head | Batch | KeygenManifest | PropagateManifest | Announcement
}

// Encode writes a body in its one canonical form: structs as arrays, integers as short as they can be.
func Encode[B Body](body B) []byte {
	var out bytes.Buffer
	enc := msgpack.NewEncoder(&out)
	enc.UseArrayEncodedStructs(true)
	enc.UseCompactInts(true)
	if err := enc.Encode(&body); err != nil {
		panic("schema: " + err.Error()) // concrete types into memory cannot fail
	}
	return out.Bytes()
}

// Decode reads a body of at most limit bytes. Errors wrap [ErrUntrusted]. A body that Encode would have written
// differently, by one byte, is refused.
func Decode[B Body](raw []byte, limit int) (B, error) {
	var body, none B
	if len(raw) > limit {
		return none, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrUntrusted, len(raw), limit)
	}
	if err := checkShape(raw); err != nil {
		return none, err
	}
	dec := msgpack.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields(true)
	if err := dec.Decode(&body); err != nil {
		return none, fmt.Errorf("%w: %T: %v", ErrUntrusted, body, err)
	}
	if !bytes.Equal(Encode(body), raw) {
		return none, fmt.Errorf("%w: %T is not in canonical form", ErrUntrusted, body)
	}
	return body, nil
}
