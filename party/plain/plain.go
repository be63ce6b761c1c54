// Package plain is the oracle: risk propagation in a dozen lines of float64 on the ledgers of all banks together. Nobody may hold these in earnest, which is
// why the rest of this project exists; for tests and examples it says what the encrypted computation has to arrive at, up to its rounding.
//
// In every period, for every iteration, all accounts change at once (protocol, section 2; [vE24]):
//
//	new(a) = (1-δ)·old(a) + δ · Σ amount·old(source) / Σ amount      over a's income in the period
//	new(a) = (1-δ)·old(a)                                            where a has no income
//
// Scores carry over from period to period, δ begins anew.
package plain

import "riskprop/party/ledger"

// Result is the outcome for one bank.
type Result struct {
	Bank   string
	Scores []ledger.Score // sorted by account id
}

// Propagate returns the scores of each ledger's bank, in the order of ledgers, after the given number of periods with len(delta) iterations each; delta[i]
// is δ of iteration i. An edge between two banks counts only if both list it with the same amount, and the source has a score at its bank; an edge of a
// later period than the last does not count. Each ledger must be of another bank.
func Propagate(ledgers []*ledger.Ledger, delta []float64, periods int) []Result {
	edges := agreed(ledgers)
	scores := make(map[ledger.Endpoint]float64)
	for _, l := range ledgers {
		for _, a := range l.Accounts {
			scores[ledger.Endpoint{Bank: l.Bank, ID: a.ID}] = a.Score
		}
	}
	for period := range periods {
		for _, d := range delta {
			scores = step(scores, edges[period], d)
		}
	}
	results := make([]Result, len(ledgers))
	for i, l := range ledgers {
		results[i].Bank = l.Bank
		for _, a := range l.Accounts {
			final := scores[ledger.Endpoint{Bank: l.Bank, ID: a.ID}]
			results[i].Scores = append(results[i].Scores, ledger.Score{ID: a.ID, Initial: a.Score, Final: final})
		}
	}
	return results
}

// step returns the scores after one iteration over the edges of a period.
func step(old map[ledger.Endpoint]float64, edges []ledger.Edge, delta float64) map[ledger.Endpoint]float64 {
	risk, total := make(map[ledger.Endpoint]float64), make(map[ledger.Endpoint]float64)
	for _, e := range edges {
		risk[e.Destination] += e.Amount.Float() * old[e.Source]
		total[e.Destination] += e.Amount.Float()
	}
	scores := make(map[ledger.Endpoint]float64, len(old))
	for a, x := range old {
		scores[a] = (1 - delta) * x
		if total[a] > 0 {
			scores[a] += delta * risk[a] / total[a]
		}
	}
	return scores
}

// agreed returns the edges that the banks of both sides list, by period; what a bank lists has a score if it is its own.
func agreed(ledgers []*ledger.Ledger) map[int][]ledger.Edge {
	listed := make(map[string]map[ledger.Edge]bool)
	for _, l := range ledgers {
		listed[l.Bank] = make(map[ledger.Edge]bool)
		for _, e := range l.Edges {
			listed[l.Bank][e] = true
		}
	}
	edges := make(map[int][]ledger.Edge)
	for _, l := range ledgers {
		for _, e := range l.Edges {
			if e.Destination.Bank == l.Bank && listed[e.Source.Bank][e] {
				edges[e.Period] = append(edges[e.Period], e)
			}
		}
	}
	return edges
}
