package main

import (
	"errors"

	"riskprop/party"
	"riskprop/party/node"
	"riskprop/schema"
)

// statusOf is the exit status of a run that ended with an error. A session that has ended without a result ends with the same
// status at every honest party; everything else is trouble of this party alone, and it can be started again.
func statusOf(err error) int {
	var blame *party.Blame
	var aborted *party.Aborted
	var refusal *party.Refusal
	switch {
	case errors.Is(err, party.ErrInput):
		return statusFailed
	case errors.As(err, &blame), errors.As(err, &aborted), errors.As(err, &refusal),
		errors.Is(err, party.ErrSplit), errors.Is(err, schema.ErrDisagree), errors.Is(err, node.ErrMissing):
		return statusEnded
	}
	return statusFailed
}

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
	}
	return "failed"
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
