package party

import (
	"fmt"

	"riskprop/schema"
)

// arrival is a part that this party can read. Its batch is there once it has been fetched, verified and opened; where there is
// a collector, that has its data.
type arrival struct {
	slot    schema.Slot
	ref     schema.Ref
	message int // index in the plan
	batch   *schema.Batch
	count   int // elements
}

// expect notes the parts that a member's head announces to this party.
func (m *Machine) expect(member int) {
	for i, message := range m.plan.Messages {
		if message.From != member || !m.readable(message) {
			continue
		}
		to := recipient(m.session.Roster, message.To)
		for part, ref := range m.now.heads[member].head.For(to) {
			slot := m.slot(member, to, schema.Part(part))
			m.missing[slot] = len(m.arrivals)
			m.arrivals = append(m.arrivals, arrival{slot: slot, ref: ref, message: i})
		}
	}
}

// Early lists the parts that could be fetched although the round is not complete: heads on the log announce them. What this party
// cannot read yet, or what is wrong with it, counts for nothing before the round is complete: then it is fetched again. There are
// none while this party has still to speak.
func (m *Machine) Early() []schema.Slot {
	if m.Done() || m.closed || m.self >= 0 && !m.counts(m.self) && !m.Out() {
		return nil
	}
	return m.absent()
}

// absent lists the parts that have been announced and are not there.
func (m *Machine) absent() []schema.Slot {
	var slots []schema.Slot
	for _, a := range m.arrivals {
		if a.batch == nil {
			slots = append(slots, a.slot)
		}
	}
	return slots
}

func (m *Machine) applyPart(event schema.Event) error {
	at, awaited := m.missing[event.Slot]
	if !awaited {
		return ErrStale
	}
	a := &m.arrivals[at]
	if err := a.ref.Verify(event.Raw); err != nil {
		return err
	}
	batch, err := m.open(event)
	if err == nil {
		err = m.take(a, &batch)
	}
	if err != nil {
		return m.blame(m.plan.Messages[a.message], err)
	}
	delete(m.missing, event.Slot)
	if !m.closed || len(m.missing) > 0 {
		return nil
	}
	trial := m.clone()
	if err := trial.advance(); err != nil {
		a.batch, a.count = nil, 0
		m.missing[event.Slot] = at
		return err
	}
	*m = *trial
	return nil
}

// open unseals and decodes a part whose bytes its sender has signed.
func (m *Machine) open(event schema.Event) (schema.Batch, error) {
	raw := event.Raw
	if event.Slot.To != schema.All {
		plain, err := m.pairs[event.Sender].Open(raw, []byte(event.Slot.Subject()), m.now.seen[:])
		if err != nil {
			return schema.Batch{}, err
		}
		raw = plain
	}
	return schema.Decode[schema.Batch](raw, schema.MaxRecord)
}

// take keeps a part, or what the collector makes of it.
func (m *Machine) take(a *arrival, batch *schema.Batch) error {
	message := m.plan.Messages[a.message]
	count, err := batch.Count(message.Width)
	if err != nil {
		return err
	}
	if intake := m.collector(); intake != nil {
		if last := int64(batch.First) + int64(count); last > int64(message.Max) {
			return fmt.Errorf("%d elements, %d to %d are due", last, message.Min, message.Max)
		}
		if err := intake.Add(message, int(batch.First), batch.Data); err != nil {
			return err
		}
		batch.Data = nil
	}
	a.batch, a.count = batch, count
	return nil
}

// collector is that of the round, which is made when it is needed; nil where the round has none, and for an auditor.
func (m *Machine) collector() Collector {
	if m.plan.Collect != nil && m.intake == nil && m.self >= 0 {
		m.intake = m.plan.Collect()
	}
	return m.intake
}
