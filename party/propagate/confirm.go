package propagate

import (
	"iter"

	"riskprop/party"
	"riskprop/party/ledger"
)

// confirm: protocol.md section 2, step 5. Nothing is said but the head itself, whose transcript covers the round
// before it.
type confirm struct {
	*agreement
	opened []ledger.Score // nil for an auditor
}

func (r *confirm) Plan() party.Plan { return party.Plan{Name: "confirm"} }

func (r *confirm) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(func(party.Draft, error) bool) {}
}

func (r *confirm) Check(party.Message, []byte) error { return nil }

func (r *confirm) Next(party.Inbox) (party.Round, error) {
	return &Done{Scores: r.opened, Report: r.report}, nil
}

// Done is the final round: the session's result.
type Done struct {
	party.Ended
	Scores []ledger.Score // of the party's own accounts, sorted by id; nil for an auditor
	Report Report
}

// Report tells what a party should know about its run besides the scores.
type Report struct {
	Peers        []Agreement // one for each other bank
	SingleSource int         // own accounts whose foreign income is from a single account: their score can reveal its
}
