package main

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"
)

// TestDisturb: what is killed is counted, and everything is up when the disturbance is over.
func TestDisturb(t *testing.T) {
	dir := t.TempDir()
	s := &site{siteConfig: siteConfig{dir: dir, grace: time.Millisecond}, present: newSession("key", "key"), parties: make(map[string]*process)}
	sleeper := func(name string) *process {
		p := &process{binary: "sleep", dir: s.path("work", name), log: s.path(name + ".log"), args: func() []string { return []string{"1000"} },
			ended: func(err error) { t.Errorf("%s has ended by itself: %v", name, err) }}
		t.Cleanup(p.stop)
		p.start()
		return p
	}
	for _, bank := range banks() {
		s.parties[bank] = sleeper(bank)
	}
	for _, name := range []string{"nats-1", "nats-2"} {
		s.servers = append(s.servers, sleeper(name))
	}
	c := &chaos{site: s, random: rand.New(rand.NewPCG(1, 0)), kills: make(map[victim]int)}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	over := make(chan struct{})
	go func() {
		c.disturb(ctx)
		close(over)
	}()
	for c.total() < 2 && pause(ctx, 10*time.Millisecond) {
	}
	cancel()
	<-over
	if c.total() < 2 {
		t.Errorf("%d kills", c.total())
	}
	up := append([]*process{s.parties["alice"], s.parties["bob"], s.parties["charlie"]}, s.servers...)
	for _, p := range up {
		p.mu.Lock()
		if p.running == nil {
			t.Errorf("what logs to %s is not up", p.log)
		}
		p.mu.Unlock()
	}
	if !c.down("everything", "in the end", up...) || c.kills[victim{"everything", "in the end"}] != 1 {
		t.Error("not counted once")
	}
	if left, err := filepath.Glob(s.path("work", "*")); err != nil || len(left) != 0 {
		t.Errorf("left are %v, %v", left, err)
	}
	if before := c.total(); c.down("nothing", "in the end", up...) || c.total() != before {
		t.Error("counted what was not running")
	}
}
