package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string][]int{
		"300": {300}, "1k,10k,100k": {1000, 10_000, 100_000}, "999,1k,1001,2M": {999, 1000, 1001, 2_000_000}, "2147483647": {math.MaxInt32},
	} {
		var s sizes
		if err := s.UnmarshalText([]byte(text)); err != nil || !slices.Equal(s.list, want) {
			t.Errorf("%s: %v, %v", text, s.list, err)
		}
	}
	for _, text := range []string{"", "k", "1,", "0", "0k", "-1", "+1", "1.5k", "1K", "1 k", "1kk", "2148M", "99999999999999999999", "10,10", "10k,1k",
		strings.Repeat("1,", 50), "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21"} {
		var s sizes
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: %v", text, s.list)
		}
	}
}

func TestQuartiles(t *testing.T) {
	for _, c := range []struct {
		numbers []float64
		want    quartiles
	}{
		{[]float64{7}, quartiles{7, 7, 7, 7, 7}},
		{[]float64{3, 1}, quartiles{1, 1.5, 2, 2.5, 3}},
		{[]float64{5, 1, 4, 2, 3}, quartiles{1, 2, 3, 4, 5}},
		{[]float64{4, 3, 2, 1}, quartiles{1, 1.75, 2.5, 3.25, 4}},
	} {
		if got := quartilesOf(c.numbers); got != c.want {
			t.Errorf("%v: %v, not %v", c.numbers, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.Float64Range(0, 1000), 1, 50).Draw(t, "numbers")
		q := quartilesOf(numbers)
		if q.Min != slices.Min(numbers) || q.Max != slices.Max(numbers) || !slices.IsSorted([]float64{q.Min, q.Q1, q.Median, q.Q3, q.Max}) {
			t.Errorf("%v", q)
		}
		below := 0
		for _, x := range numbers {
			if x <= q.Median {
				below++
			}
		}
		if 2*below < len(numbers) {
			t.Errorf("%d of %d are up to the median", below, len(numbers))
		}
	})
}

func TestTable(t *testing.T) {
	var list table
	list.add("phase", "seconds", "ratio")
	list.add("tags", "1.50", "-")
	list.add("größer", "12345678.00")
	list.add("", "")
	want := []string{
		"  phase       seconds  ratio",
		"  tags           1.50      -",
		"  größer  12345678.00",
		"",
	}
	if got := list.lines(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := new(table).lines(); len(got) != 0 {
		t.Errorf("%q", got)
	}
	for x, want := range map[float64]string{0: "-", math.Inf(1): "-", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 0.001: "0.00"} {
		if got := figure(x); got != want {
			t.Errorf("%v: %s, not %s", x, got, want)
		}
	}
	if perSecond(3, 0) != 0 || perSecond(0, 0) != 0 || perSecond(3, 2) != 1.5 {
		t.Error("rates")
	}
}

// TestPhaseOf: every round of a propagation is in a phase, and the first encryption is not among the scores.
func TestPhaseOf(t *testing.T) {
	terms := sessionTerms{steps: 6, loop: 3}
	names := []string{"stand-in.2"}
	for number := range terms.steps + len(lastNames()) + 1 {
		if name := terms.name(number, nil); name != "" {
			names = append(names, name)
		}
	}
	var got []string
	for _, name := range names {
		got = append(got, benchPhases()[phaseOf(name)].name)
	}
	want := []string{"opening", "setup", "encryption", "scores", "scores", "scores", "scores", "scores", "packing", "opening", "opening", "opening"}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("a round of another protocol has a phase")
		}
	}()
	phaseOf("sieve")
}

// TestMeter: a round's cost is what passes until the last party has left it, and goes to its phase.
func TestMeter(t *testing.T) {
	cpu := 10.0
	m := newMeter(2, len(benchPhases()), phaseOf)
	m.cpu = func() (float64, bool) { return cpu, true }
	var shown []string
	m.show = func(round string) { shown = append(shown, round) }
	start := time.Now()
	m.begin()
	for i, name := range []string{"agree", "scores.0.0", "scores.0.1", "scores.0.2", "final", "open", "confirm"} {
		round := 2 * i // not every number is that of a round
		m.entered(round, name)
		cpu++ // of the round before, in which the other one still is
		m.entered(round, name)
		cpu += 10
		m.wrote(round, 100)
		m.wrote(round, 1)
	}
	m.entered(14, "done")
	m.entered(14, "done")
	wall := time.Since(start).Seconds()
	seconds := 0.0
	for i, want := range []phaseCost{
		{cost{0, new(12.0), 101}, 1}, // with what was used before the first round
		{cost{0, new(11.0), 101}, 1},
		{cost{0, new(22.0), 202}, 2},
		{cost{0, new(11.0), 101}, 1},
		{cost{0, new(21.0), 202}, 2},
	} {
		got := m.phases()[i]
		if got.rounds != want.rounds || got.CPU == nil || *got.CPU != *want.CPU || got.Bytes != want.Bytes || got.Seconds < 0 {
			t.Errorf("phase %d: %+v, CPU %v", i, got, *got.CPU)
		}
		seconds += got.Seconds
	}
	if seconds > wall {
		t.Errorf("%v s in the phases, %v s passed", seconds, wall)
	}
	if len(shown) != 8 || shown[0] != "agree" {
		t.Errorf("%v", shown)
	}
}

// TestBlindMeter: where the system does not tell what is used, phases have no such figure.
func TestBlindMeter(t *testing.T) {
	m := newMeter(1, 1, oneForAll)
	m.cpu = func() (float64, bool) { return 0, false }
	m.begin()
	m.ended(0, "sieve", 5)
	m.ended(1, "moduli", 6)
	if got := m.phases()[0]; got.CPU != nil || got.Bytes != 11 || got.rounds != 2 {
		t.Errorf("%+v", got)
	}
}

