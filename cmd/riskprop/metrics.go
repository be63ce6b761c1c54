package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"riskprop/bus/jet"
	"riskprop/party/node"
)

// metrics is what a party tells a monitoring system. Names of rounds are cut to their kind, so that the number of series
// does not grow with the rounds.
type metrics struct {
	registry *prometheus.Registry

	round                               prometheus.Gauge
	rounds                              *prometheus.CounterVec
	roundSeconds                        *prometheus.HistogramVec
	waited                              *prometheus.CounterVec
	bytesWritten, partsWritten, noise   prometheus.Counter
	bytesHeard, partsHeard, blamed, end *prometheus.CounterVec

	now  func() time.Time
	self string
	up   func() bool // tells whether the log answers; nil: it always does

	mu    sync.Mutex
	state health
	began time.Time                // of the present wait; zero: the party does not wait
	since map[string]time.Duration // how much of it has been counted, by peer
	heard map[string]bool          // who has spoken in the present round
}

// health is the body of /healthz.
type health struct {
	Session   string `json:"session"`
	Round     string `json:"round"`     // empty while the key is read from the log
	Running   bool   `json:"running"`   // takes part in the session, or reads its key
	Connected bool   `json:"connected"` // the log answers
}

// newMetrics makes the series of one session.
func newMetrics(session, protocol, party string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(), now: time.Now, self: party,
		since: make(map[string]time.Duration), heard: make(map[string]bool), state: health{Session: session},
	}
	labels := prometheus.Labels{"session": session, "protocol": protocol, "party": party}
	own := prometheus.WrapRegistererWith(labels, m.registry)
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "riskprop_" + name, Help: help})
		own.MustRegister(c)
		return c
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "riskprop_" + name, Help: help}, labels)
		own.MustRegister(c)
		return c
	}
	m.round = prometheus.NewGauge(prometheus.GaugeOpts{Name: "riskprop_round", Help: "Number of the present round."})
	m.roundSeconds = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "riskprop_round_seconds", Help: "How long rounds took, by kind.", Buckets: prometheus.ExponentialBuckets(0.01, 4, 10),
	}, []string{"round"})
	own.MustRegister(m.round, m.roundSeconds)
	m.rounds = counters("rounds_done_total", "Rounds that are complete, by kind.", "round")
	m.waited = counters("waited_seconds_total", "Time spent waiting for a peer, by kind of round.", "peer", "round")
	m.bytesWritten = counter("bytes_written_total", "Bytes that this party has appended.")
	m.partsWritten = counter("parts_written_total", "Records that this party has appended.")
	m.noise = counter("noise_total", "Records that were passed over.")
	m.bytesHeard = counters("bytes_heard_total", "Bytes that a peer's heads list.", "peer")
	m.partsHeard = counters("parts_heard_total", "Parts that a peer's heads list.", "peer")
	m.blamed = counters("blame_total", "Times that a party was blamed.", "culprit")
	m.end = counters("session_ended_total", "Ends of the session, by verdict.", "verdict")
	return m
}

// watch adds what a log counts by itself.
func (m *metrics) watch(log *jet.Log) {
	for name, of := range map[string]func(jet.Stats) uint64{
		"retries_total":          func(s jet.Stats) uint64 { return s.Retries },
		"reads_rebuilt_total":    func(s jet.Stats) uint64 { return s.Rebuilt },
		"foreign_messages_total": func(s jet.Stats) uint64 { return s.Noise },
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "riskprop_log_" + name, Help: "Counted by the connection to the log."},
			func() float64 { return float64(of(log.Stats())) }))
	}
}

// roundKind is the kind of a round: scores for scores.3.2.
func roundKind(name string) string {
	first, _, _ := strings.Cut(name, ".")
	return first
}

// observe counts an event of the node.
func (m *metrics) observe(e node.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e.Kind {
	case node.Began:
		m.round.Set(float64(e.Round))
		m.state.Round = e.Name
		m.began = time.Time{}
		clear(m.since)
		clear(m.heard)
	case node.Heard:
		m.hear(e)
	case node.Spoke:
		m.bytesWritten.Add(float64(e.Bytes))
		m.partsWritten.Add(float64(e.Parts))
		m.began = m.now()
	case node.Waiting:
		if m.began.IsZero() { // it had spoken in an earlier life
			m.began = m.now().Add(-e.Duration)
		}
		m.wait(e.Awaited...)
	case node.Passed:
		m.noise.Inc()
	case node.Ended:
		m.rounds.WithLabelValues(roundKind(e.Name)).Inc()
		m.roundSeconds.WithLabelValues(roundKind(e.Name)).Observe(e.Duration.Seconds())
	}
}

// hear counts a head of a peer, and the time for which it was awaited.
func (m *metrics) hear(e node.Event) {
	if e.Party == m.self {
		return
	}
	m.bytesHeard.WithLabelValues(e.Party).Add(float64(e.Bytes))
	m.partsHeard.WithLabelValues(e.Party).Add(float64(e.Parts))
	if e.Name != "" && !m.heard[e.Party] { // of the present round
		m.wait(e.Party)
		m.heard[e.Party] = true
	}
}

// wait counts the time of waiting for peers that has not been counted yet.
func (m *metrics) wait(peers ...string) {
	if m.began.IsZero() {
		return
	}
	so := m.now().Sub(m.began)
	for _, peer := range peers {
		if counted := m.since[peer]; so > counted {
			m.waited.WithLabelValues(peer, roundKind(m.state.Round)).Add((so - counted).Seconds())
			m.since[peer] = so
		}
	}
}

// started takes note that the party takes part.
func (m *metrics) started() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Running = true
}

// ended counts the end of the session.
func (m *metrics) ended(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state.Running = false
	m.end.WithLabelValues(verdictOf(err)).Inc()
	if culprit := culpritOf(err); culprit != "" {
		m.blamed.WithLabelValues(culprit).Inc()
	}
}

// serve answers /metrics and /healthz at an address. The second result ends it.
func (m *metrics) serve(address string) (func(), error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("metrics at %s: %w: choose another address", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/healthz", m.healthz)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // the session does not depend on it
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			_ = server.Close()
		}
		<-ended
	}, nil
}

func (m *metrics) healthz(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	state := m.state
	m.mu.Unlock()
	state.Connected = m.up == nil || m.up()
	w.Header().Set("Content-Type", "application/json")
	if !state.Running || !state.Connected {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(state)
}
