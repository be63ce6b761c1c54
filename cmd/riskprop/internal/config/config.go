// Package config is every file that the people of a consortium write or keep.
//
//	identity.yaml     who a party is: one seed of 32 bytes, from which all its keys come. Or identity.age, the same behind a passphrase
//	alice.pub.yaml    what the others must know of it: names and public keys
//	consortium.yaml   all public files in one, with the threshold and the name of the stream: what the banks agree on
//	alice.yaml        where one party finds its identity, its data and the servers: of interest to nobody else
//	run.yaml          one session: the same file for all parties
//	keys.age          the backup of a key share, always behind a passphrase
//
// # Reading
//
// The files are YAML, and as little of it as will do: one document, a mapping at its top, no key that is unknown, none that comes twice, no anchors,
// aliases, tags or directives, no text of several lines. What a value is follows from its key, not from how it looks: "session: 2026" is the text 2026. A
// file is at most 64 KiB, with a bound on tokens and on nesting that is checked before the parser of the library sees anything, since its time grows with
// the square of the depth, and its stack with the depth. An error names the file, the line and column where there is one, the field, and what to do, in one
// line.
//
// [Load] reads a file whose content is no secret. [ReadIdentity], [ReadKeyShare] and [ReadPassphrase] read those whose content is: these must be regular files,
// the first and the last for nobody but their owner, and no error tells anything of what they hold.
//
// # Writing
//
// Nothing is ever overwritten. A file appears under its name when it is complete and on the disk, or not at all (see [WriteNew]).
//
// # Secrets
//
// The seed is the party: who has it signs in its name, opens all that was ever sealed for it, and is admitted by the servers in its place. An [Identity] and a
// [KeyShare] that are printed by mistake show a name. [Identity.Wipe] overwrites the seed, and the buffers that a file was read and decrypted into are
// overwritten as soon as they were parsed. What Go does not let one wipe are the texts that the YAML parser cuts out of such a buffer, the passphrase as age
// keeps it, age's own buffers, what the standard library derives from a key (an expanded Ed25519 key, the state of a cipher), the numbers of a share, and
// copies that a growing stack left. So a process that held a secret must not leave a core dump.
package config

import (
	"encoding/hex"
	"os"
)

// Role is what a party of a consortium does.
type Role string

// The roles. Members bring data and hold shares of keys, an auditor follows the log, an operator keeps the servers.
const (
	Member   Role = "member"
	Auditor  Role = "auditor"
	Operator Role = "operator"
)

// fileVersion is the version of every file.
const fileVersion = 1

// Hex32 is 32 bytes that are written as 64 lower-case hexadecimal digits.
type Hex32 [32]byte

// String returns the 64 digits.
func (h Hex32) String() string { return hex.EncodeToString(h[:]) }

// Load reads a file of at most 64 KiB, which must be a regular one, and parses it.
func Load[T *Party | *Session | *Consortium | Public](path string, parse func(file string, data []byte) (T, error)) (T, error) {
	data, err := readBounded(path, func(os.FileInfo) error { return nil })
	if err != nil {
		var none T
		return none, err
	}
	return parse(path, data)
}
