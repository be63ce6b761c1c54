package schema

import (
	"bytes"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// split divides a message into its parts as PerPart says.
func split(data []byte, width int) []Batch {
	var parts []Batch
	for first := 0; len(data) > 0; first += PerPart(width) {
		n := min(PerPart(width)*width, len(data))
		parts = append(parts, Batch{First: uint32(first), Width: uint32(width), Data: data[:n]})
		data = data[n:]
	}
	return parts
}

func TestJoinInvertsSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]int{1, 3, 512, 65535, maxBatch/2 + 1, maxBatch}).Draw(t, "width")
		edge := PerPart(width) * rapid.IntRange(0, 3).Draw(t, "parts") // near a whole number of parts
		count := max(0, edge+rapid.IntRange(-1, 1).Draw(t, "more"))
		message := bytes.Repeat([]byte{0xab, 0xcd, 0xef}, count*width/3+1)[:count*width]
		parts := split(message, width)
		if Parts(count, width) != len(parts) {
			t.Fatalf("Parts(%d, %d) = %d, want %d", count, width, Parts(count, width), len(parts))
		}
		var joined []byte
		for _, part := range parts {
			var err error
			if joined, err = Join(joined, part, width); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(joined, message) {
			t.Fatalf("%d bytes joined of %d", len(joined), len(message))
		}
	})
}

// The seal adds 48 bytes to a part that goes to one party.
func TestFullPartFitsARecord(t *testing.T) {
	const seal = 48
	for _, width := range []int{1, 2, 7, 255, 512, 1024, 65536, maxBatch} {
		batch := Batch{First: math.MaxUint32, Width: math.MaxUint32, Data: make([]byte, PerPart(width)*width)}
		if size := len(Encode(batch)) + seal; size > MaxRecord {
			t.Errorf("width %d: a full part takes %d bytes, %d are allowed", width, size, MaxRecord)
		}
	}
}

func TestPerPart(t *testing.T) {
	for _, test := range []struct{ width, want int }{
		{1, maxBatch}, {2, maxBatch / 2}, {maxBatch, 1}, {maxBatch/2 + 1, 1}, {maxBatch / 2, 2}, {maxBatch + 1, 1}, {MaxRecord, 1},
	} {
		if got := PerPart(test.width); got != test.want {
			t.Errorf("PerPart(%d) = %d, want %d", test.width, got, test.want)
		}
	}
	if Parts(0, 5) != 0 || Parts(1, 5) != 1 {
		t.Errorf("parts of nothing: %d, of one element: %d", Parts(0, 5), Parts(1, 5))
	}
}

func TestJoinRefuses(t *testing.T) {
	have := make([]byte, 8) // elements 0 and 1
	for what, part := range map[string]Batch{
		"another width":             {First: 2, Width: 2, Data: make([]byte, 4)},
		"width 0":                   {First: 2, Width: 0, Data: make([]byte, 4)},
		"a width that wraps around": {First: 2, Width: 1<<32 - 4, Data: make([]byte, 4)},
		"nothing":                   {First: 2, Width: 4},
		"half an element":           {First: 2, Width: 4, Data: make([]byte, 6)},
		"a part again":              {First: 0, Width: 4, Data: make([]byte, 4)},
		"an overlap":                {First: 1, Width: 4, Data: make([]byte, 4)},
		"a gap":                     {First: 3, Width: 4, Data: make([]byte, 4)},
		"the last index":            {First: math.MaxUint32, Width: 4, Data: make([]byte, 4)},
	} {
		if joined, err := Join(have, part, 4); err == nil || joined != nil {
			t.Errorf("%s: %d bytes", what, len(joined))
		}
	}
	if joined, err := Join(have, Batch{First: 2, Width: 4, Data: []byte{1, 2, 3, 4}}, 4); err != nil || len(joined) != 12 {
		t.Errorf("the control: %d bytes, %v", len(joined), err)
	}
}
