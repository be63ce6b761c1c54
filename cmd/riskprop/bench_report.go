package main

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"

	"riskprop/crypto/modular"
)

// benchReport is the JSON object of bench. Seconds are on the wall unless their name says cpu. With all parties in one process its
// costs are those of that process, with the server; otherwise those of all parties' processes together, without it.
type benchReport struct {
	Arithmetic string        `json:"arithmetic"` // what multiplies modulo N²
	Processors int           `json:"processors"` // that a process may use
	Processes  bool          `json:"processes"`  // a server and the parties as processes of their own
	KeyBits    uint32        `json:"key_bits"`
	Parties    int           `json:"parties"`
	Threshold  uint32        `json:"threshold"`
	Iterations int           `json:"iterations"`
	Seed       uint64        `json:"seed"`
	Keygen     *keygenReport `json:"key_generation,omitempty"`
	Runs       []runReport   `json:"propagations,omitempty"`
	Server     *benchServer  `json:"server,omitempty"` // a process of its own
	Naive      *naiveReport  `json:"naive,omitempty"`  // against the last propagation
	Seconds    float64       `json:"seconds"`          // of the whole benchmark, with all that is not counted above
}

// keygenReport is what keys cost.
type keygenReport struct {
	Runs    []keygenRun `json:"runs"`
	Seconds *quartiles  `json:"quartiles,omitempty"` // of the seconds, where there are several
}

// keygenRun is what one key cost.
type keygenRun struct {
	cost              // of the rounds
	attempts          // in them
	Around   *cost    `json:"start_and_end,omitempty"`   // of the processes
	All      *float64 `json:"all_cpu_seconds,omitempty"` // from the start to the end
	memory
}

// runReport is what a propagation cost.
type runReport struct {
	Accounts     int           `json:"accounts"`
	Transactions int           `json:"transactions"` // those of one source and destination are one
	Phases       []phaseReport `json:"phases"`
	Rounds       cost          `json:"total"`                     // of the phases
	Around       *cost         `json:"start_and_end,omitempty"`   // of the processes: with reading the key's share and the data, and writing the scores
	All          *float64      `json:"all_cpu_seconds,omitempty"` // from the start to the end
	Micros       float64       `json:"microseconds_per_account"`
	CPUMicros    *float64      `json:"cpu_microseconds_per_account,omitempty"`
	memory
	PerAccount float64 `json:"peak_bytes_per_account"` // of all parties together
	MaxError   float64 `json:"max_error"`              // against the computation in the clear
}

// phaseReport is what a phase of a propagation cost.
type phaseReport struct {
	Phase string `json:"phase"`
	label string
	cost
	Accounts float64 `json:"accounts_per_second,omitempty"` // accounts times updates of all scores
	Edges    float64 `json:"edges_per_second,omitempty"`    // likewise
}

// memory is the peak of the memory in bytes: of every party, or of the process with all of them.
type memory struct {
	Peaks []int64 `json:"peak_bytes"`
}

// quartiles are the smallest and the largest of a list of numbers, and the three that cut it into quarters.
type quartiles struct {
	Min    float64 `json:"min"`
	Q1     float64 `json:"q1"`
	Median float64 `json:"median"`
	Q3     float64 `json:"q3"`
	Max    float64 `json:"max"`
}

// quartilesOf interpolates between the two numbers next to a quarter. There must be a number.
func quartilesOf(numbers []float64) quartiles {
	sorted := slices.Sorted(slices.Values(numbers))
	at := func(quarters int) float64 {
		place := float64(quarters) / 4 * float64(len(sorted)-1)
		below := int(place)
		above := min(below+1, len(sorted)-1)
		return sorted[below] + (place-float64(below))*(sorted[above]-sorted[below])
	}
	return quartiles{at(0), at(1), at(2), at(3), at(4)}
}

// newReport fills in what is known before anything runs.
func (c *benchCommand) newReport(p *plan) *benchReport {
	return &benchReport{
		Arithmetic: modular.Path(), Processors: runtime.GOMAXPROCS(0), Processes: c.Processes,
		KeyBits: c.KeyBits, Parties: len(p.banks), Threshold: p.terms.keygen.Threshold, Iterations: len(p.terms.delta), Seed: c.Seed,
	}
}

// addKey adds a key generation.
func (r *benchReport) addKey(done *measured) *keygenRun {
	if r.Keygen == nil {
		r.Keygen = new(keygenReport)
	}
	k := r.Keygen
	k.Runs = append(k.Runs, keygenRun{cost: done.rounds(), attempts: done.attempts, Around: r.around(done), All: done.cpu, memory: memory{done.peaks}})
	if len(k.Runs) > 1 {
		var seconds []float64
		for _, run := range k.Runs {
			seconds = append(seconds, run.Seconds)
		}
		q := quartilesOf(seconds)
		k.Seconds = &q
	}
	return &k.Runs[len(k.Runs)-1]
}

// around is what processes cost besides the rounds.
func (r *benchReport) around(done *measured) *cost {
	if !r.Processes {
		return nil
	}
	return &done.around
}

// addRun adds a propagation with so many updates of all scores.
func (r *benchReport) addRun(done *measured, in *input, steps int) *runReport {
	run := runReport{
		Accounts: in.accounts(), Transactions: in.transactions(), Rounds: done.rounds(), Around: r.around(done), All: done.cpu,
		memory: memory{done.peaks},
	}
	for i, p := range benchPhases() {
		spent := done.phases[i]
		if spent.rounds == 0 {
			continue
		}
		accounts, edges := p.times(steps)
		run.Phases = append(run.Phases, phaseReport{
			Phase: p.name, label: p.label, cost: spent.cost,
			Accounts: perSecond(accounts*run.Accounts, spent.Seconds), Edges: perSecond(edges*run.Transactions, spent.Seconds),
		})
	}
	each := 1e6 / float64(run.Accounts)
	run.Micros = run.Rounds.Seconds * each
	if run.Rounds.CPU != nil {
		cpu := *run.Rounds.CPU * each
		run.CPUMicros = &cpu
	}
	run.PerAccount = float64(run.sum()) / float64(run.Accounts)
	r.Runs = append(r.Runs, run)
	return &r.Runs[len(r.Runs)-1]
}

// perSecond is a rate; 0 where no time has passed.
func perSecond(count int, seconds float64) float64 {
	if rate := float64(count) / seconds; !math.IsNaN(rate) && !math.IsInf(rate, 0) {
		return rate
	}
	return 0
}

func (m memory) sum() int64 {
	sum := int64(0)
	for _, peak := range m.Peaks {
		sum += peak
	}
	return sum
}

// write writes the object.
func (r *benchReport) write(u *ui) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	u.object(text)
	return nil
}
