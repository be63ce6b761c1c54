package ifma

import (
	"fmt"
	"strings"
	"testing"
)

// text makes a function of two packs, z that is written and x that is read, and a pointer.
func text(body string) string {
	return "// func f(z []uint64, x []uint64, k *[8]uint64)\nTEXT ·f(SB), NOSPLIT, $0-56\n" + strings.ReplaceAll(body, "; ", "\n") + "\n"
}

// prologue points DI to z, SI to x and DX to k, and loads k to Z1.
const prologue = "MOVQ z_base+0(FP), DI; MOVQ x_base+24(FP), SI; MOVQ k+48(FP), DX; VMOVDQU64 (DX), Z1; "

// execute runs a function on packs of a digit each and returns z.
func execute(body string, x, k vector) (z vector, err error) {
	p, err := parse(text(body))
	if err != nil {
		return z, err
	}
	m := &machine{program: p}
	err = m.call("f", buffer{z[:], writeFirst}, buffer{x[:], readOnly}, buffer{k[:], readOnly})
	return z, err
}

// Results by hand, from the manual.
func TestMachineInstructions(t *testing.T) {
	x := vector{1<<52 - 1, 1 << 51, 3, 0, 1<<63 | 2, 5, 6, 7}
	k := vector{1<<52 - 1, 2, 3, 1, 1<<62 | 3, 5, 7, 6}
	for body, want := range map[string]vector{
		"VMOVDQU64 (SI), Z0": x,
		"VMOVDQU64 (SI), Z2; VPXORQ Z0, Z0, Z0; VPMADD52LUQ Z2, Z1, Z0":                     {1, 0, 9, 0, 6, 25, 42, 42},
		"VMOVDQU64 (SI), Z2; VPXORQ Z0, Z0, Z0; VPMADD52HUQ Z2, Z1, Z0":                     {1<<52 - 2, 1, 0, 0, 0, 0, 0, 0},
		"VMOVDQU64 (SI), Z0; VPMADD52LUQ Z1, Z1, Z0":                                        {1 << 52, 1<<51 + 4, 12, 1, 1<<63 | 11, 30, 55, 43},
		"VMOVDQU64 (SI), Z2; VPADDQ Z2, Z1, Z0":                                             {1<<53 - 2, 1<<51 + 2, 6, 1, 1<<63 | 1<<62 | 5, 10, 13, 13},
		"VPADDQ (SI), Z1, Z0":                                                               {1<<53 - 2, 1<<51 + 2, 6, 1, 1<<63 | 1<<62 | 5, 10, 13, 13},
		"VMOVDQU64 (SI), Z2; VPANDQ Z2, Z1, Z0":                                             {1<<52 - 1, 0, 3, 0, 2, 5, 6, 6},
		"VMOVDQU64 (SI), Z2; VPXORQ Z2, Z1, Z0":                                             {0, 1<<51 | 2, 0, 1, 1<<63 | 1<<62 | 1, 0, 1, 1},
		"VPSRLQ $0x34, Z1, Z0":                                                              {0, 0, 0, 0, 1 << 10, 0, 0, 0},
		"MOVQ $0x2a, AX; VPBROADCASTQ AX, Z0":                                               {42, 42, 42, 42, 42, 42, 42, 42},
		"VMOVDQU64 (SI), Z2; VPCMPEQQ Z2, Z1, K3; VMOVDQU64.Z Z1, K3, Z0":                   {1<<52 - 1, 0, 3, 0, 0, 5, 0, 0},
		"VPXORQ Z0, Z0, Z0; VPTERNLOGQ $0xaa, (SI), Z1, Z0":                                 x,  // the second source
		"VPXORQ Z0, Z0, Z0; VPTERNLOGQ $0xcc, (SI), Z1, Z0":                                 k,  // the first source
		"VPXORQ Z0, Z0, Z0; VPTERNLOGQ $0xf0, (SI), Z1, Z0":                                 {}, // the destination
		"VPXORQ Z0, Z0, Z0; VPTERNLOGQ $0xf8, (SI), Z1, Z0":                                 {1<<52 - 1, 0, 3, 0, 2, 5, 6, 6},
		"MOVQ z_len+8(FP), CX; VPBROADCASTQ CX, Z0":                                         {8, 8, 8, 8, 8, 8, 8, 8},
		"LEAQ 16(SI), AX; CMPQ AX, SI; JNE f_a; VPADDQ Z1, Z1, Z1; f_a:; VPADDQ Z1, Z1, Z0": {1<<53 - 2, 4, 6, 2, 1<<63 | 6, 10, 14, 12},
	} {
		z, err := execute(prologue+body+"; VMOVDQU64 Z0, (DI); VZEROUPPER; RET", x, k)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		}
		if z != want {
			t.Errorf("%s: got %x, want %x", body, z, want)
		}
	}
}

