package exampledata

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riskprop/crypto/fixed"
	"riskprop/party/ledger"
)

func mustRandom(t interface{ Fatalf(string, ...any) }, c Config) []Folder {
	folders, err := Random(c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return folders
}

func rows(data []byte) [][]string {
	var rows [][]string
	for line := range strings.Lines(string(data)) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), ","))
	}
	return rows[1:] // without the header
}

func TestRandomHasTheSizeAsked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := Config{Banks: rapid.IntRange(3, 31).Draw(t, "banks"), Transactions: rapid.IntRange(0, 100).Draw(t, "transactions"),
			Periods: rapid.IntRange(1, 5).Draw(t, "periods"), Seed: rapid.Uint64().Draw(t, "seed")}
		c.Accounts = rapid.IntRange(c.Banks, 100).Draw(t, "accounts")
		folders := mustRandom(t, c)
		if len(folders) != c.Banks {
			t.Fatalf("%d folders", len(folders))
		}
		accounts, twiceTransactions := 0, 0
		periods := make(map[string]bool)
		for _, f := range folders {
			n := len(rows(f.Accounts))
			if n < c.Accounts/c.Banks || n > c.Accounts/c.Banks+1 {
				t.Fatalf("%s has %d of %d accounts", f.Bank, n, c.Accounts)
			}
			accounts += n
			for _, row := range rows(f.Transactions) {
				if row[1] == row[3] {
					twiceTransactions++
				}
				twiceTransactions++
				periods[row[5]] = true
			}
		}
		if accounts != c.Accounts || twiceTransactions != 2*c.Transactions || len(periods) != min(c.Periods, c.Transactions) {
			t.Fatalf("%d accounts, %d/2 transactions, %d periods", accounts, twiceTransactions, len(periods))
		}
	})
}

// Both banks of a transaction list it, with the same amount, and every account in it has a score.
func TestRandomFilesAgreeWithEachOther(t *testing.T) {
	ledgers := readAll(t, mustRandom(t, Config{Banks: 4, Accounts: 50, Transactions: 1000, Periods: 3, Seed: 7}))
	lists := func(bank string, e ledger.Edge) bool {
		for _, l := range ledgers {
			if l.Bank == bank {
				return slices.Contains(l.Edges, e)
			}
		}
		return false
	}
	least, _ := fixed.ParseAmount("1")
	between := 0
	for _, l := range ledgers {
		for _, e := range l.Edges {
			if !lists(e.Source.Bank, e) || !lists(e.Destination.Bank, e) {
				t.Fatalf("%v is not in both files", e)
			}
			if e.Source == e.Destination || e.Amount.Float() < least.Float() {
				t.Fatalf("%v", e)
			}
			if e.Source.Bank != e.Destination.Bank {
				between++
			}
		}
	}
	if between < 1000 { // about 3 of 4, each in two files
		t.Errorf("only %d edges between banks", between)
	}
}

func TestRandomDependsOnTheSeedAlone(t *testing.T) {
	c := Config{Banks: 3, Accounts: 30, Transactions: 60, Periods: 2, Seed: 1}
	first, again := mustRandom(t, c), mustRandom(t, c)
	c.Seed = 2
	other := mustRandom(t, c)
	for i := range first {
		if !bytes.Equal(first[i].Accounts, again[i].Accounts) || !bytes.Equal(first[i].Transactions, again[i].Transactions) {
			t.Errorf("%s differs between two runs", first[i].Bank)
		}
		if bytes.Equal(first[i].Accounts, other[i].Accounts) || bytes.Equal(first[i].Transactions, other[i].Transactions) {
			t.Errorf("%s is the same for two seeds", first[i].Bank)
		}
	}
}

func TestRandomScoresAreMostlyLow(t *testing.T) {
	high, all := 0, 0
	for _, l := range readAll(t, mustRandom(t, Config{Banks: 3, Accounts: 3000, Periods: 1, Seed: 3})) {
		for _, a := range l.Accounts {
			all++
			if a.Score >= 0.5 {
				high++
			} else if a.Score >= 0.1 {
				t.Fatalf("score %v", a.Score)
			}
		}
	}
	if high < all/40 || high > all/10 {
		t.Errorf("%d of %d accounts have a high score", high, all)
	}
}

func TestBankNames(t *testing.T) {
	folders := mustRandom(t, Config{Banks: 31, Accounts: 31, Periods: 1})
	want := []string{"alice", "bob", "charlie", "dave", "erin", "frank", "grace", "bank08", "bank09", "bank10"}
	for i, bank := range want {
		if folders[i].Bank != bank {
			t.Errorf("bank %d is %s, want %s", i, folders[i].Bank, bank)
		}
	}
	if last := folders[30].Bank; last != "bank31" {
		t.Errorf("the last bank is %s", last)
	}
}

func TestConfigRefuses(t *testing.T) {
	good := Config{Banks: 3, Accounts: 3, Transactions: 0, Periods: 1}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for names, change := range map[string]func(*Config){
		"banks are 2":         func(c *Config) { c.Banks = 2 },
		"banks are 32":        func(c *Config) { c.Banks, c.Accounts = 32, 100 },
		"accounts are 2":      func(c *Config) { c.Accounts = 2 },
		"transactions are -1": func(c *Config) { c.Transactions = -1 },
		"periods are 0":       func(c *Config) { c.Periods = 0 },
		"periods are 10001":   func(c *Config) { c.Periods = 10_001 },
	} {
		c := good
		change(&c)
		if _, err := Random(c); err == nil || !strings.HasPrefix(err.Error(), names) {
			t.Errorf("%+v: %v, want an error that begins with %q", c, err, names)
		}
	}
}

func BenchmarkRandom(b *testing.B) {
	for b.Loop() {
		if _, err := Random(Config{Banks: 3, Accounts: 1_000_000, Transactions: 1_000_000, Periods: 3}); err != nil {
			b.Fatal(err)
		}
	}
}
