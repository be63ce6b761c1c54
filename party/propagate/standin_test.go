package propagate_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// crowd are banks in a circle with several accounts each, so that every bank has some packed ciphertexts; no two as many.
func crowd(t *testing.T, names []string) []*ledger.Ledger {
	t.Helper()
	banks := map[string]bank{}
	for i, name := range names {
		next := names[(i+1)%len(names)]
		own, other := banks[name], banks[next]
		for k := range 24 + 5*i {
			own.accounts += fmt.Sprintf("%d,0.%d\n", k, 1+(i+k)%9)
			line := fmt.Sprintf("%d,%s,%d,%s,%d,0\n", k, name, k%24, next, 1+k)
			own.transactions, other.transactions = own.transactions+line, other.transactions+line
		}
		banks[name], banks[next] = own, other
	}
	return read(t, banks, names)
}

// TestVanishing: banks vanish at each of the rounds from open on, several one after the other. Those that stay have the scores that
// they would have had, and those that come back have theirs, from the log alone.
func TestVanishing(t *testing.T) {
	names := []string{"alice", "bob", "charlie", "dave", "erin"}
	for _, plan := range [][]string{
		{"open"}, {"open", "stand-in.1"}, {"open", "check"}, {"check", "confirm"}, {"open", "stand-in.1+"}, {"open+", "check+"}, {"confirm+", "confirm"},
	} {
		c := newConsortium(t, names, 512)
		configs := c.configs(crowd(t, names), 1, 0.5)
		undisturbed, err := c.run(t, partytest.NewLog(c.roster), configs)
		if err != nil {
			t.Fatal(err)
		}
		log := partytest.NewLog(c.roster)
		stay := c.untilOpen(t, log, configs)
		for _, where := range plan {
			name, spoke := strings.CutSuffix(where, "+") // it vanishes when it has spoken
			forward(t, name, stay...)
			victim := stay[1]
			stay = slices.Delete(slices.Clone(stay), 1, 2)
			if spoke {
				mustSpeak(t, log, victim, victim.Machine.Number())
			}
			victim.Close()
		}
		forward(t, "done", stay...)
		for i := range names {
			m := c.machine(t, i, configs[i])
			run(t, partytest.NewReader(log, m))
			done, ok := m.Round().(*propagate.Done)
			if !ok || !slices.Equal(done.Scores, undisturbed[i].Scores) {
				t.Errorf("%v: %s ends in round %s, waiting for %v", plan, names[i], m.Name(), m.Waiting())
			}
		}
	}
}

// shares counts the ciphertexts that a member has decrypted partially for others in a round, by recipient.
func shares(t *testing.T, c *consortium, log *partytest.Log, width, round int, name string) []int {
	t.Helper()
	slot := schema.Slot{Session: "run", Proto: schema.Propagate, Round: round, To: schema.All, From: name, Part: schema.HeadPart}
	event, err := log.Event(slot.Subject())
	if err != nil {
		t.Fatal(err)
	}
	var counts []int
	for _, to := range c.roster.Names() {
		bytes := 0
		for _, ref := range event.Head.For(to) {
			bytes += int(ref.Size)
		}
		counts = append(counts, bytes/width) // what a part has besides is less than one ciphertext
	}
	return counts
}

// TestOpeningIsShared: with three banks each decrypts its own ciphertexts, and half of those of each of the others; where one is gone,
// the other decrypts the other half, too.
func TestOpeningIsShared(t *testing.T) {
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(t, names, 512)
	configs := c.configs(crowd(t, names), 1, 0.5)
	width := configs[0].Key.Ring().Width()
	log := partytest.NewLog(c.roster)
	readers := c.untilOpen(t, log, configs)
	number := readers[0].Machine.Number()
	run(t, readers[:2]...)
	settle(t, readers[0])
	run(t, readers[:2]...)
	if !readers[0].Machine.Done() {
		t.Fatalf("alice is in round %s", readers[0].Machine.Name())
	}
	own := []int{5, 6, 7} // ciphertexts: five accounts in each
	want := map[string][2][]int{"alice": {{5, 3, 3}, {0, 3, 0}}, "bob": {{2, 6, 4}, {3, 0, 0}}}
	for name, counts := range want {
		first, second := shares(t, c, log, width, number, name), shares(t, c, log, width, number+2, name)
		if !slices.Equal(first, counts[0]) || !slices.Equal(second, counts[1]) {
			t.Errorf("%s has decrypted %v of %v, and in the place of charlie %v", name, first, own, second)
		}
	}
}

// TestEveryShareIsChecked: a wrong partial decryption of any single ciphertext, or of a combination in the check itself, is found by the
// owner. With four banks the culprit is named, with three nobody.
func TestEveryShareIsChecked(t *testing.T) {
	for _, names := range [][]string{{"alice", "bob", "charlie"}, {"alice", "bob", "charlie", "dave"}} {
		c := newConsortium(t, names, 512)
		configs := c.configs(crowd(t, names), 1, 0.5)
		found := 0
		for culprit := 1; culprit < len(names); culprit++ {
			for _, round := range []string{"open", "check"} {
				for at := range 5 {
					err, cheated := c.shiftOne(t, configs, culprit, round, at)
					var blame *party.Blame
					var refusal *party.Refusal
					switch {
					case !cheated && err == nil:
						continue
					case len(names) == 3 && errors.As(err, &refusal), len(names) == 4 && errors.As(err, &blame) && blame.Party == names[culprit]:
						found++
					default:
						t.Errorf("%s shifts ciphertext %d in round %s (%t): %v", names[culprit], at, round, cheated, err)
					}
				}
			}
		}
		if want := map[int]int{3: 5 + 2, 4: 5 + 6}[len(names)]; found != want { // ciphertexts of alice, and blocks times those who check them
			t.Errorf("%d banks: %d cheats, want %d", len(names), found, want)
		}
	}
}

// shiftOne runs a session in which a member shifts the plaintext of one ciphertext that it decrypts for the first bank in a round. It
// returns what becomes of the first bank, and whether there was such a ciphertext.
func (c *consortium) shiftOne(t *testing.T, configs []propagate.Config, culprit int, where string, at int) (error, bool) {
	t.Helper()
	cheated := false
	log := partytest.NewLog(c.roster)
	var readers []*partytest.Reader
	for i, config := range configs {
		var alter alteration
		if i == culprit {
			alter = func(round string, draft party.Draft) party.Draft {
				v, err := config.Key.Ring().Decode(draft.Data)
				if draft.To != 0 || round != where || err != nil || at >= v.Len() {
					return draft
				}
				cheated = true
				shift := make([]*big.Int, v.Len())
				for k := range shift {
					shift[k] = new(big.Int)
				}
				shift[at].SetInt64(1)
				draft.Data = v.Mul(config.Key.Embed(shift)).Append(nil)
				return draft
			}
		}
		readers = append(readers, partytest.NewReader(log, c.altered(t, i, config, alter)))
	}
	return firstError(readers), cheated
}
