package party_test

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// ballot: n members, a round before, a round with a quorum q, confirm with 1.
type ballot struct {
	n, q, step int
	heard      []party.Inbox
}

func (r *ballot) Plan() party.Plan {
	switch r.step {
	case 0:
		return party.Plan{Name: "pre", Messages: party.EachToAll(r.n, 4, 1)}
	case 1:
		return party.Plan{Name: "open", Quorum: r.q, Messages: party.EachToEach(r.n, r.n, 4, 1)}
	case 2:
		return party.Plan{Name: "confirm", Quorum: 1}
	}
	return party.Ended{}.Plan()
}
func (r *ballot) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		switch r.step {
		case 0:
			yield(party.Draft{To: party.Everybody, Data: []byte{1, 2, 3, 4}}, nil)
		case 1:
			for to := range r.n {
				if !yield(party.Draft{To: to, Data: []byte{byte(s.Self()), byte(to), 0, 0}}, nil) {
					return
				}
			}
		}
	}
}
func (r *ballot) Check(party.Message, []byte) error { return nil }
func (r *ballot) Next(in party.Inbox) (party.Round, error) {
	return &ballot{r.n, r.q, r.step + 1, append(append([]party.Inbox{}, r.heard...), in)}, nil
}

func randomRun(seed uint64, n, q int, aborts bool) (problem error) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	names := []string{"a", "b", "c", "d", "e"}[:n]
	roster, ids, err := partytest.Identities(names...)
	if err != nil {
		return err
	}
	log := partytest.NewLog(roster)
	session := party.Session{Proto: schema.Keygen, ID: "s", Roster: roster}
	cache := map[int]*party.Machine{}
	start := func(i int) *partytest.Reader {
		if i > n {
			i = n
		}
		if i < 0 {
			i = n
		}
		if c := cache[i]; c != nil {
			fresh := *c
			return partytest.NewReader(log, &fresh)
		}
		var id *party.Identity
		if i < n {
			id = ids[i]
		}
		m, err := party.NewMachine(session, id, [32]byte{}, &ballot{n: n, q: q})
		if err != nil {
			panic(err)
		}
		cache[i] = m
		fresh := *m
		return partytest.NewReader(log, &fresh)
	}
	type proc struct {
		*partytest.Reader
		member int
		ended  error
	}
	var procs []*proc
	for i := range 2*n + 1 {
		member := i
		if i > n {
			member = i - n - 1
			if rnd.IntN(3) > 0 { // a twin only sometimes
				continue
			}
		}
		procs = append(procs, &proc{Reader: start(member), member: member})
	}
	weights := make([]int, len(procs))
	for i := range weights {
		weights[i] = []int{1, 1, 5, 30}[rnd.IntN(4)]
	}
	finished := map[int]bool{}
	anyAbort := false
	defer func() {
		for _, p := range procs {
			p.Close()
		}
		if r := recover(); r != nil {
			problem = fmt.Errorf("seed %d: panic %v", seed, r)
		}
	}()
	settleRate := []int{2, 20, 200}[rnd.IntN(3)]
	pick := func() int {
		total := 0
		for _, w := range weights {
			total += w
		}
		at := rnd.IntN(total)
		for i, w := range weights {
			if at -= w; at < 0 {
				return i
			}
		}
		return 0
	}
	drain := func(rate int, steps int) error {
		for range steps {
			i := pick()
			p := procs[i]
			if p.ended != nil {
				continue
			}
			switch {
			case rnd.IntN(150) == 0: // crash
				p.Close()
				procs[i] = &proc{Reader: start(p.member), member: p.member}
				continue
			case aborts && !anyAbort && rnd.IntN(200) == 0 && p.member < n:
				p.Close()
				if e, ok := p.Machine.Abort("", "deadline"); ok {
					if err := log.Append(e); err == nil {
						anyAbort = true
					}
				}
				continue
			case rnd.IntN(rate) == 0 && p.Machine.CanSettle():
				p.Close()
				if _, err := p.Settle(); err != nil {
					return err
				}
				continue
			}
			if p.Machine.Done() {
				finished[p.member] = true
			}
			_, err := p.Step()
			if err != nil {
				var a *party.Aborted
				if errors.As(err, &a) && anyAbort {
					p.ended = err
					if finished[p.member] {
						return fmt.Errorf("member %d was done in an earlier life or twin, and is now: %w", p.member, err)
					}
					continue
				}
				return fmt.Errorf("member %d in round %d: %w", p.member, p.Machine.Number(), err)
			}
		}
		return nil
	}
	if err := drain(settleRate, 200+rnd.IntN(600)); err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	// at the end all come back from nothing and time passes
	for i := range procs {
		procs[i].Close()
		procs[i] = &proc{Reader: start(procs[i].member), member: procs[i].member}
		weights[i] = 1
	}
	for range 30 {
		for moved := true; moved; {
			moved = false
			for _, p := range procs {
				for p.ended == nil {
					stepped, err := p.Step()
					if err != nil {
						p.ended = err
						var a *party.Aborted
						if !errors.As(err, &a) {
							return fmt.Errorf("seed %d, at the end: member %d: %w", seed, p.member, err)
						}
						if finished[p.member] {
							return fmt.Errorf("seed %d, at the end: done before, now %w", seed, err)
						}
					}
					if !stepped {
						break
					}
					moved = true
				}
			}
		}
		for _, p := range procs {
			if p.ended == nil && p.Machine.CanSettle() && rnd.IntN(2) == 0 {
				if _, err := p.Settle(); err != nil {
					return fmt.Errorf("seed %d, at the end: member %d: %w", seed, p.member, err)
				}
			}
		}
	}
	for _, p := range procs {
		if !p.Machine.Done() && !anyAbort {
			return fmt.Errorf("seed %d: member %d not done: round %d waits %v", seed, p.member, p.Machine.Number(), p.Machine.Waiting())
		}
		if a, b := p.Machine, procs[n].Machine; p.ended == nil && (a.Seen() != b.Seen() || a.Number() != b.Number()) { // procs[n] is the auditor
			return fmt.Errorf("seed %d: member %d has another history than the auditor, in rounds %d and %d", seed, p.member, a.Number(), b.Number())
		}
	}
	return nil
}

func TestQuorumAtRandom(t *testing.T) {
	for _, aborts := range []bool{false, true} {
		bad := map[string]int{}
		first := map[string]error{}
		for seed := range uint64(100) {
			n, q := 3, 2
			if seed%2 == 1 {
				n, q = 5, 3
			}
			if err := randomRun(seed, n, q, aborts); err != nil {
				key := fmt.Sprintf("%.40s", errors.Unwrap(err))
				bad[key]++
				if first[key] == nil {
					first[key] = err
				}
			}
		}
		for k, c := range bad {
			t.Errorf("aborts %t: %d of 100: %s: %v", aborts, c, k, first[k])
		}
	}
}
