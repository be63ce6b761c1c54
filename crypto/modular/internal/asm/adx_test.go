package main

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The printed kernels keep time and addresses free of digits: what is loaded from the operands, and what is computed from it, decides
// no branch and is part of no address. The secrets are followed through registers, flags and the frame along every path.
func TestConstantTime(t *testing.T) {
	text, err := os.ReadFile("../adx/adx_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	functions := adxFunctions(string(text))
	if len(functions) != 6 {
		t.Fatalf("%d functions, want 6", len(functions))
	}
	for _, f := range functions {
		for _, leak := range f.leaks() {
			t.Errorf("%s: %s", f.name, leak)
		}
	}
}

// What must be found is found: each line is a function with one leak.
func TestLeaksAreFound(t *testing.T) {
	for _, body := range []string{
		"MOVQ (SI), AX; CMPQ AX, BX; JNE end; end:; RET",
		"MOVQ (SI), AX; SHLQ $3, AX; MOVQ (DI)(AX*8), BX; RET",
		"MOVQ (SI), DX; MULXQ R8, R9, R10; MOVQ (R10), BX; RET",
		"MOVQ (SI), AX; MOVQ AX, 8(SP); MOVQ 8(SP), BX; TESTQ BX, BX; JZ end; end:; RET",
		"ADDQ (SI), AX; SBBQ CX, CX; MOVQ CX, (DI)(CX*1); RET",
		"MOVQ k0+72(FP), AX; DECQ AX; JNZ end; end:; RET",
		"loop:; CMPQ AX, BX; JE loop; MOVQ (SI), AX; JMP loop; RET", // secret in the second pass only
		"FANCYQ AX, BX; RET",
	} {
		text := "TEXT ·f(SB), NOSPLIT, $0-0\n" + strings.NewReplacer("; ", "\n").Replace(body)
		if leaks := adxFunctions(text)[0].leaks(); len(leaks) != 1 {
			t.Errorf("%s: found %q, want one leak", body, leaks)
		}
	}
}

type adxInstruction struct {
	op       string
	operands []string
}

type adxFunction struct {
	name   string
	code   []adxInstruction
	labels map[string]int
}

func adxFunctions(text string) []*adxFunction {
	var all []*adxFunction
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		op, rest, _ := strings.Cut(line, " ")
		switch {
		case op == "TEXT":
			all = append(all, &adxFunction{name: rest, labels: map[string]int{}})
		case line == "" || line[0] == '/' || line[0] == '#' || op == "PCALIGN":
		case strings.HasSuffix(line, ":"):
			f := all[len(all)-1]
			f.labels[strings.TrimSuffix(line, ":")] = len(f.code)
		default:
			f := all[len(all)-1]
			f.code = append(f.code, adxInstruction{op, strings.FieldsFunc(rest, func(r rune) bool { return r == ',' || r == ' ' })})
		}
	}
	return all
}

// secrets are the registers, places of the frame and flags ("carry", "zero") that depend on digits.
type secrets map[string]bool

var (
	adxMemory   = regexp.MustCompile(`^-?\d*\((\w+)\)(?:\((\w+)\*\d\))?$`)
	adxArgument = regexp.MustCompile(`^(\w+)\+\d+\(FP\)$`)
	adxFrame    = regexp.MustCompile(`^\d*\(SP\)$`)
)

// of says whether an operand is secret: all memory of the operands is, and the arguments that are made of digits.
func (s secrets) of(operand string) bool {
	if m := adxArgument.FindStringSubmatch(operand); m != nil {
		return m[1] == "k0" || m[1] == "index" || m[1] == "subtract"
	}
	return s[operand] || !adxFrame.MatchString(operand) && adxMemory.MatchString(operand)
}

func (s secrets) any(operands ...string) bool { return slices.ContainsFunc(operands, s.of) }

// leaks follows all paths to the end and returns what is wrong, in the order of the code.
func (f *adxFunction) leaks() []string {
	before := make([]secrets, len(f.code)+1)
	found := map[int]string{}
	for work := []int{0}; len(work) > 0; {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		s := maps.Clone(before[i])
		if s == nil {
			s = secrets{}
		}
		if leak := s.step(f.code[i]); leak != "" {
			found[i] = fmt.Sprintf("%v: %s", f.code[i], leak)
		}
		for _, next := range f.next(i) {
			merged := maps.Clone(s)
			maps.Copy(merged, before[next])
			if before[next] == nil || len(merged) > len(before[next]) {
				before[next] = merged
				work = append(work, next)
			}
		}
	}
	var leaks []string
	for _, i := range slices.Sorted(maps.Keys(found)) {
		leaks = append(leaks, found[i])
	}
	return leaks
}

func (f *adxFunction) next(i int) []int {
	switch in := f.code[i]; {
	case in.op == "RET":
		return nil
	case in.op == "JMP":
		return []int{f.labels[in.operands[0]]}
	case in.op[0] == 'J':
		return []int{i + 1, f.labels[in.operands[0]]}
	}
	return []int{i + 1}
}

func (s secrets) set(name string, secret bool) {
	if delete(s, name); secret {
		s[name] = true
	}
}

// step carries out one instruction on the secrets and says what it leaks, if anything.
func (s secrets) step(in adxInstruction) string {
	for _, operand := range in.operands {
		if m := adxMemory.FindStringSubmatch(operand); m != nil && s.any(m[1], m[2]) {
			return "address from digits"
		}
	}
	var last string
	if n := len(in.operands); n > 0 {
		last = in.operands[n-1]
	}
	same := len(in.operands) == 2 && in.operands[0] == last
	sources := s.any(in.operands...)
	carry := func(flags bool) { // add, subtract: all flags and the last operand
		secret := sources || flags
		s.set(last, secret)
		s.set("carry", secret)
		s.set("zero", secret)
	}
	switch in.op {
	case "JMP", "RET":
	case "JE", "JNE", "JZ", "JNZ", "JGE":
		if s["zero"] {
			return "branch on digits"
		}
	case "MOVQ", "MOVOU":
		s.set(last, s.of(in.operands[0]))
	case "LEAQ":
		s.set(last, false) // else it is reported above
	case "CMPQ", "TESTQ":
		s.set("carry", sources)
		s.set("zero", sources)
	case "MULXQ":
		secret := s.any(in.operands[0], "DX")
		s.set(in.operands[1], secret)
		s.set(last, secret)
	case "ADCXQ", "ADOXQ":
		secret := sources || s["carry"]
		s.set(last, secret)
		s.set("carry", secret)
	case "ADDQ", "SUBQ", "ANDQ", "NEGQ", "IMULQ", "SHLQ", "SHRQ", "SARQ":
		carry(false)
	case "ADCQ":
		carry(s["carry"])
	case "SBBQ":
		if same {
			sources = false
		}
		carry(s["carry"])
	case "XORQ":
		if same {
			sources = false
		}
		carry(false)
	case "PXOR":
		s.set(last, sources && !same)
	case "PAND", "POR", "PUNPCKLQDQ":
		s.set(last, sources)
	case "INCQ", "DECQ":
		s.set(last, sources)
		s.set("zero", sources)
		s.set("carry", sources || s["carry"])
	default:
		return "unknown instruction"
	}
	return ""
}
