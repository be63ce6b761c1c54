package sample_test

import (
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"riskprop/crypto/sample"
)

// Every random number of a session derives from these functions, so a change of one bit is another protocol. The
// vectors were computed with another implementation of AES-CTR and SHA-256, from the text of the documentation.

// vectors reads testdata/<name>: a header line that names the fields, and at least three lines with as many.
func vectors(t *testing.T, name, header string) [][]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if lines[0] != header || len(lines) < 4 {
		t.Fatalf("%s: header %q and %d lines, want %q and some", name, lines[0], len(lines)-1, header)
	}
	var rows [][]string
	for _, line := range lines[1:] {
		row := strings.Fields(line)
		if len(row) != len(strings.Fields(header)) {
			t.Fatalf("%s: %d fields in %q", name, len(row), line)
		}
		rows = append(rows, row)
	}
	return rows
}

// unhex decodes a field; "-" is empty.
func unhex(t *testing.T, field string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.TrimPrefix(field, "-"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestVectorsOfStream(t *testing.T) {
	for _, row := range vectors(t, "stream.txt", "key offset bytes") {
		offset, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		r := sample.Stream([32]byte(unhex(t, row[0])))
		read(t, r, offset)
		if got := hex.EncodeToString(read(t, r, 24)); got != row[2] {
			t.Errorf("Stream(%s) at %d is %s, want %s", row[0], offset, got, row[2])
		}
	}
}

func TestVectorsOfHash(t *testing.T) {
	for _, row := range vectors(t, "hash.txt", "domain count parts bytes") {
		var parts [][]byte
		if row[1] != "0" {
			for _, field := range strings.Split(row[2], ",") {
				parts = append(parts, unhex(t, field))
			}
		}
		if strconv.Itoa(len(parts)) != row[1] {
			t.Fatalf("%d parts in %q, want %s", len(parts), row[2], row[1])
		}
		r := sample.Hash(string(unhex(t, row[0])), parts...)
		if got := hex.EncodeToString(read(t, r, 32)); got != row[3] {
			t.Errorf("Hash(%s, %s) is %s, want %s", row[0], row[2], got, row[3])
		}
	}
}

// counter counts the bytes that were read.
type counter struct {
	io.Reader
	read int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

// Four draws one after another from one stream, and how many bytes they take.
func TestVectorsOfIntegers(t *testing.T) {
	for _, c := range []struct {
		name, header string
		draw         func(io.Reader, *big.Int) *big.Int
	}{
		{"below.txt", "seed bound values consumed", sample.Below},
		{"bits.txt", "seed bits values consumed", func(r io.Reader, x *big.Int) *big.Int { return sample.Bits(r, int(x.Int64())) }},
		{"unit.txt", "seed modulus values consumed", sample.Unit},
	} {
		for _, row := range vectors(t, c.name, c.header) {
			argument, ok := new(big.Int).SetString(row[1], 10)
			if !ok {
				t.Fatalf("%s: %q is no number", c.name, row[1])
			}
			r := &counter{Reader: sample.Hash("vectors", unhex(t, row[0]))}
			var values []string
			for range strings.Count(row[2], ",") + 1 {
				values = append(values, c.draw(r, argument).String())
			}
			if got := strings.Join(values, ","); got != row[2] || fmt.Sprint(r.read) != row[3] {
				t.Errorf("%s, %s: %s after %d bytes, want %s after %s", c.name, row[1], got, r.read, row[2], row[3])
			}
		}
	}
}
