package main

// This file puts the status of a session into words and columns.

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"riskprop/schema"
)

// statusTime is how a time of the log is shown.
const statusTime = "2006-01-02 15:04:05 UTC"

// line is a row of the table: one round, or several finished ones of a kind.
type line struct {
	rounds, name, bytes, took, spread, spoken string
}

// text is the table, and below it where the session stands. With all, every round has a line of its own.
func (s sessionStatus) text(all bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s of %s", map[string]string{schema.Keygen: "Key generation", schema.Propagate: "Propagation"}[s.Protocol], s.Session, list(s.Members))
	if s.Deadline != nil {
		fmt.Fprintf(&b, ", until %s", s.Deadline.Format(statusTime))
	}
	b.WriteString("\n\n")
	if len(s.Rounds) > 0 {
		writeTable(&b, s.lines(all))
		b.WriteString("\n")
	}
	for _, sentence := range s.standing() {
		b.WriteString(sentence + "\n")
	}
	return b.String()
}

// writeTable aligns the lines. What may be long is at the end.
func writeTable(b *strings.Builder, lines []line) {
	lines = slices.Insert(lines, 0, line{"round", "name", "bytes", "took", "spread", "spoken"})
	width := func(of func(line) string) int { return longest(lines, of) }
	rounds, name := width(func(l line) string { return l.rounds }), width(func(l line) string { return l.name })
	bytes, took := width(func(l line) string { return l.bytes }), width(func(l line) string { return l.took })
	spread := width(func(l line) string { return l.spread })
	for _, l := range lines {
		fmt.Fprintf(b, "  %*s  %-*s  %*s  %*s  %*s  %s\n", rounds, l.rounds, name, l.name, bytes, l.bytes, took, l.took, spread, l.spread, l.spoken)
	}
}

// lines folds finished rounds of one kind that follow one another, unless all are wanted.
func (s sessionStatus) lines(all bool) []line {
	var lines []line
	for rest := s.groups(all); len(rest) > 0; rest = rest[1:] {
		lines = append(lines, rest[0].line())
	}
	return lines
}

// group is rounds that share a line.
type group struct {
	kind   string
	rounds []roundStatus
}

// groups gathers finished rounds of one kind: those of scores, and the attempts at a modulus that have failed.
func (s sessionStatus) groups(all bool) []group {
	var groups []group
	attempt, failed := 0, len(s.failedAttempts())
	for _, r := range s.Rounds {
		if s.Protocol == schema.Keygen && r.Name == attemptRound {
			attempt++
		}
		kind, _, _ := strings.Cut(r.Name, ".")
		if attempt > 0 && attempt <= failed {
			kind = kindAttempts
		}
		last := len(groups) - 1
		if all || last < 0 || groups[last].kind != kind || r.Round >= s.Round || len(r.Absent) > 0 {
			groups = append(groups, group{kind: kind})
			last++
		}
		groups[last].rounds = append(groups[last].rounds, r)
	}
	return groups
}

// kindAttempts is the kind of the rounds of failed attempts.
const kindAttempts = "attempts"

// line sums up the rounds of a group.
func (g group) line() line {
	first, last := g.rounds[0], g.rounds[len(g.rounds)-1]
	if len(g.rounds) == 1 {
		return line{fmt.Sprint(first.Round), first.Name, size(first.Bytes), duration(first.Took), duration(first.Spread), first.spoken()}
	}
	bytes, took, spread, begun := int64(0), 0.0, 0.0, 0
	for _, r := range g.rounds {
		bytes, took, spread = bytes+r.Bytes, took+r.Took, max(spread, r.Spread)
		if r.Name == attemptRound {
			begun++
		}
	}
	name := fmt.Sprintf("%s to %s: %d rounds", first.Name, last.Name, len(g.rounds))
	if g.kind == kindAttempts {
		name = fmt.Sprintf("%d failed attempts: %d rounds", begun, len(g.rounds))
		if begun == 1 {
			name = fmt.Sprintf("1 failed attempt: %d rounds", len(g.rounds))
		}
	}
	return line{fmt.Sprintf("%d-%d", first.Round, last.Round), name, size(bytes), duration(took), duration(spread), first.spoken()}
}

