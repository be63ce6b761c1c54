package config

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a document. No file of ours comes near them.
const (
	maxFile   = 64 << 10
	maxTokens = 8192
	maxFlow   = 4 // brackets and braces around a value
)

// syntax is what is said of text that is not YAML: the library's own words quote the text, which may be secret.
const syntax = "this is not YAML: look at the indentation, colons, quotes and brackets here and just before"

// readTree returns the one mapping that a document is, after everything was refused that we never write and that would cost the parser more than a
// moment. Its keys may still come twice.
func readTree(file string, data []byte) (*ast.MappingNode, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: longer than %d bytes, which none of these files is", file, maxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s: this is no UTF-8 text", file)
	}
	if i := bytes.IndexFunc(data, strange); i >= 0 {
		return nil, fmt.Errorf("%s:%d: a control character: remove it", file, 1+bytes.Count(data[:i], []byte("\n")))
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(file, tokens); err != nil {
		return nil, err
	}
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		if located, ok := errors.AsType[yaml.Error](err); ok && located.GetToken() != nil {
			return nil, refusal(file, located.GetToken(), syntax)
		}
		return nil, fmt.Errorf("%s: %s", file, syntax)
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: there is nothing in it", file)
	}
	top, ok := tree.Docs[0].Body.(*ast.MappingNode)
	if len(tree.Docs) > 1 || !ok {
		return nil, refusal(file, tree.Docs[0].Body.GetToken(), "this must be one mapping, lines of the form \"key: value\"")
	}
	return top, nil
}

// strange tells whether no text file has the character.
func strange(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }

// checkTokens refuses what the parser must not see.
func checkTokens(file string, tokens token.Tokens) error {
	flow, entryLine, count := 0, 0, 0
	for _, t := range tokens {
		if t.Type == token.CommentType {
			continue
		}
		if count++; count > maxTokens {
			return refusal(file, t, "too much text: none of these files is so long")
		}
		if why, refused := banned(t.Type); refused {
			return refusal(file, t, why)
		}
		switch t.Type {
		case token.InvalidType:
			return refusal(file, t, syntax)
		case token.DocumentHeaderType:
			if count > 1 {
				return refusal(file, t, "a second document begins here: a file holds one")
			}
		case token.SequenceStartType, token.MappingStartType:
			if flow++; flow > maxFlow {
				return refusal(file, t, "too many brackets inside one another")
			}
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.SequenceEntryType:
			if t.Position.Line == entryLine {
				return refusal(file, t, "a list in a list: nothing here is one")
			}
			entryLine = t.Position.Line
		}
	}
	return nil
}

// banned are the parts of YAML that no file of ours needs.
func banned(t token.Type) (why string, refused bool) {
	switch t {
	case token.AnchorType, token.AliasType, token.MergeKeyType:
		return "anchors, aliases and merged mappings are not read here: write the value out", true
	case token.TagType:
		return "tags are not read here: remove it, or put the value in quotes", true
	case token.DirectiveType:
		return "directives are not read here: remove the line", true
	case token.LiteralType, token.FoldedType:
		return "text of several lines is not read here: write it in one", true
	case token.MappingKeyType:
		return "\"? key\" is not read here: write \"key: value\"", true
	case token.DocumentEndType:
		return "a document ends here: a file holds one, without a mark at its end", true
	}
	return "", false
}

// refusal is an error at a token's place.
func refusal(file string, t *token.Token, why string) error {
	return fmt.Errorf("%s:%d:%d: %s", file, t.Position.Line, t.Position.Column, why)
}
