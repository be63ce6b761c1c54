package biprime

import "math/big"

// primes returns the primes in (above, upTo], ascending, by the sieve of Eratosthenes.
func primes(above, upTo int) []int {
	var found []int
	composite := make([]bool, max(upTo, 0)+1)
	for p := 2; p <= upTo; p++ {
		if composite[p] {
			continue
		}
		if p > above {
			found = append(found, p)
		}
		for multiple := p * p; multiple <= upTo; multiple += p {
			composite[multiple] = true
		}
	}
	return found
}

// fieldPrime returns the first prime above 2^(bits+1).
func fieldPrime(bits int) *big.Int {
	base := new(big.Int).Lsh(big.NewInt(1), uint(bits+1))
	if offset, known := fieldOffset(bits); known {
		return base.Add(base, big.NewInt(offset))
	}
	return primeAfter(base)
}

// fieldOffset returns the distance of the first prime above 2^(bits+1) from it, where it is known.
func fieldOffset(bits int) (offset int64, known bool) {
	switch bits {
	case 256:
		return 155, true
	case 512:
		return 159, true
	case 1024:
		return 1481, true
	case 2048:
		return 227, true
	case 3072:
		return 1151, true
	case 4096:
		return 51, true
	}
	return 0, false
}

// primeAfter returns the first prime above the even number base. The error of ProbablyPrime with 20 rounds is below 4^-20 for
// numbers chosen by an adversary, which base, a power of two, is not.
func primeAfter(base *big.Int) *big.Int {
	candidate, two := new(big.Int).Add(base, big.NewInt(1)), big.NewInt(2)
	for !candidate.ProbablyPrime(20) {
		candidate.Add(candidate, two)
	}
	return candidate
}
