package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"riskprop/cmd/riskprop/internal/config"
	"riskprop/exampledata"
)

// benchCommand is the subcommand bench. Its parts: bench_run.go does what the plan says, bench_work.go holds sessions in this process and
// bench_elsewhere.go, bench_crew.go and bench_child.go in others; bench_phase.go groups rounds into phases, bench_meter.go and bench_usage.go
// measure; bench_naive.go has the comparison; bench_report.go is what comes out, bench_say.go and bench_table.go show it.
type benchCommand struct {
	Accounts     int    `default:"300" help:"Accounts of all banks together."`
	Transactions int    `default:"880" help:"Transactions of all banks together."`
	Banks        int    `default:"3" help:"Banks, 3 to 31."`
	Iterations   uint32 `default:"2" help:"Iterations, in one period."`
	KeyBits      uint32 `default:"2048" help:"Bits of the shared key."`
	Seed         uint64 `default:"1" help:"Seed of the data."`
	Processes    bool   `help:"Run a server and the parties as processes of their own, with TLS between them, in place of everything in this process."`
	Scale        sizes  `placeholder:"N,N,…" help:"Propagate once for each number of accounts (1k, 10k, 1M), with transactions in proportion."`
	Against      string `enum:",naive" default:"" placeholder:"naive" help:"Compare with the straightforward computation, measured on a sample."`
	Repeat       int    `default:"1" placeholder:"N" help:"Generate so many keys, and tell the quartiles of the seconds."`
	Only         string `enum:",keygen,propagate" default:"" placeholder:"PART" help:"Measure keygen alone, or propagate alone, for which a key is generated but not counted."`
	JSON         bool   `name:"json" help:"Write one JSON object to standard output, and all text to standard error."`
	Keep         folder `placeholder:"DIR" help:"Keep the data in this new folder, and with --processes all files of the consortium."`
}

// Bounds of a benchmark.
const (
	maxBenchTransactions = 1 << 24
	maxRepeat            = 1000
	maxSizes             = 20

	benchDelta = "0.5"
	worstError = 1e-8 // a computation with a larger one is wrong
)

// The parts that --only names.
const (
	onlyKeygen    = "keygen"
	onlyPropagate = "propagate"
)

// sizes makes a flag of a list of sizes that grow.
type sizes struct{ list []int }

// UnmarshalText parses a list such as 300,1k,10k.
func (s *sizes) UnmarshalText(text []byte) error {
	for word := range strings.SplitSeq(string(text), ",") {
		size, err := parseSize(word)
		switch {
		case err != nil:
			return err
		case len(s.list) == maxSizes:
			return fmt.Errorf("more than %d numbers", maxSizes)
		case len(s.list) > 0 && size <= s.list[len(s.list)-1]:
			return fmt.Errorf("%s comes after a number that is not smaller: write them in ascending order", word)
		}
		s.list = append(s.list, size)
	}
	return nil
}

