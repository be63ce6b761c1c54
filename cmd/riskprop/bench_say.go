package main

import (
	"fmt"
	"slices"
)

// say tells people what the report holds.
func (b *bench) say() {
	r := b.report
	where := "all parties and a server in this process"
	if r.Processes {
		where = "a server and every party a process of its own"
	}
	b.ui.say("\n%d banks, a key of %d bits, %s, seed %d; %s, on %s. Arithmetic: %s.",
		r.Parties, r.KeyBits, b.terms.steps(), r.Seed, where, processors(r.Processors), r.Arithmetic)
	if b.Scale.list == nil {
		b.sayPhases()
	} else {
		b.sayScale()
	}
	if r.Keygen != nil {
		r.Keygen.say(b.ui)
	}
	if b.Scale.list == nil {
		for _, run := range r.Runs {
			run.say(b.ui, r.Processes)
		}
	}
	if r.Server != nil {
		b.ui.say("The server: %.2f s of CPU and a peak of %s, in all sessions.", r.Server.CPU, size(r.Server.Peak))
	}
	if r.Naive != nil {
		r.Naive.say(b.ui, r.Runs[len(r.Runs)-1])
	}
}

// processors counts them.
func processors(n int) string {
	if n == 1 {
		return "1 processor"
	}
	return fmt.Sprintf("%d processors", n)
}

// cost adds a line of what something has cost.
func (t *table) cost(label string, c cost, rates ...string) {
	t.add(append([]string{label, fmt.Sprintf("%.2f", c.Seconds), known(c.CPU), fmt.Sprint(c.Bytes)}, rates...)...)
}

// sayPhases tells what a key and one propagation have cost.
func (b *bench) sayPhases() {
	r, t := b.report, new(table)
	t.add("phase", "seconds", "CPU s", "bytes written", "accounts/s", "edges/s")
	all, around := noCost(), noCost()
	outside := func(c *cost) {
		if c != nil {
			around = around.plus(*c)
		}
	}
	if r.Keygen != nil {
		last := r.Keygen.Runs[len(r.Keygen.Runs)-1]
		label := "key generation"
		if n := len(r.Keygen.Runs); n > 1 {
			label = fmt.Sprintf("%s (the last of %d)", label, n)
		}
		t.cost(label, last.cost, unknown, unknown)
		all = all.plus(last.cost)
		outside(last.Around)
	}
	for _, run := range r.Runs {
		for _, p := range run.Phases {
			t.cost(p.label, p.cost, figure(p.Accounts), figure(p.Edges))
		}
		t.cost("propagation", run.Rounds)
		all = all.plus(run.Rounds)
		outside(run.Around)
	}
	if r.Processes {
		t.cost("start and end of the parties", around)
		all = all.plus(around)
	}
	if all.CPU == nil {
		all.CPU = r.cpu()
	}
	t.cost("total", all)
	t.say(b.ui)
	if r.Processes && len(r.Runs) > 0 && r.Runs[0].CPUMicros == nil {
		b.ui.say("The system does not tell what a process uses before it has ended: CPU seconds are known in total only.")
	}
}

// cpu is what the parties have used from start to end, for the last key and the propagation.
func (r *benchReport) cpu() *float64 {
	sum := 0.0
	if r.Keygen != nil {
		if last := r.Keygen.Runs[len(r.Keygen.Runs)-1]; last.All != nil {
			sum += *last.All
		}
	}
	for _, run := range r.Runs {
		if run.All != nil {
			sum += *run.All
		}
	}
	return &sum
}

// sayScale compares propagations of several sizes.
func (b *bench) sayScale() {
	t := new(table)
	t.add("accounts", "transactions", "seconds", "CPU s", "us/account", "ratio", "peak memory", "bytes/account", "largest error")
	before := 0.0
	for _, run := range b.report.Runs {
		t.add(fmt.Sprint(run.Accounts), fmt.Sprint(run.Transactions), fmt.Sprintf("%.2f", run.Rounds.Seconds), known(run.Rounds.CPU),
			fmt.Sprintf("%.0f", run.Micros), figure(run.Micros/before), size(run.largest()), fmt.Sprintf("%.0f", run.PerAccount), fmt.Sprintf("%.1e", run.MaxError))
		before = run.Micros
	}
	t.say(b.ui)
	b.ui.say("The ratio is that of us/account to the row before; bytes/account is the peak memory of all parties together.")
}

// say tells what the search for keys came to.
func (k *keygenReport) say(u *ui) {
	for i, run := range k.Runs {
		number := ""
		if len(k.Runs) > 1 {
			number = fmt.Sprintf(" %d", i+1)
		}
		u.say("Key%s: %.2f s, attempts %d, candidates %d, tested %d; a peak of %s.",
			number, run.Seconds, run.Attempts, run.Candidates, run.Tested, size(run.largest()))
	}
	if q := k.Seconds; q != nil {
		u.say("Seconds of %d key generations: min %.2f, q1 %.2f, median %.2f, q3 %.2f, max %.2f.", len(k.Runs), q.Min, q.Q1, q.Median, q.Q3, q.Max)
	}
}

// largest is the peak of the process that had the largest one.
func (m memory) largest() int64 { return slices.Max(m.Peaks) }

// say tells what does not fit the table of phases.
func (r runReport) say(u *ui, processes bool) {
	of := "of the process"
	if processes {
		of = "of the largest party"
	}
	u.say("%d accounts and %d edges: %.0f us an account, %s us of CPU; a peak of %s %s, %.0f bytes an account; largest error %.1e.",
		r.Accounts, r.Transactions, r.Micros, unknownOr(r.CPUMicros), size(r.largest()), of, r.PerAccount, r.MaxError)
}

func unknownOr(x *float64) string {
	if x == nil {
		return unknown
	}
	return fmt.Sprintf("%.0f", *x)
}

// say compares the two ways.
func (n *naiveReport) say(u *ui, run runReport) {
	u.say("\nThe straightforward way, with math/big alone and without packing, was measured on %d of the %d accounts, with %d of the %d edges; what it came to is right. "+
		"Scaled up to all of them, in CPU seconds:", n.Accounts, run.Accounts, n.Incomes, run.Transactions)
	t := new(table)
	t.add("phase", "naive", "here", "ratio")
	for _, p := range append(slices.Clone(n.Phases), n.Total) {
		ratio := unknown
		if p.Ratio != nil {
			ratio = figure(*p.Ratio)
		}
		t.add(p.label, fmt.Sprintf("%.2f", p.Naive), known(p.Own), ratio)
	}
	t.say(u)
}
