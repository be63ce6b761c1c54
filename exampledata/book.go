package exampledata

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// account is an account of a book: the number of its bank and its id there.
type account struct {
	bank int
	id   string
}

// book collects the files of all banks.
type book struct{ pages []page }

type page struct {
	bank                   string
	accounts, transactions bytes.Buffer
}

func newBook(banks []string) *book {
	b := &book{make([]page, len(banks))}
	for i, bank := range banks {
		b.pages[i].bank = bank
		b.pages[i].accounts.WriteString("id,risk_score\n")
		b.pages[i].transactions.WriteString("id_source,bank_source,id_destination,bank_destination,amount,period\n")
	}
	return b
}

// open enters the account of a number, from 1, at a bank. Its score is in thousandths, below 1000.
func (b *book) open(bank, number, score int) account {
	p := &b.pages[bank]
	a := account{bank, accountID(p.bank, number)}
	line := append(p.accounts.AvailableBuffer(), a.id...)
	line = append(line, ",0."...)
	line = append(line, strconv.Itoa(1000 + score)[1:]...)
	p.accounts.Write(append(line, '\n'))
	return a
}

// pay enters a payment in the files of both banks, or once where they are the same.
func (b *book) pay(period int, from, to account, cents int) {
	for _, bank := range []int{from.bank, to.bank} {
		w := &b.pages[bank].transactions
		line := w.AvailableBuffer()
		for _, field := range []string{from.id, b.pages[from.bank].bank, to.id, b.pages[to.bank].bank} {
			line = append(line, field...)
			line = append(line, ',')
		}
		line = strconv.AppendInt(line, int64(cents/100), 10)
		line = append(line, '.')
		line = append(line, strconv.Itoa(100 + cents%100)[1:]...)
		line = append(line, ',')
		line = strconv.AppendInt(line, int64(period), 10)
		w.Write(append(line, '\n'))
		if from.bank == to.bank {
			break
		}
	}
}

func (b *book) folders() []Folder {
	folders := make([]Folder, len(b.pages))
	for i := range b.pages {
		p := &b.pages[i]
		folders[i] = Folder{p.bank, p.accounts.Bytes(), p.transactions.Bytes()}
	}
	return folders
}

// accountID names the account of a number at a bank.
func accountID(bank string, number int) string {
	return fmt.Sprintf("NL-%s-%04d", strings.ToUpper(bank), number)
}

// bankNames returns alice, bob, charlie and so on to grace, then bank08, bank09, …
func bankNames(n int) []string {
	names := []string{"alice", "bob", "charlie", "dave", "erin", "frank", "grace"}
	for i := len(names); i < n; i++ {
		names = append(names, fmt.Sprintf("bank%02d", i+1))
	}
	return names[:n]
}
