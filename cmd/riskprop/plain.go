package main

import (
	"context"
	"time"
)

// plainCommand is the subcommand plain.
type plainCommand struct {
	Data folder `required:"" placeholder:"DIR" help:"Folder with a folder for each bank."`
	Out  folder `required:"" placeholder:"DIR" help:"Folder for the results."`
	parameters
}

// Run computes in the clear what demo computes under encryption, after the same checks.
func (p *plainCommand) Run(ctx context.Context, u *ui) error {
	start := time.Now()
	j, err := newJob(u, p.parameters, string(p.Data), string(p.Out))
	if err != nil {
		return err
	}
	u.say("Risk of %d banks in %s, propagated in the clear on their pooled data.\n", len(j.in.ledgers), j.in.name)
	sayInput(u, j.in)
	results := j.plain()
	if err := j.write(ctx, results); err != nil {
		return err
	}
	j.sayResults(u, results)
	if !p.JSON {
		return nil
	}
	report := newReport(j)
	report.Seconds.Total = since(start)
	return u.result(report)
}
