package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// chaos kills processes at random.
type chaos struct {
	site   *site
	random *rand.Rand // used by disturb alone

	mu    sync.Mutex
	kills map[victim]int
}

// victim is what was killed, and when.
type victim struct{ kind, phase string }

// disturb kills one thing after the other until the context ends. In the end everything is up.
func (c *chaos) disturb(ctx context.Context) {
	for pause(ctx, c.upTo(1500*time.Millisecond)) {
		switch n := c.random.IntN(20); {
		case n < 13:
			c.party(ctx, banks()[c.random.IntN(len(banks()))])
		case n < 19:
			server := c.site.servers[c.random.IntN(len(c.site.servers))]
			c.down("server", c.site.phase(""), server)
			pause(ctx, c.upTo(2*time.Second))
			server.start()
		default:
			c.down("all servers", c.site.phase(""), c.site.servers...)
			pause(ctx, c.upTo(2*time.Second))
			for _, server := range c.site.servers {
				server.start()
			}
		}
	}
}

// party kills a bank's party, now and then for longer than the others wait in the opening.
func (c *chaos) party(ctx context.Context, bank string) {
	away, forgets := time.Second, c.random.IntN(2) == 0
	if c.random.IntN(8) == 0 {
		away += 3 * c.site.grace
	}
	away = c.upTo(away)
	phase := c.site.phase(bank)
	if !c.down("party", phase, c.site.parties[bank]) {
		return // it has ended well, or is about to be started again
	}
	if forgets {
		_ = os.RemoveAll(c.site.path("scores", bank)) // what is left of it is overwritten
	}
	pause(ctx, away)
	c.site.parties[bank].start()
}

// down kills processes and counts that as one, if anything was running.
func (c *chaos) down(kind, phase string, processes ...*process) bool {
	var wait sync.WaitGroup
	running := make([]bool, len(processes))
	for i, p := range processes {
		wait.Go(func() { running[i] = p.kill() })
	}
	wait.Wait()
	if !slices.Contains(running, true) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kills[victim{kind, phase}]++
	return true
}

func (c *chaos) upTo(most time.Duration) time.Duration {
	return time.Duration(c.random.Int64N(int64(most)))
}

// pause waits, and tells whether the context still goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// total is the number of kills so far.
func (c *chaos) total() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, count := range c.kills {
		n += count
	}
	return n
}

// summary lists the kills, a line for each kind.
func (c *chaos) summary() string {
	total := c.total()
	c.mu.Lock()
	defer c.mu.Unlock()
	order := slices.SortedFunc(maps.Keys(c.kills), func(a, b victim) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.phase, b.phase))
	})
	text, kind := fmt.Sprintf("%d kills", total), ""
	for _, v := range order {
		if v.kind != kind {
			kind = v.kind
			text += "\n  " + kind + ":"
		}
		text += fmt.Sprintf(" %d %s;", c.kills[v], v.phase)
	}
	return text + "\n"
}

// phaseAfter names the phase that follows a round: "after scores" for scores.1.2.
func phaseAfter(round string) string {
	if round == "" {
		return "at the start"
	}
	kind, _, _ := strings.Cut(round, ".")
	return "after " + kind
}
