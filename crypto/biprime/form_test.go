package biprime_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/biprime"
	"riskprop/crypto/modular"
	"riskprop/crypto/sample"
)

func newForm(t testing.TB, bits, n int) *biprime.Form {
	t.Helper()
	f, err := biprime.NewForm(bits, n)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "biprime: ") {
			t.Errorf("recovered %q, want a panic of this package", text)
		}
	}()
	f()
}

func isPrime(x int) bool { return big.NewInt(int64(x)).ProbablyPrime(0) }

func pow2(bits int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(bits)) }

// One sentence of the protocol: m0 = 4·∏ {odd primes up to n}, M = ∏ {primes n < ℓ <= B1} with B1 the largest such that
// M·m0 < 2^(k/2-96).
func TestFormConstants(t *testing.T) {
	for _, c := range []struct{ bits, n int }{{256, 3}, {256, 4}, {256, 7}, {320, 31}, {512, 5}, {1024, 3}, {1024, 31}, {2048, 3}, {2048, 10}, {4096, 3}} {
		f := newForm(t, c.bits, c.n)
		m0, m, limit := big.NewInt(4), big.NewInt(1), pow2(c.bits/2-96)
		next := 3
		for ; next <= c.n; next++ {
			if isPrime(next) {
				m0.Mul(m0, big.NewInt(int64(next)))
			}
		}
		b1 := 0
		for ; ; next++ {
			if !isPrime(next) {
				continue
			}
			larger := new(big.Int).Mul(m, big.NewInt(int64(next)))
			if new(big.Int).Mul(larger, m0).Cmp(limit) >= 0 {
				break
			}
			m, b1 = larger, next
		}
		if f.M0.Cmp(m0) != 0 || f.M.Cmp(m) != 0 || f.B1 != b1 || f.Step.Cmp(new(big.Int).Mul(m, m0)) != 0 {
			t.Errorf("%d bits, %d parties: m0 = %v, M = %v, B1 = %d, want %v, %v, %d", c.bits, c.n, f.M0, f.M, f.B1, m0, m, b1)
		}
		if f.FieldWidth() != c.bits/8+1 {
			t.Errorf("%d bits: an element of the field has %d bytes, want %d", c.bits, f.FieldWidth(), c.bits/8+1)
		}
	}
}

func TestFormRefuses(t *testing.T) {
	for _, c := range []struct {
		name    string
		bits, n int
	}{
		{"too few bits", 254, 3},
		{"odd", 257, 3},
		{"too many bits", 8194, 3},
		{"two parties", 2048, 2},
		{"too many parties", 2048, 32},
		{"no room for the residues of 31 parties", 256, 31},
		{"room for m0 but for no prime beside it", 256, 23},
	} {
		if f, err := biprime.NewForm(c.bits, c.n); err == nil {
			t.Errorf("%s: got %+v", c.name, f)
		}
	}
}

// sieved returns the odd offsets below limit for which base+offset has none of the primes as a factor.
func sieved(base *big.Int, limit int64, primes []int) []int64 {
	composite := make([]bool, limit)
	for _, p := range primes {
		residue := new(big.Int).Mod(base, big.NewInt(int64(p))).Int64()
		for c := (int64(p) - residue) % int64(p); c < limit; c += int64(p) {
			composite[c] = true
		}
	}
	var open []int64
	for c := int64(1); c < limit; c += 2 {
		if !composite[c] {
			open = append(open, c)
		}
	}
	return open
}

// Every number between 2^(k+1) and the field's prime must fail Fermat's test to the base 2, which no prime fails.
func TestFieldIsTheFirstPrime(t *testing.T) {
	var primes []int
	for p := 3; p < 1<<15; p += 2 {
		if isPrime(p) {
			primes = append(primes, p)
		}
	}
	for _, bits := range []int{256, 258, 512, 1024, 2048, 3072, 4096} {
		field, base := newForm(t, bits, 3).Field, pow2(bits+1)
		if !field.ProbablyPrime(2) {
			t.Errorf("%d bits: the field's order is not prime", bits)
		}
		var exps, mods []*big.Int
		for _, c := range sieved(base, new(big.Int).Sub(field, base).Int64(), primes) {
			m := new(big.Int).Add(base, big.NewInt(c))
			mods, exps = append(mods, m), append(exps, new(big.Int).Sub(m, big.NewInt(1)))
		}
		bases := make([]*big.Int, len(mods))
		for i := range bases {
			bases[i] = big.NewInt(2)
		}
		for i, x := range modular.ExpBatch(bases, exps, mods) {
			if x.Cmp(big.NewInt(1)) == 0 {
				t.Errorf("%d bits: 2^%d + %v may be an earlier prime", bits, bits+1, new(big.Int).Sub(mods[i], base))
			}
		}
	}
}

