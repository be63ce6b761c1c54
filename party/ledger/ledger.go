// Package ledger is what one bank brings to a propagation: its accounts with their initial scores, and the transactions it sees. It reads the two CSV
// files of a bank into one checked value, and writes and reads the scores that come out. The package touches no file system: files come as bytes with the
// name that errors are to cite.
//
// # Files
//
// The accounts file has the columns id and risk_score, one line for each account of the bank: an id of at most 100 characters, unique within the bank,
// and a score from 0 to 1. The transactions file has the columns id_source, bank_source, id_destination, bank_destination, amount and, optionally,
// period (0 without it), one line for each transaction that the bank sees: at least one side is its own, and a transaction between two banks is in the
// files of both. Columns are found by their exact names in the header, in any order; others are ignored with a warning. Fields may be quoted, lines may
// end in CRLF, a byte order mark is accepted, the text is UTF-8.
//
// # Rules
//
// The rules are those of the protocol, section 2. All transactions of one source, destination and period are added up to one [Edge]. A source of the
// bank's own that has no score takes no part: its transactions are left out, with a warning. A destination of the bank's own that has no score is an
// error, as is everything that the files cannot have meant: the first one found is returned, as "NAME:LINE: column X: what to do". What an error quotes
// of a file is cut short, since it ends up on terminals and in logs.
//
// A Ledger is in sorted order throughout. Two files that say the same in another order, quoting or splitting of amounts make equal ledgers, with
// equal digests.
package ledger

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"strings"

	"riskprop/crypto/fixed"
)

const (
	// MaxPeriod is the highest period of a transaction; the lowest is 0.
	MaxPeriod = 9999
	// MaxID is the length of the longest account id, in characters.
	MaxID = 100
)

// File is a file's content and the name that errors cite, such as "data/alice/accounts.csv".
type File struct {
	Name string
	Data []byte
}

// Account is an account of the bank with its initial score, 0 to 1.
type Account struct {
	ID    string
	Score float64
}

// Endpoint is one side of a transaction: an account at a bank. An id is unique at its bank only.
type Endpoint struct{ Bank, ID string }

// Compare orders endpoints by bank, then id.
func (e Endpoint) Compare(o Endpoint) int {
	if c := strings.Compare(e.Bank, o.Bank); c != 0 {
		return c
	}
	return strings.Compare(e.ID, o.ID)
}

// Edge is all that flowed from one account to another in one period. Edges are comparable with ==.
type Edge struct {
	Period              int
	Source, Destination Endpoint
	Amount              fixed.Amount
}

// compare orders edges by period, destination and source, which together are unique in a ledger.
func (e Edge) compare(o Edge) int {
	if c := cmp.Compare(e.Period, o.Period); c != 0 {
		return c
	}
	if c := e.Destination.Compare(o.Destination); c != 0 {
		return c
	}
	return e.Source.Compare(o.Source)
}

// Ledger is what one bank brings, as [Read] made it.
type Ledger struct {
	Bank     string
	Accounts []Account // sorted by id, which is unique
	Edges    []Edge    // sorted by period, destination and source; every own source and destination is in Accounts
	Warnings []string  // for the user; not part of the digest
}

// Periods returns the number of periods, the highest of an edge + 1 and at least 1.
func (l *Ledger) Periods() int {
	if len(l.Edges) == 0 {
		return 1
	}
	return l.Edges[len(l.Edges)-1].Period + 1
}

// Digest returns the SHA-256 of an injective encoding of the bank, its accounts and its edges. It depends on what the files say, not on how they say it.
func (l *Ledger) Digest() [32]byte {
	d := digest{sha256.New(), nil}
	d.text("riskprop ledger 1")
	d.text(l.Bank)
	d.number(uint64(len(l.Accounts)))
	for _, a := range l.Accounts {
		d.text(a.ID)
		d.number(math.Float64bits(a.Score))
	}
	d.number(uint64(len(l.Edges)))
	for _, e := range l.Edges {
		d.number(uint64(e.Period))
		for _, end := range []Endpoint{e.Source, e.Destination} {
			d.text(end.Bank)
			d.text(end.ID)
		}
		amount := e.Amount.Bytes()
		d.buf = append(d.buf, amount[:]...)
		d.flush()
	}
	d.flush()
	return [32]byte(d.hash.Sum(nil))
}

// digest writes numbers of 8 bytes, big end first, and texts after their length.
type digest struct {
	hash hash.Hash
	buf  []byte // not yet hashed
}

func (d *digest) number(n uint64) { d.buf = binary.BigEndian.AppendUint64(d.buf, n) }

func (d *digest) text(s string) {
	d.number(uint64(len(s)))
	d.buf = append(d.buf, s...)
}

func (d *digest) flush() {
	d.hash.Write(d.buf)
	d.buf = d.buf[:0]
}

// quote returns s in quotes, what is unprintable escaped, cut after 40 characters.
func quote(s string) string {
	const limit = 40
	n := 0
	for i := range s {
		if n == limit {
			return fmt.Sprintf("%q…", s[:i])
		}
		n++
	}
	return fmt.Sprintf("%q", s)
}
