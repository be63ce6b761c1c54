package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The IFMA kernels work on blocks of ten digits, each digit a register of eight lanes. Ten digits of one factor stay in registers,
// the digits of the other stream by, and so do the columns of the sum: a window of ten of them is in registers. A step multiplies one
// digit of the stream by the ten. First it adds the low halves of the products; the lowest column of the window is then complete, is
// stored, and its register takes the next column after the window, so that the window has moved by one; then it adds the high
// halves. Twenty multiplications, all of a half to different columns, come with two loads and one store. A multiplication takes four
// cycles, a processor begins at most two in a cycle, and ten at a time are independent, so the multipliers never wait.
//
// The columns are lazy: 64 bits wide, with no carry from one to the next until the end.

const (
	block      = 10         // digits in registers
	vectorSize = 64         // bytes of a digit: eight lanes
	wordSize   = 8          // bytes
	digitMask  = 1<<52 - 1  // the bits of a digit
	blockSize  = block * 64 // bytes
	orWithAnd  = 0xf8       // VPTERNLOGQ: destination | second & third
)

// vector returns one of the 32 vector registers.
func vector(i int) Register {
	return []Register{
		Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15,
		Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, Z24, Z25, Z26, Z27, Z28, Z29, Z30, Z31,
	}[i]
}

// What the vector registers hold.
func column(i int) Register  { return vector(i % block) }   // of the sum, i after the first of a block; the window is ten in a row
func factor(i int) Register  { return vector(block + i) }   // the digits that stay: of a factor, or of the quotient
func modulus(i int) Register { return vector(2*block + i) } // the lowest digits of the modulus, for the quotient
func stream() Register       { return Z20 }                 // the digit that streams by; the digits of the modulus are not needed then
func inverse() Register      { return Z30 }                 // -1/m mod 2^52
func mask() Register         { return Z31 }                 // the bits of a digit

// What the general registers point to. The others belong to the kernels.
func columns() Register { return RAX } // the columns of the sum that a stream passes
func digits() Register  { return RDX } // the digits of a stream
func end() Register     { return R9 }  // the end of a stream

// at is digit i of those that a register points to.
func at(base Register, i int) Mem { return Mem{Base: base, Disp: vectorSize * i} }

func ifmaKernels() {
	productKernel()
	squareKernel()
	reductionKernel()
	selectionKernel()
}

func begin(name, signature string, doc ...string) {
	TEXT(name, attr.NOSPLIT, signature)
	Doc(doc...)
	Pragma("noescape")
}

func finish() {
	VZEROUPPER()
	RET()
}

// repeat emits the body of a loop that ends when a pointer, which the body must move, reaches a limit.
func repeat(label string, pointer, limit Register, body func()) {
	Label(label)
	body()
	CMPQ(pointer, limit)
	JNE(LabelRef(label))
}

func load(register func(int) Register, base Register) {
	for i := range block {
		VMOVDQU64(at(base, i), register(i))
	}
}

func move(by int, pointers ...Register) {
	for _, p := range pointers {
		ADDQ(U32(by), p)
	}
}

// broadcast sets all lanes of a register.
func broadcast(value uint64, to Register) {
	MOVQ(U64(value), RAX)
	VPBROADCASTQ(RAX, to)
}

// step multiplies the first count factors by a digit and adds the products to the window that begins s columns after those that base
// points to, and moves the window by one.
func step(base Register, s, count int, digit Op) {
	for i := range count {
		VPMADD52LUQ(factor(i), digit, column(s+i))
	}
	VMOVDQU64(column(s), at(base, s))
	VMOVDQU64(at(base, s+block), column(s))
	for i := range count {
		VPMADD52HUQ(factor(i), digit, column(s+1+i))
	}
}

// pass streams the digits from digits() to end(), at least ten, past the factors and adds the products to the columns from columns() on,
// whose first ten are in registers. It leaves the last ten there, and columns() points to them.
func pass(label string) {
	repeat(label, digits(), end(), func() {
		for s := range block {
			VMOVDQU64(at(digits(), s), stream())
			step(columns(), s, block, stream())
		}
		move(blockSize, digits(), columns())
	})
}

func flush() {
	for i := range block {
		VMOVDQU64(column(i), at(columns(), i))
	}
}

// zero clears the 2n columns of t for n digits, which are so many words.
func zero(label string, t, words Register) {
	limit := R10
	VPXORQ(Z0, Z0, Z0)
	MOVQ(t, columns())
	MOVQ(words, limit)
	SHLQ(Imm(4), limit)
	ADDQ(t, limit)
	repeat(label, columns(), limit, func() {
		for i := range block {
			VMOVDQU64(Z0, at(columns(), i))
		}
		move(blockSize, columns())
	})
}

