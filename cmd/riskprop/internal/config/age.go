package config

import (
	"bytes"
	"errors"
	"fmt"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Limits of encryption with a passphrase.
const (
	workFactor    = 18 // log2 of scrypt's cost, age's own: a second, 256 MiB
	maxWorkFactor = 20 // what a file may ask of its reader: 1 GiB
	maxPassphrase = 1024
)

// checkPassphrase refuses what can be none.
func checkPassphrase(passphrase []byte) error {
	if len(passphrase) == 0 {
		return errors.New("the passphrase is empty")
	}
	if len(passphrase) > maxPassphrase {
		return fmt.Errorf("the passphrase has more than %d bytes", maxPassphrase)
	}
	return nil
}

// encrypted tells whether a file is one of encrypt's.
func encrypted(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte(armor.Header))
}

// encrypt returns the armored age file that the passphrase opens, with scrypt at cost 2^work.
func encrypt(plaintext, passphrase []byte, work int) ([]byte, error) {
	if err := checkPassphrase(passphrase); err != nil {
		return nil, err
	}
	recipient, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(work)
	var file bytes.Buffer
	armored := armor.NewWriter(&file)
	w, err := age.Encrypt(armored, recipient)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(plaintext)
	if err := errors.Join(err, w.Close(), armored.Close()); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

// decrypt opens what encrypt made. The caller wipes the plaintext. No error tells anything of it.
func decrypt(file string, data, passphrase []byte) ([]byte, error) {
	if err := checkPassphrase(passphrase); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	identity, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(data)), identity)
	if mismatch, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		if len(mismatch.StanzaTypes) == 1 && mismatch.StanzaTypes[0] == "scrypt" {
			return nil, fmt.Errorf("%s: the passphrase does not open it", file)
		}
		return nil, fmt.Errorf("%s: it is encrypted, but not with a passphrase", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the encrypted file is damaged: %w", file, err)
	}
	plaintext, err := drain(r, len(data)) // shorter than the file
	if err != nil {
		clear(plaintext)
		return nil, fmt.Errorf("%s: the encrypted file is damaged: %w", file, err)
	}
	return plaintext, nil
}
