package exampledata

import (
	"fmt"
	"math/rand/v2"
)

const (
	minBanks   = 3
	maxBanks   = 31
	maxPeriods = 10_000
)

// Config is the size of a random network.
type Config struct {
	Banks        int    // 3 to 31
	Accounts     int    // of all banks together, spread evenly; at least one a bank
	Transactions int    // of all banks together, spread evenly over the periods; one between two banks is in the files of both
	Periods      int    // 1 to 10,000
	Seed         uint64 // another seed, another network
}

// Validate reports the first field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.Banks < minBanks || c.Banks > maxBanks:
		return fmt.Errorf("banks are %d: choose %d to %d", c.Banks, minBanks, maxBanks)
	case c.Accounts < c.Banks:
		return fmt.Errorf("accounts are %d: choose at least one for each of %d banks", c.Accounts, c.Banks)
	case c.Transactions < 0:
		return fmt.Errorf("transactions are %d: choose 0 or more", c.Transactions)
	case c.Periods < 1 || c.Periods > maxPeriods:
		return fmt.Errorf("periods are %d: choose 1 to %d", c.Periods, maxPeriods)
	}
	return nil
}

// Random returns the files of a random network: nineteen accounts of twenty have a score below 0.1, the others one of at least 0.5, and every transaction
// goes from any account to any other. The banks are alice, bob, charlie, dave, erin, frank, grace, bank08, bank09 and so on. Time and memory are linear in
// the size. An error is that of [Config.Validate].
func Random(c Config) ([]Folder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := generator(c.Seed)
	b := newBook(bankNames(c.Banks))
	accounts := make([]account, c.Accounts)
	for i := range accounts {
		score := r.IntN(100)
		if r.IntN(20) == 0 {
			score = 500 + r.IntN(500)
		}
		accounts[i] = b.open(i%c.Banks, i/c.Banks+1, score)
	}
	for i := range c.Transactions {
		from, to := two(r, accounts)
		b.pay(i*c.Periods/c.Transactions, from, to, amount(r))
	}
	return b.folders(), nil
}

// generator returns the source of everything random here.
func generator(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// two returns two different accounts.
func two(r *rand.Rand, accounts []account) (from, to account) {
	i, j := r.IntN(len(accounts)), r.IntN(len(accounts)-1)
	if j >= i {
		j++
	}
	return accounts[i], accounts[j]
}

// amount returns cents, from 1.00 to 9999.99, every power of ten as likely.
func amount(r *rand.Rand) int {
	least := 100
	for range r.IntN(4) {
		least *= 10
	}
	return least + r.IntN(9*least)
}
