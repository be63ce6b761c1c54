package main

// This file says in one structure where a session stands: what status --json writes and what the table shows.

import (
	"errors"
	"slices"
	"time"

	"riskprop/party"
	"riskprop/schema"
)

// sessionState is where a session stands, in a word.
type sessionState string

const (
	stateSilent  sessionState = "silent"  // nobody has spoken
	stateRunning sessionState = "running" // somebody is awaited
	stateEnded   sessionState = "ended"   // well
	stateAborted sessionState = "aborted" // by a member's last word
	stateFailed  sessionState = "failed"  // what the members have signed does not fit together
)

// sessionStatus is the JSON object of status. Times are the log's.
type sessionStatus struct {
	Session  string        `json:"session"`
	Protocol string        `json:"protocol"`
	Members  []string      `json:"members"`
	State    sessionState  `json:"state"`
	EndedBy  string        `json:"ended_by,omitempty"` // the member whose last word it was
	Culprit  string        `json:"culprit,omitempty"`  // the member that is blamed
	Reason   string        `json:"reason,omitempty"`   // why it has been aborted, or has failed
	Round    int           `json:"round"`              // number of the current one, from 0
	Name     string        `json:"name"`
	Awaited  []string      `json:"awaited"`                 // whose head of the current round is missing
	Enough   bool          `json:"enough,omitempty"`        // the others can do without those who are awaited
	Since    *time.Time    `json:"since,omitempty"`         // since when it has been the current one
	Waited   float64       `json:"waited_seconds,omitzero"` // from then until now
	Deadline *time.Time    `json:"deadline,omitempty"`
	Estimate *estimate     `json:"estimate,omitempty"` // of a session that is running
	Rounds   []roundStatus `json:"rounds"`
	Now      time.Time     `json:"now"` // by the clock of this machine
}

// roundStatus is what the log holds of one round.
type roundStatus struct {
	Round   int          `json:"round"`
	Name    string       `json:"name"`
	Heads   []headStatus `json:"heads"` // in the members' order
	Awaited []string     `json:"awaited,omitempty"`
	Absent  []string     `json:"absent,omitempty"`     // who has not spoken, and is not awaited any more
	Settled string       `json:"settled_by,omitempty"` // who has closed the round without them
	Parts   int          `json:"parts"`
	Bytes   int64        `json:"bytes"`
	First   time.Time    `json:"first"`          // head
	Last    time.Time    `json:"last"`           // head
	Spread  float64      `json:"spread_seconds"` // from the first head to the last
	Took    float64      `json:"took_seconds"`   // from the end of the round before to the last head
	end     time.Time    // when the next round could begin; a head of a quorum's round may come later
}

// headStatus is what one member has signed in a round.
type headStatus struct {
	Member string    `json:"member"`
	Time   time.Time `json:"time"`
	Parts  int       `json:"parts"`
	Bytes  int64     `json:"bytes"`
	Abort  bool      `json:"abort,omitempty"`
	Left   bool      `json:"left,omitempty"` // it has ended the session for itself, which could do without it
}

// status is where the session stands.
func (f *follower) status(terms sessionTerms, now time.Time) sessionStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := sessionStatus{
		Session: terms.id, Protocol: terms.proto, Members: f.roster.Names(), State: stateRunning,
		Round: f.number, Name: terms.name(f.number, f.names), Awaited: []string{}, Rounds: f.rounds(terms), Deadline: terms.until(), Now: now,
	}
	s.judge(f)
	if s.State == stateRunning {
		s.Awaited, s.Enough = f.await, f.enough
		began := s.began()
		s.Since = &began
		s.Waited = max(0, now.Sub(began).Seconds())
		s.Estimate = terms.estimate(s)
	}
	return s
}

// judge fills in how the session has ended, if it has.
func (s *sessionStatus) judge(f *follower) {
	var aborted *party.Aborted
	var blame *party.Blame
	switch {
	case f.done:
		s.State = stateEnded
	case errors.As(f.ended, &aborted):
		s.State, s.EndedBy, s.Culprit, s.Reason = stateAborted, aborted.By, aborted.Culprit, aborted.Reason
	case f.ended != nil:
		s.State, s.Reason = stateFailed, f.ended.Error()
		if errors.As(f.ended, &blame) {
			s.Culprit = blame.Party
		}
	case len(f.words) == 0:
		s.State = stateSilent
	}
}