// split returns n additive shares of x modulo m.
func split(r io.Reader, x, m *big.Int, n int) []*big.Int {
	shares, rest := make([]*big.Int, n), new(big.Int).Set(x)
	for i := range shares[1:] {
		shares[i+1] = sample.Below(r, m)
		rest.Sub(rest, shares[i+1])
	}
	shares[0] = rest.Mod(rest, m)
	return shares
}

// candidate returns the pieces of one candidate whose residue was sieved.
func candidate(f *biprime.Form, r io.Reader) []*big.Int {
	pieces := split(r, sample.Unit(r, f.M), f.M, f.Parties)
	for i, b := range pieces {
		pieces[i] = f.Piece(i+1, b, r)
	}
	return pieces
}

func sum(xs []*big.Int) *big.Int {
	total := new(big.Int)
	for _, x := range xs {
		total.Add(total, x)
	}
	return total
}

func checkCandidate(t *testing.T, f *biprime.Form, p *big.Int) {
	t.Helper()
	if p.BitLen() != f.Bits/2 || new(big.Int).Mul(p, p).Cmp(pow2(f.Bits-1)) < 0 {
		t.Errorf("candidate %v is out of range", p)
	}
	if residue := new(big.Int).Add(p, big.NewInt(1)); residue.Mod(residue, f.M0).Sign() != 0 {
		t.Errorf("candidate %v is not -1 modulo m0", p)
	}
}

func TestCandidatesHaveTheForm(t *testing.T) {
	for _, c := range []struct{ bits, n int }{{256, 3}, {256, 7}, {288, 5}, {512, 31}} {
		f := newForm(t, c.bits, c.n)
		r := sample.Hash("candidates", fmt.Appendf(nil, "%v", c))
		for range 1000 {
			p, q := sum(candidate(f, r)), sum(candidate(f, r))
			checkCandidate(t, f, p)
			if new(big.Int).GCD(nil, nil, p, f.M).Cmp(big.NewInt(1)) != 0 {
				t.Errorf("candidate %v has a prime factor up to B1", p)
			}
			if err := f.CheckModulus(new(big.Int).Mul(p, q)); err != nil {
				t.Error(err)
			}
		}
	}
}

// repeater is the stream that says the same bytes again and again.
type repeater struct {
	data []byte
	at   int
}

func (r *repeater) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.data[r.at%len(r.data)]
		r.at++
	}
	return len(p), nil
}

// The smallest and the largest draws, each with the smallest and the largest residues, must stay in range. The number of
// multiples is computed anew, from the range of candidates.
func TestPiecesStayInRangeAtTheExtremes(t *testing.T) {
	for _, c := range []struct{ bits, n int }{{256, 3}, {256, 19}, {320, 31}, {1024, 3}, {2048, 31}} {
		f := newForm(t, c.bits, c.n)
		lo := new(big.Int).Sqrt(pow2(c.bits - 1))
		lo.Add(lo, big.NewInt(1))
		width := new(big.Int).Sub(pow2(c.bits/2), lo)
		width.Quo(width, big.NewInt(int64(c.n)))
		last := new(big.Int).Quo(width, f.Step)
		last.Sub(last, big.NewInt(2))
		if last.BitLen() < 90 {
			t.Errorf("%v: a piece has %d bits of freedom", c, last.BitLen())
		}
		residues := []*big.Int{new(big.Int), new(big.Int).Sub(f.M, big.NewInt(1))}
		for _, stream := range [][]byte{{0}, last.Bytes()} {
			for _, b := range residues {
				pieces := make([]*big.Int, c.n)
				for i := range pieces {
					pieces[i] = f.Piece(i+1, b, &repeater{data: stream})
					if residue := new(big.Int).Mod(pieces[i], f.M); residue.Cmp(b) != 0 || pieces[i].Sign() < 0 {
						t.Errorf("%v: piece %d has residue %v, want %v", c, i+1, residue, b)
					}
					want := new(big.Int)
					if i == 0 {
						want.Sub(f.M0, big.NewInt(1))
					}
					if new(big.Int).Mod(pieces[i], f.M0).Cmp(want) != 0 {
						t.Errorf("%v: piece %d is not %v modulo m0", c, i+1, want)
					}
				}
				checkCandidate(t, f, sum(pieces))
			}
		}
	}
}

