package ifma

import (
	"math/bits"
	"slices"
)

// form is an instruction with operands of certain kinds, and what it does.
type form struct {
	vector  bool
	execute func(m *machine, in *instruction)
}

// formOf returns what an instruction does whose operands have these kinds, see operand. In the assembly of Go the destination comes last,
// in the manual first (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2). The comments are the manual's operations.
func formOf(op, kinds string) (form, bool) {
	f, known := map[string]form{
		"MOVQ fr": {false, func(m *machine, in *instruction) { m.setGeneral(&in.args[1], m.arguments[in.args[0].value/8]) }},
		"MOVQ ir": {false, func(m *machine, in *instruction) { m.setGeneral(&in.args[1], in.args[0].value) }},
		"MOVQ rr": {false, func(m *machine, in *instruction) { m.setGeneral(&in.args[1], m.getGeneral(&in.args[0])) }},
		"LEAQ mr": {false, func(m *machine, in *instruction) { m.setGeneral(&in.args[1], m.address(&in.args[0])) }},
		"ADDQ ir": {false, addQ},
		"ADDQ rr": {false, addQ},
		"SHLQ ir": {false, shlQ},
		"CMPQ rr": {false, func(m *machine, in *instruction) {
			m.flags = flags{true, m.getGeneral(&in.args[0]) == m.getGeneral(&in.args[1])}
		}},
		"JMP l":      {false, func(m *machine, in *instruction) { m.next = in.target }},
		"JEQ l":      {false, func(m *machine, in *instruction) { m.jump(in, true) }},
		"JNE l":      {false, func(m *machine, in *instruction) { m.jump(in, false) }},
		"RET":        {false, func(m *machine, _ *instruction) { m.returned = true }},
		"VZEROUPPER": {false, func(m *machine, _ *instruction) { m.upperZeroed = true }},

		"VMOVDQU64 mz":    {true, func(m *machine, in *instruction) { m.setVector(&in.args[1], m.getVector(&in.args[0])) }},
		"VMOVDQU64 zm":    {true, func(m *machine, in *instruction) { *m.memory(&in.args[1], true) = *m.getVector(&in.args[0]) }},
		"VMOVDQU64.Z zkz": {true, moveMasked},
		"VPBROADCASTQ rz": {true, broadcast},
		"VPCMPEQQ zzk":    {true, compareEqual},
		"VPADDQ zzz":      {true, addition},
		"VPADDQ mzz":      {true, addition},
		"VPANDQ zzz":      {true, conjunction},
		"VPXORQ zzz":      {true, exclusive},
		"VPSRLQ izz":      {true, shiftRight},
		"VPTERNLOGQ imzz": {true, ternary},
		"VPMADD52LUQ zzz": {true, func(m *machine, in *instruction) { m.multiplyAdd(in, lowHalf) }},
		"VPMADD52HUQ zzz": {true, func(m *machine, in *instruction) { m.multiplyAdd(in, highHalf) }},
	}[op+spaceBefore(kinds)]
	return f, known
}

func spaceBefore(s string) string {
	if s == "" {
		return ""
	}
	return " " + s
}

func addQ(m *machine, in *instruction) {
	value := in.args[0].value
	if in.args[0].kind == 'r' {
		value = m.getGeneral(&in.args[0])
	} else if value >= 1<<31 {
		m.fault("an immediate that would be extended by its sign")
	}
	m.setGeneral(&in.args[1], m.plus(m.getGeneral(&in.args[1]), value))
	m.flags = flags{}
}

func shlQ(m *machine, in *instruction) {
	value, by := m.getGeneral(&in.args[1]), in.args[0].value
	if by > 63 || value<<by>>by != value {
		m.fault("a shift that loses bits")
	}
	m.setGeneral(&in.args[1], value<<by)
	m.flags = flags{}
}

func (m *machine) jump(in *instruction, equal bool) {
	if !m.flags.known {
		m.fault("a jump without a comparison")
	}
	if m.flags.equal == equal {
		m.next = in.target
	}
}

// lanes sets the destination, the last operand, to what f makes of each lane.
func (m *machine) lanes(in *instruction, f func(l int) uint64) {
	var result vector
	for l := range result {
		result[l] = f(l)
	}
	m.setVector(&in.args[len(in.args)-1], &result)
}

