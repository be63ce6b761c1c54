package main

import (
	"context"

	"riskprop/party/plain"
)

// job is what demo and plain have in common: data and terms that go together, and a place for the results.
type job struct {
	in    *input
	terms *terms
	out   output
}

// newJob reads the data and checks all that can be checked before the work begins, the place for the results included.
func newJob(u *ui, p parameters, data, out string) (*job, error) {
	if p.JSON {
		u.onlyJSON()
	}
	in, err := readInput(data)
	if err != nil {
		return nil, err
	}
	terms, err := p.terms(in)
	if err != nil {
		return nil, err
	}
	j := &job{in: in, terms: terms, out: output{dir: out, private: true}}
	if err := j.out.check(in.banks(), scoresFile); err != nil {
		return nil, err
	}
	in.warn(u)
	return j, nil
}

// plain computes the scores in the clear.
func (j *job) plain() []plain.Result {
	return plain.Propagate(j.in.ledgers, j.terms.delta, j.in.periods())
}

// write writes the results, unless the run is to stop.
func (j *job) write(ctx context.Context, results []plain.Result) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return j.out.write(scoreFiles(results))
}

// sayResults tells what came out, and where it is.
func (j *job) sayResults(u *ui, results []plain.Result) {
	sayRises(u, results)
	u.say("Wrote %s", j.out.path("<bank>", scoresFile))
}
