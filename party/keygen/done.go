package keygen

import (
	"encoding/binary"
	"math/big"

	"riskprop/crypto/paillier"
	"riskprop/party"
	"riskprop/schema"
)

// Done is the final round: the session's result.
type Done struct {
	party.Ended
	Key   *paillier.Key
	ID    [32]byte // digest of the public key and the roster
	Share *big.Int // this party's share of the decryption key, secret; nil for an auditor
	Stats Stats
}

// KeyID is the digest of everything public about a key.
func KeyID(key *paillier.Key, roster *schema.Roster) [32]byte {
	digest := roster.Digest()
	var numbers []byte
	for _, number := range []int{key.Parties, key.Threshold, key.Kappa} {
		numbers = binary.BigEndian.AppendUint32(numbers, uint32(number))
	}
	return schema.Digest("riskprop/v1 key", digest[:], numbers, key.N.Bytes(), key.Theta.Bytes(), key.HS.Bytes())
}