// VMOVDQU64 zmm1 {k1}{z}, zmm2: IF k1[j] THEN DEST[j] := SRC[j] ELSE DEST[j] := 0.
func moveMasked(m *machine, in *instruction) {
	source, mask := m.getVector(&in.args[0]), m.masks[m.used(masks, &in.args[1])]
	m.lanes(in, func(l int) uint64 { return source[l] * uint64(mask>>l&1) })
}

// VPBROADCASTQ zmm1, r64: DEST[j] := SRC.
func broadcast(m *machine, in *instruction) {
	value := m.getGeneral(&in.args[0])
	m.lanes(in, func(int) uint64 { return value })
}

// VPCMPEQQ k1, zmm2, zmm3: DEST[j] := SRC1[j] = SRC2[j].
func compareEqual(m *machine, in *instruction) {
	x, y := m.getVector(&in.args[0]), m.getVector(&in.args[1])
	var mask uint8
	for l := range x {
		if x[l] == y[l] {
			mask |= 1 << l
		}
	}
	m.masks[in.args[2].register] = mask
	m.written[masks] |= 1 << in.args[2].register
}

// VPADDQ zmm1, zmm2, zmm3/m512: DEST[j] := SRC1[j] + SRC2[j].
func addition(m *machine, in *instruction) {
	x, y := m.getVector(&in.args[0]), m.getVector(&in.args[1])
	m.lanes(in, func(l int) uint64 { return m.plus(x[l], y[l]) })
	m.counts.largest = max(m.counts.largest, slices.Max(m.vectors[in.args[2].register][:]))
}

// VPANDQ zmm1, zmm2, zmm3/m512: DEST[j] := SRC1[j] AND SRC2[j].
func conjunction(m *machine, in *instruction) {
	x, y := m.getVector(&in.args[0]), m.getVector(&in.args[1])
	m.lanes(in, func(l int) uint64 { return x[l] & y[l] })
}

// VPXORQ zmm1, zmm2, zmm3/m512: DEST[j] := SRC1[j] XOR SRC2[j]. With itself any register gives zero.
func exclusive(m *machine, in *instruction) {
	if in.args[0].register == in.args[1].register {
		m.lanes(in, func(int) uint64 { return 0 })
		return
	}
	x, y := m.getVector(&in.args[0]), m.getVector(&in.args[1])
	m.lanes(in, func(l int) uint64 { return x[l] ^ y[l] })
}

// VPSRLQ zmm1, zmm2, imm8: DEST[j] := SRC[j] >> imm8.
func shiftRight(m *machine, in *instruction) {
	by, x := in.args[0].value, m.getVector(&in.args[1])
	m.lanes(in, func(l int) uint64 { return x[l] >> by })
}

// VPTERNLOGQ zmm1, zmm2, zmm3/m512, imm8: each bit of DEST is the bit of imm8 whose number is the bit of DEST, the one of SRC1 and the
// one of SRC2, in this order from the highest.
func ternary(m *machine, in *instruction) {
	table, third, second, first := in.args[0].value, m.getVector(&in.args[1]), m.getVector(&in.args[2]), m.getVector(&in.args[3])
	m.lanes(in, func(l int) (out uint64) {
		for row := range uint64(8) {
			if table>>row&1 == 1 {
				same := func(bit, x uint64) uint64 { return x ^ (bit - 1) } // x where the bit is 1, not x where it is 0
				out |= same(row>>2&1, first[l]) & same(row>>1&1, second[l]) & same(row&1, third[l])
			}
		}
		return out
	})
}

// VPMADD52LUQ, VPMADD52HUQ zmm1, zmm2, zmm3/m512: TEMP[103:0] := SRC1[j][51:0] * SRC2[j][51:0]; DEST[j] := DEST[j] + TEMP[51:0], or
// TEMP[103:52].
func (m *machine) multiplyAdd(in *instruction, half func(x, y uint64) uint64) {
	x, y, sums := *m.getVector(&in.args[0]), *m.getVector(&in.args[1]), *m.getVector(&in.args[2])
	m.counts.multiplies++
	r := in.args[2].register
	if m.counts.multiplies-m.last[r] < 8 {
		m.counts.waits++
	}
	for l := range sums {
		sums[l] = m.plus(sums[l], half(x[l]&digitMask, y[l]&digitMask))
	}
	m.setVector(&in.args[2], &sums)
	m.counts.largest = max(m.counts.largest, slices.Max(sums[:]))
	m.last[r] = m.counts.multiplies
}

func lowHalf(x, y uint64) uint64 { return x * y & digitMask }

func highHalf(x, y uint64) uint64 {
	high, low := bits.Mul64(x, y)
	return high<<12 | low>>52
}
