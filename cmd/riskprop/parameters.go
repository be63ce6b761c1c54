package main

import (
	"errors"
	"fmt"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/crypto/fixed"
	"riskprop/schema"
)

// What demo and plain take from elsewhere, and what is theirs alone.
const (
	scoreBits  = config.DefaultScoreBits
	weightBits = config.DefaultWeightBits

	secureKeyBits = 2048 // fewer protect nothing
	maxIterations = 1000 // a period, as schema has it

	keygenSession    = "keygen"
	propagateSession = "propagate"
)

// parameters are the flags that demo and plain have in common.
type parameters struct {
	KeyBits    uint32   `default:"2048" help:"Bits of the shared key; below 2048 for tests only."`
	Iterations uint32   `default:"3" help:"Iterations a period."`
	Delta      schedule `default:"0.5" help:"How much of a score comes from the sources of income, 0 to below 1: one number for all iterations, a list with one for each (0.5,0.4,0.3), or {a,b} for a/i^b in iteration i = 1, 2, …"`
	Threshold  *uint32  `placeholder:"T" help:"So many banks together cannot decrypt, any one more can (default: as many as possible, just below half of them)."`
	JSON       bool     `name:"json" help:"Write one JSON object to standard output, and all text to standard error."`
}

// folder makes a flag of the path of a folder. An empty one is a mistake, such as a variable that is not set.
type folder string

// UnmarshalText refuses the empty path.
func (f *folder) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return errors.New("the path of a folder is empty")
	}
	*f = folder(text)
	return nil
}

// schedule makes a flag of fixed.Schedule.
type schedule struct{ fixed.Schedule }

// UnmarshalText parses what fixed.ParseSchedule describes.
func (s *schedule) UnmarshalText(text []byte) error {
	var err error
	s.Schedule, err = fixed.ParseSchedule(string(text))
	return err
}

// terms are what the parties of a run agree on.
type terms struct {
	keygen    schema.KeygenManifest    // but for the roster
	propagate schema.PropagateManifest // but for the roster and the key
	delta     []float64                // one for each iteration of a period
	schedule  fixed.Schedule           // where they come from, for people
}

// terms checks the parameters against the data, and says which to change, before anything expensive begins.
func (p parameters) terms(in *input) (*terms, error) {
	if p.Iterations < 1 || p.Iterations > maxIterations {
		return nil, fmt.Errorf("iterations are %d: choose 1 to %d", p.Iterations, maxIterations)
	}
	delta, err := p.Delta.Resolve(int(p.Iterations))
	if err != nil {
		return nil, err
	}
	banks := len(in.ledgers)
	t := &terms{
		keygen: schema.KeygenManifest{
			Version: schema.ManifestVersion, Session: keygenSession,
			KeyBits: p.KeyBits, Threshold: uint32(banks-1) / 2,
			Kappa: config.DefaultKappa, Batch: config.DefaultBatch, TrialTo: config.DefaultTrialTo,
		},
		propagate: schema.PropagateManifest{
			Version: schema.ManifestVersion, Session: propagateSession, KeySession: keygenSession,
			Periods: uint32(in.periods()), ScoreBits: scoreBits, WeightBits: weightBits,
			MaxAccounts: config.DefaultMaxAccounts, MaxEdges: config.DefaultMaxEdges,
		},
		delta: delta, schedule: p.Delta.Schedule,
	}
	if p.Threshold != nil {
		t.keygen.Threshold = *p.Threshold
	}
	for _, d := range delta {
		t.propagate.Delta = append(t.propagate.Delta, fixed.Delta(d, weightBits))
	}
	return t, t.check(banks)
}

// check reports the first term that does not go with the others or with the number of banks.
func (t *terms) check(banks int) error {
	if err := t.keygen.Validate(banks); err != nil {
		return err
	}
	if err := t.propagate.Validate(); err != nil {
		return err
	}
	steps := len(t.delta) * int(t.propagate.Periods)
	layout := fixed.Layout{ScoreBits: scoreBits, WeightBits: weightBits, Steps: steps}
	if err := layout.Validate(); err != nil {
		return err
	}
	if _, err := layout.PerCiphertext(int(t.keygen.KeyBits)); err != nil {
		// The error is for those who can set the number of bits of a weight, too.
		return fmt.Errorf("%s make scores of %d bits, too long for a key of %d: use a longer key, or fewer iterations or periods",
			t.steps(), layout.SlotBits(), t.keygen.KeyBits)
	}
	return nil
}

// steps says in words how often the scores are updated.
func (t *terms) steps() string {
	text := fmt.Sprintf("%d iterations", len(t.delta))
	if len(t.delta) == 1 {
		text = "1 iteration"
	}
	if t.propagate.Periods > 1 {
		text += fmt.Sprintf(" in each of %d periods", t.propagate.Periods)
	}
	return text
}
