package propagate

import (
	"errors"
	"fmt"
	"io"
	"math/big"

	"riskprop/crypto/fixed"
	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/party"
	"riskprop/party/ledger"
	"riskprop/schema"
)

// Config is what a party brings to a propagation.
type Config struct {
	Manifest schema.PropagateManifest
	Roster   *schema.Roster
	Key      *paillier.Key
	KeyID    [32]byte
	Share    *big.Int       // this party's share of the decryption key; nil for an auditor
	Ledger   *ledger.Ledger // this party's data; nil for an auditor
}

// Validate checks everything that one party can check alone, and says which parameter or input to change.
func (c Config) Validate() error {
	if err := c.Manifest.Validate(); err != nil {
		return err
	}
	switch {
	case c.Manifest.Roster != c.Roster.Digest():
		return errors.New("the manifest is for another roster")
	case c.Manifest.Key != c.KeyID:
		return errors.New("the manifest is for another key")
	case c.Key.Parties != c.Roster.Len():
		return fmt.Errorf("the key is for %d parties, the roster has %d", c.Key.Parties, c.Roster.Len())
	}
	if _, err := c.layout().PerCiphertext(c.Key.N.BitLen()); err != nil {
		return err
	}
	if c.Ledger == nil {
		return nil
	}
	if _, ok := c.Roster.Index(c.Ledger.Bank); !ok {
		return fmt.Errorf("%s is no member of the consortium (%v)", c.Ledger.Bank, c.Roster.Names())
	}
	if c.Ledger.Periods() > int(c.Manifest.Periods) {
		return fmt.Errorf("%s has transactions in period %d, the session has periods 0 to %d",
			c.Ledger.Bank, c.Ledger.Periods()-1, c.Manifest.Periods-1)
	}
	return c.checkSizes()
}

// checkSizes compares the party's data with the limits of the manifest, and those with what one head can list.
func (c Config) checkSizes() error {
	accounts, shared := len(c.Ledger.Accounts), make(map[string]int)
	for _, edge := range c.Ledger.Edges {
		bank := edge.Source.Bank
		if bank == c.Ledger.Bank {
			bank = edge.Destination.Bank
		}
		if shared[bank]++; bank != c.Ledger.Bank && shared[bank] > int(c.Manifest.MaxEdges) {
			return fmt.Errorf("%s has more than %d edges with %s: max_edges allows no more", c.Ledger.Bank, c.Manifest.MaxEdges, bank)
		}
	}
	if accounts > int(c.Manifest.MaxAccounts) {
		return fmt.Errorf("%s has %d accounts, max_accounts allows %d", c.Ledger.Bank, accounts, c.Manifest.MaxAccounts)
	}
	parts := c.Roster.Len() * max(schema.Parts(accounts, c.Key.Ring().Width()), schema.Parts(int(c.Manifest.MaxEdges), tagWidth))
	if parts > schema.MaxRefs {
		return fmt.Errorf("%s could have to write %d parts in one round, %d are possible: lower max_edges, or split the accounts", c.Ledger.Bank, parts, schema.MaxRefs)
	}
	return nil
}

// layout is the shape of the final scores.
func (c Config) layout() fixed.Layout {
	return fixed.Layout{
		ScoreBits: int(c.Manifest.ScoreBits), WeightBits: int(c.Manifest.WeightBits),
		Steps: len(c.Manifest.Delta) * int(c.Manifest.Periods),
	}
}

// setup is what all rounds share, never changed.
type setup struct {
	Config
	n     int
	self  int // index in the roster, or -1 for an auditor
	scale fixed.Layout
	per   int // scores in one packed ciphertext
}

// Start is the first round of a propagation.
func Start(config Config) (party.Round, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	s := &setup{Config: config, n: config.Roster.Len(), self: -1, scale: config.layout()}
	if config.Ledger != nil {
		s.self, _ = config.Roster.Index(config.Ledger.Bank)
	}
	var err error
	s.per, err = s.scale.PerCiphertext(config.Key.N.BitLen())
	return &agree{s}, err
}

// withoutEdges is the setup of the rounds that have the network as flows.
func (s *setup) withoutEdges() *setup {
	copied := *s
	copied.Ledger = &ledger.Ledger{Bank: s.Ledger.Bank, Accounts: s.Ledger.Accounts}
	return &copied
}

// Input is the digest of everything that the party brings, for its machine.
func (c Config) Input() [32]byte {
	manifest := schema.Encode(c.Manifest)
	if c.Ledger == nil {
		return schema.Digest("riskprop/v1 input", manifest)
	}
	digest := c.Ledger.Digest()
	return schema.Digest("riskprop/v1 input", manifest, digest[:])
}

// accounts is the number of the party's own accounts.
func (s *setup) accounts() int { return len(s.Ledger.Accounts) }

// packed is the number of ciphertexts that hold the scores of so many accounts.
func (s *setup) packed(accounts int) int { return (accounts + s.per - 1) / s.per }

// width is the number of bytes of a ciphertext.
func (s *setup) width() int { return s.Key.Ring().Width() }

// rerandomize multiplies with fresh encryptions of zero, as the manifest says. The randomness of each ciphertext has a name
// of its own within the round, so that a part can be made without those before it.
func (s *setup) rerandomize(secrets *party.Secrets, v *modular.Vector, name func(i int) int) *modular.Vector {
	return s.randomizeWith(func(i int) io.Reader { return secrets.Stream(fmt.Sprintf("randomizer %d", name(i))) }, v)
}

func (c Config) randomizeWith(stream func(i int) io.Reader, v *modular.Vector) *modular.Vector {
	if c.Manifest.FullRandomizer {
		return c.Key.RerandomizeFullEach(stream, v)
	}
	return c.Key.RerandomizeEach(stream, v)
}

// receive reads the messages of one round that consist of elements of Z_{N²}, by member, and checks that each is a unit. Who is absent
// has none.
func (s *setup) receive(messages [][]byte, private bool, absent uint32) ([]*modular.Vector, error) {
	vectors := make([]*modular.Vector, s.n)
	for member, data := range messages {
		if absent>>member&1 == 1 {
			continue
		}
		v, err := s.ciphertexts(data)
		if err != nil {
			return nil, &party.Fault{Member: member, Private: private, Err: err}
		}
		vectors[member] = v
	}
	return vectors, nil
}

// ciphertexts reads a message from somebody.
func (s *setup) ciphertexts(data []byte) (*modular.Vector, error) {
	v, err := s.decode(data)
	if err != nil {
		return nil, err
	}
	return v, s.Key.Check(v)
}

// decode reads a message of ciphertexts that is known to be one.
func (s *setup) decode(data []byte) (*modular.Vector, error) { return s.Key.Ring().Decode(data) }

// speakParts says a message part by part, each as soon as it is computed. What is on the log already is said again as it
// is there, and not computed. It tells whether the machine wants more.
func (s *setup) speakParts(secrets *party.Secrets, to, count int, compute func(from, to int) *modular.Vector, yield func(party.Draft, error) bool) bool {
	width, said := s.width(), secrets.Said(to)
	step := schema.PerPart(width)
	for at := 0; at < count; at += step {
		end := min(at+step, count)
		draft := party.Draft{To: to}
		if len(said) >= end*width {
			draft.Data = said[at*width : end*width]
		} else {
			draft.Data = compute(at, end).Append(nil)
		}
		if !yield(draft, nil) {
			return false
		}
	}
	return true
}
