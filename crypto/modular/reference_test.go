package modular

import "math/big"

// The same functions as in the package, one number after the other, by the definition.

func refMap(xs []*big.Int, f func(x *big.Int) *big.Int) []*big.Int {
	out := make([]*big.Int, len(xs))
	for i, x := range xs {
		out[i] = f(x)
	}
	return out
}

func refExp(x, e, m *big.Int) *big.Int { return new(big.Int).Exp(x, e, m) }

func refMul(x, y, m *big.Int) *big.Int {
	z := new(big.Int).Mul(x, y)
	return z.Mod(z, m)
}

func refProduct(xs []*big.Int, m *big.Int) *big.Int {
	p := big.NewInt(1)
	for _, x := range xs {
		p = refMul(p, x, m)
	}
	return p
}

func refNonUnit(xs []*big.Int, m *big.Int) int {
	for i, x := range xs {
		if new(big.Int).GCD(nil, nil, x, m).Cmp(big.NewInt(1)) != 0 {
			return i
		}
	}
	return -1
}

func refHorner(xs []*big.Int, group, shift int, m *big.Int) []*big.Int {
	var out []*big.Int
	for i, x := range xs {
		if i%group == 0 {
			out = append(out, big.NewInt(1))
		}
		e := new(big.Int).Lsh(big.NewInt(1), uint(shift*(i%group)))
		out[i/group] = refMul(out[i/group], refExp(x, e, m), m)
	}
	return out
}

func refMultiExp(xs []*big.Int, s Sums, m *big.Int) []*big.Int {
	var out []*big.Int
	for k := 1; k < len(s.Offsets); k++ {
		p := big.NewInt(1)
		for i := s.Offsets[k-1]; i < s.Offsets[k]; i++ {
			p = refMul(p, refExp(xs[s.Index[i]], new(big.Int).SetUint64(s.Weights[i]), m), m)
		}
		out = append(out, p)
	}
	return out
}
