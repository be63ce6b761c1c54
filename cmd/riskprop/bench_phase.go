package main

// benchPhase is a group of rounds of which a benchmark tells what it costs, as one.
type benchPhase struct {
	name   string   // in JSON
	label  string   // for people
	rounds []string // names of rounds, or their kinds
	// How often a phase handles every account and every edge; perStep: as often as it has updates of all scores.
	accounts, edges, perStep bool
}

// benchPhases are the phases of a propagation. A party computes the scores of a step at the beginning of the next round: so the first
// round of scores has the first encryption and no update, and the final round the last update besides the packing.
func benchPhases() []benchPhase {
	return []benchPhase{
		{name: "setup", label: "tags and edges", rounds: []string{"agree"}, accounts: true, edges: true},
		{name: "encryption", label: "first encryption", rounds: []string{"scores.0.0"}, accounts: true},
		{name: "scores", label: "scores", rounds: []string{"scores"}, accounts: true, edges: true, perStep: true},
		{name: "packing", label: "last scores, packing", rounds: []string{"final"}, accounts: true, edges: true},
		{name: "opening", label: "opening", rounds: []string{roundOpen, "stand-in", "check", "confirm"}, accounts: true},
	}
}

// phaseOf finds the phase of a round of a propagation, as an index of benchPhases. The whole name counts before the kind.
func phaseOf(round string) int {
	for _, name := range []string{round, roundKind(round)} {
		for i, p := range benchPhases() {
			for _, r := range p.rounds {
				if r == name {
					return i
				}
			}
		}
	}
	panic("riskprop: the round " + round + " is in no phase of a benchmark")
}

// times is how often a phase of a propagation with so many steps handles accounts, and edges.
func (p benchPhase) times(steps int) (accounts, edges int) {
	times := 1
	if p.perStep {
		times = steps - 1
	}
	if p.accounts {
		accounts = times
	}
	if p.edges {
		edges = times
	}
	return accounts, edges
}

// oneForAll is the phase of every round of a key generation.
func oneForAll(string) int { return 0 }

// cost is what something has taken.
type cost struct {
	Seconds float64  `json:"seconds"`               // on the wall
	CPU     *float64 `json:"cpu_seconds,omitempty"` // of all parties; not there where the system does not tell
	Bytes   int64    `json:"bytes_written"`         // on the log, by all parties
}

// plus adds two costs up. What of one is not known is not known of the sum.
func (c cost) plus(d cost) cost {
	sum := cost{Seconds: c.Seconds + d.Seconds, Bytes: c.Bytes + d.Bytes}
	if c.CPU != nil && d.CPU != nil {
		cpu := *c.CPU + *d.CPU
		sum.CPU = &cpu
	}
	return sum
}

// noCost is the sum of nothing.
func noCost() cost { return cost{CPU: new(float64)} }
