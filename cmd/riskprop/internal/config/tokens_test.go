package config

import (
	"strings"
	"testing"
)

// What is wrong with a file as a whole, with its place.
func TestDocumentRefused(t *testing.T) {
	for text, fragment := range map[string]string{
		"":                                "p.yaml: there is nothing in it",
		"# nothing":                       "p.yaml: there is nothing in it",
		"---\n":                           "p.yaml: there is nothing in it",
		"alice":                           `p.yaml:1:1: this must be one mapping, lines of the form "key: value"`,
		"- version: 1":                    "p.yaml:1:1: this must be one mapping",
		"{}":                              "p.yaml:1:1: the file must be a mapping with the keys version, name, ",
		"name: alice":                     "p.yaml: version is missing",
		"version: 7":                      "p.yaml:1:10: version: 7 is unknown: this program reads version 1",
		"nmae: alice\nversion: 7":         "p.yaml:2:10: version: 7 is unknown",
		"nmae: alice\nversion: 1":         "p.yaml:1:1: nmae is unknown: the keys here are version, name, identity, ",
		"nmae: alice":                     "p.yaml:1:1: nmae is unknown",
		"version: '1'\nversion: 1":        "p.yaml:2:1: version comes twice: remove one",
		"version: one":                    "p.yaml:1:10: version: this must be a whole number",
		"version: 01":                     "p.yaml:1:10: version: this must be a whole number",
		"version: +1":                     "p.yaml:1:10: version: this must be a whole number",
		"version: 0x1":                    "p.yaml:1:10: version: this must be a whole number",
		"version: 1_0":                    "p.yaml:1:10: version: this must be a whole number",
		"version: 1.0":                    "p.yaml:1:10: version: this must be a whole number",
		"version: -1":                     "p.yaml:1:10: version: this must be a whole number",
		"version: 99999999999999999999":   "p.yaml:1:10: version: this must be a whole number from 0 to 2147483647",
		"version: 1e400":                  "p.yaml:1:10: version: this must be a whole number",
		"version: .inf":                   "p.yaml:1:10: version: this must be a whole number",
		"version: 1\nname:":               "p.yaml:2:7: name: there is no value: write one, or remove the line",
		"version: 1\nname: ~":             "p.yaml:2:7: name: there is no value",
		"version: 1\nname: ''":            "p.yaml:2:7: name: the value is empty",
		"version: 1\nname: [a]":           "p.yaml:2:7: name: this must be a single value",
		"version: 1\nname:\n  a: b":       "p.yaml:3:4: name: this must be a single value",
		"version: 1\nname: \"a\\tb\"":     "p.yaml:2:7: name: there are characters in it that cannot be seen",
		"version: 1\nname: \"a\\u200bb\"": "p.yaml:2:7: name: there are characters in it that cannot be seen",
		"version: 1\nname: |\n  alice":    "p.yaml:2:7: text of several lines is not read here",
		"version: 1\nname: >\n  alice":    "p.yaml:2:7: text of several lines is not read here",
		"version: 1\nname: !!str alice":   "p.yaml:2:7: tags are not read here",
		"version: 1\nname: &a alice":      "p.yaml:2:7: anchors, aliases and merged mappings are not read here",
		"version: 1\nname: *a":            "p.yaml:2:7: anchors, aliases",
		"version: 1\n<<: {name: alice}":   "p.yaml:2:1: anchors, aliases and merged mappings",
		"version: 1\n? name\n: alice":     "p.yaml:2:1: \"? key\" is not read here",
		"%YAML 1.2\n---\nversion: 1":      "p.yaml:1:1: directives are not read here",
		"version: 1\n---\nversion: 1":     "p.yaml:2:1: a second document begins here",
		"version: 1\n...\n":               "p.yaml:2:1: a document ends here",
		"version: 1\n--- \n":              "p.yaml:2:1: a second document begins here",
		"version: 1\n name: alice":        "p.yaml:1:10: this is not YAML: look at the indentation",
		"version: 1\n\tname: alice":       "p.yaml:2:1: this is not YAML",
		"version: 1\nname: \"alice":       "p.yaml:2:7: this is not YAML",
		"version: 1\nname: alice: bob":    "p.yaml:2:7: this is not YAML",
		"version: 1\nservers: [a, b":      "p.yaml:2:10: this is not YAML",
		"version: 1\nname: \x00":          "p.yaml:2: a control character",
		"version: 1\n\nname: \x1b[2J":     "p.yaml:3: a control character",
		"version: 1\nname: \xff":          "p.yaml: this is no UTF-8 text",
		"[]: 1":                           "p.yaml:1:3: this is not YAML",
		"version: 1\n- a":                 "p.yaml:2:1: this is not YAML",
		"version: 1\n" + strings.Repeat("x", 100) + ": 1": "p.yaml:2:1: " + strings.Repeat("x", 40) + " is unknown",
		"version: 1\n\"a\\nb\": 1":                        "p.yaml:2:1: a.b is unknown",
	} {
		_, err := ParseParty("p.yaml", []byte(text))
		says(t, err, fragment)
	}
}