// The randomness of a piece moves it by multiples of the step alone, upwards from the smallest draw.
func TestPiecesDifferByMultiplesOfTheStep(t *testing.T) {
	f := newForm(t, 256, 3)
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(1, 3).Draw(t, "party")
		b := new(big.Int).Mod(new(big.Int).SetUint64(rapid.Uint64().Draw(t, "b")), f.M)
		lowest := f.Piece(i, b, &repeater{data: []byte{0}})
		seed := rapid.SliceOf(rapid.Byte()).Draw(t, "seed")
		piece := f.Piece(i, b, sample.Hash("piece", seed))
		multiple, rest := new(big.Int).QuoRem(new(big.Int).Sub(piece, lowest), f.Step, new(big.Int))
		if rest.Sign() != 0 || multiple.Sign() < 0 {
			t.Fatalf("pieces %v and %v differ by no multiple of the step", piece, lowest)
		}
	})
}

func TestPieceMisusePanics(t *testing.T) {
	f := newForm(t, 256, 3)
	r := sample.Hash("misuse")
	mustPanic(t, func() { f.Piece(0, new(big.Int), r) })
	mustPanic(t, func() { f.Piece(4, new(big.Int), r) })
	mustPanic(t, func() { f.Piece(1, f.M, r) })
	mustPanic(t, func() { f.Piece(1, big.NewInt(-1), r) })
}

func TestCheckModulus(t *testing.T) {
	f := newForm(t, 256, 5)
	smallest := pow2(255) // rounded up to 1 modulo m0
	smallest.Sub(smallest, new(big.Int).Mod(smallest, f.M0)).Add(smallest, f.M0).Add(smallest, big.NewInt(1))
	largest := pow2(256)
	largest.Sub(largest, new(big.Int).Mod(largest, f.M0)).Add(largest, big.NewInt(1))
	for _, c := range []struct {
		name string
		n    *big.Int
		good bool
	}{
		{"smallest", smallest, true},
		{"largest", largest, true},
		{"one more", new(big.Int).Add(smallest, big.NewInt(1)), false},
		{"right residue, one bit short", new(big.Int).Sub(smallest, f.M0), false},
		{"right residue, one bit too long", new(big.Int).Add(largest, f.M0), false},
		{"negative", new(big.Int).Neg(smallest), false},
		{"zero", new(big.Int), false},
	} {
		err := f.CheckModulus(c.n)
		if (err == nil) != c.good || (err != nil && !errors.Is(err, biprime.ErrForm)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Units are those that sample.Unit draws, whatever the size of the bulk.
func TestUnitsAreThoseOfSample(t *testing.T) {
	for _, bits := range []int{256, 1024} {
		f := newForm(t, bits, 3)
		for _, count := range []int{0, 1, 2, 7, 300} {
			units, r := f.Units(sample.Hash("units"), count), sample.Hash("units")
			if len(units) != count {
				t.Fatalf("%d units, want %d", len(units), count)
			}
			for i, got := range units {
				if want := sample.Unit(r, f.M); got.Cmp(want) != 0 {
					t.Fatalf("unit %d of %d is %v, want %v", i, count, got, want)
				}
			}
		}
	}
	f := newForm(t, 256, 3)
	behind := func() io.Reader {
		return io.MultiReader(bytes.NewReader(make([]byte, 1<<10)), sample.Hash("units"))
	}
	if got, want := f.Units(behind(), 1)[0], sample.Unit(behind(), f.M); got.Cmp(want) != 0 {
		t.Errorf("behind zeros comes %v, want %v: 0 is no unit", got, want)
	}
}
