package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/rs/zerolog"

	"riskprop/exampledata"
	"riskprop/party/plain"
)

// bench is a benchmark under way.
type bench struct {
	*benchCommand
	*plan
	ui     *ui
	report *benchReport
}

// measure does what the plan says and fills in the report.
func (b *bench) measure(ctx context.Context, logger zerolog.Logger, dir string) (err error) {
	work, err := b.open(ctx, logger, dir)
	if err != nil {
		return err
	}
	defer func() {
		server, failed := work.close()
		b.report.Server = server
		err = errors.Join(err, failed)
	}()
	if err := b.keygen(ctx, work); err != nil {
		return err
	}
	if b.Only == onlyKeygen {
		return nil
	}
	for _, data := range b.data {
		if err := b.propagate(ctx, work, data); err != nil {
			return err
		}
	}
	if b.Against == "" {
		return nil
	}
	b.ui.show("  the naive way …")
	key, err := work.shared(ctx)
	if err != nil {
		return err
	}
	in, err := b.data[len(b.data)-1].input()
	if err != nil {
		return err
	}
	b.report.Naive, err = b.naive(ctx, key, in)
	return err
}

// open makes the place where the sessions are held.
func (b *bench) open(ctx context.Context, logger zerolog.Logger, dir string) (workplace, error) {
	if b.Processes {
		return newElsewhere(ctx, b.ui, logger, dir, b.banks, b.terms)
	}
	if dir != "" {
		for _, data := range b.data {
			folders, err := exampledata.Random(data.config)
			if err != nil {
				return nil, err
			}
			if err := writeData(filepath.Join(dir, data.session, "data"), folders); err != nil {
				return nil, err
			}
		}
	}
	return newHere(b.ui, logger, b.banks, b.terms)
}

// keygen generates keys, of which the last one is used.
func (b *bench) keygen(ctx context.Context, work workplace) error {
	for i := range b.Repeat {
		done, err := work.keygen(ctx, fmt.Sprintf("key-%d", i+1))
		if err != nil {
			return err
		}
		if b.Only == onlyPropagate {
			return nil
		}
		run := b.report.addKey(done)
		b.ui.say("  key %d of %d: %.2f s", i+1, b.Repeat, run.Seconds)
	}
	return nil
}

// propagate propagates once, and checks the scores.
func (b *bench) propagate(ctx context.Context, work workplace, data benchData) error {
	done, err := work.propagate(ctx, data)
	if err != nil {
		return err
	}
	in, err := data.input()
	if err != nil {
		return err
	}
	worst := largestError(done.results, plain.Propagate(in.ledgers, b.terms.delta, in.periods()))
	if !(worst <= worstError) {
		return fmt.Errorf("the scores are wrong, by up to %v: what was measured is of no use", worst)
	}
	run := b.report.addRun(done, in, len(b.terms.delta))
	run.MaxError = worst
	b.ui.say("  propagation of %d accounts: %.2f s", run.Accounts, run.Rounds.Seconds)
	return nil
}
