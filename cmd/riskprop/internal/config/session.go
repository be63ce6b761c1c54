package config

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"

	"riskprop/crypto/fixed"
	"riskprop/schema"
)

// What a session's file need not say: the one place of the protocol's defaults.
const (
	DefaultKeyBits    = 2048
	DefaultKappa      = 80      // statistical security of the key generation, bits
	DefaultBatch      = 384     // candidates of an attempt at a key, see below
	DefaultTrialTo    = 1 << 17 // trial division by the primes up to here, see below
	DefaultScoreBits  = 32      // fixed-point bits of an initial score
	DefaultWeightBits = 40      // fixed-point bits of a weight

	DefaultMaxAccounts = 1 << 20 // of one bank
	DefaultMaxEdges    = 1 << 22 // between two banks
)

// DefaultTrialTo and DefaultBatch are those that cost least for the expected key, by measurement with three parties on two
// cores, all in one process. Of a candidate of 2048 (3072) bits with p and q free of primes up to B1 = 661 (1031), trial
// division up to B2 lets (ln B1/ln B2)² pass; a test costs all parties 6.5 (20) ms of CPU with ADX, and a sixth of that with
// AVX512-IFMA; dividing up to 2^16, 2^17 and 2^18 costs 0.15, 0.26 and 0.44 (0.18, 0.35 and 0.55) ms, all else about 0.4 (0.6).
// That makes 2.8, 2.7 and 2.6 (8.7, 8.0 and 7.4) ms a candidate with ADX, and 1.0, 1.1 and 1.2 (2.2, 2.2 and 2.2) with IFMA: 2^17
// is the one that is nowhere more than a tenth worse than the best. The best are 2^18 (2^19) with ADX, 2^15 (2^16) with IFMA.
//
// A key takes 3,760 (7,420) candidates, and half a batch more that are tested behind the one found, and a batch more that is
// prepared, at 0.3 (0.4) ms each; every attempt costs 21 ms for its two rounds. The sum is least at 310 (270) candidates a batch
// with ADX and 430 (460) with IFMA, and flat: with 384 it is within 1 % of a key's time everywhere. Parties that are
// apart pay more for a round, which speaks for larger batches.

// maxIterations is the longest list of deltas, as schema has it.
const maxIterations = 1000

// Session is what all parties of a session have agreed on.
type Session struct {
	Kind     string // schema.Keygen or schema.Propagate
	ID       string
	Roster   [32]byte
	Deadline time.Time // UTC; zero: none

	file, rosterAt string                   // for errors
	keygen         schema.KeygenManifest    // with a threshold of 0 where the file has none
	propagate      schema.PropagateManifest // but for the key
}

// ParseSession reads the file of a session.
func ParseSession(file string, data []byte) (*Session, error) {
	common := []string{"kind", "session", "roster", "deadline"}
	keygen := []string{"key_bits", "threshold", "kappa", "batch", "trial_to"}
	propagate := []string{"key_session", "periods", "iterations", "delta", "score_bits", "weight_bits", "mismatch", "randomizer", "disclosure",
		"max_accounts", "max_edges"}
	m := parse(file, data, append(append(common, keygen...), propagate...)...)
	s := &Session{file: file, rosterAt: file}
	if !m.has("kind") {
		m.missing("kind")
	}
	s.Kind, s.ID, s.Roster = m.choice("kind", schema.Keygen, schema.Propagate), m.session("session"), m.hex32("roster")
	deadline := uint64(0)
	if m.has("deadline") {
		s.Deadline = m.instant("deadline")
		deadline = uint64(s.Deadline.Unix())
	}
	if s.Kind == schema.Keygen {
		m.foreign(s.Kind, propagate)
		s.keygen = m.keygen()
		s.keygen.Session, s.keygen.Roster, s.keygen.Deadline = s.ID, s.Roster, deadline
	} else {
		m.foreign(s.Kind, keygen)
		s.propagate = schema.PropagateManifest{Version: schema.ManifestVersion, Session: s.ID, Roster: s.Roster, Deadline: deadline}
		m.propagate(&s.propagate)
	}
	if err := m.verdict(nil); err != nil {
		return nil, err
	}
	at := m.fields["roster"].GetToken().Position
	s.rosterAt = fmt.Sprintf("%s:%d:%d", file, at.Line, at.Column)
	if err := m.verdict(s.validate()); err != nil {
		return nil, err
	}
	return s, nil
}

// foreign refuses the fields of the other kind of session.
func (m *mapping) foreign(kind string, keys []string) {
	for _, key := range keys {
		if m.has(key) {
			m.refuse(key, fmt.Sprintf("a session of kind %s has no such field: remove the line", kind))
		}
	}
}

// count32 is a field with a number that schema.Validate looks at.
func (m *mapping) count32(key string) uint32 { return uint32(m.count(key, math.MaxUint32)) }

// count32Or is a field that may be missing.
func (m *mapping) count32Or(key string, otherwise uint32) uint32 {
	if !m.has(key) {
		return otherwise
	}
	return m.count32(key)
}

// keygen reads the fields of a key generation.
func (m *mapping) keygen() schema.KeygenManifest {
	k := schema.KeygenManifest{
		Version: schema.ManifestVersion,
		KeyBits: m.count32Or("key_bits", DefaultKeyBits), Threshold: m.count32Or("threshold", 0),
		Kappa: m.count32Or("kappa", DefaultKappa), Batch: m.count32Or("batch", DefaultBatch), TrialTo: m.count32Or("trial_to", DefaultTrialTo),
	}
	if m.has("threshold") {
		m.check("threshold", schema.ValidateThreshold(int(k.Threshold), schema.MaxMembers))
	}
	return k
}

