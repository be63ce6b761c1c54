// Package keygen generates a Paillier key that no one holds alone: a modulus N = p·q of which nobody knows the
// factors, and for every party a share of the decryption key, such that any t+1 of n parties can decrypt and t cannot.
// It follows [TNO19] (Veugen, Attema, Spini, eprint 2019/1136), with the distributed sieve of [MWB99].
//
// # Rounds
//
// One round is one file, in the order of the protocol:
//
//	agree          everybody states the manifest
//	sieve          shares of units modulo a product of small primes    } one attempt handles
//	sieve-reduce   their products, brought back to degree t (t > 1)    } a batch of candidates
//	candidates     pieces of p and q become shares over a field        } for (p, q) at once;
//	moduli         N = p·q becomes public, trial division              } attempts go on until
//	biprime        one Boneh-Franklin test for each survivor           } there is a modulus, and
//	confirm        as many more as the error bound needs               } overlap: see type search
//	share          shares of φ(N) and of a random β over the integers
//	product        shares of φ·β, never opened
//	theta          θ = φ·β·Δ⁴ mod N, and gcd(θ, N) = 1
//	prove          a test decryption
//
// A round holds only what later rounds need. The pieces of p and q and the share of the key are kept between rounds as
// messages of a party to itself, so that a party that is started again finds them on the log.
//
// # What is public
//
// The moduli of all candidates (those that are thrown away are products of numbers that serve nothing else), their
// biprimality tests, θ and the key. Public values are checked by everybody. Where an error in them cannot be pinned on
// one party, the text says so and nobody is blamed. Nothing after prove repeats the transcript: what was said in that
// round is agreed on by the first round of a propagation, which names the key.
package keygen
