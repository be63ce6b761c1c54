package sample_test

import (
	"bytes"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"riskprop/crypto/sample"
)

func TestBelowConsumesWhatItSays(t *testing.T) {
	for _, c := range []struct {
		name   string
		bound  int64
		stream []byte
		want   int64
		reads  int
	}{
		{"one value needs no bytes", 1, []byte{0xff}, 0, 0},
		{"a bit of a byte", 2, []byte{0xff}, 1, 1},
		{"surplus top bits are cleared", 8, []byte{0xfa}, 2, 1},
		{"a power of two never rejects", 256, []byte{0xff}, 255, 1},
		{"one more than a byte holds", 257, []byte{0xff, 0x00, 0x00, 0x07}, 256, 2},
		{"most significant byte first", 1 << 16, []byte{0x12, 0x34}, 0x1234, 2},
		{"a value at the bound is rejected", 5, []byte{0x05, 0x07, 0x04}, 4, 3},
		{"rejection drops whole attempts", 300, []byte{0xff, 0x2c, 0x01, 0x2b}, 299, 4},
	} {
		r := bytes.NewReader(c.stream)
		got := sample.Below(r, big.NewInt(c.bound))
		if got.Int64() != c.want || len(c.stream)-r.Len() != c.reads {
			t.Errorf("%s: Below(%x, %d) = %v after %d bytes, want %d after %d",
				c.name, c.stream, c.bound, got, len(c.stream)-r.Len(), c.want, c.reads)
		}
	}
}

func TestBitsConsumesWhatItSays(t *testing.T) {
	for _, c := range []struct {
		bits   int
		stream []byte
		want   int64
		reads  int
	}{
		{0, []byte{0xff}, 0, 0},
		{1, []byte{0xfe}, 0, 1},
		{7, []byte{0xff}, 127, 1},
		{8, []byte{0xff}, 255, 1},
		{9, []byte{0xff, 0x02}, 0x102, 2},
		{16, []byte{0xab, 0xcd}, 0xabcd, 2},
	} {
		r := bytes.NewReader(c.stream)
		got := sample.Bits(r, c.bits)
		if got.Int64() != c.want || len(c.stream)-r.Len() != c.reads {
			t.Errorf("Bits(%x, %d) = %v after %d bytes, want %d after %d",
				c.stream, c.bits, got, len(c.stream)-r.Len(), c.want, c.reads)
		}
	}
}

func TestUnitRejectsNonUnits(t *testing.T) {
	for _, c := range []struct {
		m      int64
		stream []byte
		want   int64
		reads  int
	}{
		{1, []byte{0x07}, 0, 0},
		{2, []byte{0x00, 0x02, 0x01}, 1, 3},
		{15, []byte{0x00, 0x03, 0x05, 0x0a, 0x0f, 0x07}, 7, 6},
	} {
		r := bytes.NewReader(c.stream)
		got := sample.Unit(r, big.NewInt(c.m))
		if got.Int64() != c.want || len(c.stream)-r.Len() != c.reads {
			t.Errorf("Unit(%x, %d) = %v after %d bytes, want %d after %d",
				c.stream, c.m, got, len(c.stream)-r.Len(), c.want, c.reads)
		}
	}
}

// belowByText is Below as its documentation has it, bit by bit.
func belowByText(r io.ByteReader, bound *big.Int) *big.Int {
	bits := new(big.Int).Sub(bound, big.NewInt(1)).BitLen()
	for {
		var digits strings.Builder
		digits.WriteString("0")
		for range (bits + 7) / 8 {
			b, err := r.ReadByte()
			if err != nil {
				panic(err)
			}
			for k := 7; k >= 0; k-- {
				digits.WriteByte('0' + b>>k&1)
			}
		}
		text := digits.String()
		x, _ := new(big.Int).SetString("0"+text[len(text)-bits:], 2)
		if x.Cmp(bound) < 0 {
			return x
		}
	}
}

func TestBelowAgainstItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bound"))
		bound.Add(bound, big.NewInt(1))
		seed := rapid.SliceOf(rapid.Byte()).Draw(t, "seed")
		stream := make([]byte, 1<<16)
		if _, err := io.ReadFull(sample.Hash("test", seed), stream); err != nil {
			t.Fatal(err)
		}
		fast, slow := bytes.NewReader(stream), bytes.NewReader(stream)
		for range 3 {
			got, want := sample.Below(fast, bound), belowByText(slow, bound)
			if got.Cmp(want) != 0 || fast.Len() != slow.Len() {
				t.Fatalf("Below(%v) = %v with %d bytes left, want %v with %d", bound, got, fast.Len(), want, slow.Len())
			}
		}
	})
}

// chiSquare returns Pearson's statistic of the counts against a uniform distribution.
func chiSquare(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	expected, sum := float64(total)/float64(len(counts)), 0.0
	for _, c := range counts {
		sum += (float64(c) - expected) * (float64(c) - expected) / expected
	}
	return sum
}

// The thresholds are the quantiles of the chi-square distribution that a uniform source exceeds once in 10,000 streams. The
// streams are fixed and named.
func TestSamplersAreUniform(t *testing.T) {
	const draws = 20000
	for _, c := range []struct {
		name      string
		values    int
		threshold float64
		draw      func(io.Reader) *big.Int
	}{
		{"below 2", 2, 15.14, func(r io.Reader) *big.Int { return sample.Below(r, big.NewInt(2)) }},
		{"below 5", 5, 23.51, func(r io.Reader) *big.Int { return sample.Below(r, big.NewInt(5)) }},
		{"below 11", 11, 35.56, func(r io.Reader) *big.Int { return sample.Below(r, big.NewInt(11)) }},
		{"4 bits", 16, 44.26, func(r io.Reader) *big.Int { return sample.Bits(r, 4) }},
		{"units of 17, less one", 16, 44.26, func(r io.Reader) *big.Int {
			x := sample.Unit(r, big.NewInt(17))
			return x.Sub(x, big.NewInt(1))
		}},
		{"top of a number below 3·2^64", 3, 18.42, func(r io.Reader) *big.Int {
			x := sample.Below(r, new(big.Int).Lsh(big.NewInt(3), 64))
			return x.Rsh(x, 64)
		}},
	} {
		r := sample.Hash("chi-square", []byte(c.name))
		counts := make([]int, c.values)
		for range draws {
			counts[c.draw(r).Int64()]++
		}
		if x := chiSquare(counts); x > c.threshold {
			t.Errorf("%s: chi-square is %.1f, above %.1f: %v", c.name, x, c.threshold, counts)
		}
	}
}

func TestUnitsAreUnitsAndAllAppear(t *testing.T) {
	r, m := sample.Hash("units"), big.NewInt(36)
	seen := map[int64]bool{}
	for range 500 {
		x := sample.Unit(r, m)
		if x.Int64()%2 == 0 || x.Int64()%3 == 0 || x.Cmp(m) >= 0 || x.Sign() < 0 {
			t.Fatalf("Unit(36) = %v", x)
		}
		seen[x.Int64()] = true
	}
	if len(seen) != 12 {
		t.Errorf("%d different units of Z_36 in 500 draws, want 12", len(seen))
	}
}

func TestMisuseAndBrokenStreamsPanic(t *testing.T) {
	for name, f := range map[string]func(){
		"bound zero":     func() { sample.Below(sample.Hash("x"), new(big.Int)) },
		"bound negative": func() { sample.Below(sample.Hash("x"), big.NewInt(-3)) },
		"modulus zero":   func() { sample.Unit(sample.Hash("x"), new(big.Int)) },
		"bits negative":  func() { sample.Bits(sample.Hash("x"), -1) },
		"stream ends":    func() { sample.Bits(bytes.NewReader([]byte{1}), 9) },
		"stream fails":   func() { sample.Bits(iotest.ErrReader(errors.New("no entropy")), 8) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "sample: ") {
					t.Errorf("recovered %q, want a panic of this package", text)
				}
			}()
			f()
		})
	}
}