// parseSize parses a number of which k makes thousands and M millions.
func parseSize(text string) (int, error) {
	digits, unit := text, 1
	if thousands, ok := strings.CutSuffix(text, "k"); ok {
		digits, unit = thousands, 1000
	} else if millions, ok := strings.CutSuffix(text, "M"); ok {
		digits, unit = millions, 1_000_000
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || n == 0 || n > math.MaxInt32/uint64(unit) {
		return 0, fmt.Errorf("%.20q is not a number of accounts: write one such as 300, 10k or 1M", text)
	}
	return int(n) * unit, nil
}

// Validate refuses flags that do not go together.
func (c *benchCommand) Validate() error {
	switch {
	case c.Only == onlyKeygen && c.Scale.list != nil:
		return errors.New("--scale is about propagation: leave --only keygen away")
	case c.Only == onlyKeygen && c.Against != "":
		return errors.New("--against is about propagation: leave --only keygen away")
	case c.Only == onlyPropagate && c.Repeat != 1:
		return errors.New("--repeat is about the key generation: leave --only propagate away")
	}
	return nil
}

// plan is what a benchmark is going to do, checked.
type plan struct {
	banks []string // sorted
	terms *terms
	data  []benchData
}

// plan checks everything before anything expensive begins.
func (c *benchCommand) plan() (*plan, error) {
	if c.Repeat < 1 || c.Repeat > maxRepeat {
		return nil, fmt.Errorf("repetitions are %d: choose 1 to %d", c.Repeat, maxRepeat)
	}
	if _, err := c.config(c.Accounts); err != nil { // the proportion, if nothing else
		return nil, err
	}
	p := new(plan)
	numbers := c.Scale.list
	if numbers == nil {
		numbers = []int{c.Accounts}
	}
	for _, accounts := range numbers {
		config, err := c.config(accounts)
		if err != nil {
			return nil, err
		}
		p.data = append(p.data, benchData{fmt.Sprintf("run-%d", accounts), config})
	}
	smallest := benchData{config: exampledata.Config{Banks: c.Banks, Accounts: c.Banks, Periods: 1}}
	in, err := smallest.input()
	if err != nil {
		return nil, err
	}
	parameters := parameters{KeyBits: c.KeyBits, Iterations: c.Iterations}
	if err := parameters.Delta.UnmarshalText([]byte(benchDelta)); err != nil {
		return nil, err
	}
	p.banks = in.banks()
	p.terms, err = parameters.terms(in)
	return p, err
}

// config is the data of a propagation with so many accounts.
func (c *benchCommand) config(accounts int) (exampledata.Config, error) {
	transactions := c.Transactions
	if accounts != c.Accounts {
		transactions = int(math.Round(float64(c.Transactions) * float64(accounts) / float64(c.Accounts)))
	}
	d := exampledata.Config{Banks: c.Banks, Accounts: accounts, Transactions: transactions, Periods: 1, Seed: c.Seed}
	if err := d.Validate(); err != nil {
		return d, err
	}
	if most := c.Banks * config.DefaultMaxAccounts; accounts > most {
		return d, fmt.Errorf("accounts are %d: choose at most %d for %d banks", accounts, most, c.Banks)
	}
	if transactions > maxBenchTransactions {
		return d, fmt.Errorf("transactions are %d, for %d accounts: choose at most %d", transactions, accounts, maxBenchTransactions)
	}
	return d, nil
}

// Run measures.
func (c *benchCommand) Run(ctx context.Context, u *ui, logger zerolog.Logger) error {
	if c.JSON {
		u.onlyJSON()
	}
	start := time.Now()
	p, err := c.plan()
	if err != nil {
		return err
	}
	dir, remove, err := c.place()
	if err != nil {
		return err
	}
	b := &bench{benchCommand: c, plan: p, ui: u, report: c.newReport(p)}
	err = errors.Join(b.measure(ctx, logger, dir), remove())
	if err != nil {
		return err
	}
	b.say()
	if !c.JSON {
		return nil
	}
	b.report.Seconds = since(start)
	return b.report.write(u)
}

// place is the folder for the files, or none, and what removes it.
func (c *benchCommand) place() (dir string, remove func() error, err error) {
	remove = func() error { return nil }
	if c.Keep == "" {
		if !c.Processes {
			return "", remove, nil
		}
		dir, err = os.MkdirTemp("", "riskprop-bench-*")
		if err != nil {
			return "", nil, fmt.Errorf("make a folder for the consortium: %w", err)
		}
		return dir, func() error { return os.RemoveAll(dir) }, nil
	}
	if dir, err = filepath.Abs(string(c.Keep)); err != nil {
		return "", nil, fmt.Errorf("where is %s: %w", c.Keep, err)
	}
	if err := unused(string(c.Keep)); err != nil {
		return "", nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, fmt.Errorf("cannot make the folder: %w", err)
	}
	return dir, remove, nil
}
