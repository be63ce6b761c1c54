package bustest

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"riskprop/bus"
)

// reference is the simplest log there is: what a Log must agree with.
type reference struct {
	subjects []string
	data     map[string][]byte
}

// model makes random calls on two handles of one log and compares each result with the reference. All runs of the property share
// the log, which only ever grows; so they also test a log that is not empty.
func model(t *testing.T, f Factory) {
	logs := []bus.Log{f.Open(t), f.Open(t)}
	ref := &reference{data: map[string][]byte{}}
	rapid.Check(t, func(rt *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(rt, "calls") {
			log := logs[rapid.IntRange(0, 1).Draw(rt, "handle")]
			subject := slot(rapid.StringMatching(`[a-d]`).Draw(rt, "from"), rapid.IntRange(0, 15).Draw(rt, "round"))
			if rapid.Bool().Draw(rt, "append") {
				data := rapid.SliceOfN(rapid.Byte(), 1, 2).Draw(rt, "data")
				if err := log.Append(t.Context(), subject, data); !errors.Is(err, ref.append(subject, data)) {
					rt.Fatalf("Append(%s) = %v, want %v", subject, err, ref.append(subject, data))
				}
				continue
			}
			want, ok := ref.data[subject]
			got, err := log.Get(t.Context(), subject)
			if !bytes.Equal(got, want) || ok != (err == nil) || !ok && !errors.Is(err, bus.ErrNone) {
				rt.Fatalf("Get(%s) = %x, %v, want %x", subject, got, err, want)
			}
		}
	})
	for i, r := range follow(t, logs[0], 0, everything).until(t, len(ref.subjects)) {
		if r.Subject != ref.subjects[i] || !bytes.Equal(r.Data, ref.data[r.Subject]) {
			t.Fatalf("record %d is %s %x, want %s %x", i, r.Subject, r.Data, ref.subjects[i], ref.data[ref.subjects[i]])
		}
	}
}

// append is Append of the reference; it may be repeated.
func (r *reference) append(subject string, data []byte) error {
	there, ok := r.data[subject]
	if !ok {
		r.subjects = append(r.subjects, subject)
		r.data[subject] = data
		return nil
	}
	if !bytes.Equal(there, data) {
		return bus.ErrTaken
	}
	return nil
}
