package party_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// judges are the functions that find what another party has said wrong: every Check and every Next, and what they call.
func judges() map[string][]string {
	return map[string][]string{
		".":         {"applyHead", "hidden", "leave", "settle", "otherHistory", "checkRefs", "applyPart", "open", "advance", "inbox", "join", "count", "countAll", "take"},
		"keygen":    {"Check", "Next", "open", "values", "findCulprit"},
		"propagate": {"Check", "Next", "match", "fit", "decrypt", "scoresOf", "receive", "ciphertexts", "Add", "checked"},
		"../schema": {"Count", "Follows"},
	}
}

// rowless are the errors that no cheat can cause, or that are handed on from a function that has rows.
func rowless() map[string]string {
	const (
		checked = "Check has refused it before"
		on      = "handed on: the function called has rows"
		own     = "see TestChangedInput"
		stale   = "see TestStale"
	)
	return map[string]string{
		"keygen search.Check 1":        on,
		"keygen search.Check 2":        on,
		"keygen search.Next 1":         on,
		"keygen search.Next 2":         on,
		"keygen sieve.Next 1":          checked,
		"keygen reduce.Next 1":         checked,
		"keygen candidates.Next 1":     checked,
		"keygen moduli.Next 1":         checked,
		"keygen moduli.Next 2":         on,
		"keygen biprimality.Next 1":    checked,
		"keygen share.Next 1":          checked,
		"keygen product.Next 1":        checked,
		"keygen theta.Next 1":          checked,
		"keygen theta.Next 3":          "a key of units is valid",
		"keygen prove.Next 1":          checked,
		"keygen prove.Next 2":          on,
		"propagate agree.Next 1":       checked,
		"propagate agree.Next 2":       on,
		"propagate agree.match 1":      own,
		"propagate agree.match 3":      "the party's own data, see TestPolicies",
		"propagate setup.receive 1":    on,
		"party Machine.applyHead 1":    stale,
		"party Machine.applyHead 2":    on,
		"party Machine.applyHead 3":    stale,
		"party Machine.applyHead 4":    on,
		"party Machine.applyHead 5":    on,
		"party Machine.applyHead 6":    stale,
		"party Machine.applyHead 7":    on,
		"party Machine.applyHead 8":    on,
		"party Machine.applyHead 9":    on,
		"party Machine.settle 1":       on,
		"party Machine.settle 3":       on,
		"party Machine.settle 4":       on,
		"propagate check.Next 2":       on,
		"propagate check.Next 3":       on,
		"propagate check.Next 4":       on,
		"party Machine.hidden 1":       "see TestChangedInput",
		"party Machine.leave 1":        "see TestHeardAborts",
		"party Machine.leave 2":        stale,
		"party Machine.leave 3":        "see TestTooFewAreLeft",
		"party Machine.leave 4":        on,
		"party Machine.checkRefs 2":    "see TestUnplannedRecipient",
		"party Machine.otherHistory 1": "see TestOtherRoster in package node",
		"party Machine.applyPart 1":    stale,
		"party Machine.applyPart 4":    on,
		"party Machine.open 2":         on,
		"party Machine.advance 1":      on,
		"party Machine.advance 2":      on,
		"party Machine.advance 3":      on,
		"party Machine.advance 4":      "see TestTooFewForTheNextRound",
		"party Machine.advance 5":      on,
		"party Machine.inbox 1":        on,
		"party Machine.inbox 2":        on,
		"party Machine.inbox 3":        on,
		"party Machine.inbox 4":        "collects what Check says of the manifests, see TestDisagreement in package keygen",
		"party Machine.join 1":         on,
		"party Machine.count 1":        on,
		"party Machine.countAll 1":     on,
		"party Machine.take 1":         on,
		"party Machine.take 3":         on,
	}
}

// TestEveryErrorHasARow: every error that the judges return has a row in one of the tables, which names it, or a reason
// why it has none; and nothing else is named.
func TestEveryErrorHasARow(t *testing.T) {
	named, reasons := namedErrors(t), rowless()
	found := make(map[string]bool)
	for folder, functions := range judges() {
		for _, name := range errorsOf(t, folder, functions) {
			found[name] = true
			if _, excused := reasons[name]; named[name] == excused {
				t.Errorf("%s: in a table: %t, excused: %t", name, named[name], excused)
			}
		}
	}
	for name := range reasons {
		named[name] = true
	}
	for name := range named {
		if !found[name] {
			t.Errorf("%s: there is no such error", name)
		}
	}
}

// errorsOf numbers the returns with an error in some functions of a folder.
func errorsOf(t *testing.T, folder string, functions []string) []string {
	t.Helper()
	var names []string
	for _, file := range parse(t, folder, func(path string) bool { return !strings.HasSuffix(path, "_test.go") }) {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || !slices.Contains(functions, f.Name.Name) {
				continue
			}
			label := strings.TrimSpace(file.Name.Name + " " + receiver(f) + f.Name.Name)
			for i := range failures(f) {
				names = append(names, fmt.Sprintf("%s %d", label, i+1))
			}
		}
	}
	return names
}

// receiver is the type of a method, with a point.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	kind := f.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	return kind.(*ast.Ident).Name + "."
}

// failures counts the returns of a function whose last result is anything but nil. Functions within it do not count.
func failures(f *ast.FuncDecl) int {
	count := 0
	ast.Inspect(f.Body, func(node ast.Node) bool {
		if _, inner := node.(*ast.FuncLit); inner {
			return false
		}
		if ret, ok := node.(*ast.ReturnStmt); ok && len(ret.Results) > 0 {
			last, ok := ret.Results[len(ret.Results)-1].(*ast.Ident)
			if !ok || last.Name != "nil" {
				count++
			}
		}
		return true
	})
	return count
}

// namedErrors are the names of errors in the tables of this package.
func namedErrors(t *testing.T) map[string]bool {
	t.Helper()
	form := regexp.MustCompile(`^(party|keygen|propagate|schema) [A-Za-z.]+ [1-9]$`)
	named := make(map[string]bool)
	for _, file := range parse(t, ".", func(path string) bool {
		return strings.HasPrefix(path, "cheat") && path != "cheat_rows_test.go"
	}) {
		ast.Inspect(file, func(node ast.Node) bool {
			if lit, ok := node.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && form.MatchString(text) {
					named[text] = true
				}
			}
			return true
		})
	}
	return named
}

// parse reads some Go files of a folder.
func parse(t *testing.T, folder string, wanted func(name string) bool) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range paths {
		if !wanted(filepath.Base(path)) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) == 0 {
		t.Fatalf("no Go files in %s", folder)
	}
	return files
}
