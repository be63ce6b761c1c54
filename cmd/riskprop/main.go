// Command riskprop propagates risk scores through the joint transaction network of several banks, none of which shows its data to another.
//
// On one machine, to try and to compare:
//
//	riskprop demo      all banks in one process, from the key to the scores, under encryption
//	riskprop plain     the same computation in the clear, on the pooled data: what demo must arrive at
//	riskprop gen       example data of any size
//	riskprop bench     what all of it costs, phase by phase
//
// Among banks, on servers that they share:
//
//	riskprop init, consortium            identities, and the file in which all agree on who is who
//	riskprop server-config, server       the servers' configuration, and a server
//	riskprop stream                      the log, for the operator
//	riskprop party                       one member's part in one session
//	riskprop status, doctor              where a session stands, and what is broken
//	riskprop key show, export, import    a share of a key, as a backup
//
// # Input and output
//
// Data is a folder for each bank, named after the bank, with the files accounts.csv and transactions.csv as package party/ledger describes them. The
// result is a folder for each bank with scores.csv. Result files appear all together at the end, each complete, or not at all.
//
// # Exit status
//
// 0 when all is done; 1 when it is not, with one line on standard error that says why and what to change; 2 when the command line itself is wrong; 3 when a
// session has ended without a result, which is the same at every honest party. A party that ends with 1 has lost nothing: started again it goes on. An
// interrupt (SIGINT, SIGTERM, SIGHUP) stops a run cleanly, with status 1; a second one ends the process at once.
//
// # Where things are
//
// This file has the command line and nothing else. Every subcommand has its file. Package config below this folder reads and writes what people keep. For demo
// and plain, data.go reads the banks' folders, output.go writes results, consortium.go and broker.go run the parties of all banks, and report.go words it. For
// the others, dial.go connects to the log, member.go loads what a member brings, replay.go finds its share of a key, metrics.go counts, and exit.go knows
// the statuses. ui.go decides what goes to which stream.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/rs/zerolog"

	"riskprop/crypto/modular"
)

// Exit statuses.
const (
	statusOK = iota
	statusFailed
	statusUsage
	statusEnded
)

// commandLine is everything that can be typed.
type commandLine struct {
	Verbose bool             `help:"Log what happens inside to standard error, as JSON lines. Neither secrets nor account ids nor scores are logged."`
	Version kong.VersionFlag `help:"Print the version."`

	Demo  demoCommand  `cmd:"" help:"Propagate under encryption, with the parties of all banks in this process."`
	Plain plainCommand `cmd:"" help:"Propagate in the clear, on the pooled data of all banks: what demo must arrive at."`
	Gen   genCommand   `cmd:"" help:"Write example data: a folder for each bank, with accounts and transactions."`
	Bench benchCommand `cmd:"" help:"Measure what a key and a propagation cost, on data that are made for it."`

	Init       initCommand       `cmd:"" help:"Make the identity of a party: a secret file, and a public one for the others."`
	Consortium consortiumCommand `cmd:"" help:"Put the public files of all parties together into the file of a consortium, and print its fingerprint."`

	ServerConfig serverConfigCommand `cmd:"" help:"Write the configuration of the servers that the consortium shares."`
	Server       serverCommand       `cmd:"" help:"Run one of the servers, until it is interrupted."`
	Stream       streamCommand       `cmd:"" help:"Create the log on the servers, or check that it is as it must be. For the operator."`

	Party partyCommand `cmd:"" help:"Take part in a session, for one member, until it has ended."`
	Key   keyCommand   `cmd:"" help:"Show, back up and move a member's share of a key."`

	Status statusCommand `cmd:"" help:"Show where a session stands: who has spoken in which round, and who is awaited."`
	Doctor doctorCommand `cmd:"" help:"Look at every link between a party and the log, and say how to mend what is broken."`

	Print versionPrint `cmd:"" name:"version" help:"Print the version."`
}

func main() {
	harden()                       // before anything secret is read
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error of the write, after which the run cleans up
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // so that a second signal has its default effect
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program but for the process around it: it carries out the command line args and returns the exit status. When ctx ends it stops.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	u := newUI(stdout, stderr, cancel)

	var line commandLine
	printed := false // help or the version, in place of a command
	parser, err := kong.New(&line,
		kong.Name("riskprop"),
		kong.Description("Propagate risk scores through the transactions of several banks without showing them to one another."),
		kong.Vars{"version": version()}, guardVars(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { printed = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic("riskprop: the command line's description is wrong: " + err.Error())
	}
	command, err := parser.Parse(args)
	if printed {
		return statusOK
	}
	if err != nil {
		u.error(fmt.Errorf("%w (see riskprop --help)", err))
		return statusUsage
	}
	if err := modular.CheckPath(); err != nil {
		u.error(err)
		return statusFailed
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(u, newLogger(u.logs(), line.Verbose)); err != nil {
		u.error(stopped(ctx, err))
		return statusOf(err)
	}
	if err := context.Cause(ctx); err != nil && u.broken() {
		u.error(err)
		return statusFailed
	}
	return statusOK
}

// stopped words the error of a run that did not end by itself. What else went wrong on the way out is kept.
func stopped(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	switch {
	case cause == nil, isPaused(err), statusOf(err) == statusEnded:
		return err
	case errors.Is(err, cause):
		return fmt.Errorf("stopped, nothing was written: %w", err)
	case errors.Is(err, context.Canceled): // a call that does not pass on the cause
		return fmt.Errorf("stopped, nothing was written: %w", cause)
	}
	return err
}

// newLogger returns a logger of everything from level debug, or of warnings and errors alone.
func newLogger(w io.Writer, verbose bool) zerolog.Logger {
	level := zerolog.WarnLevel
	if verbose {
		level = zerolog.DebugLevel
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}

// versionPrint is the subcommand version.
type versionPrint struct{}

// Run prints the version.
func (versionPrint) Run(u *ui) error {
	u.say("%s", version())
	return nil
}

// version describes this build in one line.
func version() string {
	build := "(unknown build)"
	if info, ok := debug.ReadBuildInfo(); ok {
		build = info.Main.Version
	}
	return fmt.Sprintf("riskprop %s, %s %s/%s", build, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
