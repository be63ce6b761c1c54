// Package modular is batched modular arithmetic: the one place where the system's speed is decided.
//
// Everything slow in threshold Paillier is a modular exponentiation or a product of them, and everything comes in
// batches: thousands of biprimality tests, of re-randomisations, of weighted sums, of partial decryptions. So every
// operation here takes a batch, spreads it over all cores, and returns results that do not depend on how many there are.
//
// # Where to start
//
// A [Ring] is an odd modulus with its precomputation. A [Vector] holds residues of one ring in the form that the
// arithmetic likes best; values stay in it across a whole computation and leave it by [Vector.Append], [Vector.At],
// [Vector.Ints] or [Vector.Product]. From a vector:
//
//   - [Vector.Mul], [Vector.Inverse], [Vector.Exp], [Vector.ExpSecret] work element by element;
//   - [Vector.MultiExp] computes many weighted sums in the exponent (E(x)^w · E(y)^u · ...), [Vector.Horner] packs
//     several ciphertexts into one;
//   - [Vector.NonUnit] is the check that every ciphertext received from somebody else must pass.
//
// A [FixedBase] raises one base, known in advance, to many exponents. [ExpBatch] and [JacobiBatch] are for batches in
// which every element has a modulus of its own, as in the search for a biprime; [Divisors] is trial division.
//
// # Policy
//
// Vectors, rings and fixed bases never change once made, share their residues freely, and are safe for concurrent use.
// Arguments are read, never modified and never kept, so they may be the same or overlap. Wrong arguments that only a
// programming error can produce (another ring, unequal lengths, an exponent out of its range) panic with the prefix
// "modular:" on the caller's goroutine. What another party's bytes can cause is an error: an [ElementError] around
// [ErrRange] or [ErrNotUnit], or [ErrLength].
//
// # Paths
//
// The same results come by one of three paths, chosen once for the machine; [Path] says which, and how to choose another.
//
//   - ifma multiplies eight residues at once (AVX512-IFMA, digits of 52 bits).
//   - adx multiplies one (MULX, ADCX, ADOX, digits of 64 bits).
//   - big is math/big: everywhere else, and on all paths for moduli below 64 or above 8192 bits.
//
// On the first two, one set of algorithms works on packs of one or eight residues in Montgomery form, and residues stay in
// that form until they leave a vector. It needs no divisions: a product costs as much as two plain ones, and conversion
// costs one product in and one out. Secret exponents are marked as such: [Vector.ExpSecret], [FixedBase.Exp], [ExpBatch].
//
// # Constant time
//
// On the paths of the kernels, neither running time nor the memory accessed depends on secret exponents or on the values of
// residues in these three functions and in [Vector.Mul], [Vector.Exp] (whose exponent is public), [Vector.Horner],
// [Vector.Product], [Vector.Append] and [Vector.Ints]: the kernels have no branch on data, powers are selected by reading
// all of them, the number of windows follows from a public bound, and the last subtraction is masked. What is left is that
// a [math/big.Int] has no leading zeroes: where one goes in or comes out, its length shows. Working memory is not wiped.
//
// [Vector.MultiExp] takes weights to be known to the caller alone and its time depends on them. [Vector.Inverse],
// [Vector.NonUnit], [JacobiBatch] and [Divisors.Coprime] take variable time on all paths. The path big is not constant-time at all:
// whoever measures the machine precisely enough learns about secret exponents.
package modular
