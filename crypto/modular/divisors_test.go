package modular

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// oddPrimes returns the odd primes in [from, to).
func oddPrimes(from, to int) (list []int) {
	for p := from | 1; p < to; p += 2 {
		if p > 2 && big.NewInt(int64(p)).ProbablyPrime(0) {
			list = append(list, p)
		}
	}
	return list
}

func TestCoprimeIsTrialDivision(t *testing.T) {
	lists := map[string][]int{
		"none": nil, "one": {3}, "small": oddPrimes(3, 2000), "large": oddPrimes(1<<32-2000, 1<<32), "mixed": {1<<32 - 5, 3, 65537, 5},
	}
	made := map[string]*Divisors{}
	for name, list := range lists {
		made[name] = NewDivisors(list)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom([]string{"none", "one", "small", "large", "mixed"}).Draw(rt, "list")
		ns := rapid.SliceOfN(numbers(rapid.SampledFrom([]int{3, 12, 64, 256, 1024, 1025, 2048, 3072, 5000}).Draw(rt, "bits")), 0, 40).Draw(rt, "ns")
		for i, n := range ns {
			n.Add(n, big.NewInt(1))
			if list := lists[name]; i%3 == 0 && len(list) > 0 {
				n.Mul(n, big.NewInt(int64(rapid.SampledFrom(list).Draw(rt, "factor"))))
			}
		}
		defer unchanged(t, ns)()
		for i, got := range made[name].Coprime(ns) {
			divisible := slices.ContainsFunc(lists[name], func(p int) bool { return new(big.Int).Mod(ns[i], big.NewInt(int64(p))).Sign() == 0 })
			if got == divisible {
				rt.Fatalf("%v: got %t, divisible by one of the primes (%s): %t", ns[i], got, name, divisible)
			}
		}
	})
}

// Each divisor of a list is found on its own, also the last of a modulus and of the list, and in the largest numbers,
// where the sums are largest.
func TestEveryDivisorIsFound(t *testing.T) {
	primes := append(oddPrimes(3, 700), oddPrimes(1<<18, 1<<18+700)...)
	d := NewDivisors(primes)
	rest := new(big.Int).Lsh(big.NewInt(1), 4096)
	rest.Sub(rest, big.NewInt(1))
	for _, p := range primes { // the largest number of 4096 bits that no other prime divides
		for gcd := new(big.Int); gcd.GCD(nil, nil, rest, big.NewInt(int64(p))).BitLen() > 1; {
			rest.Quo(rest, gcd)
		}
	}
	ns := []*big.Int{rest}
	for _, p := range primes {
		ns = append(ns, new(big.Int).Mul(rest, big.NewInt(int64(p))))
	}
	for i, got := range d.Coprime(ns) {
		if got != (i == 0) {
			t.Errorf("number %d of %d: coprime is %t", i, len(ns), got)
		}
	}
}

func TestMisuseOfDivisorsPanics(t *testing.T) {
	for name, call := range map[string]func(){
		"divisor 2":         func() { NewDivisors([]int{3, 2}) },
		"divisor 1":         func() { NewDivisors([]int{1}) },
		"divisor -3":        func() { NewDivisors([]int{-3}) },
		"divisor 2^58 + 1":  func() { NewDivisors([]int{1<<58 + 1}) },
		"number 0":          func() { NewDivisors([]int{3}).Coprime([]*big.Int{big.NewInt(1), new(big.Int)}) },
		"a negative number": func() { NewDivisors([]int{3}).Coprime([]*big.Int{big.NewInt(-1)}) },
		"no number":         func() { NewDivisors([]int{3}).Coprime([]*big.Int{nil}) },
	} {
		wantPanic(t, name, call)
	}
}