// TestUsage: the system's figures are of the right size.
func TestUsage(t *testing.T) {
	own, known := ownCPU()
	if !known || own <= 0 {
		t.Errorf("%v, %v", own, known)
	}
	before := ownPeak()
	ballast := make([]byte, before+64<<20)
	for i := range ballast {
		ballast[i] = 1
	}
	if after := ownPeak(); before < 1<<20 || after < before+32<<20 || after > 100*before+1<<30 {
		t.Errorf("a peak of %d, and then of %d with %d more", before, after, len(ballast))
	}
	if cpu, known := cpuOf(os.Getpid()); known && (cpu < 0 || cpu > own+60) {
		t.Errorf("%v s, and %v s", cpu, own)
	}
	if _, known := cpuOf(-1); known || peakOf(-1) != 0 {
		t.Error("a process that is not there")
	}
}

// TestLines: lines come whole, however they are written, and the last error is kept.
func TestLines(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	var heard []string
	l := &lines{to: file, heard: func(line string) { heard = append(heard, line) }}
	text := "one\n\nriskprop: error: first\nriskprop: error: second\nlast\nrest"
	for _, b := range []byte(text) {
		if _, err := l.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Write([]byte(" of it\nand\nmore")); err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "", "riskprop: error: first", "riskprop: error: second", "last", "rest of it", "and"}
	kept, err := os.ReadFile(file.Name())
	if !slices.Equal(heard, want) || l.error != want[3] || err != nil || string(kept) != text+" of it\nand\nmore" {
		t.Errorf("%q, %q, %q, %v", heard, l.error, kept, err)
	}
}

// TestSayUnknown: what the system does not tell is a dash, and the total has what was told at the end.
func TestSayUnknown(t *testing.T) {
	var stdout bytes.Buffer
	p, err := (&benchCommand{Accounts: 3, Banks: 3, Iterations: 1, KeyBits: 256, Repeat: 1}).plan()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{benchCommand: new(benchCommand), plan: p, ui: newUI(&stdout, io.Discard, func(error) {})}
	r := &benchReport{Processes: true, Processors: 1, Server: &benchServer{1, 1 << 20}}
	around := cost{Seconds: 1}
	r.Keygen = &keygenReport{Runs: []keygenRun{{cost: cost{Seconds: 2}, All: new(5.0), Around: &around, memory: memory{[]int64{1, 3, 2}}}}}
	r.Runs = []runReport{{Accounts: 3, Transactions: 4, Rounds: cost{Seconds: 4}, Around: &around, All: new(7.0), memory: memory{[]int64{1}},
		Phases: []phaseReport{{Phase: "opening", label: "opening", cost: cost{Seconds: 4}}}}}
	r.Naive = new(naiveReport)
	r.Naive.scale(r.Runs[0], naiveSize{accounts: 3, parties: 3, steps: 1})
	b.report = r
	b.say()
	for _, want := range []string{
		"on 1 processor.", "  key generation                   2.00      -  ", "\n  propagation                      4.00      -  ",
		"\n  start and end of the parties     2.00      -  ", "\n  total                            8.00  12.00  ", "CPU seconds are known in total only.\n",
		"- us of CPU", "  opening   0.00     -      -\n", "  total     0.00  7.00      -\n",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("%q is not in\n%s", want, stdout.String())
		}
	}
}

// TestBenchNames: the fields of the object keep their names.
func TestBenchNames(t *testing.T) {
	q, around := quartiles{}, cost{}
	text, err := json.Marshal(benchReport{
		Keygen: &keygenReport{Runs: []keygenRun{{Around: &around, All: new(1.0)}}, Seconds: &q},
		Runs:   []runReport{{Phases: []phaseReport{{Accounts: 1, Edges: 1}}, Rounds: cost{CPU: new(1.0)}, CPUMicros: new(1.0)}},
		Naive:  &naiveReport{Phases: []naivePhase{{Own: new(1.0), Ratio: new(2.0)}}}, Server: new(benchServer),
	})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"arithmetic":"","processors":0,"processes":false,"key_bits":0,"parties":0,"threshold":0,"iterations":0,"seed":0,` +
		`"key_generation":{"runs":[{"seconds":0,"bytes_written":0,"attempts":0,"candidates":0,"tested":0,"start_and_end":{"seconds":0,"bytes_written":0},` +
		`"all_cpu_seconds":1,"peak_bytes":null}],"quartiles":{"min":0,"q1":0,"median":0,"q3":0,"max":0}},` +
		`"propagations":[{"accounts":0,"transactions":0,"phases":[{"phase":"","seconds":0,"bytes_written":0,"accounts_per_second":1,"edges_per_second":1}],` +
		`"total":{"seconds":0,"cpu_seconds":1,"bytes_written":0},"microseconds_per_account":0,"cpu_microseconds_per_account":1,` +
		`"peak_bytes":null,"peak_bytes_per_account":0,"max_error":0}],` +
		`"server":{"cpu_seconds":0,"peak_bytes":0},` +
		`"naive":{"sample_accounts":0,"sample_edges":0,"operations":{"encrypt_seconds":0,"weigh_seconds":0,"rerandomize_seconds":0,` +
		`"decrypt_partially_seconds":0,"combine_seconds":0},"phases":[{"phase":"","naive_cpu_seconds":0,"cpu_seconds":1,"ratio":2}],` +
		`"total":{"phase":"","naive_cpu_seconds":0}},"seconds":0}`
	if string(text) != want {
		t.Errorf("%s", text)
	}
}
