package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/plain"
	"riskprop/party/propagate"
)

// risesShown is the number of accounts of a bank that the story names.
const risesShown = 5

// report is the JSON object of a run. What a run in the clear does not have is left out.
type report struct {
	KeyBits      uint32           `json:"key_bits"`
	Parties      int              `json:"parties"`
	Threshold    uint32           `json:"threshold"`
	Accounts     int              `json:"accounts"`
	Transactions int              `json:"transactions"` // those of one source, destination and period are one
	Periods      int              `json:"periods"`
	Iterations   int              `json:"iterations"` // a period
	Seconds      seconds          `json:"seconds"`
	MaxError     *float64         `json:"max_error,omitempty"`     // against the computation in the clear
	BytesWritten map[string]int64 `json:"bytes_written,omitempty"` // on the log, by bank
	Keygen       *attempts        `json:"keygen,omitempty"`
}

// seconds are how long the phases of a run took.
type seconds struct {
	Keygen    float64 `json:"keygen,omitzero"`
	Propagate float64 `json:"propagate,omitzero"`
	Open      float64 `json:"open,omitzero"`
	Total     float64 `json:"total"`
}

// attempts is the work of a key generation.
type attempts struct {
	Attempts   int `json:"attempts"`   // batches of candidates
	Candidates int `json:"candidates"` // pairs of primes to be
	Tested     int `json:"tested"`     // moduli tested for biprimality
}

// newReport fills in what is known before the run.
func newReport(j *job) report {
	return report{
		KeyBits: j.terms.keygen.KeyBits, Parties: len(j.in.ledgers), Threshold: j.terms.keygen.Threshold,
		Accounts: j.in.accounts(), Transactions: j.in.transactions(), Periods: j.in.periods(), Iterations: len(j.terms.delta),
	}
}

// setKeygen fills in what the key cost.
func (r *report) setKeygen(s keygen.Stats) {
	r.Keygen = &attempts{s.Attempts, s.Candidates, s.Tested}
}

// sayInput tells what the banks bring.
func sayInput(u *ui, in *input) {
	width := longest(in.ledgers, func(l *ledger.Ledger) string { return l.Bank })
	u.say("%-*s  %8s  %12s", width+2, "  bank", "accounts", "transactions")
	for _, l := range in.ledgers {
		u.say("  %-*s  %8d  %12d", width, l.Bank, len(l.Accounts), len(l.Edges))
	}
	u.say("")
}

// sayRises tells which accounts of every bank have risen most.
func sayRises(u *ui, results []plain.Result) {
	var rises []ledger.Score
	for _, r := range results {
		rises = append(rises, largestRises(r.Scores)...)
	}
	bankWidth := longest(results, func(r plain.Result) string { return r.Bank })
	idWidth := longest(rises, func(s ledger.Score) string { return printable(s.ID) })
	u.say("  %-*s  %-*s  %6s  %6s  %7s", bankWidth, "bank", max(idWidth, len("largest rises")), "largest rises", "before", "after", "rise")
	for _, r := range results {
		bank := r.Bank
		rises := largestRises(r.Scores)
		for _, s := range rises {
			u.say("  %-*s  %-*s  %6.4f  %6.4f  %+7.4f", bankWidth, bank, max(idWidth, len("largest rises")), printable(s.ID), s.Initial, s.Final, s.Final-s.Initial)
			bank = ""
		}
		if len(rises) == 0 {
			u.say("  %-*s  none", bankWidth, bank)
		}
	}
	u.say("")
}

// largestRises returns the accounts that have risen, the largest rise first, at most risesShown.
func largestRises(scores []ledger.Score) []ledger.Score {
	rise := func(s ledger.Score) float64 { return s.Final - s.Initial }
	sorted := slices.DeleteFunc(slices.Clone(scores), func(s ledger.Score) bool { return rise(s) <= 0 })
	slices.SortStableFunc(sorted, func(a, b ledger.Score) int { return cmp.Compare(rise(b), rise(a)) })
	return sorted[:min(len(sorted), risesShown)]
}

// longest returns the number of characters of the longest text.
func longest[T any](list []T, text func(T) string) int {
	n := 0
	for _, item := range list {
		n = max(n, utf8.RuneCountInString(text(item)))
	}
	return n
}

// warnMismatches tells of transactions between two banks that only one of them lists, or with another amount. They were left out.
func warnMismatches(u *ui, c *consortium, done []*propagate.Done) {
	for i, m := range c.members {
		bank := m.bank
		for _, a := range done[i].Report.Peers {
			if bank < a.Peer && a.OnlyHere+a.OnlyThere+a.AmountsDiffer > 0 {
				u.warn("transactions between %s and %s left out: %d that only %s lists, %d that only %s lists, %d with different amounts",
					bank, a.Peer, a.OnlyHere, bank, a.OnlyThere, a.Peer, a.AmountsDiffer)
			}
		}
	}
}

// sayDisclosure tells how many scores of every bank could reveal one of another's.
func sayDisclosure(u *ui, c *consortium, done []*propagate.Done) {
	var counts []string
	for i, m := range c.members {
		counts = append(counts, fmt.Sprintf("%s %d", m.bank, done[i].Report.SingleSource))
	}
	u.say("\nAccounts with a single foreign source, whose score they could reveal: %s", strings.Join(counts, ", "))
}

// largestError returns the largest difference between the final scores of the same accounts.
func largestError(a, b []plain.Result) float64 {
	largest := 0.0
	for i := range a {
		for k := range a[i].Scores {
			largest = max(largest, math.Abs(a[i].Scores[k].Final-b[i].Scores[k].Final))
		}
	}
	return largest
}

// since returns the seconds that have passed.
func since(start time.Time) float64 { return time.Since(start).Seconds() }
