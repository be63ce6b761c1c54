package partytest

import (
	_ "embed" // the kept seeds
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Twins runs every party twice at once, in a random order that follows from the seed. The log must be the same, but for
// its order, and both copies must come to the same result.
func (ref *Reference) Twins(seed uint64) error { return ref.schedule(seed, 2, 0) }

// Schedule runs the session in a random order that follows from the seed: with delays, slow parties and up to three
// crashes. The log must be the same, but for its order.
func (ref *Reference) Schedule(seed uint64) error { return ref.schedule(seed, 1, 3) }

func (ref *Reference) schedule(seed uint64, copies, crashes int) error {
	log, random := NewLog(ref.session.Roster), &random{seed}
	readers, err := ref.session.readers(log, copies)
	if err != nil {
		return err
	}
	fault := func(Step) error {
		if crashes == 0 || random.below(50) > 0 {
			return nil
		}
		crashes--
		return errCrash
	}
	for _, r := range readers {
		r.Fault = fault
	}
	err = shuffle(random, readers, func(i int) (*Reader, error) {
		r, err := ref.session.reader(log, ref.member(i, copies))
		if err == nil {
			r.Fault, r.visible = fault, 0
		}
		return r, err
	})
	if err != nil {
		return err
	}
	errs := []error{ref.same(log, false)}
	for i, r := range readers {
		errs = append(errs, ref.sameResult(ref.member(i, copies), r.Machine))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	return nil
}

// member is who reader i is, of so many copies of all and an auditor.
func (ref *Reference) member(i, copies int) int {
	if i == copies*ref.session.Roster.Len() {
		return -1
	}
	return i % ref.session.Roster.Len()
}

// Try runs a rule with the seeds that are kept for it in a file of cases, and then with fresh ones. Its error says how to
// keep the seed that failed.
func Try(cases []byte, rule string, fresh []uint64, run func(seed uint64) error) error {
	kept, err := Cases(cases, rule)
	if err != nil {
		return fmt.Errorf("file of cases: %w", err)
	}
	for _, seed := range append(kept, fresh...) {
		if err := run(seed); err != nil {
			return fmt.Errorf("%w\nto keep this case add the line \"%s,%d,<what was wrong>\" to party/partytest/seeds.csv", err, rule, seed)
		}
	}
	return nil
}

// casesHeader is the first line of a file of cases.
const casesHeader = "rule,seed,reason"

// Cases reads a file of seeds that found something once and are run for ever: CSV with the header line
// "rule,seed,reason". It returns the seeds of one rule. A file without its header, or with a line that is not of this
// form, is an error that names the line; so is a rule without a case, which means that the file is not what it should be.
func Cases(file []byte, rule string) ([]uint64, error) {
	lines := strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")
	if lines[0] != casesHeader {
		return nil, fmt.Errorf("line 1: %q is not the header line %q", lines[0], casesHeader)
	}
	var seeds []uint64
	for i, line := range lines[1:] {
		fields := strings.SplitN(line, ",", 3)
		if len(fields) != 3 || strings.TrimSpace(fields[2]) == "" {
			return nil, fmt.Errorf("line %d: %q is not of the form %s", i+2, line, casesHeader)
		}
		seed, err := strconv.ParseUint(fields[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("line %d: seed: %w", i+2, err)
		}
		if fields[0] == rule {
			seeds = append(seeds, seed)
		}
	}
	if len(seeds) == 0 {
		return nil, fmt.Errorf("no case of the rule %q", rule)
	}
	return seeds, nil
}

//go:embed seeds.csv
var kept []byte

// TryKept tries a rule with the seeds that once failed, and with so many new ones (fewer under the race detector).
func TryKept(rule string, count int, draw func() uint64, run func(seed uint64) error) error {
	fresh := make([]uint64, count/Stride)
	for i := range fresh {
		fresh[i] = draw()
	}
	return Try(kept, rule, fresh, run)
}
