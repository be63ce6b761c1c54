package config

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"riskprop/schema"
)

// maxText bounds a value in bytes. Paths are the longest of a person's; a number of a key is longer.
const maxText = 8192

// document is one file while it is read. It remembers the first error, so that a reader can ask for all fields in a row and look once.
type document struct {
	file   string
	secret bool // no error may show a value or a key of the file
	err    error
}

// mapping is one mapping of a document.
type mapping struct {
	doc    *document
	prefix string // of its fields' names in errors, such as "members[2]."
	token  *token.Token
	fields map[string]ast.Node
}

// parse reads a document that has the given keys and no others at its top, where its version is 1.
func parse(file string, data []byte, keys ...string) *mapping {
	return open(&document{file: file}, data, keys)
}

// parseSecret is parse for a file whose content must not be shown.
func parseSecret(file string, data []byte, keys ...string) *mapping {
	return open(&document{file: file, secret: true}, data, keys)
}

func open(doc *document, data []byte, keys []string) *mapping {
	top, err := readTree(doc.file, data)
	if err != nil {
		doc.err = err
		return &mapping{doc: doc}
	}
	m := doc.mapping("", top, append([]string{"version"}, keys...))
	other := doc.err // to be blamed on another version, if it is one
	doc.err = nil
	if version := m.count("version", 1<<31-1); doc.err == nil && version != fileVersion {
		m.refuse("version", fmt.Sprintf("%d is unknown: this program reads version %d", version, fileVersion))
	}
	if other != nil && (doc.err == nil || !m.has("version")) {
		doc.err = other
	}
	return m
}

// mapping makes a mapping of a node, which must be one with no other keys than these.
func (d *document) mapping(name string, node ast.Node, keys []string) *mapping {
	m := &mapping{doc: d, token: node.GetToken(), fields: map[string]ast.Node{}}
	if name != "" {
		m.prefix = name + "."
	}
	for _, entry := range entries(node) {
		key, _ := plain(entry.Key)
		at := entry.Key.GetToken()
		switch _, twice := m.fields[key]; {
		case !slices.Contains(keys, key) && d.secret:
			d.fail(at, "a key that is unknown here: the keys are "+strings.Join(keys, ", "))
		case !slices.Contains(keys, key):
			d.fail(at, fmt.Sprintf("%s%.40s is unknown: the keys here are %s", m.prefix, schema.Printable(key), strings.Join(keys, ", ")))
		case twice:
			d.fail(at, m.prefix+key+" comes twice: remove one")
		}
		m.fields[key] = entry.Value
	}
	if len(m.fields) == 0 {
		d.fail(m.token, fmt.Sprintf("%s must be a mapping with the keys %s", orFile(name), strings.Join(keys, ", ")))
	}
	return m
}

// orFile names the top of a document.
func orFile(name string) string {
	if name == "" {
		return "the file"
	}
	return name
}

// entries are the pairs of a mapping; other nodes have none.
func entries(node ast.Node) []*ast.MappingValueNode {
	switch node := node.(type) {
	case *ast.MappingNode:
		return node.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{node}
	}
	return nil
}