// What would take the parser long, or its stack, is refused before it sees it. The last of these takes minutes otherwise, or the process.
func TestDocumentIsBounded(t *testing.T) {
	const head = "version: 1\nname: "
	many := strings.Repeat("a: b\n", maxFile/5)
	for text, fragment := range map[string]string{
		strings.Repeat("#", maxFile+1): "p.yaml: longer than 65536 bytes",
		many:                           ": too much text",
		head + "[" + strings.Repeat("1,", maxTokens) + "1]":        "p.yaml:2:8194: too much text",
		head + strings.Repeat("[", 30000):                          "p.yaml:2:11: too many brackets inside one another",
		head + strings.Repeat("[", 30000) + strings.Repeat("]", 9): "p.yaml:2:11: too many brackets inside one another",
		head + strings.Repeat("{a: ", 10000):                       "p.yaml:2:23: too many brackets inside one another",
		"name: 1\n" + strings.Repeat("- ", 30000):                  "p.yaml:2:3: a list in a list",
		strings.Repeat("? ", 30000):                                "p.yaml:1:1: \"? key\" is not read here",
		strings.Repeat("&a ", 20000):                               "p.yaml:1:1: anchors",
		"a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]":                   "p.yaml:1:4: anchors",
		head + strings.Repeat("x", maxText+1):                      "p.yaml:2:7: name: the value is too long",
	} {
		_, err := ParseParty("p.yaml", []byte(text))
		says(t, err, fragment)
	}
}

// Files that other programs and systems write in their way are read like others.
func TestDocumentForms(t *testing.T) {
	want, err := ParsePublic("p.yaml", known(t, "otto", Operator).Public().Marshal())
	if err != nil {
		t.Fatal(err)
	}
	text := string(want.Marshal())
	nkey := want.NKey
	for _, form := range []string{
		text, "\ufeff" + text, strings.ReplaceAll(text, "\n", "\r\n"), "# comment\n\n---\n" + text + "# end", strings.TrimSpace(text),
		strings.ReplaceAll(text, ": ", ":   "), strings.ReplaceAll(text, "\n", " # comment\n"),
		"{version: 1, name: otto, role: operator, nkey: " + nkey + "}", "{\n\"version\": 1,\n\"name\": \"otto\", \"role\": 'operator', \"nkey\": \"" + nkey + "\"}\n",
		"nkey: >-\n", // refused below
	} {
		got, err := ParsePublic("p.yaml", []byte(form))
		if strings.HasPrefix(form, "nkey") {
			says(t, err, "text of several lines")
		} else if err != nil || got != want {
			t.Errorf("%q is read as %+v, %v", form, got, err)
		}
	}
}