// What a correct kernel does not do is an error, and says so.
func TestMachineIsStrict(t *testing.T) {
	end := "; VZEROUPPER; RET"
	for body, want := range map[string]string{
		"VMOVDQU64 Z1, Z0" + end:                               "unknown instruction",
		"VPXORQ Z0, Z0, Z0; VPMADD52LUQ (SI), Z1, Z0" + end:    "unknown instruction",
		"VPSUBQ Z1, Z1, Z0" + end:                              "unknown instruction",
		"VPADDQ Z1, Z1, (DI)" + end:                            "unknown instruction",
		"MOVQ (SI), AX" + end:                                  "unknown instruction", // from data to addresses and jumps
		"MOVQ AX, BP" + end:                                    "unknown operand",
		"MOVQ AX, SP" + end:                                    "unknown operand",
		"VMOVDQU64 Z32, (DI)" + end:                            "no register",
		"MOVQ z_len+16(FP), AX" + end:                          "no argument",
		"JMP f_b" + end:                                        "no label",
		"CMPQ SI, DI; JNE g_a; g_a:" + end:                     "no label",
		"f_a:; f_a:" + end:                                     "second label",
		"MOVQ DI, AX; ADDQ R10, AX" + end:                      "not written",
		"VPADDQ Z1, Z2, Z3" + end:                              "not written",
		"VMOVDQU64.Z Z1, K1, Z2" + end:                         "not written",
		"VMOVDQU64 (DI), Z2" + end:                             "memory that was not written",
		"VPMADD52LUQ Z1, Z1, Z2" + end:                         "not written",
		"VMOVDQU64 Z1, (SI)" + end:                             "only read",
		"VMOVDQU64 8(SI), Z2" + end:                            "after the start",
		"VMOVDQU64 Z1, 64(DI)" + end:                           "after the start",
		"ADDQ $0x01, SI; VMOVDQU64 (SI), Z2" + end:             "outside",
		"MOVQ $0x08, AX; VMOVDQU64 (AX), Z2" + end:             "outside",
		"MOVQ z_len+8(FP), CX; VMOVDQU64 (SI)(CX*8), Z2" + end: "after the start",
		"MOVQ $0xffffffffffffffff, AX; VPBROADCASTQ AX, Z2; VPADDQ Z1, Z2, Z2" + end:      "exceeds",
		"MOVQ $0xffffffffffffffff, AX; VPBROADCASTQ AX, Z2; VPMADD52LUQ Z1, Z1, Z2" + end: "exceeds",
		"MOVQ $0xffffffffffffffff, AX; ADDQ SI, AX" + end:                                 "exceeds",
		"SHLQ $0x20, SI" + end:                          "loses bits",
		"ADDQ $0x80000000, SI" + end:                    "sign",
		"JNE f_a; f_a:" + end:                           "without a comparison",
		"CMPQ SI, DI; ADDQ SI, DI; JNE f_a; f_a:" + end: "without a comparison",
		"f_a:; JMP f_a":                                 "no end",
		"VMOVDQU64 Z1, (DI)":                            "no end",
		"VZEROUPPER; VMOVDQU64 Z1, (DI); RET":           "after VZEROUPPER",
		"RET":                                           "without VZEROUPPER",
	} {
		_, err := execute(prologue+body, vector{1}, vector{1})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", body, err, want)
		}
	}
	for text, want := range map[string]string{
		"MOVQ AX, BX": "no function",
		"// func f(z int)\nTEXT ·f(SB), NOSPLIT, $0-8":       "unknown type",
		"// func f(z []uint64)\nTEXT ·f(SB), NOSPLIT, $0-16": "24 bytes",
		"// func f(z []uint64)\nTEXT ·f(SB), NOSPLIT, $8-24": "no function",
		"// func f(z []uint64)\nTEXT ·f(SB), $0-24":          "no function",
		"// func f(z []uint64)\nTEXT ·g(SB), NOSPLIT, $0-24": "want f",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
	m := &machine{program: program{}}
	if err := m.call("f"); err == nil {
		t.Error("called a function that is not there")
	}
	p, err := parse(text(prologue + "VZEROUPPER; RET"))
	if err != nil {
		t.Fatal(err)
	}
	m.program = p
	if err := m.call("f", buffer{}); err == nil || fmt.Sprint(err) == "" {
		t.Error("called a function without its arguments")
	}
}