// productKernel adds the products of each block of x with all of y: a row of the sum.
func productKernel() {
	begin("mulIFMA", "func(t []uint64, x []uint64, y []uint64)",
		"mulIFMA sets the 2n lazy columns of t to x·y: n, n and 2n digits, n a multiple of 10 and not 0. t shares no memory with x and y.")
	t, x, xEnd, y, words := RDI, RSI, R8, RBX, RCX
	Load(Param("t").Base(), t)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), words)
	Load(Param("y").Base(), y)
	LEAQ(Mem{Base: x, Index: words, Scale: wordSize}, xEnd)
	LEAQ(Mem{Base: y, Index: words, Scale: wordSize}, end())
	zero("mulIFMA_zero", t, words)
	repeat("mulIFMA_row", x, xEnd, func() {
		load(factor, x)
		load(column, t)
		MOVQ(t, columns())
		MOVQ(y, digits())
		pass("mulIFMA_pass")
		flush()
		move(blockSize, x, t)
	})
	finish()
}

// squareKernel adds the products of each block of x with the digits above it, among them those of the block itself. Afterwards it
// doubles that and adds the squares of the digits.
func squareKernel() {
	begin("sqrIFMA", "func(t []uint64, x []uint64)",
		"sqrIFMA sets the 2n lazy columns of t to x²: n and 2n digits, n a multiple of 10 and not 0. t shares no memory with x.")
	t, x, words := RDI, RSI, RCX
	Load(Param("t").Base(), t)
	Load(Param("x").Base(), x)
	Load(Param("x").Len(), words)
	LEAQ(Mem{Base: x, Index: words, Scale: wordSize}, end())
	zero("sqrIFMA_zero", t, words)
	Label("sqrIFMA_row")
	load(factor, x)
	for i := 1; i <= block; i++ { // the lowest column takes only a square
		VMOVDQU64(at(t, i), column(i))
	}
	for s := 1; s < block; s++ {
		step(t, s, s, factor(s))
	}
	LEAQ(Mem{Base: t, Disp: blockSize}, columns())
	move(blockSize, x)
	CMPQ(x, end())
	JEQ(LabelRef("sqrIFMA_last"))
	MOVQ(x, digits())
	pass("sqrIFMA_pass")
	flush()
	move(2*blockSize, t)
	JMP(LabelRef("sqrIFMA_row"))
	Label("sqrIFMA_last")
	flush()
	doubling()
	finish()
}

// doubling doubles the columns of a square and adds the squares of the digits.
func doubling() {
	t, x := columns(), digits()
	Load(Param("t").Base(), t)
	Load(Param("x").Base(), x)
	const unrolled = block / 2
	repeat("sqrIFMA_double", x, end(), func() {
		for i := range unrolled {
			low, high, digit := column(2*i), column(2*i+1), factor(i)
			VMOVDQU64(at(x, i), digit)
			VMOVDQU64(at(t, 2*i), low)
			VMOVDQU64(at(t, 2*i+1), high)
			VPADDQ(low, low, low)
			VPADDQ(high, high, high)
			VPMADD52LUQ(digit, digit, low)
			VPMADD52HUQ(digit, digit, high)
			VMOVDQU64(low, at(t, 2*i))
			VMOVDQU64(high, at(t, 2*i+1))
		}
		move(unrolled*vectorSize, x)
		move(2*unrolled*vectorSize, t)
	})
}

// reductionKernel adds multiples of m that make ten columns at a time vanish, and then carries through what remains.
func reductionKernel() {
	begin("reduceIFMA", "func(z []uint64, t []uint64, m []uint64, k0 *[8]uint64)",
		"reduceIFMA sets z to t/R mod m, below 2m: n digits, 2n lazy columns that stand for less than R·m, and n digits, n a multiple",
		"of 10 and not 0. It overwrites t, which shares no memory with the others.")
	t, m, tEnd, words := RDI, RBX, R8, RCX
	Load(Param("t").Base(), t)
	Load(Param("m").Base(), m)
	Load(Param("m").Len(), words)
	Load(Param("k0"), R10)
	LEAQ(Mem{Base: t, Index: words, Scale: wordSize}, tEnd)
	LEAQ(Mem{Base: m, Index: words, Scale: wordSize}, end())
	VMOVDQU64(at(R10, 0), inverse())
	broadcast(digitMask, mask())
	repeat("reduceIFMA_row", t, tEnd, func() {
		load(modulus, m)
		load(column, t)
		for s := range block {
			quotient(t, s)
		}
		LEAQ(Mem{Base: t, Disp: blockSize}, columns())
		LEAQ(Mem{Base: m, Disp: blockSize}, digits())
		CMPQ(digits(), end())
		JEQ(LabelRef("reduceIFMA_last"))
		pass("reduceIFMA_pass")
		Label("reduceIFMA_last")
		flush()
		move(blockSize, t)
	})
	carry(t)
	finish()
}

