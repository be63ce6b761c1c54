// Command soak runs a consortium of three banks on three servers, all as processes of this machine, and kills them at random,
// for as long as it is told:
//
//	go run ./cmd/soak --riskprop ./riskprop --minutes 30
//
// One session follows the other: a key generation, then propagations with its key, then the next key. While they run, parties
// and servers are ended with SIGKILL, a party together with its working directory, and started again after a pause; now
// and then all servers at once. What a session comes to is compared with the computation in the clear, and with what the
// other parties came to. The first difference, a session that ends without a result, or one that stands still, ends
// the soak with status 1; the folder with all files and logs is kept then.
//
// It is no part of the tests: it takes as long as one likes. They run the same supervisor for a moment (see soak_test.go).
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// options are the command line.
type options struct {
	Riskprop     string `required:"" placeholder:"FILE" help:"The binary."`
	Minutes      int    `default:"30" help:"How long new sessions are begun."`
	KeyBits      int    `default:"512" help:"Bits of the keys."`
	Accounts     int    `default:"600" help:"Accounts of all banks together."`
	Propagations int    `default:"4" help:"Propagations with one key."`
	Seed         uint64 `help:"Seed of the disturbances; the present time otherwise."`
	Dir          string `placeholder:"DIR" help:"New folder for all files (default: a temporary one)."`
}

func main() {
	var o options
	kong.Parse(&o, kong.Name("soak"), kong.Description("Run a consortium and kill its processes at random."))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := o.run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run soaks until the time is over.
func (o options) run(ctx context.Context) (err error) {
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "riskprop-soak-*"); err != nil {
			return err
		}
	}
	binary, err := filepath.Abs(o.Riskprop)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d, files in %s\n", o.Seed, o.Dir)
	s, err := newSite(ctx, siteConfig{dir: o.Dir, binary: binary, nodes: 3, keyBits: o.KeyBits, accounts: o.Accounts})
	if err != nil {
		return err
	}
	defer s.stop()
	chaos := &chaos{site: s, random: rand.New(rand.NewPCG(o.Seed, 0)), kills: make(map[string]int)}
	end := time.Now().Add(time.Duration(o.Minutes) * time.Minute)
	sessions := 0
	for keys := 0; err == nil && ctx.Err() == nil && time.Now().Before(end); keys++ {
		sessions, err = o.generation(ctx, s, chaos, keys, sessions, end)
	}
	fmt.Printf("%d sessions in all came to the right result; killed: %s; parties that gave up and went on when started again: %d\n",
		sessions, chaos.summary(), s.restarts)
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w (files and logs are in %s)", err, o.Dir)
	}
	s.stop()
	return os.RemoveAll(o.Dir)
}

// generation runs a key generation, and propagations with its key.
func (o options) generation(ctx context.Context, s *site, chaos *chaos, number, sessions int, end time.Time) (int, error) {
	key := fmt.Sprintf("key-%d", number)
	for i := 0; i <= o.Propagations && (i == 0 || time.Now().Before(end)); i++ {
		id := key
		if i > 0 {
			id = fmt.Sprintf("run-%d-%d", number, i)
		}
		start, before := time.Now(), chaos.total()
		if err := s.session(ctx, id, key, chaos.disturb); err != nil {
			return sessions, fmt.Errorf("%s: %w", id, err)
		}
		sessions++
		fmt.Printf("%s  %-10s  %5.1f s  %2d kills\n", time.Now().Format(time.TimeOnly), id, time.Since(start).Seconds(), chaos.total()-before)
	}
	return sessions, nil
}
