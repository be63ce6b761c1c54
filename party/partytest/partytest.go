// Package partytest runs machines without a shell, for tests of the core and of rounds.
//
// A [Log] keeps records in memory. A [Reader] is one party that reads it and does one operation a step, so that a test
// decides who does what when: [Run] in turn, [Shuffle] in a random order with delayed delivery, from a seed. A reader
// may be made to fail before or after any effect, and a new one may take its place: that is a crash. Two readers may
// run the same party at once: these are twins. [Cheat] makes a party say something else than it should, well signed.
//
// # Rules
//
// A [Session] says how the parties of one session are made; [Session.Run] runs it undisturbed. What comes of that is a
// [Reference], and every other way to run the session must come to the same log, byte for byte, and to the same results:
//
//   - [Reference.CrashEverywhere]: a party ends before and after every single operation, and is started again from nothing
//   - [Reference.CrashAgainAndAgain]: so often that each life is one operation longer than the one before
//   - [Reference.FailAndRetry]: every operation fails once, with and without its effect, and the same process tries again
//   - [Reference.TakeOver]: a party ends in the middle of its speech, and a second copy goes on
//   - [Reference.Twins]: every party runs twice at once
//   - [Reference.Schedule]: heads arrive late, parties are slow, and now and then one crashes
//
// The last two follow from a seed. Seeds that once found something are kept in a file, see [Cases].
package partytest

import (
	"fmt"

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
	turns := make([]func() (bool, error), len(readers))
	for i, r := range readers {
		turns[i] = r.Step
	}
	if err := inTurn(turns); err != nil {
		return err
	}
	return allDone(readers)
}

// inTurn lets each do all it can before it is the next one's turn, until nobody has anything to do.
func inTurn(steps []func() (bool, error)) error {
	for moved := true; moved; {
		moved = false
		for i, step := range steps {
			for {
				stepped, err := step()
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
	return nil
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