// quotient computes digit s of ten of the quotient from the lowest column of the window, and adds the product of the digit with
// the ten lowest digits of the modulus. The low 52 bits of the column become zero by that, and what they carry to the next is known
// without the product: it is the column divided by 2^52 and rounded up. The next digit of the quotient waits for two of the
// multiplications, which come first.
func quotient(t Register, s int) {
	q, lowest := factor(s), column(s)
	VPXORQ(q, q, q)
	VPMADD52LUQ(inverse(), lowest, q)
	VPADDQ(mask(), lowest, lowest)
	VPSRLQ(Imm(52), lowest, lowest)
	VPMADD52LUQ(modulus(1), q, column(s+1))
	VPMADD52HUQ(modulus(0), q, lowest)
	VPADDQ(lowest, column(s+1), column(s+1))
	VMOVDQU64(at(t, s+block), lowest)
	for i := 2; i < block; i++ {
		VPMADD52LUQ(modulus(i), q, column(s+i))
	}
	for i := 1; i < block; i++ {
		VPMADD52HUQ(modulus(i), q, column(s+i+1))
	}
}

// carry makes digits of the n columns that t points to.
func carry(t Register) {
	z, words, limit := RSI, RCX, R8
	Load(Param("z").Base(), z)
	LEAQ(Mem{Base: z, Index: words, Scale: wordSize}, limit)
	over := factor(0)
	VPXORQ(over, over, over)
	repeat("reduceIFMA_carry", z, limit, func() {
		for i := range block {
			VPADDQ(at(t, i), over, column(i))
			VPSRLQ(Imm(52), column(i), over)
			VPANDQ(mask(), column(i), column(i))
			VMOVDQU64(column(i), at(z, i))
		}
		move(blockSize, t, z)
	})
}

// selectionKernel keeps ten digits of the result in registers while it reads those of all entries. No load is masked: what a lane does
// not want is read like what it wants.
func selectionKernel() {
	begin("selectIFMA", "func(z []uint64, table []uint64, index *[8]uint64)",
		"selectIFMA sets lane l of z to lane l of entry index[l] of the table, or to zero if there are not so many entries. It reads all of",
		"them. There is at least one entry, and each has as many words as z: n digits, n a multiple of 10 and not 0.")
	z, zEnd, table, tableEnd, size := RSI, R8, RBX, R9, RCX
	Load(Param("z").Base(), z)
	Load(Param("z").Len(), size)
	Load(Param("table").Base(), table)
	Load(Param("table").Len(), tableEnd)
	Load(Param("index"), RDX)
	LEAQ(Mem{Base: z, Index: size, Scale: wordSize}, zEnd)
	LEAQ(Mem{Base: table, Index: tableEnd, Scale: wordSize}, tableEnd)
	SHLQ(Imm(3), size)
	VMOVDQU64(at(RDX, 0), wanted())
	broadcast(1, one())
	broadcast(1<<64-1, ones())
	repeat("selectIFMA_block", z, zEnd, func() {
		VPXORQ(entry(), entry(), entry())
		for i := range block {
			VPXORQ(column(i), column(i), column(i))
		}
		MOVQ(table, columns())
		repeat("selectIFMA_entry", columns(), tableEnd, func() {
			VPCMPEQQ(entry(), wanted(), K1)
			VMOVDQU64_Z(ones(), K1, chosen())
			VPADDQ(one(), entry(), entry())
			for i := range block {
				VPTERNLOGQ(Imm(orWithAnd), at(columns(), i), chosen(), column(i))
			}
			ADDQ(size, columns())
		})
		for i := range block {
			VMOVDQU64(column(i), at(z, i))
		}
		move(blockSize, z, table, tableEnd)
	})
	finish()
}

// What the vector registers of the selection hold beside the digits.
func entry() Register  { return Z20 } // the number of the entry that is read
func wanted() Register { return Z21 } // the number of the one that is wanted
func chosen() Register { return Z22 } // all ones where they are equal
func one() Register    { return Z23 }
func ones() Register   { return Z24 }
