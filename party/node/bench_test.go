package node_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus/mem"
	"riskprop/crypto/fixed"
	"riskprop/exampledata"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/node"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// benchKeygen generates one key, with the parameters of the demo, all parties in this process.
func benchKeygen(b *testing.B, roster *schema.Roster, ids []*party.Identity, session string, bits int) ([]*keygen.Done, []node.Stats) {
	b.Helper()
	manifest := schema.KeygenManifest{Version: schema.ManifestVersion, Session: session, Roster: roster.Digest(),
		KeyBits: uint32(bits), Threshold: 1, Kappa: 80, Batch: 384, TrialTo: 1 << 17}
	store := mem.NewStore()
	var configs []node.Config
	for _, id := range ids {
		first, err := keygen.Start(manifest, roster)
		if err != nil {
			b.Fatal(err)
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: session, Roster: roster}, id, [32]byte{}, first)
		if err != nil {
			b.Fatal(err)
		}
		configs = append(configs, node.Config{Log: store.Open(nil), Roster: roster, Machine: m, Logger: zerolog.Nop()})
	}
	stats, errs := runAll(b.Context(), configs)
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	var done []*keygen.Done
	for _, c := range configs {
		done = append(done, c.Machine.Round().(*keygen.Done))
	}
	return done, stats
}

// BenchmarkKeygen reports, over its runs, the quartiles of the time in seconds, the mean numbers of candidates and of
// moduli tested, and the mean of the bytes that a party wrote. The number of candidates is geometric. Run it with
// -benchtime 5x or more.
func BenchmarkKeygen(b *testing.B) {
	for _, bits := range []int{1024, 2048} {
		b.Run(fmt.Sprint(bits), func(b *testing.B) {
			roster, ids, err := partytest.Identities("alice", "bob", "charlie")
			if err != nil {
				b.Fatal(err)
			}
			var seconds []float64
			var candidates, tested, bytes float64
			for b.Loop() {
				begin := time.Now()
				done, stats := benchKeygen(b, roster, ids, fmt.Sprintf("bench-%d", len(seconds)), bits)
				seconds = append(seconds, time.Since(begin).Seconds())
				candidates += float64(done[0].Stats.Candidates)
				tested += float64(done[0].Stats.Tested)
				bytes += float64(stats[0].Bytes+stats[1].Bytes+stats[2].Bytes) / 3
			}
			slices.Sort(seconds)
			runs := float64(len(seconds))
			b.ReportMetric(seconds[len(seconds)/4], "q1_s")
			b.ReportMetric(seconds[len(seconds)/2], "median_s")
			b.ReportMetric(seconds[len(seconds)*3/4], "q3_s")
			b.ReportMetric(candidates/runs, "candidates")
			b.ReportMetric(tested/runs, "tested")
			b.ReportMetric(bytes/runs, "bytes/party")
		})
	}
}

// BenchmarkPropagate runs two iterations with a key of 512 bits on networks that grow tenfold, with three transactions
// an account, and reports the cost of an account. What does not grow with the data is in it, so the figure falls.
func BenchmarkPropagate(b *testing.B) {
	roster, ids, err := partytest.Identities("alice", "bob", "charlie")
	if err != nil {
		b.Fatal(err)
	}
	keys, _ := benchKeygen(b, roster, ids, "key", 512)
	for _, accounts := range []int{300, 3000, 30000} {
		b.Run(fmt.Sprint(accounts), func(b *testing.B) {
			folders, err := exampledata.Random(exampledata.Config{Banks: 3, Accounts: accounts, Transactions: 3 * accounts, Periods: 1, Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			var ledgers []*ledger.Ledger
			for _, f := range folders {
				l, err := ledger.Read(f.Bank, roster.Names(), ledger.File{Name: "accounts.csv", Data: f.Accounts},
					ledger.File{Name: "transactions.csv", Data: f.Transactions})
				if err != nil {
					b.Fatal(err)
				}
				ledgers = append(ledgers, l)
			}
			var bytes int64
			for b.Loop() {
				bytes = benchPropagate(b, roster, ids, keys, ledgers)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*accounts), "us/account")
			b.ReportMetric(float64(bytes)/float64(accounts), "bytes/account")
		})
	}
}

func benchPropagate(b *testing.B, roster *schema.Roster, ids []*party.Identity, keys []*keygen.Done, ledgers []*ledger.Ledger) (bytes int64) {
	b.Helper()
	delta := fixed.Delta(0.5, 40)
	manifest := schema.PropagateManifest{Version: schema.ManifestVersion, Session: "run", Roster: roster.Digest(), Key: keys[0].ID, KeySession: "keys",
		Periods: 1, Delta: []uint64{delta, delta}, ScoreBits: 32, WeightBits: 40, MaxAccounts: 1 << 20, MaxEdges: 1 << 20}
	store := mem.NewStore()
	var configs []node.Config
	for i, id := range ids {
		config := propagate.Config{Manifest: manifest, Roster: roster, Key: keys[i].Key, KeyID: keys[i].ID,
			Share: keys[i].Share, Ledger: ledgers[i]}
		first, err := propagate.Start(config)
		if err != nil {
			b.Fatal(err)
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Propagate, ID: "run", Roster: roster}, id, config.Input(), first)
		if err != nil {
			b.Fatal(err)
		}
		configs = append(configs, node.Config{Log: store.Open(nil), Roster: roster, Machine: m, Logger: zerolog.Nop()})
	}
	stats, errs := runAll(b.Context(), configs)
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	for _, s := range stats {
		bytes += s.Bytes
	}
	return bytes
}
