package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func reduceADX() {
	k := adxBegin("reduceADX", "func(z, t, m []uint64, k0 uint64)",
		"reduceADX sets z to t/R mod m, and less than R: n, 2n and n digits, n at least 1, t less than R². It overwrites t, which",
		"shares no memory with the others.")
	k0, carry := AllocLocal(8), AllocLocal(8)
	Load(Param("k0"), RAX)
	MOVQ(RAX, k0)
	Load(Param("t").Base(), RCX)
	Load(Param("m").Base(), RDI)
	Load(Param("m").Len(), R12)
	k.lengths()
	LEAQ(Mem{Base: RCX, Index: R12, Scale: 8}, RAX)
	MOVQ(RAX, k.blockEnd)
	XORQ(R14, R14) // the carry out of the columns so far, as a mask
	MOVQ(R14, carry)
	MOVQ(RCX, RSI)

	MOVQ(R12, R13)
	ANDQ(Imm(adxBlock-1), R13)
	JZ(LabelRef("reduceADX_blocks"))
	Label("reduceADX_rows")
	MOVQ(adxWord(RCX, 0), RDX)
	IMULQ(k0, RDX)
	k.row()
	ADDQ(R14, R14)
	ADCQ(R8, adxWord(RCX, 0))
	SBBQ(R14, R14)
	MOVQ(k.start, RDI)
	ADDQ(Imm(8), RSI)
	MOVQ(RSI, RCX)
	DECQ(R13)
	JNZ(LabelRef("reduceADX_rows"))
	MOVQ(R14, carry)
	CMPQ(RSI, k.blockEnd)
	JE(LabelRef("reduceADX_subtract"))

	Label("reduceADX_blocks")
	k.quotients(k0)
	LEAQ(adxWord(RSI, adxBlock), RCX)
	ADDQ(Imm(8*adxBlock), RDI)
	k.steps(0)
	MOVQ(carry, RAX)
	ADDQ(RAX, RAX)
	for i, r := range adxWindow(0) {
		ADCQ(r, adxWord(RCX, i))
	}
	SBBQ(RAX, RAX)
	MOVQ(RAX, carry)
	MOVQ(k.start, RDI)
	ADDQ(Imm(8*adxBlock), RSI)
	CMPQ(RSI, k.blockEnd)
	JNE(LabelRef("reduceADX_blocks"))

	// The result is at SI, and at least R if there is a carry.
	Label("reduceADX_subtract")
	MOVQ(carry, RBX)
	Load(Param("z").Base(), RCX)
	XORQ(RAX, RAX)
	k.digits(RDI, 8, k.subtract)
	RET()
}

// quotients makes the eight lowest columns at SI multiples of R by adding multiples of the modulus, whose digits are at DI, and puts the
// quotient digits in their place. The columns above are left in the window.
func (k *adxKernel) quotients(k0 Mem) {
	for i, r := range adxWindow(0) {
		MOVQ(adxWord(RSI, i), r)
	}
	for i := range adxBlock {
		w := adxWindow(i)
		MOVQ(w[0], RDX)
		IMULQ(k0, RDX)
		MOVQ(RDX, adxWord(RSI, i))
		XORQ(RAX, RAX)
		k.add(adxProduct{window: w, source: adxWords(RDI), top: w[0]})
	}
}

// subtract stores some digits of the difference of those at SI and, if the mask in BX says so, the modulus. AX holds the borrow, as a mask.
func (k *adxKernel) subtract(digits int) {
	w := adxWindow(0)[:digits]
	for i, r := range w {
		MOVQ(adxWord(RDI, i), r)
		ANDQ(RBX, r)
	}
	ADDQ(RAX, RAX)
	for i, r := range w {
		MOVQ(adxWord(RSI, i), RDX)
		SBBQ(r, RDX)
		MOVQ(RDX, adxWord(RCX, i))
	}
	SBBQ(RAX, RAX)
	for _, p := range []Register{RDI, RSI, RCX} {
		ADDQ(Imm(uint64(8*digits)), p)
	}
}
