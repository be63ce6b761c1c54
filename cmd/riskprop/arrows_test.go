package main

import (
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A row says what the files of one folder may import, tests aside; the standard library is free, but see kind.
type row struct {
	folder string
	kind   kind
	ours   string // folders of this module; "x/*" stands for all folders below x, "*" for all
	others string // modules of others; "*" for all that have no owner
}

type kind string

const (
	pure  kind = "pure"  // no file, network, clock, log or randomness: see impure
	shell kind = "shell" // may touch the world
)

// arrows is the house: who may import whom. An import that is not in it fails, and so do a folder without a row and a
// row without a folder.
func arrows() []row {
	const std, x, zerolog = "", "golang.org/x", "github.com/rs/zerolog"
	return []row{
		// Arithmetic and cryptography, on bytes and integers alone.
		{"crypto/modular", pure, "crypto/modular/internal/*", x},
		{"crypto/modular/internal/ifma", pure, "", x},
		{"crypto/modular/internal/adx", pure, "", x},
		{"crypto/modular/internal/kerneltest", pure, "", std},
		{"crypto/modular/internal/choice", shell, "", std}, // what the user chose
		{"crypto/paillier", pure, "crypto/*", x},
		{"crypto/shamir", pure, "crypto/*", x},
		{"crypto/biprime", pure, "crypto/*", x},
		{"crypto/sample", pure, "crypto/*", x},
		{"crypto/fixed", pure, "crypto/*", x},
		{"crypto/seal", pure, "crypto/*", x},

		// What lies on the log.
		{"schema", pure, "", "github.com/vmihailenco/msgpack/v5"},

		// The fold over the log, and the rounds.
		{"party", pure, "schema crypto/sample crypto/seal", std},
		{"party/keygen", pure, "party schema crypto/*", std},
		{"party/propagate", pure, "party schema crypto/* party/ledger", std},
		{"party/ledger", pure, "crypto/fixed", std},
		{"party/plain", pure, "party/ledger crypto/fixed", std},
		{"party/partytest", pure, "party schema crypto/seal", std},

		// The only place where a party meets the world.
		{"party/node", shell, "party schema bus", zerolog},

		// The log: opaque bytes, nothing of what they mean.
		{"bus", shell, "", x},
		{"bus/mem", shell, "bus", std},
		{"bus/jet", shell, "bus", "github.com/nats-io/nats.go " + x},
		{"bus/embed", shell, "bus", "github.com/nats-io/nats-server/v2 github.com/nats-io/nkeys " + x + " " + zerolog},
		{"bus/hub", shell, "bus bus/jet", std},
		{"bus/hub/hubtest", shell, "bus/embed bus/hub bus/jet", "github.com/nats-io/nkeys " + zerolog},
		{"bus/bustest", shell, "bus", "pgregory.net/rapid"},

		// What people write and keep.
		{"cmd/riskprop/internal/config", shell, "schema party party/keygen crypto/*",
			"filippo.io/age github.com/goccy/go-yaml github.com/nats-io/nkeys"},

		// The same computation done the straightforward way, to measure against.
		{"cmd/riskprop/internal/naive", shell, "crypto/*", std},

		// Data, and the binary that puts all of it together.
		{"exampledata", shell, "", std},
		{"cmd/riskprop", shell, "*", "*"},

		// The binary under kills: it knows nothing of what is inside.
		{"cmd/soak", shell, "party/ledger", "github.com/alecthomas/kong"},
	}
}

// impure are the packages of the standard library through which the world comes in, each with all below it.
func impure() []string {
	return []string{"C", "crypto/rand", "log", "math/rand", "net", "os", "plugin", "syscall", "time"}
}

// owners are the modules that one folder keeps from all others, "*" notwithstanding.
func owners() map[string]string {
	return map[string]string{
		"github.com/nats-io/nats.go":        "bus/jet",
		"github.com/nats-io/nats-server/v2": "bus/embed",
		"github.com/vmihailenco/msgpack/v5": "schema",
		"github.com/goccy/go-yaml":          "cmd/riskprop/internal/config",
		"filippo.io/age":                    "cmd/riskprop/internal/config",
	}
}

// topLevel are the names that the module's root may hold, beside hidden ones and the profiles and binaries of go test.
func topLevel() []string {
	return []string{
		"bus", "cmd", "configs", "crypto", "exampledata", "party", "schema",
		"go.mod", "go.sum", "CHANGELOG.md", "LICENSE", "README.md",
		"scores", "riskprop", // written by the demo and by go build; see .gitignore
	}
}

const module = "riskprop"

// below tells whether path is root or lies below it.
func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// check tells why a folder may not import a path.
func (r row) check(path string) error {
	first, rest, _ := strings.Cut(path, "/")
	switch {
	case first == module:
		if !slices.ContainsFunc(strings.Fields(r.ours), func(allowed string) bool { return matchesFolder(allowed, rest) }) {
			return fmt.Errorf("%s must not import %s, only %q of this module", r.folder, path, r.ours)
		}
	case strings.Contains(first, "."):
		for owned, owner := range owners() {
			if below(path, owned) && r.folder != owner {
				return fmt.Errorf("%s must not import %s: only %s does", r.folder, path, owner)
			}
		}
		if !slices.ContainsFunc(strings.Fields(r.others), func(allowed string) bool { return allowed == "*" || below(path, allowed) }) {
			return fmt.Errorf("%s must not import %s, only %q of others", r.folder, path, r.others)
		}
	case r.kind == pure && slices.ContainsFunc(impure(), func(root string) bool { return below(path, root) }):
		return fmt.Errorf("%s is pure and must not import %s", r.folder, path)
	}
	return nil
}

// matchesFolder tells whether a word of the column "ours" stands for a folder.
func matchesFolder(allowed, folder string) bool {
	parent, all := strings.CutSuffix(allowed, "/*")
	return allowed == "*" || allowed == folder || all && strings.HasPrefix(folder, parent+"/")
}

// moduleRoot is the nearest folder above the test that holds a go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}

// imports lists, for every folder of the module, what each of its files imports, whatever its build constraints.
func imports(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return skipFolder(root, path)
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		folder = filepath.ToSlash(folder)
		found[folder] = append(found[folder], []string{}...) // a folder whose files import nothing is one as well
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found[folder] = append(found[folder], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// skipFolder passes over what is no part of the module: hidden folders, test data, and modules of their own.
func skipFolder(root, path string) error {
	name := filepath.Base(path)
	if path == root {
		return nil
	}
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
		return filepath.SkipDir
	}
	_, err := os.Stat(filepath.Join(path, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return filepath.SkipDir
}

func TestImportsFollowTheArrows(t *testing.T) {
	found := imports(t, moduleRoot(t))
	rows := map[string]row{}
	for _, r := range arrows() {
		if _, twice := rows[r.folder]; twice {
			t.Errorf("%s has two rows", r.folder)
		}
		rows[r.folder] = r
		if _, there := found[r.folder]; !there {
			t.Errorf("%s has a row and no Go files", r.folder)
		}
	}
	for folder, paths := range found {
		r, there := rows[folder]
		if !there {
			t.Errorf("%s has Go files and no row in the table", folder)
			continue
		}
		slices.Sort(paths)
		for _, path := range slices.Compact(paths) {
			if err := r.check(path); err != nil {
				t.Error(err)
			}
		}
	}
}

// The table is only as good as the rule that reads it.
func TestArrowsRefuse(t *testing.T) {
	rows := map[string]row{}
	for _, r := range arrows() {
		rows[r.folder] = r
	}
	for _, arrow := range []string{
		"crypto/seal -> riskprop/schema", "crypto/seal -> github.com/rs/zerolog", "crypto/sample -> crypto/rand",
		"crypto/modular -> os", "crypto/modular -> os/exec", "crypto/modular -> C", "crypto/modular -> golang.org/xyz",
		"crypto/shamir -> math/rand/v2", "crypto/shamir -> riskprop/cryptography",
		"schema -> riskprop/crypto/seal", "schema -> riskprop/party", "schema -> time", "schema -> net/netip", "schema -> log/slog",
		"party -> riskprop/crypto/paillier", "party -> riskprop/bus", "party -> riskprop/party/keygen", "party -> riskprop",
		"party/keygen -> riskprop/party/propagate", "party/propagate -> riskprop/party/node", "party/keygen -> github.com/rs/zerolog",
		"party/ledger -> riskprop/schema", "party/plain -> riskprop/party", "party/ledger -> os", "party/partytest -> riskprop/bus",
		"party/node -> riskprop/bus/jet", "party/node -> github.com/nats-io/nats.go", "party/node -> riskprop/crypto/seal",
		"bus -> riskprop/schema", "bus/mem -> riskprop/bus/jet", "bus/jet -> riskprop/schema",
		"bus/embed -> github.com/nats-io/nats.go", "bus/jet -> github.com/nats-io/nats-server/v2/server",
		"cmd/riskprop -> github.com/nats-io/nats.go/jetstream", "cmd/riskprop -> github.com/vmihailenco/msgpack/v5",
		"exampledata -> riskprop/party/ledger",
	} {
		folder, path, _ := strings.Cut(arrow, " -> ")
		if r, there := rows[folder]; !there || r.check(path) == nil {
			t.Errorf("%s is allowed", arrow)
		}
	}
	for _, arrow := range []string{
		"crypto/seal -> crypto/ecdh", "crypto/modular -> golang.org/x/sys/cpu", "crypto/paillier -> riskprop/crypto/shamir",
		"schema -> github.com/vmihailenco/msgpack/v5", "party/node -> time", "bus/jet -> github.com/nats-io/nats.go/jetstream",
		"cmd/riskprop -> riskprop/party/node", "cmd/riskprop -> github.com/alecthomas/kong", "exampledata -> math/rand/v2",
	} {
		folder, path, _ := strings.Cut(arrow, " -> ")
		if err := rows[folder].check(path); err != nil {
			t.Error(err)
		}
	}
	for folder, r := range rows {
		core := below(folder, "crypto") && folder != "crypto/modular/internal/choice" || below(folder, "schema") || below(folder, "party") && folder != "party/node"
		if core != (r.kind == pure) {
			t.Errorf("%s is %s", folder, r.kind)
		}
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(moduleRoot(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		passing := strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".test") || strings.HasSuffix(name, ".out")
		if !passing && !slices.Contains(topLevel(), name) {
			t.Errorf("%s does not belong to the top level", name)
		}
	}
}
