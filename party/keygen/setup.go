package keygen

import (
	"fmt"
	"math/big"

	"riskprop/crypto/biprime"
	"riskprop/party"
	"riskprop/schema"
)

// setup is what all rounds of a session share: parameters and constants, never changed.
type setup struct {
	manifest  schema.KeygenManifest
	roster    *schema.Roster
	n, t      int
	batch     int // candidates of an attempt
	form      *biprime.Form
	trial     *biprime.Trial
	unitWidth int // bytes of a residue modulo form.M
}

// Stats counts the work of a session so far.
type Stats struct {
	Attempts   int // batches of candidates whose moduli were opened
	Candidates int // pairs (p, q) in them
	Tested     int // moduli that survived the trial division and were tested for biprimality
}

// Start is the first round of a key generation. It fails where the manifest is not valid for the roster.
func Start(manifest schema.KeygenManifest, roster *schema.Roster) (party.Round, error) {
	if err := manifest.Validate(roster.Len()); err != nil {
		return nil, err
	}
	if manifest.Roster != roster.Digest() {
		return nil, fmt.Errorf("the manifest is for another roster")
	}
	form, err := biprime.NewForm(int(manifest.KeyBits), roster.Len())
	if err != nil {
		return nil, err
	}
	return &agree{setup: &setup{
		manifest: manifest, roster: roster, n: roster.Len(), t: int(manifest.Threshold), batch: int(manifest.Batch),
		form: form, trial: biprime.NewTrial(form.B1, int(manifest.TrialTo)), unitWidth: (form.M.BitLen() + 7) / 8,
	}}, nil
}

// multipliers is 2t+1: the parties, the first ones, whose products determine a polynomial of degree 2t.
func (s *setup) multipliers() int { return 2*s.t + 1 }

// dealing collects shares for every member while a party deals them.
type dealing struct{ data [][]byte }

func newDealing(members int) *dealing { return &dealing{make([][]byte, members)} }

// deal appends one share for each member.
func (d *dealing) deal(shares []*big.Int, width int) {
	for j, share := range shares {
		d.data[j] = schema.AppendUint(d.data[j], share, width)
	}
}

// dealInt appends one signed share for each member.
func (d *dealing) dealInt(shares []*big.Int, width int) {
	for j, share := range shares {
		d.data[j] = schema.AppendInt(d.data[j], share, width)
	}
}

// yield hands the messages to the machine.
func (d *dealing) yield(yield func(party.Draft, error) bool) {
	for to, data := range d.data {
		if len(data) > 0 && !yield(party.Draft{To: to, Data: data}, nil) {
			return
		}
	}
}

// broadcast hands one list of integers to the machine, and tells whether it wants more.
func broadcast(values []*big.Int, width int, yield func(party.Draft, error) bool) bool {
	var data []byte
	for _, value := range values {
		data = schema.AppendUint(data, value, width)
	}
	return yield(party.Draft{To: party.Everybody, Data: data}, nil)
}

// uints reads the messages of several senders, each already checked: a list of integers for each.
func uints(messages [][]byte, width int, bound *big.Int) ([][]*big.Int, error) {
	lists := make([][]*big.Int, len(messages))
	for i, data := range messages {
		var err error
		if lists[i], err = schema.Uints(data, width, bound); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// checkUints is the check of a message of plain integers.
func checkUints(data []byte, width int, bound *big.Int) error {
	_, err := schema.Uints(data, width, bound)
	return err
}

// sumMod adds up lists of equal length modulo m, element by element.
func sumMod(lists [][]*big.Int, m *big.Int) []*big.Int {
	sums := make([]*big.Int, len(lists[0]))
	for k := range sums {
		sum := new(big.Int)
		for _, list := range lists {
			sum.Add(sum, list[k])
		}
		sums[k] = sum.Mod(sum, m)
	}
	return sums
}
