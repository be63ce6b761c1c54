package party

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"riskprop/schema"
)

// TestSecretsVectors compares every stream and shared key of a party with known answers: what they depend on, and on how,
// must never change, or a party that is started again after an update would say something else.
func TestSecretsVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/secrets.csv")
	if err != nil {
		t.Fatal(err)
	}
	reader := csv.NewReader(strings.NewReader(string(text)))
	reader.Comment = '#'
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string)
	for i, row := range rows[1:] {
		got := derived(t, row[:8])
		if got != row[8] {
			t.Errorf("row %d, %s: %s", i+1, strings.Join(row[:8], ","), got)
		}
		if other, there := seen[got]; there {
			t.Errorf("row %d is that of %s", i+1, other)
		}
		seen[got] = strings.Join(row[:8], ",")
	}
	if len(rows) < 11 {
		t.Errorf("%d rows", len(rows))
	}
}

// derived is what a row asks for: party, protocol, session, round, first byte of the transcript, first byte of the input,
// kind (stream, or shared with a member) and label.
func derived(t *testing.T, row []string) string {
	t.Helper()
	var ids []*Identity
	var members []schema.Member
	for i, name := range []string{"alice", "bob", "charlie"} {
		id, err := NewIdentity(name, [32]byte{byte(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		ids, members = append(ids, id), append(members, id.Public())
	}
	roster, err := schema.NewRoster(members)
	if err != nil {
		t.Fatal(err)
	}
	var round, seen, input int
	if _, err := fmt.Sscan(row[3]+" "+row[4]+" "+row[5], &round, &seen, &input); err != nil {
		t.Fatal(err)
	}
	self, _ := roster.Index(row[0])
	m, err := NewMachine(Session{Proto: row[1], ID: row[2], Roster: roster}, ids[self], [32]byte{byte(input)}, Ended{}.round())
	if err != nil {
		t.Fatal(err)
	}
	m.number, m.now.seen = round, [32]byte{byte(seen)}
	if peer, shared := strings.CutPrefix(row[6], "shared with "); shared {
		i, _ := roster.Index(peer)
		return fmt.Sprintf("%x", m.secrets().Shared(i, row[7]))
	}
	out := make([]byte, 32)
	if _, err := io.ReadFull(m.secrets().Stream(row[7]), out); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", out)
}

// silent is a round in which nothing happens.
type silent struct{ Ended }

func (silent) Plan() Plan { return Plan{Name: "silent"} }

func (Ended) round() Round { return silent{} }
