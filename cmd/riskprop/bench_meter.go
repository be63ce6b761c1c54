package main

import (
	"sync"
	"time"
)

// meter measures the phases of one session. A round is over when the last party has left it: what time and work have gone
// by since the round before was over belongs to its phase. Safe for concurrent use.
type meter struct {
	parties int
	phase   func(round string) int               // of a round's name
	cpu     func() (seconds float64, known bool) // used so far
	show    func(name string)                    // told of the round of the party that is ahead

	mu      sync.Mutex
	at      time.Time // when the last round was over, or the session began
	used    float64   // at that time
	known   bool      // how much that was
	names   map[int]string
	left    map[int]int   // parties that have left a round
	written map[int]int64 // by round
	spent   []phaseCost
}

// phaseCost is what a phase has cost in the rounds that are over.
type phaseCost struct {
	cost
	rounds int
}

// newMeter returns a meter of a session with so many phases.
func newMeter(parties, phases int, phase func(round string) int) *meter {
	m := &meter{
		parties: parties, phase: phase, cpu: ownCPU, show: func(string) {},
		names: make(map[int]string), left: make(map[int]int), written: make(map[int]int64), spent: make([]phaseCost, phases),
	}
	for i := range m.spent {
		m.spent[i].cost = noCost()
	}
	return m
}

// begin begins the session. A later call begins it again, as long as no party has left a round.
func (m *meter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = time.Now()
	m.used, m.known = m.cpu()
}

// entered is told that a party has come to a round, and so has left the one before.
func (m *meter) entered(round int, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.name(round, name)
	for before := round - 1; before >= 0; before-- { // not every number is that of a round
		if _, known := m.names[before]; known {
			m.leave(before)
			return
		}
	}
}

// ended is told that a party has left a round, with so many bytes written in it.
func (m *meter) ended(round int, name string, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.name(round, name)
	m.written[round] += bytes
	m.leave(round)
}

// wrote is told of what a party has written.
func (m *meter) wrote(round int, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written[round] += bytes
}

func (m *meter) name(round int, name string) {
	if _, known := m.names[round]; !known {
		m.names[round] = name
		m.show(name)
	}
}

func (m *meter) leave(round int) {
	if m.left[round]++; m.left[round] < m.parties {
		return
	}
	before, usedBefore, knownBefore := m.at, m.used, m.known
	m.at = time.Now()
	m.used, m.known = m.cpu()
	c := cost{Seconds: m.at.Sub(before).Seconds(), Bytes: m.written[round]}
	if m.known && knownBefore {
		cpu := m.used - usedBefore
		c.CPU = &cpu
	}
	spent := &m.spent[m.phase(m.names[round])]
	spent.cost = spent.plus(c)
	spent.rounds++
}

// phases returns what every phase has cost.
func (m *meter) phases() []phaseCost {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]phaseCost(nil), m.spent...)
}
