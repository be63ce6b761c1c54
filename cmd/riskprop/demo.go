package main

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"riskprop/bus"
	"riskprop/party/plain"
)

// demoCommand is the subcommand demo.
type demoCommand struct {
	Data folder `placeholder:"DIR" help:"Folder with a folder for each bank (default: an example that is built in)."`
	Out  folder `default:"scores" placeholder:"DIR" help:"Folder for the results (default: ${default})."`
	parameters
}

// Run takes the parties of all banks from their files to their scores. Everything is sealed, signed and verified, as between strangers.
func (d *demoCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	start := time.Now()
	j, err := newJob(u, d.parameters, string(d.Data), string(d.Out))
	if err != nil {
		return err
	}
	if d.KeyBits < secureKeyBits {
		u.warn("a key of %d bits is not secure: use %d or more for anything but a test", d.KeyBits, secureKeyBits)
	}
	u.say("%d banks propagate risk through %s; none of them shows its data to another.\n", len(j.in.ledgers), j.in.name)
	sayInput(u, j.in)

	report := newReport(j)
	results, err := j.encrypted(ctx, u, logger, &report)
	if err != nil {
		return err
	}
	if err := j.write(ctx, results); err != nil {
		return err
	}
	worst := largestError(results, j.plain())
	u.say("")
	j.sayResults(u, results)
	u.say("Largest error against the plain computation on pooled data (only possible because this is example data): %.1e", worst)
	if !d.JSON {
		return nil
	}
	report.MaxError = &worst
	report.Seconds.Total = since(start)
	return u.result(report)
}

// encrypted runs the parties of all banks: a key generation, then a propagation. It fills in its part of the report.
func (j *job) encrypted(ctx context.Context, u *ui, logger zerolog.Logger, report *report) (results []plain.Result, err error) {
	progress := newProgress(u, j)
	b, err := startBroker(ctx, logger)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	open := func(bank string) (bus.Log, error) { return b.open(ctx, bank) }
	c, err := newConsortium(j.in.ledgers, open, logger, progress)
	if err != nil {
		return nil, err
	}
	keys, err := c.generateKey(ctx, j.terms.keygen)
	if err != nil {
		return nil, err
	}
	progress.keyDone()
	done, err := c.propagate(ctx, j.terms.propagate, keys)
	if err != nil {
		return nil, err
	}
	progress.openDone()

	warnMismatches(u, c, done)
	sayDisclosure(u, c, done)
	report.Seconds, report.BytesWritten = progress.seconds(), c.bytesWritten()
	report.setKeygen(keys[0].Stats)
	for i, m := range c.members {
		results = append(results, plain.Result{Bank: m.bank, Scores: done[i].Scores})
	}
	return results, nil
}
