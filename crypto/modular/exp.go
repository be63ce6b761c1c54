package modular

import "math/big"

// Exp returns every residue to the power of one public exponent e >= 0, of any size; e = 0 gives 1. It panics if e is
// negative. The running time depends on e, on the paths of the kernels on nothing else.
func (v *Vector) Exp(e *big.Int) *Vector {
	require(nonNegative(e), "exponent must not be negative")
	if v.ring.kernel != nil {
		return v.expPacks(e)
	}
	return v.expEach(e)
}

// ExpSecret returns every residue to the power of one secret exponent, 0 <= e < 2^bits; bits is public. It panics if e is
// outside. On the paths of the kernels, time and memory accesses depend on bits alone: fixed windows, whose powers are
// selected by reading all of them. Over math/big it is not constant-time: it takes the time of [Vector.Exp].
func (v *Vector) ExpSecret(e *big.Int, bits int) *Vector {
	require(nonNegative(e) && e.BitLen() <= bits, "secret exponent is not in [0, 2^%d)", bits)
	if v.ring.kernel != nil {
		return v.expSecretPacks(e, bits)
	}
	return v.expEach(e)
}

func (v *Vector) expEach(e *big.Int) *Vector {
	return v.ring.fill(v.n, heavy, func(s *scratch, elems []*big.Int, from, to int) {
		for i := from; i < to; i++ {
			elems[i] = s.exp(v.elems[i], e, v.ring.m)
		}
	})
}

// exp returns x^e mod m for x in [0, m) and e >= 0, in memory of its own. math/big has a fast way for exponents of more
// than one word only.
func (s *scratch) exp(x, e, m *big.Int) *big.Int {
	if e.IsUint64() {
		s.terms = append(s.terms[:0], term{x, e.Uint64()})
		return s.multiExp(m)
	}
	return new(big.Int).Exp(x, e, m)
}

// Horner packs runs of group consecutive residues into one:
//
//	out[j] = ∏_{i < group} v[j·group + i]^(2^(shift·i))
//
// so that in an additively homomorphic scheme plaintext i of a run comes to lie in bits shift·i and up. The last run may
// be shorter. It panics if group is below 1 or shift is negative. On the paths of the kernels, the running time depends on
// group and shift alone.
func (v *Vector) Horner(group, shift int) *Vector {
	require(group >= 1 && shift >= 0, "horner with groups of %d and a shift of %d", group, shift)
	if v.ring.kernel != nil {
		return v.hornerPacks(group, shift)
	}
	m := v.ring.m
	step := new(big.Int).Lsh(big.NewInt(1), uint(shift))
	squarings := squaringsFaster(shift, m.BitLen())
	return v.ring.fill(ceilDiv(v.n, group), heavy, func(s *scratch, elems []*big.Int, from, to int) {
		for j := from; j < to; j++ {
			s.taken = 0
			run := v.elems[j*group : min(v.n, (j+1)*group)]
			p := s.newProduct()
			p.times(s, run[len(run)-1], m)
			for i := len(run) - 2; i >= 0; i-- {
				if squarings {
					p.square(s, shift, m)
				} else {
					p.value.Exp(p.value, step, m)
				}
				p.times(s, run[i], m)
			}
			elems[j] = p.result()
		}
	})
}

// squaringsFaster says whether shift squarings are faster than one exponentiation by 2^shift over math/big. The latter has
// the cheaper multiplication up to about 5,000 bits, but a start-up cost that grows with the modulus, and it multiplies
// after every fourth squaring.
func squaringsFaster(shift, bits int) bool {
	return shift < max(64, bits/16) || bits > 5120
}
