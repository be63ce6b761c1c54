package propagate

import (
	"fmt"
	"math/big"

	"riskprop/crypto/fixed"
	"riskprop/party"
	"riskprop/party/ledger"
)

// scoresOf unpacks the scores. One beyond its range is an error that names the account's row, never a wrong score.
func (s *setup) scoresOf(plaintexts []*big.Int) ([]ledger.Score, error) {
	out := make([]ledger.Score, 0, s.accounts())
	for j, plaintext := range plaintexts {
		count := min(s.per, s.accounts()-j*s.per)
		slots, err := s.scale.Unpack(plaintext, count)
		if err != nil {
			return nil, s.refuse(fmt.Errorf("the encrypted scores are wrong at the accounts in rows %d to %d: %w", j*s.per+1, j*s.per+count, err))
		}
		for _, slot := range slots {
			account := s.Ledger.Accounts[len(out)]
			out = append(out, ledger.Score{ID: account.ID, Initial: account.Score, Final: fixed.Float(slot, s.scale.ScaleBits())})
		}
	}
	return out, nil
}

// refuse tells the others nothing of what was decrypted.
func (s *setup) refuse(err error) error {
	return &party.Refusal{Reason: "its scores cannot be opened", Err: fmt.Errorf("opening the scores: %w", err)}
}