// propagate reads the fields of a propagation.
func (m *mapping) propagate(p *schema.PropagateManifest) {
	p.KeySession = m.session("key_session")
	p.Periods = m.count32("periods")
	p.ScoreBits, p.WeightBits = m.count32Or("score_bits", DefaultScoreBits), m.count32Or("weight_bits", DefaultWeightBits)
	p.MaxAccounts, p.MaxEdges = m.count32Or("max_accounts", DefaultMaxAccounts), m.count32Or("max_edges", DefaultMaxEdges)
	p.FailOnMismatch = m.choice("mismatch", "ignore", "fail") == "fail"
	p.FullRandomizer = m.choice("randomizer", "short", "full") == "full"
	if m.has("disclosure") {
		p.LimitDisclosure = true
		p.MaxSingleSource = m.mapping("disclosure", "max_single_source").count32("max_single_source")
	}
	deltas := m.deltas()
	p.Delta = make([]uint64, len(deltas))
	if m.doc.err = m.verdict(p.Validate()); m.doc.err != nil {
		return
	}
	for i, delta := range deltas {
		p.Delta[i] = fixed.Delta(delta, int(p.WeightBits))
	}
}

// deltas reads delta, a number, a list of numbers or the mapping of a and b to a/i^b, and iterations.
func (m *mapping) deltas() []float64 {
	if !m.has("delta") {
		m.missing("delta")
		return nil
	}
	text, listed := "", 0
	switch m.fields["delta"].(type) {
	case *ast.SequenceNode:
		list := m.texts("delta", maxIterations, decimal)
		text, listed = strings.Join(list, ","), len(list)
	case *ast.MappingNode, *ast.MappingValueNode:
		formula := m.mapping("delta", "a", "b")
		text = "{" + formula.decimal("a") + "," + formula.decimal("b") + "}"
	default:
		text = m.decimal("delta")
	}
	iterations := m.iterations(listed)
	if m.doc.err != nil {
		return nil
	}
	schedule, err := fixed.ParseSchedule(text)
	m.check("delta", err)
	if m.doc.err != nil {
		return nil
	}
	deltas, err := schedule.Resolve(iterations)
	m.check("delta", err)
	return deltas
}

// iterations reads the number of iterations, which a list of deltas tells as well.
func (m *mapping) iterations(listed int) int {
	if listed > 0 && !m.has("iterations") {
		return listed
	}
	n := int(m.count("iterations", maxIterations))
	switch {
	case m.doc.err != nil:
	case n == 0:
		m.refuse("iterations", fmt.Sprintf("choose 1 to %d", maxIterations))
	case listed > 0 && n != listed:
		m.refuse("iterations", fmt.Sprintf("%d, but delta lists %d values: one for each is needed, or none of the two", n, listed))
	}
	return n
}

// decimal is a field with a decimal fraction, as text.
func (m *mapping) decimal(key string) string {
	text := m.text(key)
	if m.doc.err == nil {
		m.check(key, decimal(text))
	}
	return text
}

// decimal accepts a decimal fraction.
func decimal(text string) error {
	_, err := fixed.ParseDecimal(text)
	return err
}

// validate checks what can be checked without the consortium and the key.
func (s *Session) validate() error {
	if s.Kind == schema.Keygen {
		k := s.keygen
		k.Threshold = max(k.Threshold, 1)
		return k.Validate(schema.MaxMembers)
	}
	p := s.propagate // which was validated before the deltas were scaled
	return fixed.Layout{ScoreBits: int(p.ScoreBits), WeightBits: int(p.WeightBits), Steps: len(p.Delta) * int(p.Periods)}.Validate()
}

// KeySession is the id of the session that generates the key: this one, for a key generation.
func (s *Session) KeySession() string {
	if s.Kind == schema.Keygen {
		return s.ID
	}
	return s.propagate.KeySession
}

// fits tells whether this is a session of a kind, and of the consortium.
func (s *Session) fits(kind string, c *Consortium) error {
	if s.Kind != kind {
		return fmt.Errorf("%s: this is a session of kind %s: one of kind %s is needed", s.file, s.Kind, kind)
	}
	if digest := c.Roster().Digest(); digest != s.Roster {
		return fmt.Errorf("%s: roster: %x is not the consortium's, which is %x: take the session's file or the consortium's from the others", s.rosterAt, s.Roster, digest)
	}
	return nil
}

// KeygenManifest is what a member states at the beginning of a key generation.
func (s *Session) KeygenManifest(c *Consortium) (schema.KeygenManifest, error) {
	if err := s.fits(schema.Keygen, c); err != nil {
		return schema.KeygenManifest{}, err
	}
	manifest := s.keygen
	if manifest.Threshold == 0 {
		manifest.Threshold = uint32(c.Threshold)
	}
	if err := manifest.Validate(c.Roster().Len()); err != nil {
		return schema.KeygenManifest{}, fmt.Errorf("%s: %w", s.file, err)
	}
	return manifest, nil
}

// PropagateManifest is what a member states at the beginning of a propagation with a key.
func (s *Session) PropagateManifest(c *Consortium, key [32]byte) (schema.PropagateManifest, error) {
	if err := s.fits(schema.Propagate, c); err != nil {
		return schema.PropagateManifest{}, err
	}
	manifest := s.propagate
	manifest.Delta = append([]uint64(nil), s.propagate.Delta...)
	manifest.Key = key
	return manifest, nil
}
