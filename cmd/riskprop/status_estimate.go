package main

// This file knows the order of the rounds of both protocols, as far as people want to know what is still to come.

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// estimate is what can be said about the rest of a running session.
type estimate struct {
	Note       string     `json:"note"`                  // in words
	RoundsLeft int        `json:"rounds_left,omitempty"` // the current one included; 0 where that is a matter of luck
	Mean       float64    `json:"mean_seconds,omitzero"` // of what was measured: a round of scores, or an attempt at a modulus
	Seconds    float64    `json:"seconds,omitzero"`      // until that of which there is a mean is done
	End        *time.Time `json:"end,omitempty"`         // when that will be
}

// attemptRound is the round of a key generation with which an attempt at a modulus begins: what comes before prepares the
// first, and the rounds of one attempt prepare the next.
const attemptRound = "moduli"

// keyRounds are those after a modulus has been found.
func keyRounds() []string { return []string{"share", "product", "theta", "prove"} }

// lastRounds are those of a propagation after the last scores, where nobody has to stand in for another.
func lastRounds() []string { return []string{"final", roundOpen, "check", "confirm"} }

// lastNames are the names of the numbers after the last scores: a round that can be settled takes two.
func lastNames() []string { return []string{"final", roundOpen, "", "check", "", "confirm"} }

// roundsAfter are the present round of those, and what follows it.
func roundsAfter(name string) []string {
	if at := slices.Index(lastRounds(), name); at >= 0 {
		return lastRounds()[at:]
	}
	return append([]string{name}, lastRounds()[2:]...) // standing in
}

// name is the name of a round. The names of a propagation follow from its manifest, those of a key generation are known when
// the machine has been there.
func (t sessionTerms) name(number int, known map[int]string) string {
	if name, ok := known[number]; ok {
		return name
	}
	switch after := number - t.steps - 1; {
	case t.steps == 0 || number > t.steps+len(lastNames()):
		return ""
	case number == 0:
		return "agree"
	case after < 0:
		return fmt.Sprintf("scores.%d.%d", (number-1)/t.loop, (number-1)%t.loop)
	default:
		return lastNames()[after]
	}
}

// estimate says how long the session will take. It promises nothing for rounds of which none has been measured.
func (t sessionTerms) estimate(s sessionStatus) *estimate {
	if t.steps > 0 {
		return t.estimateScores(s)
	}
	return estimateKey(s)
}

// estimateScores goes by the mean of the rounds of scores that have ended.
func (t sessionTerms) estimateScores(s sessionStatus) *estimate {
	e := &estimate{RoundsLeft: t.steps + len(lastRounds()) + 1 - s.Round}
	if s.Round > t.steps {
		rest := roundsAfter(s.Name)
		e.RoundsLeft = len(rest)
		e.Note = left(rest) + "; for how long cannot be told, since none of a kind has ended"
		return e
	}
	sum, count := 0.0, 0
	for _, r := range s.Rounds {
		if r.Round >= 1 && r.Round < s.Round {
			sum, count = sum+r.Took, count+1
		}
	}
	scores, then := t.steps-max(0, s.Round-1), list(lastRounds())
	if count == 0 {
		e.Note = fmt.Sprintf("%s, and then %s; for how long cannot be told before the first round of scores has ended", roundsLeft(scores), then)
		return e
	}
	e.Mean = sum / float64(count)
	e.Note = fmt.Sprintf("%s, %s; then come %s, for which there is no measure", roundsLeft(scores), e.promise(scores, s), then)
	return e
}

// promise says how long so many rounds take, the present one included, if they take no longer than those before.
func (e *estimate) promise(rounds int, s sessionStatus) string {
	e.Seconds = e.Mean*float64(rounds) - min(e.Mean, s.Waited)
	mean := fmt.Sprintf("at %s each so far", duration(e.Mean))
	switch late := s.Waited > e.Mean; {
	case late && rounds == 1:
		return mean + ", but it takes longer already"
	case late:
		return mean + fmt.Sprintf(": about %s after the present one, which takes longer already", duration(e.Seconds))
	}
	end := s.Now.Add(time.Duration(e.Seconds * float64(time.Second))).UTC()
	e.End = &end
	return mean + fmt.Sprintf(": about %s, until %s", duration(e.Seconds), end.Format(statusTime))
}

// estimateKey tells of luck as long as there is no modulus.
func estimateKey(s sessionStatus) *estimate {
	if at := slices.Index(keyRounds(), s.Name); at >= 0 {
		e := &estimate{RoundsLeft: len(keyRounds()) - at, Note: "a modulus is found; " + left(keyRounds()[at:])}
		if at > 0 {
			e.Mean = s.tookSince(keyRounds()[0]) / float64(at)
			e.Note += ", " + e.promise(e.RoundsLeft, s)
		}
		return e
	}
	e, failed := &estimate{}, s.failedAttempts()
	if len(failed) == 0 {
		e.Note = "how many attempts a modulus takes is a matter of luck, and none has ended; after it come " + list(keyRounds())
		return e
	}
	for _, took := range failed {
		e.Mean += took / float64(len(failed))
	}
	e.Note = fmt.Sprintf("how many attempts a modulus takes is a matter of luck: %d so far, %s each, and the present one; after it come %s",
		len(failed), duration(e.Mean), list(keyRounds()))
	return e
}

// failedAttempts are how long the attempts took that have ended without a modulus, or with one that could not be used.
func (s sessionStatus) failedAttempts() []float64 {
	var attempts []float64
	for _, r := range s.Rounds {
		if r.Round >= s.Round {
			break
		}
		if r.Name == attemptRound {
			attempts = append(attempts, 0)
		}
		if len(attempts) > 0 {
			attempts[len(attempts)-1] += r.Took
		}
	}
	if s.Name != attemptRound && len(attempts) > 0 {
		attempts = attempts[:len(attempts)-1] // it is under way
	}
	return attempts
}

// tookSince sums up the finished rounds since the last one of a name.
func (s sessionStatus) tookSince(name string) float64 {
	sum := 0.0
	for _, r := range s.Rounds {
		if r.Name == name {
			sum = 0
		}
		if r.Round < s.Round {
			sum += r.Took
		}
	}
	return sum
}

// list joins names in words.
func list(names []string) string {
	if len(names) == 0 {
		return "nobody"
	}
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// left says which rounds are to come.
func left(names []string) string {
	if len(names) == 1 {
		return names[0] + " is left"
	}
	return list(names) + " are left"
}

// roundsLeft says how many rounds of scores are to come.
func roundsLeft(count int) string {
	if count == 1 {
		return "1 round of scores is left"
	}
	return fmt.Sprintf("%d rounds of scores are left", count)
}

// duration puts seconds into words, with two units at most.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", max(0, seconds))
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d days %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}
