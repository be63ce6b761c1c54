package modular_test

import (
	"fmt"
	"math/big"

	"riskprop/crypto/modular"
)

// Two weighted sums over three residues that another party sent, and the answer in the form for the wire.
func Example() {
	ring := modular.NewRing(big.NewInt(101))
	v, err := ring.Decode([]byte{2, 3, 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	if i := v.NonUnit(); i >= 0 {
		fmt.Println("refused: element", i, "is not a unit")
		return
	}
	sums := v.MultiExp(modular.Sums{
		Offsets: []int{0, 2, 3},
		Index:   []uint32{0, 1, 2},
		Weights: []uint64{3, 1, 2},
	})
	fmt.Println(sums.Ints(), sums.Append(nil))
	// Output: [24 25] [24 25]
}

func ExampleRing_FixedBase() {
	powers := modular.NewRing(big.NewInt(101)).FixedBase(big.NewInt(2), 8)
	fmt.Println(powers.Exp([]*big.Int{big.NewInt(0), big.NewInt(5), big.NewInt(255)}).Ints())
	// Output: [1 32 69]
}
