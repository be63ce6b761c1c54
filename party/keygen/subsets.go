package keygen

import (
	"iter"
	"slices"
)

// subsets yields the subsets of size k of {1, …, n} in lexical order. The slice is the consumer's to keep.
func subsets(n, k int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		subset := points(k)
		for {
			if !yield(slices.Clone(subset)) {
				return
			}
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
