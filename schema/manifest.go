package schema

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// KeygenManifest describes a key generation. All members state it in round 0.
type KeygenManifest struct {
	Version   uint8
	Session   string
	Roster    [32]byte // digest of the roster
	KeyBits   uint32   // bits of N
	Threshold uint32   // t: t+1 members can decrypt, t cannot
	Kappa     uint32   // statistical security in bits
	Batch     uint32   // candidates of one attempt
	TrialTo   uint32   // B2: trial division by the primes up to here
	Deadline  uint64   // Unix time in seconds after which whoever waits ends the session; 0: none
}

// PropagateManifest describes a propagation. All members state it in round 0.
type PropagateManifest struct {
	Version         uint8
	Session         string
	Roster          [32]byte // digest of the roster
	Key             [32]byte // id of the key
	KeySession      string   // id of the session that generated it
	Periods         uint32
	Delta           []uint64 // one per iteration, in units of 2^-WeightBits
	ScoreBits       uint32
	WeightBits      uint32
	FailOnMismatch  bool   // false: edges that only one side knows are reported and left out
	FullRandomizer  bool   // true: r^N in place of h_s^α
	LimitDisclosure bool   // true: MaxSingleSource holds
	MaxSingleSource uint32 // accounts of one bank with a single foreign source; 0 unless it holds
	MaxAccounts     uint32 // accounts of one bank: bounds what the others must handle
	MaxEdges        uint32 // edges that one bank lists with one other
	Deadline        uint64 // Unix time in seconds after which whoever waits ends the session; 0: none
}

// Announcement is a member's public word in round 0 of a propagation.
type Announcement struct {
	Manifest    PropagateManifest
	Ciphertexts uint32   // packed ciphertexts that the member will have opened
	Commitment  [32]byte // hiding commitment to its input
}

// ManifestVersion is the version of both manifests.
const ManifestVersion = 1

// MaxDeadline is the last second of the year 9999, in Unix time.
const MaxDeadline = 253402300799

// Field is one line of a manifest, for people.
type Field struct{ Name, Value string }

// Fields lists the manifest under the names that a configuration uses.
func (m KeygenManifest) Fields() []Field {
	return []Field{
		{"version", decimal(uint32(m.Version))}, {"session", m.Session}, {"roster", hexText(m.Roster)},
		{"key_bits", decimal(m.KeyBits)}, {"threshold", decimal(m.Threshold)}, {"kappa", decimal(m.Kappa)},
		{"batch", decimal(m.Batch)}, {"trial_to", decimal(m.TrialTo)}, {"deadline", deadlineText(m.Deadline)},
	}
}

// Fields lists the manifest under the names that a configuration uses.
func (m PropagateManifest) Fields() []Field {
	delta := make([]string, len(m.Delta))
	for i, d := range m.Delta {
		delta[i] = fraction(d, m.WeightBits)
	}
	limit := "none"
	switch {
	case m.LimitDisclosure:
		limit = decimal(m.MaxSingleSource)
	case m.MaxSingleSource != 0: // Validate refuses it; another member may state it
		limit = "none (" + decimal(m.MaxSingleSource) + ")"
	}
	return []Field{
		{"version", decimal(uint32(m.Version))}, {"session", m.Session}, {"roster", hexText(m.Roster)}, {"key", hexText(m.Key)}, {"key_session", m.KeySession},
		{"periods", decimal(m.Periods)}, {"delta", strings.Join(delta, " ")},
		{"score_bits", decimal(m.ScoreBits)}, {"weight_bits", decimal(m.WeightBits)},
		{"mismatch", map[bool]string{false: "ignore", true: "fail"}[m.FailOnMismatch]},
		{"randomizer", map[bool]string{false: "short", true: "full"}[m.FullRandomizer]},
		{"disclosure.max_single_source", limit},
		{"max_accounts", decimal(m.MaxAccounts)}, {"max_edges", decimal(m.MaxEdges)}, {"deadline", deadlineText(m.Deadline)},
	}
}

// fraction writes d/2^bits as people do: the shortest decimal that is nearest to it, and to no other. What no manifest that passed
// Validate holds is written as it is.
func fraction(d uint64, bits uint32) string {
	if bits > 64 {
		return fmt.Sprintf("%d/2^%d", d, bits)
	}
	number, unit := new(big.Int).SetUint64(d), new(big.Int).Lsh(big.NewInt(1), uint(bits))
	for digits, power := 0, big.NewInt(1); ; digits, power = digits+1, power.Mul(power, big.NewInt(10)) {
		value := nearest(new(big.Int).Mul(number, power), unit)
		if nearest(new(big.Int).Mul(value, unit), power).Cmp(number) != 0 {
			continue // as soon as 10^digits exceeds 2^bits it is
		}
		text := value.String()
		text = strings.Repeat("0", max(0, digits+1-len(text))) + text
		if digits == 0 {
			return text
		}
		return text[:len(text)-digits] + "." + text[len(text)-digits:]
	}
}