// began is when the current round could begin: when the one before had ended. The first one begins with its first head.
func (s *sessionStatus) began() time.Time {
	var began time.Time
	for _, r := range s.Rounds {
		switch {
		case r.Round < s.Round:
			began = r.end
		case r.Round == 0:
			began = r.First
		}
	}
	return began
}

// rounds lists the rounds in which anybody has spoken.
func (f *follower) rounds(terms sessionTerms) []roundStatus {
	list := []roundStatus{}
	for number := 0; number <= f.number+2; number++ {
		if !f.spokenIn(number) {
			continue
		}
		r := f.round(number)
		r.Name = terms.name(number, f.names)
		if len(list) > 0 {
			r.Took = max(0, r.end.Sub(list[len(list)-1].end).Seconds())
		} else {
			r.Took = r.Spread
		}
		list = append(list, r)
	}
	return list
}

// round sums up one round.
func (f *follower) round(number int) roundStatus {
	r := roundStatus{Round: number, Heads: []headStatus{}}
	next, settler := f.after(number)
	for i, member := range f.roster.Names() {
		w := f.words[number][i]
		if w == nil {
			if number < f.number || f.done || f.ended != nil || f.gone[member] {
				r.Absent = append(r.Absent, member)
			}
			continue
		}
		if settler != "" && w.Seq > next.Seq { // too late to count
			r.Absent = append(r.Absent, member)
			continue
		}
		r.Heads = append(r.Heads, headStatus{member, w.At, w.Parts, w.Bytes, w.Abort, w.Abort && !f.endedBy(member)})
		r.Parts += w.Parts
		r.Bytes += w.Bytes
		if len(r.Heads) == 1 || w.At.Before(r.First) {
			r.First = w.At
		}
		if w.At.After(r.Last) {
			r.Last = w.At
		}
		if (next == nil || w.Seq < next.Seq) && w.At.After(r.end) {
			r.end = w.At
		}
	}
	if number == f.number && f.ended == nil {
		r.Awaited = f.await
	}
	if r.Absent != nil {
		r.Settled = settler
	}
	r.Spread = r.Last.Sub(r.First).Seconds()
	return r
}

// endedBy tells whether a member's last word has ended the session, which may also have gone on without it.
func (f *follower) endedBy(member string) bool {
	var aborted *party.Aborted
	return errors.As(f.ended, &aborted) && aborted.By == member
}

// spokenIn tells whether a number is that of a round in which somebody has spoken, and not only of words that settle the one before.
func (f *follower) spokenIn(number int) bool {
	return slices.ContainsFunc(f.words[number], func(w *word) bool { return w != nil && !w.Settle })
}

// after is the first head of what follows a round, or nil, and who has settled it, if anybody: a round that can be settled takes two
// numbers.
func (f *follower) after(round int) (first *word, settler string) {
	for number := round + 1; number <= round+2; number++ {
		for i, w := range f.words[number] {
			if w == nil || first != nil && w.Seq > first.Seq {
				continue
			}
			if first, settler = w, ""; w.Settle {
				settler = f.roster.Member(i).Name
			}
		}
		if first != nil {
			return first, settler
		}
	}
	return nil, ""
}

// sessionTerms is what status needs to know of a session's manifest.
type sessionTerms struct {
	id, proto string
	steps     int    // of a propagation: periods times iterations
	loop      int    // iterations a period
	deadline  uint64 // Unix time in seconds, 0: none
}

// until is the deadline, or nil.
func (t sessionTerms) until() *time.Time {
	if t.deadline == 0 {
		return nil
	}
	deadline := time.Unix(int64(t.deadline), 0).UTC()
	return &deadline
}

func keygenTerms(m schema.KeygenManifest) sessionTerms {
	return sessionTerms{id: m.Session, proto: schema.Keygen, deadline: m.Deadline}
}

func propagateTerms(m schema.PropagateManifest) sessionTerms {
	return sessionTerms{id: m.Session, proto: schema.Propagate, deadline: m.Deadline, loop: len(m.Delta), steps: int(m.Periods) * len(m.Delta)}
}

// object writes text, which is one JSON object, to standard output.
func (u *ui) object(text []byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.write(u.stdout, string(text)+"\n")
}
