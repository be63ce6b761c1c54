package main

import (
	"errors"
	"fmt"

	"riskprop/party"
	"riskprop/party/node"
	"riskprop/schema"
)

// statusOf is the exit status of a run that ended with an error. A session that has ended without a result ends with the same
// status at every honest party; everything else is trouble of this party alone, and it can be started again.
func statusOf(err error) int {
	switch verdictOf(err) {
	case "input", verdictNone:
		return statusFailed
	}
	return statusEnded
}

// verdictNone is what verdictOf says where the session has not ended: this party has failed, or was stopped.
const verdictNone = "failed"

// verdictOf names the outcome of a session, for the metrics.
func verdictOf(err error) string {
	var blame *party.Blame
	var aborted *party.Aborted
	var refusal *party.Refusal
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, party.ErrInput):
		return "input"
	case errors.As(err, &blame):
		return "blame"
	case errors.As(err, &aborted):
		return "aborted"
	case errors.As(err, &refusal):
		return "refused"
	case errors.Is(err, party.ErrSplit):
		return "split"
	case errors.Is(err, schema.ErrDisagree):
		return "disagree"
	case errors.Is(err, node.ErrMissing):
		return "missing"
	case isUnfit(err):
		return "unfit"
	}
	return verdictNone
}

// unfit is an error of the computation itself: what the members have said does not fit together, and nothing tells whose fault
// that is. Every honest member comes to it alike, and ends the session.
type unfit struct{ error }

func (u *unfit) Unwrap() error { return u.error }

func isUnfit(err error) bool {
	_, ok := errors.AsType[*unfit](err)
	return ok
}

// paused is the error of a party that was stopped in the middle of its session.
type paused struct {
	name, where string
	cause       error
}

func (p *paused) Error() string {
	return fmt.Sprintf("stopped in %s: %v (nothing is lost: started again, %s goes on)", p.where, p.cause, p.name)
}

func (p *paused) Unwrap() error { return p.cause }

func isPaused(err error) bool {
	_, ok := errors.AsType[*paused](err)
	return ok
}

// culpritOf is the party that an error blames, or empty.
func culpritOf(err error) string {
	var blame *party.Blame
	var aborted *party.Aborted
	switch {
	case errors.As(err, &blame):
		return blame.Party
	case errors.As(err, &aborted):
		return aborted.Culprit
	}
	return ""
}
