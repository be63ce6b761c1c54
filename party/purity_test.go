package party_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What would let two runs of a party differ, and is forbidden in schema, crypto and party. Imports are the concern of
// another test, but those that matter here are looked at as well.
const (
	mapOrder  = "order of a map"
	parallel  = "goroutine"
	channel   = "channel or select"
	outside   = "time, randomness or the machine"
	variable  = "package-level variable"
	floating  = "floating point"
	floatText = "text of a floating point number"
)

// exception allows one thing in one function, or in all of a folder, for a reason.
type exception struct{ where, rule, reason string }

func exceptions() []exception {
	return []exception{
		{"crypto/modular spread", parallel, "the one place that uses all processors; results do not depend on how many"},
		{"crypto/modular", outside, "asks for the number of processors"},
		{"crypto/modular", floating, "estimates what is faster; results do not depend on it"},
		{"crypto/modular ", variable, "what this machine can do and its user chose; results do not depend on it"},
		{"crypto/modular/internal/choice", outside, "what the user chose; results do not depend on it"},
		{"crypto/fixed", floating, "turns given numbers into integers, exactly, and integers into results"},
		{"crypto/fixed checkDeltas", floatText, "an error about a configuration"},
		{"crypto/fixed Delta", floatText, "an error about a configuration"},
		{"crypto/fixed Score", floatText, "an error about an input"},
		{"crypto/fixed String", floatText, "a configuration's own text, shortest and exact"},
		{"party/ledger", floating, "the scores of a bank's files"},
		{"party/ledger decimals", floatText, "the file with the results"},
		{"party/plain", floating, "the oracle computes in floating point"},
		{"party/plain step", mapOrder, "fills a map from a map"},
		{"party/propagate current", floating, "hands an initial score on"},
		{"party/propagate scoresOf", floating, "hands a final score on"},
	}
}

// finding is one thing that is forbidden.
type finding struct {
	folder, function, rule string
	at                     token.Position
}

// allows tells whether an exception is about a finding.
func (e exception) allows(f finding) bool {
	folder, function, one := strings.Cut(e.where, " ")
	return e.rule == f.rule && folder == f.folder && (!one || function == f.function)
}

// listed are the packages in question, with their files, and where their imports are compiled.
type listed struct {
	files   map[string][]string // by import path
	exports map[string]string   // by import path
}

// list asks the go command. It compiles what is not compiled yet.
func list(t *testing.T) listed {
	t.Helper()
	const format = `{{.ImportPath}}|{{.Export}}|{{.Dir}}|{{join .GoFiles ","}}`
	args := []string{"list", "-export", "-deps", "-f", format, "riskprop/schema", "riskprop/crypto/...", "riskprop/party/...",
		"time", "math/rand/v2", "crypto/rand", "maps", "sync", "os", "runtime", "crypto/ed25519", "strconv"}
	command := exec.Command("go", args...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go %v: %v", args, err)
	}
	l := listed{make(map[string][]string), make(map[string]string)}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimSpace(line), "|")
		l.exports[fields[0]] = fields[1]
		folder, ours := strings.CutPrefix(fields[0], "riskprop/")
		if !ours || strings.HasPrefix(folder, "bus") || folder == "party/node" || folder == "party/partytest" {
			continue
		}
		for _, name := range strings.Split(fields[3], ",") {
			l.files[folder] = append(l.files[folder], filepath.Join(fields[2], name))
		}
	}
	return l
}

// TestNothingBreaksDeterminism looks for everything that could let two runs of a party differ.
func TestNothingBreaksDeterminism(t *testing.T) {
	l := list(t)
	if len(l.files) < 10 {
		t.Fatalf("only %d packages", len(l.files))
	}
	used := make(map[exception]bool)
	for folder, names := range l.files {
		fset := token.NewFileSet()
		var files []*ast.File
		for _, name := range names {
			file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		for _, f := range inspect(t, l, fset, folder, files) {
			at := slices.IndexFunc(exceptions(), func(e exception) bool { return e.allows(f) })
			if at < 0 {
				t.Errorf("%s:%d: %s in %s %s", filepath.Base(f.at.Filename), f.at.Line, f.rule, f.folder, f.function)
				continue
			}
			used[exceptions()[at]] = true
		}
	}
	for _, e := range exceptions() {
		if !used[e] {
			t.Errorf("nothing needs the exception for %s: %s (%s)", e.where, e.rule, e.reason)
		}
	}
}

// inspect checks the types of a package's files and lists what is forbidden.
func inspect(t *testing.T, l listed, fset *token.FileSet, folder string, files []*ast.File) []finding {
	t.Helper()
	lookup := func(path string) (io.ReadCloser, error) {
		if l.exports[path] == "" {
			return nil, fmt.Errorf("%s was not compiled", path)
		}
		return os.Open(l.exports[path])
	}
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue), Uses: make(map[*ast.Ident]types.Object), Defs: make(map[*ast.Ident]types.Object)}
	config := types.Config{Importer: importer.ForCompiler(fset, "gc", lookup)}
	if _, err := config.Check("riskprop/"+folder, fset, files, info); err != nil {
		t.Fatal(err)
	}
	p := purity{folder: folder, fset: fset, info: info}
	for _, file := range files {
		for _, spec := range file.Imports {
			if slices.Contains(forbiddenImports(), strings.Trim(spec.Path.Value, `"`)) {
				p.found(outside, spec)
			}
		}
		for _, decl := range file.Decls {
			p.declaration(decl)
		}
	}
	return p.findings
}

func forbiddenImports() []string {
	return []string{"time", "math/rand", "math/rand/v2", "crypto/rand", "os", "runtime", "unsafe", "reflect", "hash/maphash"}
}

