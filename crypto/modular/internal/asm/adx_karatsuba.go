package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// adxGroup is the number of digits that the loops of Karatsuba's additions take at a time. Between groups the carries are masks: adding
// a mask to itself gives back the carry, subtracting a register from itself with borrow makes the mask.
const adxGroup = 4

// adxChain adds one digit after another, from a carry in memory or a register and back to it, by way of AX.
func adxChain(carry Op, add func(i int)) {
	MOVQ(carry, RAX)
	ADDQ(RAX, RAX)
	for i := range adxGroup {
		add(i)
	}
	SBBQ(RAX, RAX)
	MOVQ(RAX, carry)
}

// adxGroups repeats something until the pointer is at the end.
func adxGroups(label string, pointer Register, end Op, do func()) {
	Label(label)
	do()
	CMPQ(pointer, end)
	JNE(LabelRef(label))
}

func adxAdvance(pointers ...Register) {
	for _, p := range pointers {
		ADDQ(Imm(8*adxGroup), p)
	}
}

func differenceADX() {
	TEXT("differenceADX", attr.NOSPLIT, "func(z, x, y []uint64) (negative uint64)")
	Pragma("noescape")
	Doc("differenceADX sets z to the absolute difference of x and y, and says with a mask whether it was negative. All have the same",
		"number of digits, a multiple of four above zero; z shares no memory with the others.")
	Load(Param("z").Base(), RCX)
	Load(Param("z").Len(), RDX)
	Load(Param("x").Base(), RSI)
	Load(Param("y").Base(), RDI)
	LEAQ(Mem{Base: RCX, Index: RDX, Scale: 8}, RDX)
	w := adxWindow(0)[:adxGroup]
	XORQ(RBX, RBX)
	adxGroups("differenceADX_subtract", RCX, RDX, func() {
		for i, r := range w {
			MOVQ(adxWord(RSI, i), r)
		}
		adxChain(RBX, func(i int) { SBBQ(adxWord(RDI, i), w[i]) })
		for i, r := range w {
			MOVQ(r, adxWord(RCX, i))
		}
		adxAdvance(RCX, RSI, RDI)
	})

	// Where it was negative, the complement plus one.
	Store(RBX, ReturnIndex(0))
	Load(Param("z").Base(), RCX)
	MOVQ(RBX, RSI)
	adxGroups("differenceADX_negate", RCX, RDX, func() {
		for i, r := range w {
			MOVQ(adxWord(RCX, i), r)
			XORQ(RSI, r)
		}
		adxChain(RBX, func(i int) { ADCQ(Imm(0), w[i]) })
		for i, r := range w {
			MOVQ(r, adxWord(RCX, i))
		}
		adxAdvance(RCX)
	})
	RET()
}

func joinADX() {
	TEXT("joinADX", attr.NOSPLIT, "func(t, p []uint64, subtract uint64)")
	Pragma("noescape")
	Doc("joinADX adds to the columns of t from n/2 on its lower half and its upper half, and subtracts p if the mask says so, otherwise",
		"adds it: t has 2n digits and p n, which is a multiple of eight above zero. The sum fits.")
	end := AllocLocal(8)
	carries := map[string]Mem{}
	for _, name := range []string{"s", "low", "lowP", "high", "highP"} {
		carries[name] = AllocLocal(8)
	}
	Load(Param("t").Base(), RCX)
	Load(Param("p").Base(), RDI)
	Load(Param("p").Len(), RBX)
	Load(Param("subtract"), RDX)
	SHLQ(Imm(2), RBX) // bytes of half the digits
	LEAQ(Mem{Base: RCX, Index: RBX, Scale: 1}, RAX)
	MOVQ(RAX, end)
	LEAQ(Mem{Base: RAX, Index: RBX, Scale: 2}, RSI)
	XORQ(RAX, RAX)
	for _, name := range []string{"s", "low", "high", "highP"} {
		MOVQ(RAX, carries[name])
	}
	MOVQ(RDX, carries["lowP"]) // subtraction adds the complement plus one

	// With t in quarters a, b, c, d and s = b+c, the new b is s+a±p and the new c is s+d±p, with the two halves of p.
	s, sum := adxWindow(0)[:adxGroup], adxWindow(adxGroup)[:adxGroup]
	at := func(base Register, scale uint8) func(int) Mem {
		return func(i int) Mem { return Mem{Base: base, Index: RBX, Scale: scale, Disp: 8 * i} }
	}
	adxAlign()
	adxGroups("joinADX_columns", RCX, end, func() {
		for i, r := range s {
			MOVQ(at(RCX, 1)(i), r)
		}
		adxChain(carries["s"], func(i int) { ADCQ(at(RCX, 2)(i), s[i]) })
		for i, r := range sum {
			MOVQ(adxWord(RDI, i), r)
			XORQ(RDX, r)
		}
		adxChain(carries["lowP"], func(i int) { ADCQ(s[i], sum[i]) })
		adxChain(carries["low"], func(i int) { ADCQ(adxWord(RCX, i), sum[i]) })
		for i, r := range sum {
			MOVQ(r, at(RCX, 1)(i))
		}
		for i, r := range sum {
			MOVQ(at(RDI, 1)(i), r)
			XORQ(RDX, r)
		}
		adxChain(carries["highP"], func(i int) { ADCQ(sum[i], s[i]) })
		adxChain(carries["high"], func(i int) { ADCQ(adxWord(RSI, i), s[i]) })
		for i, r := range s {
			MOVQ(r, at(RCX, 2)(i))
		}
		adxAdvance(RCX, RSI, RDI)
	})

	// The carries out of b go into c, those out of c and the sign of p into d. Each is the negative of a sum of masks.
	total := func(names ...string) {
		for _, name := range names {
			SUBQ(carries[name], R8)
		}
	}
	ADDQ(RBX, RCX) // c; b is a quarter long, too
	XORQ(R8, R8)
	total("s", "low", "lowP")
	adxPropagate("joinADX_third", RBX)
	MOVQ(RDX, R8)
	SUBQ(R9, R8)
	total("s", "high", "highP")
	adxPropagate("joinADX_fourth", RBX)
	RET()
}

// adxPropagate adds the signed number in R8 to the digits at CX, as many bytes as the register says, leaves CX behind them and the carry as a
// mask in R9. It overwrites AX, R10 and R11.
func adxPropagate(label string, bytes Register) {
	LEAQ(Mem{Base: RCX, Index: bytes, Scale: 1}, R11)
	MOVQ(R8, R10)
	SARQ(Imm(63), R10)
	XORQ(R9, R9)
	adxGroups(label, RCX, R11, func() {
		adxChain(R9, func(i int) {
			if i == 0 {
				ADCQ(R8, adxWord(RCX, i))
			} else {
				ADCQ(R10, adxWord(RCX, i))
			}
		})
		MOVQ(R10, R8)
		adxAdvance(RCX)
	})
}
