package partytest

import (
	"errors"
	"fmt"
	"math/bits"
)

// Shuffle steps the readers in a random order that follows from the seed. Heads reach each reader with delays of their
// own, in the order of the log, and some readers are slower than others.
func Shuffle(seed uint64, readers ...*Reader) error {
	keep := func(i int) (*Reader, error) { return readers[i], nil }
	return shuffle(&random{seed}, readers, keep)
}

// shuffle is Shuffle with crashes: where a reader's fault is errCrash, another one takes its place in the list.
func shuffle(random *random, readers []*Reader, restart func(int) (*Reader, error)) error {
	defer func() { closeAll(readers) }()
	seed := random.state
	draw := lottery(random, len(readers))
	for _, r := range readers {
		r.visible = 0
	}
	for idle := 0; idle < 100*len(readers); {
		i := draw[random.below(len(draw))]
		r := readers[i]
		if random.below(3) == 0 {
			r.visible = r.read + random.below(len(r.log.Heads)-r.read+1)
		}
		stepped, err := r.Step()
		if errors.Is(err, errCrash) {
			r.Close()
			readers[i], err = restart(i)
		}
		if err != nil {
			return fmt.Errorf("seed %d: machine %d: %w", seed, i, err)
		}
		if idle++; stepped {
			idle = 0
		}
	}
	for _, r := range readers {
		r.visible, r.Fault = -1, nil
	}
	if err := allDone(readers); !errors.Is(err, errStill) {
		return err
	}
	if err := RunReaders(readers...); err != nil { // whoever was unlucky
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	return nil
}

// lottery gives every reader 1, 4 or 16 tickets: that many times as often it is its turn.
func lottery(random *random, readers int) []int {
	var tickets []int
	for i := range readers {
		for range 1 << (2 * random.below(3)) {
			tickets = append(tickets, i)
		}
	}
	return tickets
}

// random is the generator SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
type random struct{ state uint64 }

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	z := r.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below is uniform below n, but for a bias of n/2^64.
func (r *random) below(n int) int {
	high, _ := bits.Mul64(r.next(), uint64(n))
	return int(high)
}
