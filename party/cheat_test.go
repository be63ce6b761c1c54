package party_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// verdict is what the honest parties must say of a cheat. All say the same by themselves where the cheat is public;
// where only one of them can see it, that one says it, and the others hear it.
type verdict struct {
	culprit string // who is named; empty where what is known does not tell who is wrong
	victim  string // the only member who can see it; empty where everybody can
	want    string // part of the text
	told    string // part of what the others are told, where it is another text
	is      error  // wrapped, where nobody is named
}

// cheat is one row of a table: what somebody says that it should not, well signed.
type cheat struct {
	name   string
	covers string // the branch that finds it: folder, function, and which of its errors, from 1; see TestEveryErrorHasARow
	alter  map[string]alteration
	verdict
}

// trial lets all read the log and speak, in turn, until nobody goes on. Then those who have stopped say their last word,
// in the way of package node, and the others read on. It returns what each of the machines ends with.
func trial(t *testing.T, log *partytest.Log, machines []*party.Machine, cheats []bool) []error {
	t.Helper()
	readers, errs := make([]*partytest.Reader, len(machines)), make([]error, len(machines))
	for i, m := range machines {
		readers[i] = partytest.NewReader(log, m)
		defer readers[i].Close()
	}
	goOn(readers, cheats, errs)
	for i, m := range machines {
		if effect, speaks := m.LastWord(errs[i]); speaks && !errors.Is(errs[i], errLost) {
			if err := log.Append(effect); err != nil {
				t.Fatal(err)
			}
		}
	}
	goOn(readers, cheats, errs)
	for i, m := range machines { // who has its scores all the same is told in their report
		if done, ok := m.Round().(*propagate.Done); ok && errs[i] == nil && done.Report.Left != nil {
			errs[i] = done.Report.Left[0]
		}
	}
	return errs
}

// goOn steps all that have not stopped until none has anything to do.
func goOn(readers []*partytest.Reader, cheats []bool, errs []error) {
	for moved := true; moved; {
		moved = false
		for i, r := range readers {
			for errs[i] == nil {
				stepped, err := step(r, cheats[i])
				if errs[i] = err; err != nil || !stepped {
					break
				}
				moved = true
			}
		}
	}
}

// errLost stands for the sudden end of a cheat, whom its own words may lead anywhere.
var errLost = errors.New("a cheat has lost its way")

// step does one operation. A cheat's machine takes its own messages for what they are not, and may panic.
func step(r *partytest.Reader, cheats bool) (stepped bool, err error) {
	if cheats {
		defer func() {
			if recover() != nil {
				err = errLost
			}
		}()
	}
	return r.Step()
}

// cheats tells who of the members alters what it says; the auditor, at the end, never does.
func (c cheat) cheats(names []string) []bool {
	cheats := make([]bool, len(names)+1)
	for i, name := range names {
		_, cheats[i] = c.alter[name]
	}
	return cheats
}

// judge compares what the honest ones end with, the auditor last, with a row's verdict.
func (c cheat) judge(t *testing.T, names []string, errs []error) {
	t.Helper()
	for i, err := range errs {
		who := "the auditor"
		if i < len(names) {
			who = names[i]
		}
		if _, cheats := c.alter[who]; cheats && who != c.victim {
			continue
		}
		if c.victim == "" || c.victim == who {
			c.found(t, who, err)
		} else {
			c.heard(t, who, err)
		}
	}
}

// found: this one has found it by itself.
func (c cheat) found(t *testing.T, who string, err error) {
	t.Helper()
	var blame *party.Blame
	var aborted *party.Aborted
	if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &aborted) {
		t.Errorf("%s: %v, want %q", who, err, c.want)
		return
	}
	named := errors.As(err, &blame)
	switch {
	case c.is != nil && !errors.Is(err, c.is):
		t.Errorf("%s: %v is not %v", who, err, c.is)
	case c.culprit == "" && named:
		t.Errorf("%s: %v, nobody should be blamed", who, err)
	case c.culprit == "":
	case !named || blame.Party != c.culprit || blame.Slot.From != c.culprit:
		t.Errorf("%s: %v, want %s blamed", who, err, c.culprit)
	case errors.Is(err, schema.ErrUntrusted):
		t.Errorf("%s: %v is noise, yet %s has signed it", who, err, c.culprit)
	case blame.Private != (c.victim != ""):
		t.Errorf("%s: %v, private: %t", who, err, blame.Private)
	case !strings.HasPrefix(err.Error(), c.culprit+" broke the protocol in "+blame.Slot.Subject()):
		t.Errorf("%s: %v does not say who and where", who, err)
	}
}

// heard: this one has heard it of the one that found it.
func (c cheat) heard(t *testing.T, who string, err error) {
	t.Helper()
	want := c.want
	if c.told != "" {
		want = c.told
	}
	var aborted *party.Aborted
	if !errors.As(err, &aborted) || aborted.By != c.victim || aborted.Culprit != c.culprit || !strings.Contains(aborted.Reason, want) {
		t.Errorf("%s: %v, want to hear of %s that %s is to blame for %q", who, err, c.victim, c.culprit, want)
		return
	}
	if text := err.Error(); !strings.HasPrefix(text, c.victim+" ended the session") || !strings.Contains(text, c.culprit) {
		t.Errorf("%s: %v does not say who", who, err)
	}
}

// saying alters the drafts of one round to one recipient.
func saying(round string, to int, change func([]byte) []byte) alteration {
	return func(name string, draft party.Draft) party.Draft {
		if name == round && draft.To == to {
			draft.Data = change(draft.Data)
		}
		return draft
	}
}

// by is a table's entry for one cheat.
func by(name string, alter alteration) map[string]alteration {
	return map[string]alteration{name: alter}
}

// setFirst puts another integer in the place of the first element.
func setFirst(width int, x *big.Int) func([]byte) []byte {
	return func(data []byte) []byte {
		changed := append([]byte{}, data...)
		x.FillBytes(changed[:width])
		return changed
	}
}

// mapFirst changes the first element.
func mapFirst(width int, change func(*big.Int) *big.Int) func([]byte) []byte {
	return func(data []byte) []byte { return setFirst(width, change(new(big.Int).SetBytes(data[:width])))(data) }
}

// mapAll changes every element.
func mapAll(width int, change func(*big.Int) *big.Int) func([]byte) []byte {
	return func(data []byte) []byte {
		changed := make([]byte, len(data))
		for at := 0; at < len(data); at += width {
			change(new(big.Int).SetBytes(data[at : at+width])).FillBytes(changed[at : at+width])
		}
		return changed
	}
}

// fill says the same byte all over.
func fill(b byte) func([]byte) []byte {
	return func(data []byte) []byte {
		changed := make([]byte, len(data))
		for i := range changed {
			changed[i] = b
		}
		return changed
	}
}

// shorter and longer are lists with one element less and one more.
func shorter(width int) func([]byte) []byte {
	return func(data []byte) []byte { return data[:len(data)-width] }
}

func longer(width int) func([]byte) []byte {
	return func(data []byte) []byte { return append(append([]byte{}, data...), data[:width]...) }
}

// nothing leaves a message out.
func nothing([]byte) []byte { return nil }
