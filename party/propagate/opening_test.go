package propagate

import (
	"math/big"
	"math/bits"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
)

// spread is an opening among n members with lists of these lengths, in which nothing is decrypted yet.
func spread(n, threshold int, lengths []int) *opening {
	ring := modular.NewRing(big.NewInt(1<<62 + 1))
	packed := make([]*modular.Vector, n)
	for owner, length := range lengths {
		ones := make([]*big.Int, length)
		for i := range ones {
			ones[i] = big.NewInt(1)
		}
		packed[owner] = ring.Vector(ones)
	}
	s := &setup{n: n, Config: Config{Key: &paillier.Key{Params: paillier.Params{Parties: n, Threshold: threshold}}}}
	return newOpening(&agreement{setup: s}, packed)
}

func drawOpening(t *rapid.T) *opening {
	n := rapid.IntRange(3, 9).Draw(t, "members")
	threshold := rapid.IntRange(1, (n-1)/2).Draw(t, "threshold")
	return spread(n, threshold, rapid.SliceOfN(rapid.IntRange(0, 40), n, n).Draw(t, "lengths"))
}

// TestWorkIsSpread: every ciphertext is decrypted by exactly t members beside its owner, and nobody has more to do for an owner
// than its share and a ciphertext a block.
func TestWorkIsSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOpening(t)
		threshold := o.Key.Threshold
		for owner := range o.n {
			length := o.packed[owner].Len()
			times := make([]int, length)
			for member := range o.n {
				blocks := o.blocks(owner, member)
				if member == owner && len(blocks) > 0 {
					t.Fatalf("owner %d owes itself blocks %v", owner, blocks)
				}
				for _, b := range blocks {
					for i, to := o.block(owner, b); i < to; i++ {
						times[i]++
					}
				}
				count := o.count(owner, blocks)
				if share := length * threshold; member != owner && (count*(o.n-1) > share+threshold*(o.n-1) || count*(o.n-1) < share-threshold*(o.n-1)) {
					t.Fatalf("member %d decrypts %d of %d ciphertexts, of which %d members decrypt each", member, count, length, threshold)
				}
			}
			for i, made := range times {
				if made != threshold {
					t.Fatalf("ciphertext %d of owner %d: %d partial decryptions, want %d", i, owner, made, threshold)
				}
			}
		}
		if !o.after(0).complete() {
			t.Fatal("all have made what they owe, and it is not complete")
		}
	})
}

// TestStandIns: however members vanish, one round after the other, as long as t+1 are left every ciphertext of everybody, those that have
// vanished included, gets its t partial decryptions. Nobody makes one twice, nobody who is gone owes one, and the round is repeated only
// where somebody who owed something has vanished.
func TestStandIns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := drawOpening(t)
		spare := o.n - o.Key.Threshold - 1
		for round := 0; !o.complete(); round++ {
			absent, owed := o.absent, false
			for member := range o.n {
				if bits.OnesCount32(absent) < spare && absent>>member&1 == 0 && rapid.IntRange(0, 2).Draw(t, "vanishes") == 0 {
					absent |= 1 << member
				}
			}
			for owner := range o.n {
				for b := range o.n - 1 {
					due := o.due(owner, b)
					if due&(o.made[owner][b]|o.absent|1<<owner) != 0 {
						t.Fatalf("owner %d, block %d: due are %b, made by %b, absent are %b", owner, b, due, o.made[owner][b], o.absent)
					}
					from, to := o.block(owner, b)
					owed = owed || from < to && due&absent != 0
				}
			}
			o = o.after(absent)
			if o.complete() == owed || round > spare {
				t.Fatalf("round %d: complete: %t, somebody who owed has vanished: %t", round, o.complete(), owed)
			}
		}
		for owner := range o.n {
			for b, made := range o.made[owner] {
				if from, to := o.block(owner, b); from < to && bits.OnesCount32(made) != o.Key.Threshold {
					t.Fatalf("owner %d, block %d: made by %b, need %d", owner, b, made, o.Key.Threshold)
				}
			}
		}
	})
}

// TestWeights: the coefficients depend on the transcript and on the owner, and are as many as its ciphertexts.
func TestWeights(t *testing.T) {
	r := &check{opening: spread(3, 1, []int{4, 4, 5})}
	seen := map[uint64]bool{}
	for _, transcript := range [][32]byte{{}, {1}} {
		for owner := range 3 {
			weights := r.weights(transcript, owner)
			if len(weights) != r.packed[owner].Len() {
				t.Errorf("owner %d: %d coefficients", owner, len(weights))
			}
			for _, w := range weights {
				if w>>32 == 0 || seen[w] {
					t.Errorf("coefficient %d, again: %t", w, seen[w])
				}
				seen[w] = true
			}
		}
	}
}
