package ifma

import (
	"fmt"
	"math/bits"
)

// machine executes programs as a processor does that has the instructions, and is strict: it stops at everything that a correct kernel
// does not do. That is a read of a register, of the flags or of working memory that nothing was written to, an access outside of
// the operands or a write to one that is only read, a sum that exceeds 64 bits, and the use of vectors after VZEROUPPER or an end
// without. It knows no instruction that moves anything from memory or vectors to general registers or flags: so jumps and addresses
// depend on the arguments alone, and not on what the operands contain.
type machine struct {
	program program

	general     [14]uint64
	vectors     [32]vector
	masks       [8]uint8
	written     [3]uint64 // one bit a register that was written to: general, vectors, masks
	flags       flags
	regions     []region
	arguments   []uint64
	next        int
	current     *instruction
	upperZeroed bool
	returned    bool

	counts counts
	last   [32]int // the last multiplication that added to a vector register, if nothing else was written there since
}

// flags are what a comparison left.
type flags struct{ known, equal bool }

// counts says what a machine has executed.
type counts struct {
	instructions int
	vectors      int    // instructions with vector registers
	multiplies   int    // VPMADD52LUQ and VPMADD52HUQ
	waits        int    // of those, how many add to a register that one of the seven multiplications before added to
	largest      uint64 // sum in any lane
}

// access is what a function may do with memory.
type access int

const (
	readOnly access = iota
	readWrite
	writeFirst // read only what it has written
)

type region struct {
	base   uint64
	words  []uint64
	access access
	filled []bool // of writeFirst
}

const (
	general = iota
	vectors
	masks
)

// never stands for a multiplication long ago.
const never = -8

// maximumSteps is more than a kernel executes.
const maximumSteps = 1 << 22

// buffer is an argument: memory and what a function may do with it.
type buffer struct {
	words  []uint64
	access access
}

// call executes a function. Arguments are slices, or pointers if the function says so. Two arguments may be the same memory.
func (m *machine) call(name string, args ...buffer) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case machineFault:
			err = fmt.Errorf("%s: line %d: %s: %s", name, m.current.line, m.current.text, r)
		default:
			panic(r)
		}
	}()
	f := m.program[name]
	if f == nil {
		return fmt.Errorf("no function %s", name)
	}
	m.reset()
	for _, p := range f.parameters {
		switch {
		case len(args) == 0:
			return fmt.Errorf("%s: an argument is missing", name)
		case p.kind == "base" || p.kind == "pointer":
			m.arguments = append(m.arguments, m.place(args[0]))
		default:
			m.arguments = append(m.arguments, uint64(len(args[0].words)))
		}
		if p.kind == "cap" || p.kind == "pointer" {
			args = args[1:]
		}
	}
	m.run(f)
	return nil
}

func (m *machine) reset() {
	*m = machine{program: m.program, counts: m.counts}
	for i := range m.last {
		m.last[i] = never
	}
}

// place returns the address of memory, far from all other and aligned to eight bytes only.
func (m *machine) place(b buffer) uint64 {
	for _, r := range m.regions {
		if len(b.words) > 0 && &r.words[0] == &b.words[0] && len(r.words) == len(b.words) && r.access == b.access {
			return r.base
		}
	}
	r := region{base: uint64(len(m.regions)+1)<<32 | 24, words: b.words, access: b.access}
	if b.access == writeFirst {
		r.filled = make([]bool, len(b.words))
	}
	m.regions = append(m.regions, r)
	return r.base
}

func (m *machine) run(f *function) {
	for step := 0; !m.returned; step++ {
		if m.next >= len(f.code) || step == maximumSteps {
			m.fault("no end of the function")
		}
		in := &f.code[m.next]
		m.current = in
		m.next++
		m.counts.instructions++
		if in.form.vector {
			m.counts.vectors++
			if m.upperZeroed {
				m.fault("a vector instruction after VZEROUPPER")
			}
		}
		in.form.execute(m, in)
	}
	if m.written[vectors] != 0 && !m.upperZeroed {
		m.fault("an end without VZEROUPPER")
	}
}

// machineFault says what a function did that it must not do.
type machineFault string

func (m *machine) fault(format string, args ...any) {
	panic(machineFault(fmt.Sprintf(format, args...)))
}

// used faults if a register was not written to before.
func (m *machine) used(kind int, o *operand) int {
	if m.written[kind]>>o.register&1 == 0 {
		m.fault("reads a register that was not written to")
	}
	return o.register
}

func (m *machine) setGeneral(o *operand, value uint64) {
	m.general[o.register] = value
	m.written[general] |= 1 << o.register
}

func (m *machine) getGeneral(o *operand) uint64 { return m.general[m.used(general, o)] }

func (m *machine) setVector(o *operand, value *vector) {
	m.vectors[o.register] = *value
	m.written[vectors] |= 1 << o.register
	m.last[o.register] = never
}

// getVector returns the content of a vector register or of a place in memory.
func (m *machine) getVector(o *operand) *vector {
	if o.kind == 'm' {
		return m.memory(o, false)
	}
	return &m.vectors[m.used(vectors, o)]
}

// address computes the address of a place in memory.
func (m *machine) address(o *operand) uint64 {
	a := m.plus(m.getGeneral(&operand{register: o.base}), o.value)
	if o.index >= 0 {
		a = m.plus(a, o.scale*m.getGeneral(&operand{register: o.index}))
	}
	return a
}

// memory returns the eight words at a place.
func (m *machine) memory(o *operand, write bool) *vector {
	a := m.address(o)
	i := int(a>>32) - 1
	if i < 0 || i >= len(m.regions) || a < m.regions[i].base || a%8 != 0 {
		m.fault("an address outside of the operands")
	}
	r := &m.regions[i]
	word := (a - r.base) / 8
	if word+Lanes > uint64(len(r.words)) {
		m.fault("an address %d words after the start of an operand of %d", word, len(r.words))
	}
	if write && r.access == readOnly {
		m.fault("a write to an operand that is only read")
	}
	if r.access == writeFirst {
		for l := range uint64(Lanes) {
			if !write && !r.filled[word+l] {
				m.fault("reads memory that was not written to")
			}
			r.filled[word+l] = true
		}
	}
	return (*vector)(r.words[word:])
}

// plus adds, and faults if the sum exceeds 64 bits.
func (m *machine) plus(x, y uint64) uint64 {
	sum, carry := bits.Add64(x, y, 0)
	if carry != 0 {
		m.fault("a sum exceeds 64 bits")
	}
	return sum
}
