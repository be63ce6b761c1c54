package schema

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"
)

// bodies decodes bytes as every type of body in turn.
var bodies = []struct {
	name   string
	decode func([]byte) error
}{
	{"envelope", func(raw []byte) error { _, err := Decode[envelope](raw, MaxHead); return err }},
	{"head", func(raw []byte) error { _, err := Decode[Head](raw, MaxHead); return err }},
	{"batch", func(raw []byte) error { _, err := Decode[Batch](raw, MaxHead); return err }},
	{"keygen manifest", func(raw []byte) error { _, err := Decode[KeygenManifest](raw, MaxHead); return err }},
	{"propagate manifest", func(raw []byte) error { _, err := Decode[PropagateManifest](raw, MaxHead); return err }},
	{"announcement", func(raw []byte) error { _, err := Decode[Announcement](raw, MaxHead); return err }},
}

// repeat is n times a byte.
func repeat(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Each of these must be refused by the walk, before the decoder sees it: the first two of a place kill a process that
// decodes them (nats.md, msgpack).
func TestShapeRefuses(t *testing.T) {
	table := map[string]string{
		"nothing":                    "",
		"bin 32 of 4 GiB":            "c6ffffffff",
		"array 32 of 4 Gi":           "ddffffffff",
		"bin 32 in an array":         "91c6ffffffff",
		"array 32 in an array":       "91ddffffffff",
		"str 32 in an array":         "91dbffffffff",
		"bin 16 too long":            "91c5ffff00",
		"bin 8 too long":             "91c4ff00",
		"str 16 too long":            "91daffff00",
		"str 8 too long":             "91d9ff00",
		"fixstr too long":            "91bf00",
		"array 16 too long":          "dcffff00",
		"fixarray too long":          "9f00",
		"array one too long":         "930101",
		"bin one too long":           "91c40201",
		"array with lying inner":     "92dd0000000201",
		"uint 8 cut off":             "91cc",
		"uint 16 cut off":            "91cd00",
		"uint 32 cut off":            "91ce000000",
		"uint 64 cut off":            "91cf00000000000000",
		"length of bin 8 cut off":    "91c4",
		"length of bin 16 cut off":   "91c500",
		"length of bin 32 cut off":   "91c6000000",
		"length of array 16 cut off": "dc00",
		"length of array 32 cut off": "dd000000",
		"trailing byte":              "9000",
		"trailing document":          "91009100",
		"nil":                        "c0",
		"integer":                    "07",
		"string":                     "a161",
		"binary":                     "c40161",
		"map":                        "80",
		"map in an array":            "9180",
		"map of one in an array":     "91810102",
		"map 16":                     "91de0000",
		"map 32":                     "91df00000000",
		"map 32 of 4 Gi":             "91dfffffffff",
		"float 32":                   "91ca3f800000",
		"float 64":                   "91cb3ff0000000000000",
		"fixext 1":                   "91d40100",
		"fixext 2":                   "91d5010000",
		"fixext 4, a timestamp":      "91d6ff00000000",
		"fixext 8":                   "91d7010000000000000000",
		"fixext 16":                  "91d80100000000000000000000000000000000",
		"ext 8":                      "91c7000100",
		"ext 16":                     "91c8000001",
		"ext 32 of 4 GiB":            "91c9ffffffff01",
		"int 8":                      "91d001",
		"int 16":                     "91d10001",
		"int 32":                     "91d200000001",
		"int 64":                     "91d30000000000000001",
		"minus one":                  "91ff",
		"minus 32":                   "91e0",
		"int 8 with room behind":     "91d0" + strings.Repeat("00", 16),
		"the unused code":            "91c1",
	}
	for name, text := range table {
		raw := unhex(t, text)
		wantUntrusted(t, checkShape(raw))
		for _, body := range bodies {
			var err error
			if bytes := allocated(func() { err = body.decode(raw) }); bytes > 1<<15 {
				t.Errorf("%s as %s: %d bytes were allocated", name, body.name, bytes)
			}
			wantUntrusted(t, err)
		}
	}
}

func TestShapeBoundsDepthAndElements(t *testing.T) {
	nested := func(depth int) []byte { return append(repeat(0x91, depth), 0xc0) }
	flat := func(n int) []byte {
		return append([]byte{0xdd, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, repeat(0xc0, n)...)
	}
	spread := func(groups, each int) []byte { // elements of inner arrays count as well
		return append([]byte{0xdc, byte(groups >> 8), byte(groups)},
			bytes.Repeat(append([]byte{0xdc, byte(each >> 8), byte(each)}, repeat(0xc0, each)...), groups)...)
	}
	for name, test := range map[string]struct {
		raw []byte
		ok  bool
	}{
		"deepest":              {nested(maxDepth), true},
		"one deeper":           {nested(maxDepth + 1), false},
		"a megabyte deep":      {nested(1<<20 - 1), false},
		"most elements":        {flat(maxElements), true},
		"one more":             {flat(maxElements + 1), false},
		"a megabyte of them":   {flat(1<<20 - 5), false},
		"most, spread":         {spread(256, 255), true},
		"too many, spread":     {spread(256, 256), false},
		"empty array":          {[]byte{0x90}, true},
		"empty 16-bit array":   {unhex(t, "dc0000"), true}, // well-formed; Decode refuses it as not canonical
		"empty in long forms":  {unhex(t, "94c400c50000c600000000db00000000"), true},
		"every kind of scalar": {unhex(t, "98c0c2c37fccffcdffffceffffffffcfffffffffffffffff"), true},
	} {
		err := checkShape(test.raw)
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if !test.ok {
			wantUntrusted(t, err)
		}
		for _, body := range bodies {
			if bytes := allocated(func() { wantUntrusted(t, body.decode(test.raw)) }); bytes > 16<<20 {
				t.Errorf("%s as %s: %d bytes were allocated", name, body.name, bytes)
			}
		}
	}
}

// The list of parts that makes the decoder allocate most for its size: as many elements as are allowed, one byte each.
func TestDecodeAllocatesInProportionToItsLimits(t *testing.T) {
	const n = maxElements - 3
	raw := append([]byte{0x93, 0xc4, 32}, make([]byte, 32)...)
	raw = append(append(raw, 0xdc, n>>8, n&0xff), repeat(0xc0, n)...)
	raw = append(raw, 0xc0)
	if err := checkShape(raw); err != nil {
		t.Fatal(err)
	}
	var err error
	bytes := allocated(func() { _, err = Decode[Head](raw, MaxHead) })
	wantUntrusted(t, err)
	if bytes > 32<<20 {
		t.Errorf("%d bytes of input made Decode allocate %d", len(raw), bytes)
	}
	batch := Encode(Batch{Width: 1, Data: make([]byte, maxBatch)})
	if bytes := allocated(func() { _, err = Decode[Batch](batch, MaxRecord) }); bytes > 8*MaxRecord || err != nil {
		t.Errorf("a batch of %d bytes made Decode allocate %d: %v", len(batch), bytes, err)
	}
}

func TestShapeAllocatesNothing(t *testing.T) {
	raw := Encode(Head{Parts: make([]Ref, 10000)})
	if n := testing.AllocsPerRun(10, func() {
		if checkShape(raw) != nil {
			t.Error("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// tree draws a value of the kinds that we write, nested at most depth deep.
func tree(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 5
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.Uint64().Draw(t, "number")
	case 1:
		return rapid.Bool().Draw(t, "flag")
	case 2:
		return rapid.String().Draw(t, "text")
	case 3:
		return rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "bytes")
	case 4:
		return nil
	}
	list := make([]any, rapid.IntRange(0, 20).Draw(t, "length"))
	for i := range list {
		list[i] = tree(t, depth-1)
	}
	return list
}

// The second, simple walk over a document is the library's own.
func TestShapeAgreesWithTheDecoder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw, err := msgpack.Marshal([]any{tree(t, 3), tree(t, 3)})
		if err != nil {
			t.Fatal(err)
		}
		if err := checkShape(raw); err != nil {
			t.Fatalf("%x: %v", raw, err)
		}
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		checkWalk(t, raw)
	})
}

// checkWalk checks that what the walk accepts ends for the decoder where it ends for the walk.
func checkWalk(t interface{ Fatalf(string, ...any) }, raw []byte) {
	if checkShape(raw) != nil {
		return
	}
	in := bytes.NewReader(raw)
	if err := msgpack.NewDecoder(in).Skip(); err != nil || in.Len() != 0 {
		t.Fatalf("%x was accepted; the decoder says %v with %d bytes left", raw, err, in.Len())
	}
}

func ExampleDecode() {
	_, err := Decode[Batch]([]byte{0x93, 0, 1, 0xc6, 0xff, 0xff, 0xff, 0xff}, MaxRecord)
	fmt.Println(err)
	// Output: untrusted record: msgpack at byte 8: 4294967295 bytes declared, 0 left
}
