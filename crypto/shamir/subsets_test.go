package shamir

import (
	"math/bits"
	"slices"
	"testing"
)

// Subsets against counting through all bit masks.
func TestSubsets(t *testing.T) {
	for n := 1; n <= 8; n++ {
		for k := 1; k <= n; k++ {
			var want [][]int
			for mask := range 1 << n {
				if bits.OnesCount(uint(mask)) != k {
					continue
				}
				var subset []int
				for i := range n {
					if mask>>i&1 == 1 {
						subset = append(subset, i+1)
					}
				}
				want = append(want, subset)
			}
			slices.SortFunc(want, slices.Compare)
			var got [][]int
			for subset := range Subsets(n, k) {
				got = append(got, subset)
			}
			if !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("n=%d k=%d: %v, want %v", n, k, got, want)
			}
		}
	}
}

func TestSubsetsStopsEarly(t *testing.T) {
	count := 0
	for range Subsets(5, 2) {
		if count++; count == 3 {
			break
		}
	}
	if count != 3 {
		t.Errorf("%d subsets after a break at 3", count)
	}
}

func TestSubsetsPanics(t *testing.T) {
	for _, k := range []int{0, 4} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("no panic for k=%d of 3", k)
				}
			}()
			Subsets(3, k)
		}()
	}
}
