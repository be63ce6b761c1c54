package propagate_test

import (
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
)

// circle are banks with an account each, which gets money from the bank before.
func circle(t *testing.T, names []string) []*ledger.Ledger {
	t.Helper()
	banks := map[string]bank{}
	for i, name := range names {
		next := names[(i+1)%len(names)]
		line := "x," + name + ",x," + next + ",1,0\n"
		own, other := banks[name], banks[next]
		own.accounts, own.transactions, other.transactions = "x,0.5\n", own.transactions+line, other.transactions+line
		banks[name], banks[next] = own, other
	}
	return read(t, banks, names)
}

// opening runs a session of banks in a circle, in which each of the cheats shifts the plaintext of what it decrypts for
// the first bank, and returns what becomes of the first bank.
func opening(t *testing.T, names []string, cheats ...int) error {
	t.Helper()
	c := newConsortium(t, names, 512)
	log := partytest.NewLog(c.roster)
	var readers []*partytest.Reader
	for i, config := range c.configs(circle(t, names), 1, 0.5) {
		readers = append(readers, partytest.NewReader(log, c.cheating(t, i, config, slices.Contains(cheats, i))))
	}
	return firstError(readers)
}

// cheating is the machine of a member that, if it cheats, multiplies its partial decryptions for the first bank by a
// power of 1+N: that adds to the plaintext, and nothing but the others' shares can show it.
func (c *consortium) cheating(t *testing.T, member int, config propagate.Config, cheats bool) *party.Machine {
	t.Helper()
	if !cheats {
		return c.machine(t, member, config)
	}
	return c.altered(t, member, config, func(round string, draft party.Draft) party.Draft {
		if draft.To == 0 && (round == "open" || round == "check") {
			v, err := config.Key.Ring().Decode(draft.Data)
			if err != nil {
				t.Fatal(err)
			}
			draft.Data = v.Mul(config.Key.Embed([]*big.Int{big.NewInt(int64(1000 + member))})).Append(nil)
		}
		return draft
	})
}

// firstError steps the readers in turn until the first one ends, and returns its error.
func firstError(readers []*partytest.Reader) error {
	for !readers[0].Machine.Done() {
		for i, r := range readers {
			if _, err := r.Step(); err != nil && i == 0 {
				return err
			}
		}
	}
	return nil
}

// TestWrongPartialDecryption: a wrong share never becomes a wrong score. It is named where the others are 2t+1 or more:
// with four banks; with three or five nobody can tell, and nobody is named.
func TestWrongPartialDecryption(t *testing.T) {
	banks := []string{"alice", "bob", "charlie", "dave", "erin"}
	if err := opening(t, banks); err != nil {
		t.Fatalf("all honest: %v", err)
	}
	for culprit := 1; culprit < 4; culprit++ {
		var blame *party.Blame
		if err := opening(t, banks[:4], culprit); !errors.As(err, &blame) || blame.Party != banks[culprit] || !blame.Private {
			t.Errorf("%s cheats: %v", banks[culprit], err)
		}
	}
	for _, c := range []struct {
		names  []string
		cheats []int
	}{{banks[:3], []int{1}}, {banks[:3], []int{2}}, {banks, []int{4}}, {banks, []int{1, 3}}} {
		var refusal *party.Refusal
		err := opening(t, c.names, c.cheats...)
		if !errors.As(err, &refusal) || refusal.Reason != "its scores cannot be opened" || !strings.Contains(err.Error(), "does not tell which") {
			t.Errorf("%v of %d cheat: %v", c.cheats, len(c.names), err)
		}
	}
}

// TestWrongFolder: a party does not start with the data of another.
func TestWrongFolder(t *testing.T) {
	c := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
	ledgers := small(t)
	m := c.machine(t, 0, c.configs([]*ledger.Ledger{ledgers[2]}, 1, 0.5)[0])
	if err := partytest.Run(partytest.NewLog(c.roster), m); !errors.Is(err, party.ErrInput) || !strings.Contains(err.Error(), "the data of charlie") {
		t.Errorf("%v", err)
	}
}

// TestTooMuchData: what the manifest does not allow is refused before anything is said.
func TestTooMuchData(t *testing.T) {
	c := newConsortium(t, []string{"alice", "bob", "charlie"}, 512)
	for want, change := range map[string]func(*propagate.Config){
		"has 2 accounts, max_accounts allows 1": func(c *propagate.Config) { c.Manifest.MaxAccounts = 1 },
		"more than 1 edges with charlie":        func(c *propagate.Config) { c.Manifest.MaxEdges = 1 },
	} {
		config := c.configs(small(t)[1:], 1, 0.5)[0]
		change(&config)
		if _, err := propagate.Start(config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
