package jet

import (
	"strings"
	"testing"
	"time"
)

// TestServerTime: what a server may answer, and what it may not.
func TestServerTime(t *testing.T) {
	want := time.Date(2026, 11, 23, 12, 0, 0, 5, time.UTC)
	if got, err := serverTime([]byte(`{"server":{"name":"n","time":"2026-11-23T12:00:00.000000005Z"},"data":{}}`)); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, answer := range []string{"", "{}", "[]", `{"server":{}}`, `{"server":{"time":"soon"}}`, `{"server":{"time":1}}`, `{"server":{"time":"2026-11-23T12:00:00Z"}` + strings.Repeat(" ", maxServerInfo) + "}"} {
		if got, err := serverTime([]byte(answer)); err == nil {
			t.Errorf("%.30q tells %v", answer, got)
		}
	}
}
