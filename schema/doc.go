// Package schema is what lies on the log: addresses, envelopes and bodies, and the checks that a record passes before
// anybody computes with it.
//
// # Addresses
//
// A [Slot] is the address of one record. Its subject has seven tokens:
//
//	risk.<session>.<proto>.<round>.<to>.<from>.<part>
//
// A slot is written at most once. What a party says in a round is made of parts, numbered from 0 for each recipient,
// and of one head, written last. The head is always addressed to "all".
//
// # Trust
//
// Nothing that another party or the broker has written is believed before it is checked:
//
//   - A head carries the Ed25519 signature of its sender over its subject and its bytes, and [Open] verifies it over
//     the bytes as they came. Nothing is encoded again to check a signature.
//   - A part carries no signature of its own. The head of its sender lists its size and its SHA-256 digest, and
//     [Ref.Verify] compares them, so that one signature covers megabytes.
//   - Before msgpack decodes anything, [Decode] caps the size and walks over the shape without allocating: every
//     declared length must fit what remains, nesting is bounded, and what we never write (maps, floats, extensions,
//     trailing bytes) is refused. Afterwards it encodes the result again and compares: one value, one encoding.
//
// # Bodies
//
// All heavy data are lists of integers of one width, packed into a [Batch]. The few structured documents (a [Head],
// the manifests, an [Announcement]) are arrays of concrete fields in a fixed order.
//
// # Transcript
//
// [Seen] chains the digests of all heads of all completed rounds. Every head carries it, so that two parties that were
// shown different histories notice it with their next word.
package schema
