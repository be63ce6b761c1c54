package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// BenchmarkDemo is a whole run with 2048 bits on the built-in example. How long the search for a key takes is a matter of luck; the other
// phases are not. The peak of the memory is that of the process, this test's own part included.
func BenchmarkDemo(b *testing.B) {
	out := b.TempDir()
	var sum seconds
	candidates := 0
	for b.Loop() {
		got := runHere(b, "demo", "--json", "--out="+out)
		var r report
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil || got.status != statusOK {
			b.Fatalf("%v in %+v", err, got)
		}
		sum.Keygen += r.Seconds.Keygen
		sum.Propagate += r.Seconds.Propagate
		sum.Open += r.Seconds.Open
		sum.Total += r.Seconds.Total
		candidates += r.Keygen.Candidates
	}
	n := float64(b.N)
	b.ReportMetric(sum.Total/n, "s")
	b.ReportMetric(sum.Keygen/n, "keygen-s")
	b.ReportMetric(sum.Keygen/float64(candidates)*1000, "keygen-s/1000-candidates")
	b.ReportMetric(sum.Propagate/n, "propagate-s")
	b.ReportMetric(sum.Open/n, "open-s")
	b.ReportMetric(peakMB(b), "peak-MB")
}

// peakMB returns the largest resident set of this process so far, in MB.
func peakMB(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		var kB float64
		if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kB); n == 1 {
			return kB / 1000
		}
	}
	b.Fatal("no VmHWM in /proc/self/status")
	return 0
}
