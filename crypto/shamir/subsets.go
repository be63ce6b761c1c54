package shamir

import (
	"iter"
	"slices"
)

// Points returns 1, …, count: the points of the first parties.
func Points(count int) []int {
	list := make([]int, count)
	for i := range list {
		list[i] = i + 1
	}
	return list
}

// Subsets yields the subsets of size k of {1, …, n} in lexical order, each a slice of its own. It panics unless
// 1 <= k <= n.
func Subsets(n, k int) iter.Seq[[]int] {
	if k < 1 || k > n {
		panic("shamir: no subsets of this size")
	}
	return func(yield func([]int) bool) {
		subset := Points(k)
		for yield(slices.Clone(subset)) {
			i := k - 1
			for i >= 0 && subset[i] == n-k+i+1 {
				i--
			}
			if i < 0 {
				return
			}
			subset[i]++
			for ; i+1 < k; i++ {
				subset[i+1] = subset[i] + 1
			}
		}
	}
}
