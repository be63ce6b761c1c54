package propagate_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"riskprop/exampledata"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
)

// network is a random one of three banks with two transactions an account.
func network(b *testing.B, names []string, accounts int) []*ledger.Ledger {
	b.Helper()
	folders, err := exampledata.Random(exampledata.Config{Banks: len(names), Accounts: accounts, Transactions: 2 * accounts, Periods: 1, Seed: 1})
	if err != nil {
		b.Fatal(err)
	}
	var ledgers []*ledger.Ledger
	for _, f := range folders {
		l, err := ledger.Read(f.Bank, names, ledger.File{Name: "accounts.csv", Data: f.Accounts}, ledger.File{Name: "transactions.csv", Data: f.Transactions})
		if err != nil {
			b.Fatal(err)
		}
		ledgers = append(ledgers, l)
	}
	return ledgers
}

// BenchmarkMemory reports what is alive in the three parties together, at the highest, after an operation of any of them: in
// ciphertexts an account of its own, all included but for the log, for the rounds with much of it. What other banks send is about one
// ciphertext an account here.
func BenchmarkMemory(b *testing.B) {
	const accounts = 24000 // several parts each
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(b, names, 1024)
	configs := c.configs(network(b, names, accounts), 1, 0.5, 0.5)
	width := c.keys[0].Key.Ring().Width()
	for b.Loop() {
		log := partytest.NewLog(c.roster)
		before, highest := live(log), make(map[string]int64)
		var readers []*partytest.Reader
		for i := range configs {
			configs[i].Manifest.MaxAccounts, configs[i].Manifest.MaxEdges = accounts, 2*accounts
			m := c.machine(b, i, configs[i])
			r := partytest.NewReader(log, m)
			r.Fault = func(s partytest.Step) error {
				if s.After && s.Op != partytest.Look {
					highest[m.Name()] = max(highest[m.Name()], live(log)-before)
				}
				return nil
			}
			readers = append(readers, r)
		}
		configs = c.configs(network(b, names, accounts), 1, 0.5, 0.5) // those in use are to be free
		if err := partytest.RunReaders(readers...); err != nil {
			b.Fatal(err)
		}
		for _, round := range []string{"agree", "scores.0.0", "scores.0.1", "final", "open"} {
			b.ReportMetric(float64(highest[round])/float64(accounts*width), fmt.Sprint(round, "_ct/account"))
		}
	}
}

// TestNothingIsKept: when a party has spoken, the scores of the round before are gone, wherever they were.
func TestNothingIsKept(t *testing.T) {
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(t, names, 512)
	log := partytest.NewLog(c.roster)
	var readers []*partytest.Reader
	for i, config := range c.configs(circle(t, names), 1, 0.5, 0.5) {
		readers = append(readers, partytest.NewReader(log, c.machine(t, i, config)))
	}
	alice := readers[0].Machine
	for _, round := range []string{"scores.0.1", "final"} {
		forward(t, round, readers...)
		previous := propagate.Previous(alice.Round())
		if previous.Value() == nil {
			t.Fatalf("%s begins with nothing", round)
		}
		for slices.Contains(alice.Waiting(), "alice") {
			if _, err := readers[0].Step(); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		if alice.Name() != round || previous.Value() != nil {
			t.Errorf("in %s, when alice has spoken in %s, the scores of the round before are still there", alice.Name(), round)
		}
	}
}

// live is the number of bytes that are in use, without those on the log.
func live(log *partytest.Log) int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	bytes := int64(stats.HeapAlloc)
	for _, raw := range log.Records {
		bytes -= int64(cap(raw))
	}
	return bytes
}
