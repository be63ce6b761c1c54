package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"math"
	"math/big"
	"runtime"

	"riskprop/cmd/riskprop/internal/naive"
	"riskprop/crypto/fixed"
	"riskprop/party/ledger"
	"riskprop/party/plain"
)

// This file measures the straightforward computation of package naive on some accounts, and works out what it would cost for all.

// sampleSize is the number of accounts of the sample among few banks; among many it is smaller, since each of them decrypts.
const sampleSize = 16

// naiveReport is what the straightforward computation costs. Seconds are those of processors, of all parties together.
type naiveReport struct {
	Accounts   int          `json:"sample_accounts"`
	Incomes    int          `json:"sample_edges"`
	Operations naiveSeconds `json:"operations"`
	Phases     []naivePhase `json:"phases"` // those with an arithmetic of their own
	Total      naivePhase   `json:"total"`  // of these phases
}

// naiveSeconds is what one operation costs.
type naiveSeconds struct {
	Encrypt     float64 `json:"encrypt_seconds"`
	Weigh       float64 `json:"weigh_seconds"` // a ciphertext to the power of a weight, times the others
	Rerandomize float64 `json:"rerandomize_seconds"`
	Partial     float64 `json:"decrypt_partially_seconds"` // one party's part
	Combine     float64 `json:"combine_seconds"`
}

// naivePhase compares a phase: the estimate, and what was measured. What is not known is not there.
type naivePhase struct {
	Phase string   `json:"phase"`
	Naive float64  `json:"naive_cpu_seconds"`
	Own   *float64 `json:"cpu_seconds,omitempty"`
	Ratio *float64 `json:"ratio,omitempty"`
	label string
}

// compare fills in what was measured, and the ratio.
func (p naivePhase) compare(own *float64) naivePhase {
	p.Own = own
	if own != nil && *own > 0 {
		ratio := p.Naive / *own
		p.Ratio = &ratio
	}
	return p
}

// naiveRow is one account of the sample: its own score is the first source.
type naiveRow struct {
	sources []ledger.Endpoint
	weights []uint64
	want    float64 // its score after one step, computed in the clear
}

// naive measures one step of the straightforward computation on a sample of the data, checks what comes out, and compares it with the last
// propagation.
func (b *bench) naive(ctx context.Context, k *sharedKey, in *input) (*naiveReport, error) {
	public, err := naive.NewKey(k.key.N, k.key.Theta, k.key.Parties)
	if err != nil {
		return nil, err
	}
	s := &naiveRun{ctx: ctx, key: public, shares: k.shares, threshold: k.key.Threshold, scores: scoresOf(in)}
	s.choose(in, b.terms, min(in.accounts(), max(4, 3*sampleSize/len(in.ledgers))))
	runtime.GC()
	if err := s.run(); err != nil {
		return nil, err
	}
	report := &naiveReport{Accounts: len(s.rows), Operations: s.seconds}
	for _, row := range s.rows {
		report.Incomes += len(row.sources) - 1
	}
	report.scale(b.report.Runs[len(b.report.Runs)-1], sizeOf(in, len(b.terms.delta)))
	return report, nil
}

// scoresOf are the initial scores of all accounts.
func scoresOf(in *input) map[ledger.Endpoint]float64 {
	scores := make(map[ledger.Endpoint]float64)
	for _, l := range in.ledgers {
		for _, a := range l.Accounts {
			scores[ledger.Endpoint{Bank: l.Bank, ID: a.ID}] = a.Score
		}
	}
	return scores
}

// naiveSize is how much there is of everything.
type naiveSize struct {
	accounts, edges, parties, steps int
	sent                            int // accounts whose score another bank gets
}

func sizeOf(in *input, steps int) naiveSize {
	sent := make(map[ledger.Endpoint]struct{})
	for _, l := range in.ledgers {
		for _, e := range l.Edges {
			if e.Source.Bank == l.Bank && e.Destination.Bank != l.Bank {
				sent[e.Source] = struct{}{}
			}
		}
	}
	return naiveSize{in.accounts(), in.transactions(), len(in.ledgers), steps, len(sent)}
}

// costs is what each phase would cost. Every account is encrypted; in every later step those are re-randomised that another bank
// gets, and at the end all, since all are decrypted, each by all parties.
func (n naiveSize) costs(each naiveSeconds) map[string]float64 {
	accounts, step := float64(n.accounts), float64(n.edges+n.accounts)*each.Weigh
	return map[string]float64{
		"encryption": accounts * each.Encrypt,
		"scores":     float64(n.steps-1) * (step + float64(n.sent)*each.Rerandomize),
		"packing":    step + accounts*each.Rerandomize,
		"opening":    accounts * (float64(n.parties)*each.Partial + each.Combine),
	}
}