// spoken says who has spoken in a round, in the members' order, with a mark at those who have not.
func (r roundStatus) spoken() string {
	if len(r.Awaited) == 0 && len(r.Absent) == 0 && !slices.ContainsFunc(r.Heads, func(h headStatus) bool { return h.Abort }) {
		return "all"
	}
	marks := make(map[string]string)
	for _, name := range r.Awaited {
		marks[name] = name + " AWAITED"
	}
	for _, name := range r.Absent {
		marks[name] = name + " absent"
	}
	for _, h := range r.Heads {
		marks[h.Member] = h.Member
		switch {
		case h.Left:
			marks[h.Member] += " has left"
		case h.Abort:
			marks[h.Member] += " ENDS IT"
		}
	}
	var names []string
	for name := range marks {
		names = append(names, name)
	}
	slices.Sort(names) // the members' order
	for i, name := range names {
		names[i] = marks[name]
	}
	text := strings.Join(names, ", ")
	if r.Settled != "" {
		text += "; settled by " + r.Settled
	}
	return text
}

// standing says in a few sentences where the session stands.
func (s sessionStatus) standing() []string {
	switch s.State {
	case stateSilent:
		sentence := "Nobody has spoken."
		if s.Reason != "" {
			sentence = "Nobody has spoken: " + s.Reason + "."
		}
		if s.Deadline != nil && s.Now.After(*s.Deadline) {
			sentence += fmt.Sprintf(" The deadline has passed %s ago: nobody can begin any more.", duration(s.Now.Sub(*s.Deadline).Seconds()))
		}
		return []string{sentence}
	case stateEnded:
		return []string{fmt.Sprintf("It has ended well, after %d rounds, at %s.", len(s.Rounds), s.lastTime().Format(statusTime))}
	case stateAborted:
		text := fmt.Sprintf("%s has ended it in round %d (%s)", s.EndedBy, s.Round, s.Name)
		if s.Culprit != "" {
			text += " and blames " + s.Culprit
		}
		return []string{text + ": " + s.Reason}
	case stateFailed:
		return []string{fmt.Sprintf("It cannot go on from round %d (%s): %s", s.Round, s.Name, s.Reason)}
	}
	sentences := []string{fmt.Sprintf("In round %d (%s) since %s, for %s, waiting for %s.", s.Round, s.Name, s.Since.Format(statusTime), duration(s.Waited), list(s.Awaited))}
	switch {
	case s.Enough && s.Name == lastRounds()[len(lastRounds())-1]:
		return append(sentences, "Who has spoken in this round has its scores.")
	case s.Enough:
		sentences = append(sentences, "Enough have spoken: after a time of grace one of them settles the round, and the session goes on without.")
	}
	if s.Deadline != nil && s.Now.After(*s.Deadline) {
		what := "whoever waits will end the session"
		if s.Enough {
			what = "whoever waits will settle the round at once"
		}
		sentences = append(sentences, fmt.Sprintf("The deadline has passed %s ago: %s.", duration(s.Now.Sub(*s.Deadline).Seconds()), what))
	}
	if e := s.Estimate; e != nil {
		sentences = append(sentences, upper(e.Note)+".")
	}
	return sentences
}

// lastTime is the time of the last head.
func (s sessionStatus) lastTime() time.Time {
	var last time.Time
	for _, r := range s.Rounds {
		if r.Last.After(last) {
			last = r.Last
		}
	}
	return last.UTC()
}

// upper begins a sentence.
func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// size puts a number of bytes into words.
func size(bytes int64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	case bytes < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(bytes)/1e9)
}
