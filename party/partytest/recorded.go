package partytest

import "riskprop/schema"

// recorded is a member whose words are those of an earlier run: it says each when the round before is complete.
type recorded struct {
	from, to *Log
	words    []string    // subjects, in order
	before   map[int]int // the round before each, after which it comes: numbers can have gaps
	members  int
	rounds   map[int]int // heads on the new log, by round, up to `read`
	read     int
}

func newRecorded(from, to *Log, member int) *recorded {
	r := &recorded{from: from, to: to, before: make(map[int]int), members: from.roster.Len(), rounds: make(map[int]int)}
	last := -1
	for _, subject := range from.Heads {
		if number := round(subject); number > last {
			r.before[number], last = last, number
		}
	}
	for _, subject := range from.Order {
		if sender(from.roster, subject) == member {
			r.words = append(r.words, subject)
		}
	}
	return r
}

func (r *recorded) step() (bool, error) {
	for ; r.read < len(r.to.Heads); r.read++ {
		r.rounds[round(r.to.Heads[r.read])]++
	}
	if len(r.words) == 0 {
		return false, nil
	}
	next := r.words[0]
	if before := r.before[round(next)]; before >= 0 && r.rounds[before] < r.members {
		return false, nil
	}
	r.words = r.words[1:]
	return true, r.to.Put(next, r.from.Records[next])
}

// sender is the index of the member that wrote a record of an undisturbed session.
func sender(roster *schema.Roster, subject string) int {
	index, ok := roster.Index(parse(subject).From)
	if !ok {
		panic("partytest: a record of no member")
	}
	return index
}

func round(subject string) int { return parse(subject).Round }

func parse(subject string) schema.Slot {
	slot, err := schema.ParseSubject(subject)
	if err != nil {
		panic("partytest: " + err.Error())
	}
	return slot
}
