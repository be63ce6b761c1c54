package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"riskprop/crypto/fixed"
)

// Columns of the accounts file.
const (
	accountID = iota
	accountScore
)

// Columns of the transactions file.
const (
	sourceID = iota
	sourceBank
	destinationID
	destinationBank
	amount
	period
)

// Read reads the files of a bank, one of banks, which are all that take part. See the package documentation for the files and the rules. It takes
// O(n log n) time and a small multiple of the files' size in memory.
func Read(bank string, banks []string, accounts, transactions File) (*Ledger, error) {
	if !slices.Contains(banks, bank) {
		return nil, fmt.Errorf("bank %s is none of those that take part: %s", quote(bank), strings.Join(banks, ", "))
	}
	l := &Ledger{Bank: bank}
	lines, err := l.readAccounts(accounts)
	if err != nil {
		return nil, err
	}
	r := &transactionReader{ledger: l, scored: lines, banks: make(map[string]string), unscored: make(map[string]bool)}
	for _, b := range banks {
		r.banks[b] = b
	}
	if err := r.read(transactions); err != nil {
		return nil, err
	}
	return l, nil
}

// readAccounts fills in the accounts and returns the line of each.
func (l *Ledger) readAccounts(f File) (map[string]int, error) {
	t, err := open(f, []string{accountID: "id", accountScore: "risk_score"}, accountScore+1)
	if err != nil {
		return nil, err
	}
	l.Warnings = append(l.Warnings, t.warning()...)
	lines := make(map[string]int)
	err = t.each(func() error {
		id, err := t.newID(accountID, lines)
		if err != nil {
			return err
		}
		score, err := t.score(accountScore)
		if err != nil {
			return err
		}
		l.Accounts = append(l.Accounts, Account{id, score})
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(l.Accounts, func(a, b Account) int { return strings.Compare(a.ID, b.ID) })
	return lines, nil
}

// transactionReader turns the transactions of a bank into its edges.
type transactionReader struct {
	ledger *Ledger
	scored map[string]int    // own accounts
	banks  map[string]string // that take part, each under its own name, so that one copy of it is kept

	unscored       map[string]bool // own sources without a score
	omitted        int             // their transactions
	unscoredSample string          // where the first of them is, for the warning
}

func (r *transactionReader) read(f File) error {
	columns := []string{
		sourceID: "id_source", sourceBank: "bank_source", destinationID: "id_destination", destinationBank: "bank_destination",
		amount: "amount", period: "period",
	}
	t, err := open(f, columns, amount+1)
	if err != nil {
		return err
	}
	l := r.ledger
	l.Warnings = append(l.Warnings, t.warning()...)
	if err := t.each(func() error { return r.row(t) }); err != nil {
		return err
	}
	if r.omitted > 0 {
		l.Warnings = append(l.Warnings, fmt.Sprintf("%s: transactions left out because their source has no score in the accounts file: %d, of %d accounts, the first %s",
			f.Name, r.omitted, len(r.unscored), r.unscoredSample))
	}
	l.Edges = addUp(l.Edges)
	return nil
}

// addUp sorts edges and makes one of all that differ in nothing but the amount, in place.
func addUp(edges []Edge) []Edge {
	slices.SortFunc(edges, Edge.compare)
	sums := edges[:0]
	for _, e := range edges {
		if last := len(sums) - 1; last >= 0 && sums[last].compare(e) == 0 {
			sums[last].Amount = sums[last].Amount.Add(e.Amount)
			continue
		}
		sums = append(sums, e)
	}
	return slices.Clip(sums)
}

// row enters one transaction as an edge of its own.
func (r *transactionReader) row(t *table) error {
	own := r.ledger.Bank
	source, err := r.endpoint(t, sourceID, sourceBank)
	if err != nil {
		return err
	}
	destination, err := r.endpoint(t, destinationID, destinationBank)
	if err != nil {
		return err
	}
	if source.Bank != own && destination.Bank != own {
		return t.errorf(sourceBank, "a transaction between %s and %s is not one of %s: its file has those with an account of %s on at least one side",
			source.Bank, destination.Bank, own, own)
	}
	money, err := fixed.ParseAmount(t.text(amount))
	if err != nil {
		return t.errorf(amount, "%w, found %s", err, quote(t.text(amount)))
	}
	when, err := periodOf(t)
	if err != nil {
		return err
	}
	if _, ok := r.scored[destination.ID]; destination.Bank == own && !ok {
		return t.errorf(destinationID, "account %s receives money but has no score: add it to the accounts file", quote(destination.ID))
	}
	if _, ok := r.scored[source.ID]; source.Bank == own && !ok {
		if r.omitted == 0 {
			r.unscoredSample = fmt.Sprintf("%s in line %d", quote(source.ID), t.lineOf(sourceID))
		}
		r.omitted++
		r.unscored[source.ID] = true
		return nil
	}
	r.ledger.Edges = append(r.ledger.Edges, Edge{when, source, destination, money})
	return nil
}

// endpoint returns one side of the present transaction.
func (r *transactionReader) endpoint(t *table, id, bank int) (Endpoint, error) {
	account, err := t.id(id)
	if err != nil {
		return Endpoint{}, err
	}
	name, ok := r.banks[t.text(bank)]
	if !ok {
		return Endpoint{}, t.errorf(bank, "bank %s is none of those that take part: %s", quote(t.text(bank)), strings.Join(slices.Sorted(maps.Keys(r.banks)), ", "))
	}
	return Endpoint{name, account}, nil
}

// periodOf returns the present transaction's period, 0 where the file has no such column.
func periodOf(t *table) (int, error) {
	if !t.has(period) {
		return 0, nil
	}
	text := t.text(period)
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > MaxPeriod || strconv.Itoa(n) != text {
		return 0, t.errorf(period, "a period is a whole number from 0 to %d, without leading zeros, found %s", MaxPeriod, quote(text))
	}
	return n, nil
}
