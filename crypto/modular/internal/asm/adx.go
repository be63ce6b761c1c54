package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The ADX kernels work in blocks of eight digits. A block step multiplies the eight digits of a block, which stay where they
// are in memory, by one digit of the stream, and adds that and one column of memory to a window of eight columns that lives in
// registers; the lowest column is then complete, is stored, and its register becomes the highest of the next window. A step is
// eight MULX with two carry chains side by side: ADCX takes the low halves, ADOX the high ones. The carries end within the step, so that
// loops are free to use the flags. What remains of n modulo eight is done first, in rows of one digit times n.
//
// Registers of a block step: R8 to R15 the window, SI the block, DI the stream, CX the columns, DX the digit, AX and BX the
// halves of a product.

const adxBlock = 8

// adxWord is one of consecutive 64-bit words in memory.
func adxWord(base Register, i int) Mem { return Mem{Base: base, Disp: 8 * i} }

func adxWords(base Register) func(int) Mem { return func(i int) Mem { return adxWord(base, i) } }

// adxWindow returns the registers of a window, from the lowest column on.
func adxWindow(first int) []Register {
	all := []Register{R8, R9, R10, R11, R12, R13, R14, R15}
	return append(all[first:len(all):len(all)], all[:first]...)
}

// adxKernel is what the parts of one function share.
type adxKernel struct {
	name      string
	zero      Mem // the word 0, for the ends of the carry chains: MOVQ $0 would be assembled to XORL and clear the flags
	end8, end Mem // where the stream ends: its last multiple of eight digits, its last digit
	bytes     Mem // of n digits
	blockEnd  Mem // where the blocks end
	start     Mem // of the stream
}

func adxBegin(name, signature string, doc ...string) *adxKernel {
	TEXT(name, attr.NOSPLIT, signature)
	Pragma("noescape")
	Doc(doc...)
	k := &adxKernel{name: name}
	for _, m := range []*Mem{&k.zero, &k.end8, &k.end, &k.bytes, &k.blockEnd, &k.start} {
		*m = AllocLocal(8)
	}
	XORQ(RAX, RAX)
	MOVQ(RAX, k.zero)
	return k
}

func (k *adxKernel) label(name string) string { return k.name + "_" + name }

// adxProduct is one digit, in DX, times some words. It is added to a window, whose carry goes to a register of its own, top: that may
// be the register of the lowest column, which is complete after the first word.
type adxProduct struct {
	window []Register
	source func(int) Mem
	top    Register
	store  Op // where the lowest column goes, if anywhere
	next   Op // the digit that DX holds afterwards, if another
}

// add emits a product. Both carries are clear afterwards; before, the one of ADOX may be set. The order is the fastest that was found:
// loads apart from the MULX, a late store, an early load of the next digit.
func (k *adxKernel) add(p adxProduct) {
	last := len(p.window) - 1
	for i, w := range p.window[:last] {
		MOVQ(p.source(i), RAX)
		MULXQ(RAX, RAX, RBX)
		ADCXQ(RAX, w)
		ADOXQ(RBX, p.window[i+1])
		if i == 3 && p.store != nil {
			MOVQ(p.window[0], p.store)
		}
	}
	MOVQ(p.source(last), RAX)
	MULXQ(RAX, RAX, p.top)
	if p.next != nil {
		MOVQ(p.next, RDX)
	}
	ADCXQ(RAX, p.window[last])
	ADCXQ(k.zero, p.top)
	ADOXQ(k.zero, p.top)
}

// step is one block step at word i of the stream and of the columns, with the digit of the stream in DX.
func (k *adxKernel) step(w []Register, i int, next Op) {
	XORQ(RAX, RAX)
	ADOXQ(adxWord(RCX, i), w[0])
	k.add(adxProduct{window: w, source: adxWords(RSI), top: w[0], store: adxWord(RCX, i), next: next})
}

