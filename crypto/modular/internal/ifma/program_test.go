package ifma

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A program is the text of an assembly file as it is committed, understood well enough to be executed by machine on any computer.
// What is not understood is an error.
type program map[string]*function

type function struct {
	parameters []parameter
	code       []instruction
}

// parameter is a word of the arguments, by the name that the assembly uses for it.
type parameter struct {
	name   string
	offset uint64
	kind   string // "base", "len" or "cap" of a slice, "pointer"
}

type instruction struct {
	line   int
	text   string
	form   form
	args   []operand
	target int // of a jump
}

// operand is a register, an immediate, a word of the arguments or a place in memory.
type operand struct {
	kind        byte // r general register, z vector register, k mask register, i immediate, f argument, m memory, l label
	register    int
	value       uint64 // of an immediate; what is added to the address of a place in memory; the offset of an argument
	base, index int    // general registers; index is -1 if there is none
	scale       uint64
	name        string // of a label or an argument
}

// generalRegisters are those that the assembly may use: neither the stack pointer nor the frame pointer is among them.
var generalRegisters = []string{"AX", "BX", "CX", "DX", "SI", "DI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}

var (
	textLine   = regexp.MustCompile(`^TEXT ·(\w+)\(SB\), NOSPLIT, \$0-(\d+)$`)
	labelLine  = regexp.MustCompile(`^(\w+):$`)
	vectorName = regexp.MustCompile(`^Z(\d+)$`)
	maskName   = regexp.MustCompile(`^K([1-7])$`)
	argument   = regexp.MustCompile(`^(\w+)\+(\d+)\(FP\)$`)
	place      = regexp.MustCompile(`^(\d*)\((\w+)\)(?:\((\w+)\*([1248])\))?$`)
	signature  = regexp.MustCompile(`^// func (\w+)\((.*)\)$`)
)

// parse understands an assembly file.
func parse(text string) (program, error) {
	p := program{}
	var f *function
	var declared []parameter
	var declaredName string
	labels := map[string]int{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		var err error
		switch {
		case signature.MatchString(line):
			parts := signature.FindStringSubmatch(line)
			declaredName = parts[1]
			declared, err = parameters(parts[2])
		case line == "" || strings.HasPrefix(line, "//") || line == `#include "textflag.h"`:
		case textLine.MatchString(line):
			parts := textLine.FindStringSubmatch(line)
			f = &function{parameters: declared}
			p[parts[1]] = f
			if parts[1] != declaredName || parts[2] != strconv.Itoa(8*len(declared)) {
				err = fmt.Errorf("want %s with %d bytes of arguments", declaredName, 8*len(declared))
			}
		case f == nil:
			err = fmt.Errorf("no function begins before this")
		case labelLine.MatchString(line):
			name := labelLine.FindStringSubmatch(line)[1]
			if _, twice := labels[name]; twice {
				err = fmt.Errorf("the second label of this name")
			}
			labels[name] = len(f.code)
		default:
			err = f.add(line, i+1)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %s: %w", i+1, line, err)
		}
	}
	return p, p.link(labels)
}

// link finds the instructions that jumps lead to. Labels are unique in the file and begin with the name of the function.
func (p program) link(labels map[string]int) error {
	for name, f := range p {
		for i := range f.code {
			for _, arg := range f.code[i].args {
				if arg.kind != 'l' {
					continue
				}
				target, known := labels[arg.name]
				if !known || !strings.HasPrefix(arg.name, name+"_") {
					return fmt.Errorf("line %d: no label %s in %s", f.code[i].line, arg.name, name)
				}
				f.code[i].target = target
			}
		}
	}
	return nil
}

// parameters lays out the arguments of a Go signature.
func parameters(list string) ([]parameter, error) {
	var out []parameter
	for field := range strings.SplitSeq(list, ", ") {
		name, kind, _ := strings.Cut(field, " ")
		switch kind {
		case "[]uint64":
			for _, part := range []string{"base", "len", "cap"} {
				out = append(out, parameter{name + "_" + part, uint64(8 * len(out)), part})
			}
		case "*[8]uint64":
			out = append(out, parameter{name, uint64(8 * len(out)), "pointer"})
		default:
			return nil, fmt.Errorf("parameter of unknown type %q", kind)
		}
	}
	return out, nil
}

// add appends an instruction.
func (f *function) add(line string, number int) error {
	op, list, _ := strings.Cut(line, " ")
	in := instruction{line: number, text: line}
	kinds := ""
	if list = strings.TrimSpace(list); list != "" {
		for field := range strings.SplitSeq(list, ", ") {
			arg, err := f.operand(field)
			if err != nil {
				return err
			}
			in.args = append(in.args, arg)
			kinds += string(arg.kind)
		}
	}
	var known bool
	if in.form, known = formOf(op, kinds); !known {
		return fmt.Errorf("unknown instruction or operands (%s %s)", op, kinds)
	}
	f.code = append(f.code, in)
	return nil
}

func (f *function) operand(text string) (operand, error) {
	if r := generalRegister(text); r >= 0 {
		return operand{kind: 'r', register: r}, nil
	}
	if parts := vectorName.FindStringSubmatch(text); parts != nil {
		n, err := strconv.Atoi(parts[1])
		if err != nil || n > 31 {
			return operand{}, fmt.Errorf("no register %s", text)
		}
		return operand{kind: 'z', register: n}, nil
	}
	if parts := maskName.FindStringSubmatch(text); parts != nil {
		return operand{kind: 'k', register: int(parts[1][0] - '0')}, nil
	}
	if value, ok := strings.CutPrefix(text, "$"); ok {
		n, err := strconv.ParseUint(value, 0, 64)
		return operand{kind: 'i', value: n}, err
	}
	if parts := argument.FindStringSubmatch(text); parts != nil {
		for _, p := range f.parameters {
			if p.name == parts[1] && strconv.FormatUint(p.offset, 10) == parts[2] {
				return operand{kind: 'f', value: p.offset, name: p.name}, nil
			}
		}
		return operand{}, fmt.Errorf("no argument %s", text)
	}
	if parts := place.FindStringSubmatch(text); parts != nil {
		return memoryOperand(parts)
	}
	if regexp.MustCompile(`^\w+_\w+$`).MatchString(text) {
		return operand{kind: 'l', name: text}, nil
	}
	return operand{}, fmt.Errorf("unknown operand %q", text)
}

// memoryOperand understands displacement(base) and displacement(base)(index*scale).
func memoryOperand(parts []string) (operand, error) {
	o := operand{kind: 'm', base: generalRegister(parts[2]), index: -1}
	if o.base < 0 {
		return o, fmt.Errorf("no register %s", parts[2])
	}
	var err error
	if parts[1] != "" {
		if o.value, err = strconv.ParseUint(parts[1], 10, 31); err != nil {
			return o, err
		}
	}
	if parts[3] != "" {
		o.index = generalRegister(parts[3])
		o.scale = uint64(parts[4][0] - '0')
		if o.index < 0 {
			return o, fmt.Errorf("no register %s", parts[3])
		}
	}
	return o, nil
}

func generalRegister(name string) int {
	for i, r := range generalRegisters {
		if r == name {
			return i
		}
	}
	return -1
}
