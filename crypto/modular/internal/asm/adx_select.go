package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func selectADX() {
	TEXT("selectADX", attr.NOSPLIT, "func(z, table []uint64, entries int, index uint64)")
	Pragma("noescape")
	Doc("selectADX sets z to an entry of the table, or to zero if there are not so many entries. It reads all of them.")
	Load(Param("z").Base(), RCX)
	Load(Param("z").Len(), RDX)
	Load(Param("table").Base(), RSI)
	Load(Param("entries"), RBX)
	Load(Param("index"), RDI)
	MOVQ(RDX, R11)
	SHLQ(Imm(3), R11) // bytes of an entry
	for _, words := range []int{16, 4, 1} {
		label := func(name string) string { return fmt.Sprint("selectADX_", name, words) }
		JMP(LabelRef(label("more")))
		Label(label("columns"))
		adxSelectColumns(words, label)
		Label(label("more"))
		CMPQ(RDX, Imm(uint64(words)))
		JGE(LabelRef(label("columns")))
	}
	RET()
}

// adxSelectColumns reads some words at SI of each of BX entries and stores those of entry DI at CX. R8 is the entry, R9 counts up from
// -DI, so that it is zero at the right one, and R10 counts the entries.
func adxSelectColumns(words int, label func(string) string) {
	load, width := MOVOU, 2
	if words == 1 {
		load, width = MOVQ, 1
	}
	sums := make([]Register, words/width)
	for i := range sums {
		sums[i] = XMM()
		PXOR(sums[i], sums[i])
	}
	MOVQ(RSI, R8)
	MOVQ(RDI, R9)
	NEGQ(R9)
	MOVQ(RBX, R10)
	Label(label("entry"))
	CMPQ(R9, Imm(1))
	SBBQ(RAX, RAX)
	mask, entry := XMM(), XMM()
	MOVQ(RAX, mask)
	PUNPCKLQDQ(mask, mask)
	for i, sum := range sums {
		load(adxWord(R8, i*width), entry)
		PAND(mask, entry)
		POR(entry, sum)
	}
	ADDQ(R11, R8)
	INCQ(R9)
	DECQ(R10)
	JNZ(LabelRef(label("entry")))
	for i, sum := range sums {
		load(sum, adxWord(RCX, i*width))
	}
	for _, p := range []Register{RSI, RCX} {
		ADDQ(Imm(uint64(8*words)), p)
	}
	SUBQ(Imm(uint64(words)), RDX)
}
