package propagate

import (
	"iter"

	"riskprop/party"
	"riskprop/party/ledger"
)

// confirm: protocol.md section 2, step 5. Nothing is said but the head itself, whose transcript covers the round
// before it. A party that has its scores does not need the others any more.
type confirm struct {
	*agreement
	opened []ledger.Score // nil for an auditor
	absent uint32         // members that were gone before all shares were checked: bit i for member i
	weak   bool           // fewer than 2t+1 shares were there to check a score
}

func (r *confirm) Plan() party.Plan { return party.Plan{Name: "confirm", Quorum: 1} }

func (r *confirm) Speak(*party.Secrets) iter.Seq2[party.Draft, error] {
	return func(func(party.Draft, error) bool) {}
}

func (r *confirm) Check(party.Message, []byte) error { return nil }

func (r *confirm) Next(in party.Inbox) (party.Round, error) {
	report := r.report
	report.Left, report.Unverified = in.Left, r.weak
	for i, name := range r.Roster.Names() {
		if r.absent>>i&1 == 1 && i != r.self {
			report.Unchecked = append(report.Unchecked, name)
		}
	}
	return &Done{Scores: r.opened, Report: report}, nil
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
	// Unchecked lists the other members that were gone before the end of the check.
	Unchecked []string
	// Unverified is set where fewer than 2t+1 members' shares were there for some scores: t members who collude could have changed
	// those unnoticed.
	Unverified bool
	// Left are the last words of members who have ended the session when the others could do without them: they may name
	// somebody who has cheated them.
	Left []*party.Aborted
}
