// Package partytest runs machines without a shell, for tests of the core and of rounds.
//
// A [Log] keeps records in memory. A [Reader] is one party that reads it and does one operation a step, so that a test
// decides who does what when: [Run] in turn, [Shuffle] in a random order with delayed delivery, from a seed. A reader
// may be made to fail before or after any effect, and a new one may take its place: that is a crash. Two readers may
// run the same party at once: these are twins. [Cheat] makes a party say something else than it should, well signed.
package partytest

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"riskprop/party"
)

// Run steps the machines in turn until all are done. It stops at the first error, with the machine's number.
func Run(log *Log, machines ...*party.Machine) error {
	readers := make([]*Reader, len(machines))
	for i, m := range machines {
		readers[i] = NewReader(log, m)
	}
	return RunReaders(readers...)
}

// RunReaders is Run for readers: each does all it can before it is the next one's turn.
func RunReaders(readers ...*Reader) error {
	defer closeAll(readers)
	for moved := true; moved; {
		moved = false
		for i, r := range readers {
			for {
				stepped, err := r.Step()
				if err != nil {
					return fmt.Errorf("machine %d: %w", i, err)
				}
				if !stepped {
					break
				}
				moved = true
			}
		}
	}
	return allDone(readers)
}

// Shuffle steps the readers in a random order that follows from the seed. Heads reach each reader with delays of their
// own, in the order of the log.
func Shuffle(seed uint64, readers ...*Reader) error {
	defer closeAll(readers)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, r := range readers {
		r.visible = 0
	}
	for idle := 0; idle < 50*len(readers); {
		i := random.IntN(len(readers))
		r := readers[i]
		if random.IntN(3) == 0 {
			r.visible = r.read + random.IntN(len(r.log.Heads)-r.read+1)
		}
		stepped, err := r.Step()
		if err != nil {
			return fmt.Errorf("seed %d: machine %d: %w", seed, i, err)
		}
		if idle++; stepped {
			idle = 0
		}
	}
	for _, r := range readers {
		r.visible = -1
	}
	if err := allDone(readers); !errors.Is(err, errStill) {
		return err
	}
	return RunReaders(readers...) // whoever was unlucky
}

func closeAll(readers []*Reader) {
	for _, r := range readers {
		r.Close()
	}
}

func allDone(readers []*Reader) error {
	for _, r := range readers {
		if !r.Machine.Done() {
			return still(r.Machine)
		}
	}
	return nil
}
