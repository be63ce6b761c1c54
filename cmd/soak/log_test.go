package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nkeys"

	"riskprop/bus"
	"riskprop/bus/jet"
	"riskprop/crypto/seal"
	"riskprop/party"
	"riskprop/schema"
)

// reader reads the whole log, with the identities of all members.
type reader struct {
	logs   map[string]*jet.Log
	roster *schema.Roster
}

func newReader(t *testing.T, s *site) *reader {
	t.Helper()
	r := &reader{logs: make(map[string]*jet.Log)}
	ca, err := os.ReadFile(s.path("nats", "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	var members []schema.Member
	for _, bank := range banks() {
		seed := readSeed(t, s.path(bank, "identity.yaml"))
		id, err := party.NewIdentity(bank, seed)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, id.Public())
		raw := seal.Derive(seed[:], "riskprop/v1 nats key")
		pair, err := nkeys.FromRawSeed(nkeys.PrefixByteUser, raw[:])
		if err != nil {
			t.Fatal(err)
		}
		nkey, err := pair.PublicKey()
		if err != nil {
			t.Fatal(err)
		}
		connection, err := jet.Dial(t.Context(), s.addresses, jet.Credentials{Name: bank, NKey: nkey, Sign: pair.Sign, CA: ca})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(connection.Close)
		if r.logs[bank], err = jet.New(t.Context(), connection, jet.Config{Stream: "RISK", Party: bank, APIPrefix: jet.MemberAPIPrefix, Paced: true}); err != nil {
			t.Fatal(err)
		}
	}
	if r.roster, err = schema.NewRoster(members); err != nil {
		t.Fatal(err)
	}
	return r
}

func readSeed(t *testing.T, path string) [32]byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nseed: ")
	seed, err := hex.DecodeString(strings.TrimSpace(rest))
	if err != nil || len(seed) != 32 {
		t.Fatalf("%s: a seed of %d bytes, %v", path, len(seed), err)
	}
	return [32]byte(seed)
}

// records returns the digests of all records, by subject: what everybody may read, and what the heads say is addressed to one member.
func (r *reader) records(ctx context.Context) (map[string][32]byte, error) {
	records := make(map[string][32]byte)
	private := make(map[string]string) // recipients, by subject
	caughtUp := errors.New("caught up")
	err := r.logs["alice"].Tail(ctx, 0, jet.Shared, func(record bus.Record) error {
		records[record.Subject] = sha256.Sum256(record.Data)
		event, err := schema.Open(record.Subject, record.Data, r.roster)
		if err != nil || event.Head == nil {
			return err
		}
		parts := make(map[string]int)
		for _, ref := range event.Head.Parts {
			slot := event.Slot
			slot.To, slot.Part = ref.To, schema.Part(parts[ref.To])
			parts[ref.To]++
			if ref.To != schema.All {
				private[slot.Subject()] = ref.To
			}
		}
		return nil
	}, func() error { return caughtUp })
	if !errors.Is(err, caughtUp) {
		return nil, err
	}
	for subject, to := range private {
		data, err := r.logs[to].Get(ctx, subject)
		if err != nil {
			return nil, err
		}
		records[subject] = sha256.Sum256(data)
	}
	return records, nil
}

// wholeLog reads the log and checks that it holds nothing else, for which replicas that lag get a while.
func (s *site) wholeLog(t *testing.T) map[string][32]byte {
	t.Helper()
	r := newReader(t, s)
	limit, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		records, err := r.records(limit)
		state, stateErr := s.state(limit)
		if err == nil && stateErr == nil && len(records) == state.records {
			return records
		}
		if !pause(limit, 100*time.Millisecond) {
			t.Fatalf("%d records can be accounted for, %d are there (%v, %v)", len(records), state.records, err, stateErr)
		}
	}
}

// logState is what the operator sees of the log.
type logState struct {
	records int
	leader  int // index of the server that leads the shared stream
}

// state asks the servers until they have a leader for both streams.
func (s *site) state(ctx context.Context) (logState, error) {
	line := regexp.MustCompile(`(?m)^(RISK|RISK-PRIVATE) .* records: (\d+), .*, led by nats-(\d)$`)
	for {
		text, err := s.riskprop(ctx, "stream", "--config", s.path("operator.yaml"))
		found := line.FindAllStringSubmatch(text, -1)
		if err == nil && len(found) == 2 {
			var state logState
			for i, match := range found {
				n, _ := strconv.Atoi(match[2]) // digits
				state.records += n
				if i == 0 {
					n, _ = strconv.Atoi(match[3])
					state.leader = n - 1
				}
			}
			return state, nil
		}
		if !pause(ctx, 100*time.Millisecond) {
			return logState{}, fmt.Errorf("the servers are in no state to be used (%w): %s", err, text)
		}
	}
}

// differences lists up to ten subjects under which two logs differ.
func differences(a, b map[string][32]byte) []string {
	var all []string
	for subject, digest := range a {
		if other, there := b[subject]; !there || other != digest {
			all = append(all, subject)
		}
	}
	for subject := range b {
		if _, there := a[subject]; !there {
			all = append(all, subject)
		}
	}
	return all[:min(len(all), 10)]
}
