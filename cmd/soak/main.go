// Command soak runs a consortium of three banks on three servers, all as processes of this machine, and kills them at random,
// for as long as it is told:
//
//	go run ./cmd/soak --riskprop ./riskprop --minutes 30
//
// One session follows the other: a key generation, then propagations with its key, then the next key. While they run, parties
// and servers are ended with SIGKILL and started again after a pause: a party together with its working directory and, half of
// the times, with all its results; now and then all servers at once. A party that gives up by itself, with status 1, is
// started again as well. A killed party may be away for longer than the others wait for it in the opening.
//
// What a session comes to is compared with the computation in the clear, and with what the other parties came to. The first
// difference, a session that ends without a result, or one that stands still, ends the soak with status 1; the folder with
// all files and logs is kept then.
//
// It reads of the binary what people see, files, lines and exit statuses, and knows nothing of what is inside. It is no part of
// the tests: it takes as long as one likes. They use the same supervisor with kills that are planned (see cluster_test.go).
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
	Riskprop     string        `required:"" placeholder:"FILE" help:"The binary."`
	Minutes      int           `default:"30" help:"How long new sessions are begun."`
	KeyBits      int           `default:"512" help:"Bits of the keys."`
	Accounts     int           `default:"600" help:"Accounts of all banks together."`
	Propagations int           `default:"4" help:"Propagations with one key."`
	Grace        time.Duration `default:"1s" help:"How long the opening waits for all once enough have spoken."`
	Seed         uint64        `help:"Seed of the disturbances; the present time otherwise."`
	Dir          string        `placeholder:"DIR" help:"New folder for all files (default: a temporary one)."`
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
func (o options) run(ctx context.Context) error {
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	var err error
	if o.Dir == "" {
		o.Dir, err = os.MkdirTemp("", "riskprop-soak-*")
	} else {
		err = os.Mkdir(o.Dir, 0o700)
	}
	if err != nil {
		return err
	}
	config := siteConfig{nodes: 3, keyBits: o.KeyBits, accounts: o.Accounts, grace: o.Grace}
	if config.dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if config.binary, err = filepath.Abs(o.Riskprop); err != nil {
		return err
	}
	fmt.Printf("seed %d, files in %s\n", o.Seed, config.dir)
	s, err := newSite(ctx, config)
	if err != nil {
		return err
	}
	defer s.stop()
	chaos := &chaos{site: s, random: rand.New(rand.NewPCG(o.Seed, 0)), kills: make(map[victim]int)}
	end := time.Now().Add(time.Duration(o.Minutes) * time.Minute)
	sessions := 0
	for keys := 0; err == nil && ctx.Err() == nil && time.Now().Before(end); keys++ {
		var n int
		n, err = o.generation(ctx, chaos, keys, end)
		sessions += n
	}
	fmt.Printf("%d sessions came to the right result, %d openings went on without somebody, parties gave up %d times and went on when started again\n",
		sessions, s.openedWithout, s.gaveUp)
	fmt.Print(chaos.summary())
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w (files and logs are in %s)", err, config.dir)
	}
	s.stop()
	return os.RemoveAll(config.dir)
}

// generation runs a key generation, and propagations with its key until the time is over. It returns how many sessions went well.
func (o options) generation(ctx context.Context, chaos *chaos, number int, end time.Time) (int, error) {
	key := fmt.Sprintf("key-%d", number)
	for i := 0; i <= o.Propagations; i++ {
		if i > 0 && time.Now().After(end) {
			return i, nil
		}
		id := key
		if i > 0 {
			id = fmt.Sprintf("run-%d-%d", number, i)
		}
		start, before := time.Now(), chaos.total()
		if err := chaos.site.run(ctx, id, key, chaos.disturb); err != nil {
			return i, fmt.Errorf("%s: %w", id, err)
		}
		fmt.Printf("%s  %-10s  %5.1f s  %2d kills\n", time.Now().Format(time.TimeOnly), id, time.Since(start).Seconds(), chaos.total()-before)
	}
	return o.Propagations + 1, nil
}
