package config

import (
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	"riskprop/crypto/paillier"
	"riskprop/party/keygen"
	"riskprop/schema"
)

// KeyShare is what a member takes away from a key generation. It is kept as a backup, or to move to another machine.
type KeyShare struct {
	Name     string // of the member
	Session  string // of the key generation
	Manifest schema.KeygenManifest
	Key      *paillier.Key
	ID       [32]byte // of the key
	Share    *big.Int // of the decryption key: secret
}

// Format writes whose share it is, whatever the verb: a KeyShare that is printed by mistake shows no secret.
func (k KeyShare) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "the key share of %s from session %s", k.Name, k.Session)
}

// WriteKeyShare writes a share to a new file, behind a passphrase.
func WriteKeyShare(path string, share KeyShare, passphrase []byte) error {
	text := share.marshal()
	defer clear(text)
	return writeEncrypted(path, text, passphrase, workFactor)
}

// ReadKeyShare reads a share and checks all of it that can be checked alone: that it is of a member of the roster, that manifest and key are in range and
// belong together and to the roster, that the key has its id, and that the share is no larger than a share can be.
func ReadKeyShare(path string, passphrase []byte, roster *schema.Roster) (KeyShare, error) {
	data, err := readEncrypted(path)
	if err != nil {
		return KeyShare{}, err
	}
	text, err := decrypt(path, data, passphrase)
	if err != nil {
		return KeyShare{}, err
	}
	defer clear(text)
	share, err := parseKeyShare(path, text)
	if err != nil {
		return KeyShare{}, err
	}
	if err := share.complete(roster); err != nil {
		return KeyShare{}, fmt.Errorf("%s: %w", path, err)
	}
	return share, nil
}

// CheckEncryptedShare returns an error unless the file can be one of WriteKeyShare, as far as that can be seen without its passphrase.
func CheckEncryptedShare(path string) error {
	_, err := readEncrypted(path)
	return err
}

// readEncrypted reads the file of a share.
func readEncrypted(path string) ([]byte, error) {
	data, err := readBounded(path, func(os.FileInfo) error { return nil })
	if err != nil {
		return nil, err
	}
	if !encrypted(data) {
		clear(data)
		return nil, fmt.Errorf("%s: this is no encrypted file: a key share comes from riskprop key export", path)
	}
	return data, nil
}

// marshal is the text of the file: a secret that the caller wipes. Its room is taken at once, so that growing leaves no copy.
func (k KeyShare) marshal() []byte {
	m := k.Manifest
	text := make([]byte, 0, maxFile)
	text = fmt.Appendf(text, "version: %d\nname: %s\nsession: %s\nroster: %x\n", fileVersion, quoted(k.Name), quoted(k.Session), m.Roster)
	text = fmt.Appendf(text, "key_bits: %d\nthreshold: %d\nkappa: %d\nbatch: %d\ntrial_to: %d\n", m.KeyBits, m.Threshold, m.Kappa, m.Batch, m.TrialTo)
	if m.Deadline != 0 {
		text = fmt.Appendf(text, "deadline: %s\n", time.Unix(int64(m.Deadline), 0).UTC().Format(time.RFC3339))
	}
	text = fmt.Appendf(text, "key: %x\nn: %x\ntheta: %x\nh_s: %x\nshare: ", k.ID, k.Key.N, k.Key.Theta, k.Key.HS)
	return append(k.Share.Append(text, 16), '\n')
}

// parseKeyShare reads the text of the file. The key is not complete yet: it has no more than its numbers.
func parseKeyShare(file string, data []byte) (KeyShare, error) {
	m := parseSecret(file, data, "name", "session", "roster", "key_bits", "threshold", "kappa", "batch", "trial_to", "deadline",
		"key", "n", "theta", "h_s", "share")
	share := KeyShare{Name: m.name("name"), Session: m.session("session")}
	manifest := &share.Manifest
	*manifest = schema.KeygenManifest{
		Version: schema.ManifestVersion, Session: share.Session, Roster: m.hex32("roster"),
		KeyBits: m.count32("key_bits"), Threshold: m.count32("threshold"), Kappa: m.count32("kappa"), Batch: m.count32("batch"), TrialTo: m.count32("trial_to"),
	}
	if m.has("deadline") {
		manifest.Deadline = uint64(m.instant("deadline").Unix())
	}
	share.ID = m.hex32("key")
	share.Key = &paillier.Key{Params: paillier.Params{
		N: m.number("n"), Theta: m.number("theta"), HS: m.number("h_s"), Threshold: int(manifest.Threshold), Kappa: int(manifest.Kappa),
	}}
	share.Share = m.number("share")
	if err := m.verdict(nil); err != nil {
		return KeyShare{}, err
	}
	return share, nil
}

// complete checks a share that was read, and makes its key.
func (k *KeyShare) complete(roster *schema.Roster) error {
	if digest := roster.Digest(); digest != k.Manifest.Roster {
		return fmt.Errorf("roster: the share belongs to the roster %x, and the consortium's is %x: it is of another consortium", k.Manifest.Roster, digest)
	}
	if _, member := roster.Index(k.Name); !member {
		return fmt.Errorf("name: the share is of %s, who is no member of the consortium", k.Name)
	}
	if err := k.Manifest.Validate(roster.Len()); err != nil {
		return err
	}
	params := k.Key.Params
	params.Parties = roster.Len()
	if params.N.BitLen() != int(k.Manifest.KeyBits) {
		return fmt.Errorf("n: a number of %d bits, and key_bits is %d", params.N.BitLen(), k.Manifest.KeyBits)
	}
	key, err := paillier.NewKey(params)
	if err != nil {
		return err
	}
	k.Key = key
	if keygen.KeyID(key, roster) != k.ID {
		return errors.New("key: the id is not that of the key: the file was changed")
	}
	if k.Share.Sign() == 0 || k.Share.BitLen() > key.ShareBits() {
		return errors.New("share: out of the range that a share of this key has")
	}
	return nil
}