// nearest is a/b, rounded; a half is rounded up.
func nearest(a, b *big.Int) *big.Int {
	twice := new(big.Int).Lsh(b, 1)
	return a.Div(a.Lsh(a, 1).Add(a, b), twice)
}

// keySizes are the possible numbers of bits of N. Those below 2048 are for tests.
func keySizes() []uint32 { return []uint32{256, 512, 1024, 2048, 3072, 4096} }

// Validate checks what can be checked without the rest of the session.
func (m KeygenManifest) Validate(members int) error {
	switch {
	case m.Version != ManifestVersion:
		return fmt.Errorf("version %d, ours is %d", m.Version, ManifestVersion)
	case !slices.Contains(keySizes(), m.KeyBits):
		return fmt.Errorf("key_bits is %d: choose one of %v", m.KeyBits, keySizes())
	case m.Kappa < 40 || m.Kappa > 256:
		return fmt.Errorf("kappa %d is not between 40 and 256", m.Kappa)
	case m.Batch < 1 || m.Batch > 4096:
		return fmt.Errorf("batch %d is not between 1 and 4096", m.Batch)
	case m.TrialTo < 1 || m.TrialTo > 1<<24:
		return fmt.Errorf("trial_to %d is not between 1 and 2^24", m.TrialTo)
	case m.Deadline > MaxDeadline:
		return fmt.Errorf("deadline %d is after the year 9999", m.Deadline)
	}
	if err := ValidateSession(m.Session); err != nil {
		return err
	}
	return ValidateThreshold(int(m.Threshold), members)
}

// Validate checks what can be checked without the rest of the session.
func (m PropagateManifest) Validate() error {
	switch {
	case m.Version != ManifestVersion:
		return fmt.Errorf("version %d, ours is %d", m.Version, ManifestVersion)
	case m.Periods < 1 || m.Periods > 10000:
		return fmt.Errorf("periods %d is not between 1 and 10000", m.Periods)
	case len(m.Delta) < 1 || len(m.Delta) > 1000:
		return fmt.Errorf("%d iterations: between 1 and 1000 are possible", len(m.Delta))
	case m.ScoreBits < 8 || m.ScoreBits > 52:
		return fmt.Errorf("score_bits %d is not between 8 and 52", m.ScoreBits)
	case m.MaxAccounts < 1 || m.MaxAccounts > 1<<24:
		return fmt.Errorf("max_accounts %d is not between 1 and 2^24", m.MaxAccounts)
	case m.MaxEdges < 1 || m.MaxEdges > 1<<24:
		return fmt.Errorf("max_edges %d is not between 1 and 2^24", m.MaxEdges)
	case m.WeightBits < 8 || m.WeightBits > 62:
		return fmt.Errorf("weight_bits %d is not between 8 and 62", m.WeightBits)
	case m.Deadline > MaxDeadline:
		return fmt.Errorf("deadline %d is after the year 9999", m.Deadline)
	case !m.LimitDisclosure && m.MaxSingleSource != 0:
		return fmt.Errorf("disclosure.max_single_source is %d but does not hold: it must be 0 then", m.MaxSingleSource)
	}
	for i, d := range m.Delta {
		if d >= 1<<m.WeightBits {
			return fmt.Errorf("delta of iteration %d is not below 1", i)
		}
	}
	if err := ValidateSession(m.KeySession); err != nil {
		return fmt.Errorf("key_session: %w", err)
	}
	return ValidateSession(m.Session)
}

// ValidateThreshold checks 1 <= t and n >= 2t+1 (protocol.md, security model).
func ValidateThreshold(t, members int) error {
	if t < 1 || t > (members-1)/2 { // 2t+1 may overflow
		return fmt.Errorf("threshold %d with %d members: it must be at least 1 and at most %d (members >= 2·threshold+1)",
			t, members, (members-1)/2)
	}
	return nil
}

// ErrDisagree is wrapped when members state different manifests: somebody must change a file, and nobody cheated.
var ErrDisagree = errors.New("the parties describe the session differently")

// Disagreement tells which fields differ between this party's manifest and others'. It wraps [ErrDisagree].
type Disagreement struct{ Differences []string }

func (d *Disagreement) Error() string {
	return ErrDisagree.Error() + ": " + strings.Join(d.Differences, "; ")
}

func (d *Disagreement) Unwrap() error { return ErrDisagree }

// Compare names the fields in which another member's manifest differs from ours, in a [Disagreement].
func Compare(own []Field, theirs []Field, member string) error {
	var texts []string
	for i := range own {
		if own[i] != theirs[i] {
			texts = append(texts, fmt.Sprintf("%s is %s here and %.80s at %s", own[i].Name, own[i].Value, Printable(theirs[i].Value), member))
		}
	}
	if texts == nil {
		return nil
	}
	return &Disagreement{texts}
}

// deadlineText is the deadline for people who look at two of them.
func deadlineText(deadline uint64) string {
	if deadline == 0 {
		return "none"
	}
	return strconv.FormatUint(deadline, 10) + " (Unix time)"
}

func decimal(x uint32) string        { return strconv.FormatUint(uint64(x), 10) }
func hexText(digest [32]byte) string { return fmt.Sprintf("%x", digest) }
