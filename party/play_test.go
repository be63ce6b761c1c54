package party_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

func short(digest [32]byte) string { return fmt.Sprintf("%x", digest[:3]) }

func size(bytes int) string {
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f kB", float64(bytes)/1000)
}

// process finds a party that is up.
func (s *stage) process(t *testing.T, d *datadriven.TestData, name string) *process {
	at := slices.IndexFunc(s.processes, func(p *process) bool { return p.name == name })
	if at < 0 {
		d.Fatalf(t, "%s is not up", name)
	}
	return s.processes[at]
}

// take does one operation of a process, and tells whether there was one.
func (s *stage) take(t *testing.T, p *process) bool {
	s.names[p.Machine.Number()] = p.Machine.Name()
	if p.ended {
		return false
	}
	stepped, err := p.Step()
	if err != nil {
		s.showHeads(t, p.log)
		s.printf("  %-8s stops: %v\n", p.name, err)
		s.end(t, p, err)
	}
	s.names[p.Machine.Number()] = p.Machine.Name()
	return stepped
}

// end says a party's last word where others must hear it, as the shell does.
func (s *stage) end(t *testing.T, p *process, err error) {
	p.ended = true
	if word, speaks := p.Machine.LastWord(err); speaks && !errors.Is(err, partytest.ErrTaken) {
		if err := p.log.Append(word); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *stage) step(t *testing.T, d *datadriven.TestData) {
	p := s.process(t, d, words(d)[0])
	p.Fault = func(step partytest.Step) error {
		if slot, err := schema.ParseSubject(step.Subject); err == nil && step.After {
			verb := map[partytest.Op]string{partytest.Append: "writes", partytest.Fetch: "fetches", partytest.Fold: "reads"}[step.Op]
			part := "head"
			if slot.Part != schema.HeadPart {
				part = fmt.Sprintf("part %d", slot.Part)
			}
			s.printf("  %-8s %s %s of %s to %s, round %d\n", p.name, verb, part, slot.From, slot.To, slot.Round)
		}
		return nil
	}
	for range number(t, d, "n", 1) {
		if !s.take(t, p) {
			s.printf("  %-8s has nothing to do\n", p.name)
			break
		}
	}
	p.Fault = nil
	p.log.shown = len(p.log.Heads)
}

func (s *stage) run(t *testing.T, d *datadriven.TestData) {
	mortal, end := value(d, "crash", ""), value(d, "in", "")
	for moved := true; moved; {
		moved = false
		for _, p := range slices.Clone(s.processes) {
			for !(p.name == mortal && p.Machine.Name() == end) && s.take(t, p) {
				moved = true
			}
			s.showHeads(t, p.log)
		}
	}
	if mortal != "" {
		s.gone(s.process(t, d, mortal))
	}
	for _, p := range s.processes {
		s.printf("%s\n", s.status(p))
	}
}

// showHeads prints the heads that have not been printed yet, under their rounds.
func (s *stage) showHeads(t *testing.T, log *shownLog) {
	t.Helper()
	for ; log.shown < len(log.Heads); log.shown++ {
		subject := log.Heads[log.shown]
		event, err := log.Event(subject)
		if err != nil {
			s.printf("  noise    %s\n", subject)
			continue
		}
		if event.Slot.Round != log.round && event.Head.Kind != schema.Settles {
			log.round = event.Slot.Round
			where := ""
			if len(s.logs) > 1 {
				where = " on " + log.name
			}
			s.printf("%s%s, history %s\n", strings.TrimSpace(fmt.Sprintf("round %d %s", log.round, s.names[log.round])), where, short(event.Head.Seen))
		}
		s.printf("  %-8s %s\n", event.Slot.From, said(event.Head, s.roster))
	}
}

// said words a head: the recipients, those with messages of the same size together.
func said(head *schema.Head, roster *schema.Roster) string {
	if head.Kind == schema.Settles {
		return "closes the round"
	}
	if head.Abort != nil {
		if head.Abort.Culprit == "" {
			return "leaves: " + head.Abort.Reason
		}
		return fmt.Sprintf("leaves, blaming %s: %s", head.Abort.Culprit, head.Abort.Reason)
	}
	var recipients, amounts []string
	for _, to := range append([]string{schema.All}, roster.Names()...) {
		refs := head.For(to)
		if len(refs) == 0 {
			continue
		}
		bytes := 0
		for _, ref := range refs {
			bytes += int(ref.Size)
		}
		parts := "1 part"
		if len(refs) > 1 {
			parts = fmt.Sprintf("%d parts", len(refs))
		}
		amount := parts + ", " + size(bytes)
		if last := len(amounts) - 1; last >= 0 && amounts[last] == amount {
			recipients[last] += ", " + to
			continue
		}
		recipients, amounts = append(recipients, to), append(amounts, amount)
	}
	if recipients == nil {
		return "says nothing"
	}
	var texts []string
	for i := range recipients {
		texts = append(texts, fmt.Sprintf("to %s: %s", recipients[i], amounts[i]))
	}
	return "says " + strings.Join(texts, "; ")
}

// status is how a party stands.
func (s *stage) status(p *process) string {
	m := p.Machine
	noise := ""
	if p.Noise() > 0 {
		noise = fmt.Sprintf(", has passed over %d records of noise", p.Noise())
	}
	switch {
	case p.ended:
		return p.name + ": has stopped" + noise
	case !m.Done():
		return fmt.Sprintf("%s: in round %d (%s), waits for %s%s", p.name, m.Number(), m.Name(), strings.Join(m.Waiting(), ", "), noise)
	}
	return fmt.Sprintf("%s: done, %s%s", p.name, result(m.Round()), noise)
}

// result words what a session ends with.
func result(final party.Round) string {
	switch done := final.(type) {
	case *keygen.Done:
		share := sha256.Sum256(done.Share.Bytes())
		return fmt.Sprintf("key %s, share %s, %d attempts, %d candidates, %d tested", short(done.ID), short(share),
			done.Stats.Attempts, done.Stats.Candidates, done.Stats.Tested)
	case *propagate.Done:
		var texts []string
		for _, score := range done.Scores {
			texts = append(texts, fmt.Sprintf("%s %.6f -> %.6f", score.ID, score.Initial, score.Final))
		}
		for _, peer := range done.Report.Peers {
			texts = append(texts, fmt.Sprintf("%s: %s", peer.Peer, peer))
		}
		if unchecked := done.Report.Unchecked; unchecked != nil {
			texts = append(texts, "without the shares of "+strings.Join(unchecked, ", "))
		}
		return strings.Join(texts, "; ")
	}
	return "?"
}

func (s *stage) crash(t *testing.T, d *datadriven.TestData) {
	for _, name := range words(d) {
		s.gone(s.process(t, d, name))
	}
}

// gone ends a process.
func (s *stage) gone(p *process) {
	p.Close()
	s.processes = slices.DeleteFunc(s.processes, func(other *process) bool { return other == p })
	s.printf("%s is gone, in round %d (%s)\n", p.name, p.Machine.Number(), p.Machine.Name())
}

func (s *stage) settle(t *testing.T, d *datadriven.TestData) {
	for _, name := range words(d) {
		p := s.process(t, d, name)
		waiting := strings.Join(p.Machine.Waiting(), ", ")
		did, err := p.Settle()
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		text := "%s does not wait for %s any more\n"
		if !did {
			text = "%s waits for %s all the same\n"
		}
		s.printf(text, name, waiting)
	}
}

func (s *stage) leave(t *testing.T, d *datadriven.TestData) {
	p := s.process(t, d, words(d)[0])
	s.end(t, p, &party.Refusal{Reason: value(d, "reason", ""), Err: errTest})
	p.Close()
}

func (s *stage) noise(t *testing.T, d *datadriven.TestData) {
	log, data := s.logs[0], []byte("garbage")
	to := value(d, "to", "")
	if from := value(d, "from", ""); from != "" {
		data = log.Records[from]
	} else {
		to = words(d)[0]
	}
	if err := log.Put(to, data); err != nil {
		s.printf("%v\n", err)
	}
}

func (s *stage) log(_ *testing.T, d *datadriven.TestData) {
	s.logs[0].name = "west"
	s.logs = append(s.logs, &shownLog{Log: partytest.NewLog(s.roster), name: words(d)[0], round: -1})
}

// relay copies what is on one log and not on the other, as a broker would that hides what differs.
func (s *stage) relay(_ *testing.T, _ *datadriven.TestData) {
	for i, from := range s.logs {
		to, copied, differ := s.logs[1-i], 0, 0
		for _, subject := range from.Order {
			switch stored, there := to.Records[subject]; {
			case there && string(stored) != string(from.Records[subject]):
				differ++
			case !there:
				copied++
				_ = to.Put(subject, from.Records[subject]) // free, as just seen
			}
		}
		s.printf("%d records from %s to %s, %d differ\n", copied, from.name, to.name, differ)
	}
}

func (s *stage) show(_ *testing.T, _ *datadriven.TestData) {
	for _, log := range s.logs {
		h, bytes := sha256.New(), 0
		for _, subject := range slices.Sorted(slices.Values(log.Order)) {
			digest := schema.Digest(subject, log.Records[subject])
			h.Write(digest[:])
			bytes += len(log.Records[subject])
		}
		s.printf("%s: %d records, %s, digest %s\n", log.name, len(log.Order), size(bytes), short([32]byte(h.Sum(nil))))
	}
}
