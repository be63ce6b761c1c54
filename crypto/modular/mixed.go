package modular

import "math/big"

// ExpBatch returns bases[i]^exps[i] mod mods[i], in [0, mods[i]). exps and mods each have either as many elements as bases
// or one, which then holds for all. Bases may be any integers, exponents must not be negative, moduli are odd and at least
// 3; anything else panics. Results share no memory with arguments.
//
// The exponents may be secret. On the paths of the kernels, elements whose moduli take as many digits are computed side by
// side with as many windows as the longest exponent among them needs: the time depends on that length and on the moduli
// and, where bases must be reduced, on them; over math/big, which also takes moduli outside 64 to 8192 bits, it depends on
// everything. Where all bases are 4 the path adx is a sixth faster.
func ExpBatch(bases, exps, mods []*big.Int) []*big.Int {
	return expBatch(selected(), bases, exps, mods)
}

// expBatch is ExpBatch on the path of an engine, nil for math/big.
func expBatch(e *engine, bases, exps, mods []*big.Int) []*big.Int {
	requireLengths(len(bases), len(exps))
	requireModuli(len(bases), mods)
	requireAll(bases, present, "base %d is nil")
	requireAll(exps, nonNegative, "exponent %d must not be negative")
	out := make([]*big.Int, len(bases))
	rest, classes := classify(e, len(bases), exps, mods)
	four := len(classes) > 0 && e.shift != nil && isFour(bases)
	for _, c := range classes {
		exp := c.exp
		if four && c.expBits > 0 {
			exp = c.expFour
		}
		exp(e, out, func(i int) (base, exp, mod *big.Int) { return bases[i], pick(exps, i), pick(mods, i) })
	}
	batch(len(rest), heavy, func(s *scratch, from, to int) {
		for _, i := range rest[from:to] {
			m := pick(mods, i)
			out[i] = s.exp(s.reduce(bases[i], m), pick(exps, i), m)
		}
	})
	return out
}

// JacobiBatch returns the Jacobi symbols (xs[i] / mods[i]): 1, -1, or 0 if they share a factor. mods has either as many
// elements as xs or one, which then holds for all. Moduli are odd and at least 3; anything else panics. All paths leave it to
// math/big; it is not constant-time.
func JacobiBatch(xs, mods []*big.Int) []int {
	requireModuli(len(xs), mods)
	requireAll(xs, present, "number %d is nil")
	out := make([]int, len(xs))
	batch(len(xs), cheap, func(_ *scratch, from, to int) {
		for i := from; i < to; i++ {
			out[i] = big.Jacobi(xs[i], pick(mods, i))
		}
	})
	return out
}

// pick returns element i of a list that may hold one element for all.
func pick(xs []*big.Int, i int) *big.Int {
	if len(xs) == 1 {
		return xs[0]
	}
	return xs[i]
}

func requireLengths(n, m int) {
	require(m == n || m == 1, "%d elements for a batch of %d: need as many, or one", m, n)
}

func requireModuli(n int, mods []*big.Int) {
	requireLengths(n, len(mods))
	requireAll(mods, oddModulus, "modulus %d must be odd and at least 3")
}