// steps takes the stream from DI to its end.
func (k *adxKernel) steps(first int) {
	JMP(LabelRef(k.label("more8")))
	adxAlign()
	Label(k.label("steps8"))
	MOVQ(adxWord(RDI, 0), RDX)
	for i := range adxBlock {
		var next Op
		if i+1 < adxBlock {
			next = adxWord(RDI, i+1)
		}
		k.step(adxWindow((first+i)%adxBlock), i, next)
	}
	ADDQ(Imm(8*adxBlock), RDI)
	ADDQ(Imm(8*adxBlock), RCX)
	Label(k.label("more8"))
	CMPQ(RDI, k.end8)
	JNE(LabelRef(k.label("steps8")))
	JMP(LabelRef(k.label("more1")))
	Label(k.label("steps1"))
	w := adxWindow(first)
	MOVQ(adxWord(RDI, 0), RDX)
	k.step(w, 0, nil)
	MOVQ(w[0], RAX)
	for i := range adxBlock - 1 {
		MOVQ(w[i+1], w[i])
	}
	MOVQ(RAX, w[adxBlock-1])
	ADDQ(Imm(8), RDI)
	ADDQ(Imm(8), RCX)
	Label(k.label("more1"))
	CMPQ(RDI, k.end)
	JNE(LabelRef(k.label("steps1")))
}

// adxAlign starts a cache line of code, which makes the loops that follow up to six per cent faster.
func adxAlign() { Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{Imm(64)}}) }

// row adds the digit in DX times the R12 words at DI to those at CX, and leaves the carry in R8 and both pointers behind the last word.
func (k *adxKernel) row() {
	XORQ(R8, R8)
	MOVQ(R12, R10)
	SHRQ(Imm(3), R10)
	JZ(LabelRef(k.label("row1")))
	Label(k.label("row8s"))
	XORQ(R11, R11)
	for i := range adxBlock {
		high, carry := R9, R8
		if i%2 == 1 {
			high, carry = R8, R9
		}
		MULXQ(adxWord(RDI, i), RAX, high)
		ADCXQ(carry, RAX)
		ADOXQ(adxWord(RCX, i), RAX)
		MOVQ(RAX, adxWord(RCX, i))
	}
	ADCXQ(R11, R8)
	ADOXQ(R11, R8)
	ADDQ(Imm(8*adxBlock), RDI)
	ADDQ(Imm(8*adxBlock), RCX)
	DECQ(R10)
	JNZ(LabelRef(k.label("row8s")))
	Label(k.label("row1"))
	MOVQ(R12, R10)
	ANDQ(Imm(adxBlock-1), R10)
	JZ(LabelRef(k.label("rowEnd")))
	Label(k.label("row1s"))
	XORQ(R11, R11)
	MULXQ(adxWord(RDI, 0), RAX, R9)
	ADCXQ(R8, RAX)
	ADOXQ(adxWord(RCX, 0), RAX)
	MOVQ(RAX, adxWord(RCX, 0))
	MOVQ(R9, R8)
	ADCXQ(R11, R8)
	ADOXQ(R11, R8)
	ADDQ(Imm(8), RDI)
	ADDQ(Imm(8), RCX)
	DECQ(R10)
	JNZ(LabelRef(k.label("row1s")))
	Label(k.label("rowEnd"))
}

// lengths takes the number of digits from R12 and the stream from DI, and computes what the loops need.
func (k *adxKernel) lengths() {
	LEAQ(Mem{Base: RDI, Index: R12, Scale: 8}, RAX)
	MOVQ(RAX, k.end)
	MOVQ(R12, RAX)
	ANDQ(I8(-adxBlock), RAX)
	LEAQ(Mem{Base: RDI, Index: RAX, Scale: 8}, RAX)
	MOVQ(RAX, k.end8)
	MOVQ(R12, RAX)
	SHLQ(Imm(3), RAX)
	MOVQ(RAX, k.bytes)
	MOVQ(RDI, k.start)
}

// digits does something at the pointer for all digits from there to the end, several at a time and the rest one by one.
func (k *adxKernel) digits(pointer Register, several int, do func(digits int)) {
	MOVQ(k.bytes, RDX)
	ANDQ(I8(-8*several), RDX)
	ADDQ(pointer, RDX)
	MOVQ(RDX, k.end8)
	JMP(LabelRef(k.label("several")))
	Label(k.label("manyDigits"))
	do(several)
	Label(k.label("several"))
	CMPQ(pointer, k.end8)
	JNE(LabelRef(k.label("manyDigits")))
	JMP(LabelRef(k.label("rest")))
	Label(k.label("oneDigit"))
	do(1)
	Label(k.label("rest"))
	CMPQ(pointer, k.end)
	JNE(LabelRef(k.label("oneDigit")))
}

func adxKernels() {
	mulADX()
	sqrADX()
	reduceADX()
	differenceADX()
	joinADX()
	selectADX()
}
