package ifma

import "math/bits"

const mask = 1<<DigitBits - 1

// mulGeneric is the plain way: digit by digit, each lane by itself.
func mulGeneric(z, x, y, m []uint64, k0 *[Lanes]uint64, t []uint64) {
	n := len(z) / Lanes
	for l := range Lanes {
		clear(t[:n+1])
		for i := range n {
			row(t[:n+1], x, y[i*Lanes+l], l)
			q := t[0] * k0[l] & mask
			row(t[:n+1], m, q, l)
			copy(t, t[1:n+1])
			t[n] = 0
		}
		for i := range n {
			z[i*Lanes+l] = t[i]
		}
	}
}

// row adds x·d of one lane to t.
func row(t, x []uint64, d uint64, lane int) {
	var carry uint64
	for j := range len(t) - 1 {
		hi, lo := bits.Mul64(x[j*Lanes+lane], d)
		sum, c := bits.Add64(lo, t[j], 0)
		hi += c
		sum, c = bits.Add64(sum, carry, 0)
		hi += c
		t[j] = sum & mask
		carry = hi<<(64-DigitBits) | sum>>DigitBits
	}
	t[len(t)-1] += carry
}

func selectGeneric(z, table []uint64, index *[Lanes]uint64) {
	clear(z)
	for e := range uint64(len(table) / len(z)) {
		entry := table[e*uint64(len(z)):][:len(z)]
		for l, want := range index {
			same := -((((e ^ want) - 1) &^ (e ^ want)) >> 63)
			for d := l; d < len(z); d += Lanes {
				z[d] |= entry[d] & same
			}
		}
	}
}
