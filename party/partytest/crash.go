package partytest

import (
	"errors"
	"fmt"
)

// Others are the rest of the consortium while one party crashes.
type Others int

// The kinds of Others.
const (
	Live     Others = iota // run anew each time
	Recorded               // what they said in the undisturbed session is played back, each word when it is due: faster
)

// CrashEverywhere runs the session once for every operation of one member, and for the moments before and after its
// effect: there the member ends and is started again from nothing. The log must be the same, also in its order, since
// all speak in turn. A stride of 1 takes every moment, n every n-th. It returns the number of runs.
func (ref *Reference) CrashEverywhere(member int, others Others, stride int) (int, error) {
	for at := 0; ; at += stride {
		lives := func(life int) func(Step) error {
			if life > 0 {
				return nil
			}
			return failAt(at)
		}
		n, err := ref.crash(member, others, lives)
		if err != nil {
			return at / stride, fmt.Errorf("crash at moment %d: %w", at, err)
		}
		if n == 1 {
			return at / stride, nil // the session has fewer moments
		}
	}
}

// CrashAgainAndAgain runs the session once, and lets the member's k-th life end at its k-th moment. It returns the
// number of lives.
func (ref *Reference) CrashAgainAndAgain(member int, others Others) (int, error) {
	return ref.crash(member, others, failAt)
}

// FailAndRetry runs the session twice. Every operation of the member fails once: in the first run before its effect, in
// the second after it ("failed, but was stored"). The process goes on and asks again what is due.
func (ref *Reference) FailAndRetry(member int) error {
	for _, after := range []bool{false, true} {
		failed := make(map[Step]bool)
		fault := func(s Step) error {
			if s.After != after || failed[s] {
				return nil
			}
			failed[s] = true
			return errCrash
		}
		if err := ref.retry(member, fault); err != nil {
			return fmt.Errorf("every operation fails, after its effect: %t: %w", after, err)
		}
		if len(failed) == 0 {
			return errors.New("nothing failed")
		}
	}
	return nil
}

// AllCrashes applies the three rules: one member crashes at every moment (at every n-th under the race detector), each time in
// a session of its own; again and again in one session; and every operation of every member fails once. It returns the
// number of runs, and of lives in one session.
func (ref *Reference) AllCrashes(member int) (runs, lives int, err error) {
	if runs, err = ref.CrashEverywhere(member, Live, Stride); err != nil {
		return runs, 0, err
	}
	if lives, err = ref.CrashAgainAndAgain(member, Live); err != nil {
		return runs, lives, err
	}
	var errs []error
	for i := range ref.session.Roster.Len() {
		if err := ref.FailAndRetry(i); err != nil {
			errs = append(errs, fmt.Errorf("member %d: %w", i, err))
		}
	}
	return runs, lives, errors.Join(errs...)
}

// failAt fails at one moment.
func failAt(at int) func(Step) error {
	return func(Step) error {
		if at--; at == -1 {
			return errCrash
		}
		return nil
	}
}

// crash runs the session in turn. Each life of the member has the fault of its number, from 0. It returns the number of
// lives.
func (ref *Reference) crash(member int, others Others, faults func(life int) func(Step) error) (int, error) {
	log, lives := NewLog(ref.session.Roster), 0
	start := func() (*Reader, error) {
		r, err := ref.session.reader(log, member)
		if err == nil {
			r.Fault = faults(lives)
			lives++
		}
		return r, err
	}
	r, err := start()
	if err != nil {
		return 0, err
	}
	step := func() (bool, error) {
		stepped, err := r.Step()
		if errors.Is(err, errCrash) {
			r.Close()
			r, err = start()
		}
		return stepped, err
	}
	err = ref.among(log, member, others, step)
	r.Close()
	if err != nil {
		return lives, err
	}
	return lives, errors.Join(ref.same(log, true), ref.sameResult(member, r.Machine))
}

func (ref *Reference) retry(member int, fault func(Step) error) error {
	log := NewLog(ref.session.Roster)
	r, err := ref.session.reader(log, member)
	if err != nil {
		return err
	}
	r.Fault = fault
	step := func() (bool, error) {
		stepped, err := r.Step()
		if errors.Is(err, errCrash) {
			r.Close()
			return true, nil
		}
		return stepped, err
	}
	err = ref.among(log, member, Live, step)
	r.Close()
	if err != nil {
		return err
	}
	return errors.Join(ref.same(log, true), ref.sameResult(member, r.Machine))
}

// among runs one member's steps in turn with those of the others.
func (ref *Reference) among(log *Log, member int, others Others, step func() (bool, error)) error {
	var readers []*Reader
	defer func() { closeAll(readers) }()
	steps := make([]func() (bool, error), ref.session.Roster.Len())
	for i := range steps {
		switch {
		case i == member:
			steps[i] = step
		case others == Recorded:
			steps[i] = newRecorded(ref.Log, log, i).step
		default:
			r, err := ref.session.reader(log, i)
			if err != nil {
				return err
			}
			readers = append(readers, r)
			steps[i] = r.Step
		}
	}
	if err := inTurn(steps); err != nil {
		return err
	}
	return allDone(readers)
}

// TakeOver runs the session for every record of one member, with a second copy of it from the beginning, and lets the
// first copy end for good before or after it writes the record: in the middle of a speech, mostly. It returns the number
// of runs.
func (ref *Reference) TakeOver(member int) (int, error) {
	runs := 0
	for _, subject := range ref.Log.Order {
		if sender(ref.session.Roster, subject) != member {
			continue
		}
		for _, after := range []bool{false, true} {
			if err := ref.takeOver(member, Step{Append, subject, after}); err != nil {
				return runs, fmt.Errorf("end at %s, after its effect: %t: %w", subject, after, err)
			}
			runs++
		}
	}
	return runs, nil
}

func (ref *Reference) takeOver(member int, end Step) error {
	log := NewLog(ref.session.Roster)
	second, err := ref.session.reader(log, member)
	if err != nil {
		return err
	}
	first, err := ref.session.reader(log, member)
	if err != nil {
		return err
	}
	first.Fault = func(s Step) error {
		if s == end {
			return errCrash
		}
		return nil
	}
	dead := false
	err = ref.among(log, member, Live, func() (bool, error) {
		if dead {
			return second.Step()
		}
		moved, err := first.Step()
		if dead = errors.Is(err, errCrash); !dead && err != nil {
			return false, err
		}
		stepped, err := second.Step() // never ahead of the first
		return moved || stepped, err
	})
	first.Close()
	second.Close()
	if err == nil && !dead {
		err = errors.New("the first copy did not end: the second one was ahead")
	}
	if err != nil {
		return err
	}
	return errors.Join(ref.same(log, false), ref.sameResult(member, second.Machine))
}
