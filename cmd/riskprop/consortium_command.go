package main

import (
	"errors"
	"fmt"
	"strings"

	"riskprop/cmd/riskprop/internal/config"
)

// consortiumCommand is the subcommand consortium.
type consortiumCommand struct {
	Files       []string `arg:"" name:"file" help:"Public files of all parties, as riskprop init wrote them: 3 to 31 members, one operator, and at most one auditor."`
	Threshold   *int     `placeholder:"T" help:"So many members together cannot decrypt, any one more can (default: as many as possible, just below half of them)."`
	Stream      string   `default:"RISK" help:"Name of the stream on the servers that holds the log."`
	Fingerprint bool     `help:"Print the fingerprint of a consortium's file, which is then the only file, and nothing else."`
}

// Validate refuses flags that do not go together.
func (c *consortiumCommand) Validate() error {
	switch {
	case c.Fingerprint && (len(c.Files) != 1 || c.Threshold != nil):
		return errors.New("--fingerprint takes one file, that of a consortium, and no threshold")
	case c.Threshold != nil && *c.Threshold < 1:
		return fmt.Errorf("--threshold is %d: choose at least 1", *c.Threshold)
	}
	return nil
}

// Run prints the file of a consortium, or its fingerprint.
func (c *consortiumCommand) Run(u *ui) error {
	if c.Fingerprint {
		agreed, err := config.Load(c.Files[0], config.ParseConsortium)
		if err != nil {
			return err
		}
		u.say("%s", agreed.Fingerprint())
		return nil
	}
	publics, err := c.publics()
	if err != nil {
		return err
	}
	threshold := 0
	if c.Threshold != nil {
		threshold = *c.Threshold
	}
	agreed, err := config.NewConsortium(publics, threshold, c.Stream)
	if err != nil {
		return err
	}
	u.say("%s", strings.TrimSuffix(string(agreed.Marshal()), "\n"))
	u.note("fingerprint: %s", agreed.Fingerprint())
	u.note("every party compares it with the others by telephone (riskprop consortium --fingerprint FILE), before it uses the file")
	return nil
}

// publics reads the public files, of which no two may be of one party.
func (c *consortiumCommand) publics() ([]config.Public, error) {
	var all []config.Public
	files := map[string]string{}
	for _, file := range c.Files {
		public, err := config.Load(file, config.ParsePublic)
		if err != nil {
			return nil, err
		}
		if first, twice := files[public.Name]; twice {
			return nil, fmt.Errorf("%s and %s both are of %s: leave one out, or let one of the two parties choose another name", first, file, public.Name)
		}
		files[public.Name] = file
		all = append(all, public)
	}
	return all, nil
}