// scale works out the costs of the whole, and compares them with those of a propagation.
func (r *naiveReport) scale(run runReport, size naiveSize) {
	costs := size.costs(r.Operations)
	r.Total = naivePhase{Phase: "total", label: "total"}
	own := noCost()
	for _, p := range run.Phases {
		if estimate, there := costs[p.Phase]; there {
			r.Phases = append(r.Phases, naivePhase{Phase: p.Phase, label: p.label, Naive: estimate}.compare(p.CPU))
			r.Total.Naive += estimate
			own = own.plus(p.cost)
		}
	}
	if own.CPU == nil {
		own.CPU = run.All // of all phases, and of the processes' start and end
	}
	r.Total = r.Total.compare(own.CPU)
}

// naiveRun is the straightforward computation on some accounts.
type naiveRun struct {
	ctx       context.Context
	key       *naive.Key
	shares    []*big.Int
	threshold int
	scores    map[ledger.Endpoint]float64
	rows      []naiveRow

	ciphertexts map[ledger.Endpoint]*big.Int
	sums        []*big.Int
	partials    [][]*big.Int
	seconds     naiveSeconds
}

// choose takes so many accounts, evenly from all, with their incomes in the first period.
func (s *naiveRun) choose(in *input, t *terms, count int) {
	results := plain.Propagate(in.ledgers, t.delta[:1], 1)
	all, next, taken := in.accounts(), 0, 0
	for i, l := range in.ledgers {
		chosen := make(map[string]int) // rows
		for a, account := range l.Accounts {
			if next++; taken < count && next > taken*all/count {
				taken++
				chosen[account.ID] = len(s.rows)
				s.rows = append(s.rows, naiveRow{sources: []ledger.Endpoint{{Bank: l.Bank, ID: account.ID}}, want: results[i].Scores[a].Final})
			}
		}
		amounts := make(map[int][]fixed.Amount)
		for _, e := range l.Edges {
			row, there := chosen[e.Destination.ID]
			if !there || e.Destination.Bank != l.Bank || e.Period != 0 {
				continue
			}
			s.rows[row].sources = append(s.rows[row].sources, e.Source)
			amounts[row] = append(amounts[row], e.Amount)
		}
		for _, row := range chosen {
			s.rows[row].weights = fixed.Weights(t.propagate.Delta[0], amounts[row], weightBits)
		}
	}
}

// run computes one step, operation by operation, and checks what comes out.
func (s *naiveRun) run() error {
	var err error
	measure := func(each *float64, operation func() (count int)) {
		if err == nil {
			before, _ := ownCPU()
			count := operation()
			after, _ := ownCPU()
			*each = (after - before) / float64(max(count, 1))
			if cause := context.Cause(s.ctx); cause != nil {
				err = cause
			}
		}
	}
	measure(&s.seconds.Encrypt, s.encrypt)
	measure(&s.seconds.Weigh, s.weigh)
	measure(&s.seconds.Rerandomize, s.rerandomize)
	measure(&s.seconds.Partial, s.decrypt)
	measure(&s.seconds.Combine, func() int {
		err = s.combine()
		return len(s.rows)
	})
	return err
}

// Each of these returns how many operations it took.

func (s *naiveRun) encrypt() int {
	s.ciphertexts = make(map[ledger.Endpoint]*big.Int)
	for _, row := range s.rows {
		for _, source := range row.sources {
			if s.ciphertexts[source] == nil && s.ctx.Err() == nil {
				s.ciphertexts[source] = s.key.Encrypt(rand.Reader, fixed.Score(s.scores[source], scoreBits))
			}
		}
	}
	return len(s.ciphertexts)
}

func (s *naiveRun) weigh() int {
	count := 0
	for _, row := range s.rows {
		of := make([]*big.Int, len(row.sources))
		for j, source := range row.sources {
			of[j] = s.ciphertexts[source]
		}
		s.sums = append(s.sums, s.key.WeightedSum(of, row.weights))
		count += len(of)
	}
	return count
}

func (s *naiveRun) rerandomize() int {
	for i, sum := range s.sums {
		s.sums[i] = s.key.Rerandomize(rand.Reader, sum)
	}
	return len(s.sums)
}

func (s *naiveRun) decrypt() int {
	for _, sum := range s.sums {
		if s.ctx.Err() != nil {
			break
		}
		var parts []*big.Int
		for _, share := range s.shares {
			parts = append(parts, s.key.Partial(sum, share))
		}
		s.partials = append(s.partials, parts)
	}
	return len(s.partials) * len(s.shares)
}

func (s *naiveRun) combine() error {
	for i, parts := range s.partials {
		m, err := s.key.Combine(parts[:s.threshold+1])
		if err != nil {
			return fmt.Errorf("the naive way, account %d of the sample: %w", i+1, err)
		}
		if got := fixed.Float(m, scoreBits+weightBits); !(math.Abs(got-s.rows[i].want) <= worstError) {
			return fmt.Errorf("the naive way comes to the score %v of account %d of the sample, in place of %v: what was measured is of no use", got, i+1, s.rows[i].want)
		}
	}
	return nil
}
