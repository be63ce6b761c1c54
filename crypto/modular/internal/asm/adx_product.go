package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func mulADX() {
	k := adxBegin("mulADX", "func(t, x, y []uint64)",
		"mulADX sets t to x·y: n, n and 2n digits, n at least 1. t shares no memory with x and y.")
	Load(Param("t").Base(), RCX)
	Load(Param("x").Base(), RDI)
	Load(Param("x").Len(), R12)
	Load(Param("y").Base(), RSI)
	k.lengths()
	LEAQ(Mem{Base: RSI, Index: R12, Scale: 8}, RAX)
	MOVQ(RAX, k.blockEnd)
	k.clearColumns()

	MOVQ(R12, R13)
	ANDQ(Imm(adxBlock-1), R13)
	JZ(LabelRef("mulADX_blocks"))
	Label("mulADX_rows")
	MOVQ(adxWord(RSI, 0), RDX)
	k.row()
	MOVQ(R8, adxWord(RCX, 0))
	SUBQ(k.bytes, RCX)
	ADDQ(Imm(8), RCX)
	MOVQ(k.start, RDI)
	ADDQ(Imm(8), RSI)
	DECQ(R13)
	JNZ(LabelRef("mulADX_rows"))
	CMPQ(RSI, k.blockEnd)
	JE(LabelRef("mulADX_end"))

	Label("mulADX_blocks")
	for _, w := range adxWindow(0) {
		XORQ(w, w)
	}
	k.steps(0)
	k.storeWindow(0)
	SUBQ(k.bytes, RCX)
	ADDQ(Imm(8*adxBlock), RCX)
	MOVQ(k.start, RDI)
	ADDQ(Imm(8*adxBlock), RSI)
	CMPQ(RSI, k.blockEnd)
	JNE(LabelRef("mulADX_blocks"))
	Label("mulADX_end")
	RET()
}

// clearColumns sets the R12 words at CX to zero.
func (k *adxKernel) clearColumns() {
	XORQ(RAX, RAX)
	MOVQ(R12, RBX)
	Label(k.label("clear"))
	MOVQ(RAX, Mem{Base: RCX, Index: RBX, Scale: 8, Disp: -8})
	DECQ(RBX)
	JNZ(LabelRef(k.label("clear")))
}

func (k *adxKernel) storeWindow(first int) {
	for i, w := range adxWindow(first) {
		MOVQ(w, adxWord(RCX, i))
	}
}

// triangle adds the products of each two different digits of the block at SI to the columns at CX, stores columns 1 to 7 and leaves
// columns 8 to 15 in adxWindow(7).
func (k *adxKernel) triangle() {
	columns := map[int]Register{}
	free := adxWindow(0)
	take := func(column int) Register {
		columns[column], free = free[0], free[1:]
		return columns[column]
	}
	for c := 1; c < adxBlock; c++ {
		MOVQ(adxWord(RCX, c), take(c))
	}
	for row := range adxBlock - 1 {
		var w []Register
		for c := 2*row + 1; c < row+adxBlock; c++ {
			w = append(w, columns[c])
		}
		MOVQ(adxWord(RSI, row), RDX)
		XORQ(RAX, RAX)
		k.add(adxProduct{window: w, source: func(j int) Mem { return adxWord(RSI, row+1+j) }, top: take(row + adxBlock)})
		for c := 2*row + 1; c <= 2*row+2 && c < adxBlock; c++ { // complete
			MOVQ(columns[c], adxWord(RCX, c))
			free = append(free, columns[c])
		}
	}
	top := take(2*adxBlock - 1)
	XORQ(top, top)
	for i, r := range adxWindow(adxBlock - 1) {
		if columns[adxBlock+i] != r {
			panic("triangle: the columns are not where the steps expect them")
		}
	}
}

func sqrADX() {
	k := adxBegin("sqrADX", "func(t, x []uint64)", "sqrADX sets t to x²: n and 2n digits, n at least 1. t shares no memory with x.")
	t := AllocLocal(8)
	Load(Param("t").Base(), RCX)
	MOVQ(RCX, t)
	Load(Param("x").Base(), RDI)
	Load(Param("x").Len(), R12)
	k.lengths()
	k.clearColumns()

	// Each product of two different digits once.
	MOVQ(RDI, RSI)
	ADDQ(Imm(8), RCX)
	MOVQ(R12, R13)
	ANDQ(Imm(adxBlock-1), R13)
	JZ(LabelRef("sqrADX_blocks"))
	Label("sqrADX_rows")
	MOVQ(adxWord(RSI, 0), RDX)
	LEAQ(adxWord(RSI, 1), RDI)
	DECQ(R12)
	k.row()
	MOVQ(R8, adxWord(RCX, 0))
	MOVQ(R12, RAX)
	SHLQ(Imm(3), RAX)
	SUBQ(RAX, RCX)
	ADDQ(Imm(2*8), RCX)
	ADDQ(Imm(8), RSI)
	DECQ(R13)
	JNZ(LabelRef("sqrADX_rows"))
	CMPQ(RSI, k.end)
	JE(LabelRef("sqrADX_diagonal"))

	Label("sqrADX_blocks")
	SUBQ(Imm(8), RCX)
	MOVQ(k.end, RAX)
	MOVQ(RAX, k.end8)
	Label("sqrADX_block")
	MOVQ(RCX, k.blockEnd)
	k.triangle()
	ADDQ(Imm(8*adxBlock), RCX)
	LEAQ(adxWord(RSI, adxBlock), RDI)
	k.steps(adxBlock - 1)
	k.storeWindow(adxBlock - 1)
	MOVQ(k.blockEnd, RCX)
	ADDQ(Imm(2*8*adxBlock), RCX)
	ADDQ(Imm(8*adxBlock), RSI)
	CMPQ(RSI, k.end)
	JNE(LabelRef("sqrADX_block"))

	// All of that twice, and the squares of the digits.
	Label("sqrADX_diagonal")
	MOVQ(t, RCX)
	MOVQ(k.start, RSI)
	XORQ(RAX, RAX)
	XORQ(RBX, RBX)
	k.digits(RSI, 4, k.diagonal)
	RET()
}

// diagonal doubles the columns of some digits and adds their squares. AX and BX hold the two carries, as masks.
func (k *adxKernel) diagonal(digits int) {
	w := adxWindow(0)[:2*digits]
	ADDQ(RAX, RAX)
	for i, r := range w {
		MOVQ(adxWord(RCX, i), r)
		ADCQ(r, r)
	}
	SBBQ(RAX, RAX)
	ADDQ(RBX, RBX)
	for i := range digits {
		MOVQ(adxWord(RSI, i), RDX)
		MULXQ(RDX, RDI, RDX)
		ADCQ(RDI, w[2*i])
		ADCQ(RDX, w[2*i+1])
	}
	SBBQ(RBX, RBX)
	for i, r := range w {
		MOVQ(r, adxWord(RCX, i))
	}
	ADDQ(Imm(uint64(8*digits)), RSI)
	ADDQ(Imm(uint64(16*digits)), RCX)
}
