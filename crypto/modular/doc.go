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
// A [FixedBase] raises one base, known in advance, to many exponents. [ExpBatch], [JacobiBatch] and [Coprime] are for
// batches in which every element has a modulus of its own, as in the search for a biprime.
//
// # Policy
//
// Vectors, rings and fixed bases never change once made, share their residues freely, and are safe for concurrent use.
// Arguments are read, never modified and never kept. Wrong arguments that only a programming error can produce (another
// ring, unequal lengths, an exponent out of its range) panic with the prefix "modular:" on the caller's goroutine. What
// another party's bytes can cause is an error: an [ElementError] around [ErrRange] or [ErrNotUnit], or [ErrLength].
//
// The arithmetic is that of math/big, which is not constant-time: the running time and the memory accessed depend on
// secret exponents, and whoever measures the machine precisely enough learns about them. Secret exponents are marked as
// such ([Vector.ExpSecret], [FixedBase.Exp]) so that an implementation for a given machine can treat them apart.
package modular
