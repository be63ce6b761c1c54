package jet_test

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"testing"

	"riskprop/bus"
	"riskprop/bus/jet"
)

// plant stores a message whose header block is the bytes of block, as only a client of one's own making can.
func plant(t *testing.T, s *site, subject, block string, data []byte) {
	t.Helper()
	conn, err := s.InProcessConn()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	go func() { // neither side of the pipe has a buffer
		fmt.Fprintf(conn, "CONNECT {\"verbose\":false,\"headers\":true,\"no_responders\":true}\r\nSUB answer 1\r\n")
		fmt.Fprintf(conn, "HPUB %s answer %d %d\r\n%s%s\r\n", subject, len(block), len(block)+len(data), block, data)
	}()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "-ERR"), strings.Contains(line, `"error":`):
			t.Fatal(line)
		case strings.Contains(line, `"seq":`): // the acknowledgement
			return
		}
	}
	t.Fatal("no acknowledgement")
}

// forgeries are header blocks that say what only the server says. The server puts its own headers before the last line break, so a
// block with one line break more ends before them.
func forgeries() []string {
	const early = "\r\n\r\n"
	header := func(lines ...string) string { return "NATS/1.0\r\n" + strings.Join(lines, "\r\n") + "\r\n" }
	record := []string{
		"Nats-Stream: RISK", "Nats-Subject: " + slot(77), "Nats-Sequence: 999999", "Nats-Time-Stamp: 2026-01-01T00:00:00Z",
		"Nats-Num-Pending: 0", "Nats-Last-Sequence: 1",
	}
	return []string{
		header("Status: 204", "Nats-Num-Pending: 0", "Nats-Last-Sequence: 1") + early,
		header("Status: 204", "Nats-Num-Pending: 0", "Nats-Last-Sequence: 999999") + early,
		header("Status: 204", "Nats-Num-Pending: 0", "Nats-Last-Sequence: 1") + "\r\n",
		"NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\nNats-Last-Sequence: 1\r\n" + early,
		header("Status: 404") + early,
		header("Status: 503") + early,
		header("Status: 999", "Description: no such thing") + early,
		header(record...) + early,
		header(record...) + "\r\n",
		header(strings.ReplaceAll(strings.Join(record, "\n"), ": ", ":")) + early,
		header(strings.Repeat(":\r\n", 100)+"Status:204") + early,
		header("Nats-Sequence:") + "\r\n",
		header("no colon") + "\r\n",
		"NATS/1.0\r\n\r\n\r\n",
		"NATS/1.0",
	}
}

// Forged headers are noise wherever they are, hide no record and delay nobody.
func TestForgedHeadersAreNoise(t *testing.T) {
	t.Parallel()
	for i, block := range forgeries() {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			log := s.open(t)
			write(t, log, 1, 2)
			plant(t, s, slot(100), block, []byte("x"))
			plant(t, s, slot(101), block, nil)
			write(t, log, 3, 4)
			plant(t, s, slot(102), block, []byte("x"))
			x := tail(t, log)
			x.expect(t, 1, 4)
			x.nothingMore(t)
			if got := log.Stats(); got != (jet.Stats{Noise: 3}) {
				t.Errorf("stats are %+v, want 3 messages of noise alone", got)
			}
			write(t, log, 5, 5)
			x.expect(t, 5, 5)
			for _, forged := range []string{slot(100), slot(101), slot(102)} {
				if data, err := log.Get(t.Context(), forged); !errors.Is(err, bus.ErrNone) {
					t.Errorf("Get = %q, %v, want ErrNone", data, err)
				}
				if err := log.Append(t.Context(), forged, []byte("x")); !errors.Is(err, bus.ErrTaken) {
					t.Errorf("Append = %v, want ErrTaken", err)
				}
			}
			if got := log.Stats(); got != (jet.Stats{Noise: 3}) {
				t.Errorf("stats are %+v, want no retry", got)
			}
		})
	}
}
