package keygen

import (
	"iter"

	"riskprop/party"
)

// search is a round of the search for a modulus: the test of one batch of candidates, and at the same time the preparation
// of the next. The tests speak to everybody and the preparation in private, so the messages of two batches do not meet:
//
//	sieve  candidates  moduli   biprime               the first batch
//	                   sieve    candidates  moduli    the second, …
//
// With t > 1 the rounds sieve-reduce come between, and a test that has ended waits for the preparation. An attempt takes
// two rounds in place of four. What it costs is that the batch behind the one with the modulus has been prepared in vain,
// up to its moduli; nothing of it is ever opened, and it is dropped. A round has the name of its test, if there is one.
type search struct {
	*setup
	stats   Stats       // of the batches that are done with
	test    party.Round // of the batch at hand: moduli, biprimality; nil if there is none yet
	prepare party.Round // of the next batch: sieve, reduce, candidates; its moduli if it is ready, which say nothing yet
}

// anew is a search with no batch at hand and none prepared.
func (s *setup) anew(stats Stats) *search { return &search{setup: s, stats: stats, prepare: &sieve{s}} }

// rounds are those that speak: the test, the preparation, or both.
func (r *search) rounds() []party.Round {
	var rounds []party.Round
	if r.test != nil {
		rounds = append(rounds, r.test)
	}
	if !r.ready() {
		rounds = append(rounds, r.prepare)
	}
	return rounds
}

// ready tells whether the next batch can be tested.
func (r *search) ready() bool {
	_, ready := r.prepare.(*moduli)
	return ready
}

func (r *search) Plan() party.Plan {
	rounds := r.rounds()
	plan := party.Plan{Name: rounds[0].Plan().Name}
	for _, one := range rounds {
		plan.Messages = append(plan.Messages, one.Plan().Messages...)
	}
	return plan
}

// Speak: no stream is used twice, since only the preparation draws at random.
func (r *search) Speak(s *party.Secrets) iter.Seq2[party.Draft, error] {
	return func(yield func(party.Draft, error) bool) {
		for _, one := range r.rounds() {
			for draft, err := range one.Speak(s) {
				if !yield(draft, err) {
					return
				}
			}
		}
	}
}

func (r *search) Check(message party.Message, data []byte) error {
	if message.To == party.Everybody {
		return r.test.Check(message, data)
	}
	return r.prepare.Check(message, data)
}

func (r *search) Next(in party.Inbox) (party.Round, error) {
	next := &search{setup: r.setup, stats: r.stats, prepare: r.prepare}
	if r.test != nil {
		after, err := r.test.Next(in)
		if err != nil {
			return nil, err
		}
		switch after := after.(type) {
		case *share:
			return after, nil
		case *search:
			next.stats = after.stats
		default:
			next.test = after
		}
	}
	if !r.ready() {
		var err error
		if next.prepare, err = r.prepare.Next(in); err != nil {
			return nil, err
		}
	}
	if prepared, ready := next.prepare.(*moduli); ready && next.test == nil {
		next.test, next.prepare = prepared.counted(next.stats), &sieve{r.setup}
	}
	return next, nil
}
