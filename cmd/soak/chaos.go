package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// chaos kills processes at random.
type chaos struct {
	site   *site
	random *rand.Rand

	mu    sync.Mutex
	kills map[string]int // by what was killed and when
}

// disturb kills one thing after the other until the context ends, and then sees to it that everything is up.
func (c *chaos) disturb(ctx context.Context) {
	for {
		if !pause(ctx, c.upTo(1500*time.Millisecond)) {
			return
		}
		switch n := c.random.IntN(20); {
		case n < 13:
			name := banks()[c.random.IntN(3)]
			c.count("party in " + kindOf(c.site.phase(name)))
			c.site.parties[name].kill()
			pause(ctx, c.upTo(time.Second))
			c.site.start(name)
		case n < 19:
			server := c.site.servers[c.random.IntN(len(c.site.servers))]
			c.count("server in " + kindOf(c.site.phase("alice")))
			server.kill()
			pause(ctx, c.upTo(2*time.Second))
			server.start()
		default:
			c.count("all servers in " + kindOf(c.site.phase("alice")))
			for _, server := range c.site.servers {
				server.kill()
			}
			pause(ctx, c.upTo(2*time.Second))
			for _, server := range c.site.servers {
				server.start()
			}
		}
	}
}

// kindOf is the kind of a round: scores for scores.1.2.
func kindOf(round string) string {
	kind, _, _ := strings.Cut(round, ".")
	return kind
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

func (c *chaos) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kills[what]++
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

// summary lists the kills.
func (c *chaos) summary() string {
	total := c.total()
	c.mu.Lock()
	defer c.mu.Unlock()
	parts := []string{fmt.Sprintf("%d in all", total)}
	for _, what := range slices.Sorted(maps.Keys(c.kills)) {
		parts = append(parts, fmt.Sprintf("%d %s", c.kills[what], what))
	}
	return strings.Join(parts, ", ")
}
