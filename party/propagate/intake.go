package propagate

import (
	"riskprop/crypto/modular"
	"riskprop/party"
)

// intake takes over the ciphertexts of a round of scores: in the end they are the sources of the next step, numbered as in flows. So
// a party has each of them once, and not also as it came.
type intake struct {
	*setup
	first []int // by member: the number of its first source
	count []int // by member
	all   *modular.Buffer
}

// newIntake makes room for the party's own scores and for what each member sends.
func newIntake(s *setup, receive []int) *intake {
	t := &intake{setup: s, first: make([]int, s.n), count: make([]int, s.n)}
	total := s.accounts()
	for member, count := range receive {
		if member == s.self {
			t.count[member] = s.accounts()
			continue
		}
		t.first[member], t.count[member] = total, count
		total += count
	}
	t.all = s.Key.Ring().Buffer(total)
	return t
}

// Add implements party.Collector.
func (t *intake) Add(message party.Message, first int, data []byte) error {
	v, err := t.decode(data)
	if err != nil {
		return err
	}
	t.all.Put(t.first[message.From]+first, v)
	return nil
}

// checked returns the sources, once all are there, after checking that each is a unit.
func (t *intake) checked() (*modular.Vector, error) {
	sources := t.all.Vector()
	for member, first := range t.first {
		if err := t.Key.Check(sources.Slice(first, first+t.count[member])); err != nil {
			return nil, &party.Fault{Member: member, Private: true, Err: err}
		}
	}
	return sources, nil
}
