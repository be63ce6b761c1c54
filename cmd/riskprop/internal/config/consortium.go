package config

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"riskprop/schema"
)

// Consortium is what the banks agree on before anything else. It is only made by [NewConsortium] and [ParseConsortium], and not to be changed.
type Consortium struct {
	Stream    string
	Threshold int      // so many members together cannot decrypt
	Members   []Public // sorted by name
	Operator  Public
	Auditor   *Public // nil: none
	roster    *schema.Roster
}

// NewConsortium puts the public files of all parties together, in any order: 3 to 31 members, one operator, and one auditor or none, all of different names
// and keys. A threshold of 0 stands for the largest possible one, floor((n-1)/2).
func NewConsortium(publics []Public, threshold int, stream string) (*Consortium, error) {
	c := &Consortium{Stream: stream, Threshold: threshold}
	operators, auditors := []string{}, []string{}
	for _, p := range publics {
		switch p.Role {
		case Member:
			c.Members = append(c.Members, p)
		case Operator:
			c.Operator = p
			operators = append(operators, p.Name)
		case Auditor:
			c.Auditor = &p
			auditors = append(auditors, p.Name)
		default:
			return nil, fmt.Errorf("%.40q has no role", p.Name)
		}
	}
	switch {
	case len(operators) == 0:
		return nil, errors.New("nobody is operator: one party must be (riskprop init NAME --role operator)")
	case len(operators) > 1:
		return nil, fmt.Errorf("%s are all operators: there must be one", strings.Join(operators, ", "))
	case len(auditors) > 1:
		return nil, fmt.Errorf("%s are all auditors: there may be one", strings.Join(auditors, ", "))
	}
	if threshold == 0 {
		c.Threshold = (len(c.Members) - 1) / 2
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	return c, nil
}

// complete checks everything, sorts the members and makes the roster.
func (c *Consortium) complete() error {
	if err := checkStream(c.Stream); err != nil {
		return err
	}
	slices.SortFunc(c.Members, func(a, b Public) int { return cmp.Compare(a.Name, b.Name) })
	members := make([]schema.Member, len(c.Members))
	for i, p := range c.Members {
		members[i] = schema.Member{Name: p.Name, Sign: p.Sign, Seal: p.Seal}
	}
	roster, err := schema.NewRoster(members)
	if err != nil {
		return err
	}
	c.roster = roster
	if err := schema.ValidateThreshold(c.Threshold, len(members)); err != nil {
		return err
	}
	names, nkeys := map[string]bool{}, map[string]string{}
	for _, p := range c.parties() {
		if err := schema.ValidateName(p.Name); err != nil {
			return err
		}
		if names[p.Name] {
			return fmt.Errorf("two parties have the name %s: every party has a name of its own, whatever its role", p.Name)
		}
		names[p.Name] = true
		if err := checkNKey(p.NKey); err != nil {
			return fmt.Errorf("nkey of %s: %w", p.Name, err)
		}
		if owner, twice := nkeys[p.NKey]; twice {
			return fmt.Errorf("%s and %s have the same nkey: every party makes an identity of its own", owner, p.Name)
		}
		nkeys[p.NKey] = p.Name
	}
	return nil
}

// parties are all parties: members, operator, auditor.
func (c *Consortium) parties() []Public {
	all := append(slices.Clone(c.Members), c.Operator)
	if c.Auditor != nil {
		all = append(all, *c.Auditor)
	}
	return all
}

// checkStream refuses names that a stream or a file cannot have.
func checkStream(name string) error {
	proper := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
	}
	if name == "" || len(name) > schema.MaxName || strings.ContainsFunc(name, func(r rune) bool { return !proper(r) }) {
		return fmt.Errorf("stream %.40q: a name has 1 to %d letters, digits, \"-\" or \"_\", such as RISK", name, schema.MaxName)
	}
	return nil
}

// ParseConsortium reads the file of a consortium, and computes the roster's digest again.
func ParseConsortium(file string, data []byte) (*Consortium, error) {
	m := parse(file, data, "stream", "threshold", "roster", "members", "operator", "auditor")
	c := &Consortium{Stream: m.text("stream"), Threshold: int(m.count("threshold", schema.MaxMembers))}
	m.check("stream", checkStream(c.Stream))
	digest := m.hex32("roster")
	for _, entry := range m.mappings("members", schema.MaxMembers, "name", "sign", "seal", "nkey") {
		p := Public{Version: fileVersion, Role: Member}
		entry.public(&p)
		c.Members = append(c.Members, p)
	}
	c.Operator = Public{Version: fileVersion, Role: Operator}
	m.mapping("operator", "name", "nkey").public(&c.Operator)
	if m.has("auditor") {
		c.Auditor = &Public{Version: fileVersion, Role: Auditor}
		m.mapping("auditor", "name", "nkey").public(c.Auditor)
	}
	if m.doc.err == nil {
		m.doc.err = m.verdict(c.complete())
	}
	if m.doc.err == nil && c.roster.Digest() != digest {
		m.refuse("roster", fmt.Sprintf("this is not the digest of the members below, which is %x: a name or a key was changed", c.roster.Digest()))
	}
	if err := m.verdict(nil); err != nil {
		return nil, err
	}
	return c, nil
}

// Marshal is the text of the consortium's file.
func (c *Consortium) Marshal() []byte {
	text := fmt.Appendf(nil, "version: %d\nstream: %s\nthreshold: %d\nroster: %x\nmembers:\n",
		fileVersion, quoted(c.Stream), c.Threshold, c.roster.Digest())
	for _, p := range c.Members {
		text = fmt.Appendf(text, "  - name: %s\n    sign: %s\n    seal: %s\n    nkey: %s\n", quoted(p.Name), p.Sign, p.Seal, p.NKey)
	}
	text = fmt.Appendf(text, "operator:\n  name: %s\n  nkey: %s\n", quoted(c.Operator.Name), c.Operator.NKey)
	if c.Auditor != nil {
		text = fmt.Appendf(text, "auditor:\n  name: %s\n  nkey: %s\n", quoted(c.Auditor.Name), c.Auditor.NKey)
	}
	return text
}

// Roster is the list of the members for sessions.
func (c *Consortium) Roster() *schema.Roster { return c.roster }

// Fingerprint is a digest of everything in the consortium, 128 bits of it, that people can compare by telephone: 8 groups of 4 hexadecimal digits.
func (c *Consortium) Fingerprint() string {
	parts := [][]byte{[]byte(c.Stream), []byte(strconv.Itoa(c.Threshold))}
	for _, p := range c.parties() {
		parts = append(parts, []byte(p.Role), []byte(p.Name), p.Sign[:], p.Seal[:], []byte(p.NKey))
	}
	digest := schema.Digest("riskprop/v1 consortium", parts...)
	digits := hex.EncodeToString(digest[:16])
	var groups []string
	for group := range slices.Chunk([]byte(digits), 4) {
		groups = append(groups, string(group))
	}
	return strings.Join(groups, "-")
}