type purity struct {
	folder, function string
	sorted           ast.Expr // what the last call that was met sorts
	fset             *token.FileSet
	info             *types.Info
	findings         []finding
}

func (p *purity) found(rule string, node ast.Node) {
	p.findings = append(p.findings, finding{p.folder, p.function, rule, p.fset.Position(node.Pos())})
}

func (p *purity) declaration(decl ast.Decl) {
	p.function = ""
	switch d := decl.(type) {
	case *ast.FuncDecl:
		p.function = d.Name.Name
	case *ast.GenDecl:
		if d.Tok == token.VAR {
			p.variables(d)
		}
	}
	ast.Inspect(decl, func(node ast.Node) bool {
		p.node(node)
		return true
	})
	p.function = ""
}

// variables allows errors, which nobody changes, and assertions about types.
func (p *purity) variables(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			if name.Name == "_" || types.Identical(p.info.Defs[name].Type(), types.Universe.Lookup("error").Type()) {
				continue
			}
			p.found(variable, name)
		}
	}
}

func (p *purity) node(node ast.Node) {
	switch n := node.(type) {
	case *ast.RangeStmt:
		switch p.info.TypeOf(n.X).Underlying().(type) {
		case *types.Map:
			p.found(mapOrder, n)
		case *types.Chan:
			p.found(channel, n)
		}
	case *ast.GoStmt:
		p.found(parallel, n)
	case *ast.SelectStmt, *ast.SendStmt, *ast.ChanType:
		p.found(channel, n)
	case *ast.CallExpr:
		p.call(n)
	case ast.Expr:
		if isFloat(p.info.TypeOf(n)) && !p.info.Types[n].IsType() {
			p.found(floating, n)
		}
	}
}

func (p *purity) call(call *ast.CallExpr) {
	name := p.called(call.Fun)
	switch name {
	case "slices.Sorted":
		p.sorted = call.Args[0]
	case "maps.All", "maps.Keys", "maps.Values":
		if p.sorted != ast.Expr(call) {
			p.found(mapOrder, call)
		}
	case "(*sync.WaitGroup).Go":
		p.found(parallel, call)
	case "strconv.FormatFloat", "strconv.AppendFloat":
		p.found(floatText, call)
	}
	if strings.HasSuffix(name, ".GenerateKey") {
		p.found(outside, call) // with a nil reader it takes the machine's randomness
	}
	if strings.HasPrefix(name, "fmt.") && slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return isFloat(p.info.TypeOf(arg)) }) {
		p.found(floatText, call)
	}
	if isFloat(p.info.TypeOf(call)) {
		p.found(floating, call)
	}
}

// called is the full name of the function that is called, or empty.
func (p *purity) called(fun ast.Expr) string {
	var name *ast.Ident
	switch f := ast.Unparen(fun).(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel
	case *ast.IndexExpr:
		return p.called(f.X)
	}
	if f, ok := p.info.Uses[name].(*types.Func); ok {
		return f.FullName()
	}
	return ""
}

func isFloat(t types.Type) bool {
	if t == nil {
		return false
	}
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Info()&(types.IsFloat|types.IsComplex) != 0
}

// TestPurityFinds: what is forbidden is found, and what is like it is not.
func TestPurityFinds(t *testing.T) {
	l := list(t)
	for code, want := range map[string]string{
		`func f(m map[int]int) (s []int) { for k := range m { s = append(s, k) }; return s }`: mapOrder,
		`type set map[string]bool; func f(m set) { for k := range m { println(k) } }`:         mapOrder,
		`func f(m map[int]int) []int { return slices.Collect(maps.Keys(m)) }`:                 mapOrder,
		`func f(m map[int]int) []int { return slices.Sorted(maps.Keys(m)) }`:                  "",
		`func f() { go f() }`:                                                                                    parallel,
		`func f() { var g sync.WaitGroup; g.Go(f) }`:                                                             parallel,
		`func f(c <-chan int) int { return <-c }`:                                                                channel,
		`func f() { select {} }`:                                                                                 channel,
		`func f() int64 { return time.Now().Unix() }`:                                                            outside,
		`func f() uint64 { return rand.Uint64() }`:                                                               outside,
		`func f() { _, _, _ = ed25519.GenerateKey(nil) }`:                                                        outside,
		`var count int`:                                                                                          variable,
		`var table = map[int]int{1: 2}`:                                                                          variable,
		`func f(x int) int { return int(1.5 * half(x)) }; ` + halfCode:                                           floating,
		`func f(x int) string { return fmt.Sprint(half(x)) }; ` + halfCode:                                       floatText,
		`func f(x int) string { return strconv.FormatFloat(half(x), 'f', 1, 64) }; ` + halfCode:                  floatText,
		`var ErrX = errors.New("x"); var _ error = ErrX; const c = 1; func f(m map[int]int) { m[1] = 2 }`:        "",
		`func f(s []int) (sum int) { for _, x := range s { sum += x }; var g sync.Mutex; g.Lock(); return sum }`: "",
	} {
		source := "package p\n"
		for name, path := range map[string]string{"maps.": "maps", "slices.": "slices", "sync.": "sync", "time.": "time", "rand.": "math/rand/v2",
			"ed25519.": "crypto/ed25519", "fmt.": "fmt", "strconv.": "strconv", "errors.": "errors"} {
			if strings.Contains(code, name) {
				source += fmt.Sprintf("import %q\n", path)
			}
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, "p.go", source+code, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, f := range inspect(t, l, fset, "p", []*ast.File{file}) {
			rules = append(rules, f.rule)
		}
		if want == "" && rules != nil || want != "" && !slices.Contains(rules, want) {
			t.Errorf("%s\nfound %q, want %q", code, rules, want)
		}
	}
}

const halfCode = `func half(x int) float64 { return float64(x) / 2 }`