// plain is the text of a scalar as it is written; null is none.
func plain(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

// fail remembers an error at a place, if it is the first.
func (d *document) fail(at *token.Token, why string) {
	if d.err == nil {
		d.err = refusal(d.file, at, why)
	}
}

// has tells whether there is a field.
func (m *mapping) has(key string) bool { return m.fields[key] != nil }

// missing says that a field is not there.
func (m *mapping) missing(key string) {
	switch {
	case m.doc.err != nil:
	case m.prefix == "":
		m.doc.err = fmt.Errorf("%s: %s is missing", m.doc.file, key)
	default:
		m.doc.fail(m.token, m.prefix+key+" is missing")
	}
}

// refuse says what is wrong with a field.
func (m *mapping) refuse(key, why string) {
	m.doc.fail(m.fields[key].GetToken(), m.prefix+key+": "+why)
}

// check refuses a field for a reason that somebody else found. The text of the reason may show the value.
func (m *mapping) check(key string, err error) {
	switch {
	case err == nil || m.doc.err != nil:
	case m.doc.secret:
		m.refuse(key, "not what it must be")
	default:
		m.refuse(key, err.Error())
	}
}

// text is a field that must be there, as text of one line.
func (m *mapping) text(key string) string {
	if !m.has(key) {
		m.missing(key)
		return ""
	}
	return m.scalar(key, m.fields[key])
}

// scalar is the text of a value that belongs to a field.
func (m *mapping) scalar(key string, node ast.Node) string {
	text, ok := plain(node)
	why := ""
	switch _, null := node.(*ast.NullNode); {
	case null:
		why = "there is no value: write one, or remove the line"
	case !ok:
		why = "this must be a single value"
	case text == "":
		why = "the value is empty"
	case len(text) > maxText:
		why = "the value is too long"
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		why = "there are characters in it that cannot be seen"
	default:
		return text
	}
	m.doc.fail(node.GetToken(), m.prefix+key+": "+why)
	return ""
}

// textOr is a field that may be missing.
func (m *mapping) textOr(key, otherwise string) string {
	if !m.has(key) {
		return otherwise
	}
	return m.text(key)
}

// choice is a field with few possible values, the first of which it has when it is missing.
func (m *mapping) choice(key string, values ...string) string {
	text := m.textOr(key, values[0])
	if m.doc.err == nil && !slices.Contains(values, text) {
		m.refuse(key, "choose one of "+strings.Join(values, ", "))
	}
	return text
}

// name is a field with the name of a party.
func (m *mapping) name(key string) string {
	name := m.text(key)
	m.check(key, schema.ValidateName(name))
	return name
}

// session is a field with the id of a session.
func (m *mapping) session(key string) string {
	id := m.text(key)
	m.check(key, schema.ValidateSession(id))
	return id
}

// count is a field with a whole number from 0 to limit.
func (m *mapping) count(key string, limit uint64) uint64 {
	text := m.text(key)
	number, err := strconv.ParseUint(text, 10, 64)
	if m.doc.err == nil && (err != nil || number > limit || strconv.FormatUint(number, 10) != text) {
		m.refuse(key, fmt.Sprintf("this must be a whole number from 0 to %d, in digits alone", limit))
	}
	return number
}

// hex32 is a field of 64 hexadecimal digits.
func (m *mapping) hex32(key string) (value Hex32) {
	text := m.text(key)
	if m.doc.err != nil {
		return value
	}
	n, err := hex.Decode(value[:], []byte(text[:min(len(text), 2*len(value))]))
	if err != nil || n != len(value) || value.String() != text {
		m.refuse(key, "this must be 64 lower-case hexadecimal digits")
		return Hex32{}
	}
	return value
}

// number is a field with an integer of any size, in hexadecimal digits.
func (m *mapping) number(key string) *big.Int {
	text := m.text(key)
	number, ok := new(big.Int).SetString(text, 16)
	if m.doc.err == nil && (!ok || number.Text(16) != text) {
		m.refuse(key, "this must be a number in lower-case hexadecimal digits")
	}
	if !ok {
		return new(big.Int)
	}
	return number
}

// instant is a field with a time.
func (m *mapping) instant(key string) time.Time {
	text := m.text(key)
	at, err := time.Parse(time.RFC3339, text)
	if m.doc.err == nil && (err != nil || at.Nanosecond() != 0 || at.Unix() < 1 || at.Unix() > schema.MaxDeadline) {
		m.refuse(key, "this must be a time with its zone, to the second, such as 2026-12-31T18:00:00Z or 2026-12-31T19:00:00+01:00")
	}
	return at.UTC()
}

// duration is a field with a duration from 0 to limit.
func (m *mapping) duration(key string, limit time.Duration) time.Duration {
	text := m.text(key)
	d, err := time.ParseDuration(text)
	if m.doc.err == nil && (err != nil || d < 0 || d > limit) {
		m.refuse(key, fmt.Sprintf("this must be a duration such as 90s or 1m, at most %v", limit))
	}
	return d
}

// nodes are the elements of a list.
func (m *mapping) nodes(key string, limit int) []ast.Node {
	if !m.has(key) {
		m.missing(key)
		return nil
	}
	list, ok := m.fields[key].(*ast.SequenceNode)
	switch {
	case !ok:
		m.refuse(key, "this must be a list")
		return nil
	case len(list.Values) < 1 || len(list.Values) > limit:
		m.refuse(key, fmt.Sprintf("there are %d elements in the list: between 1 and %d are possible", len(list.Values), limit))
		return nil
	}
	return list.Values
}

// texts is a field with a list of texts, each of which a function accepts.
func (m *mapping) texts(key string, limit int, valid func(string) error) []string {
	var texts []string
	for i, node := range m.nodes(key, limit) {
		element := fmt.Sprintf("%s[%d]", key, i)
		text := m.scalar(element, node)
		if m.doc.err == nil {
			if err := valid(text); err != nil {
				m.doc.fail(node.GetToken(), m.prefix+element+": "+err.Error())
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// mapping is a field that is a mapping with the given keys.
func (m *mapping) mapping(key string, keys ...string) *mapping {
	if !m.has(key) {
		m.missing(key)
		return &mapping{doc: m.doc}
	}
	return m.doc.mapping(m.prefix+key, m.fields[key], keys)
}

// mappings is a field that is a list of mappings with the given keys.
func (m *mapping) mappings(key string, limit int, keys ...string) []*mapping {
	var all []*mapping
	for i, node := range m.nodes(key, limit) {
		all = append(all, m.doc.mapping(fmt.Sprintf("%s%s[%d]", m.prefix, key, i), node, keys))
	}
	return all
}

// verdict is the document's error, or else the given one about the whole of it, with the file's name. Of a secret file there must be none to give.
func (m *mapping) verdict(err error) error {
	switch {
	case m.doc.err != nil:
		return m.doc.err
	case err != nil:
		return fmt.Errorf("%s: %w", m.doc.file, err)
	}
	return nil
}
