package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// endIn is how long a child may take to end after it was interrupted; then it is killed.
const endIn = 10 * time.Second

// child is a process of this program.
type child struct {
	name  string
	cmd   *exec.Cmd
	out   bytes.Buffer // its standard output
	lines *lines       // its standard error
	file  *os.File     // where that is kept

	stop  context.CancelFunc
	ended chan struct{}
	err   error // why it has ended, once that is closed
}

// startChild runs a command line of this program in another process, keeps its standard error in a file, and hears every line of it. When
// ctx ends the process is interrupted, and with this process it dies.
func startChild(ctx context.Context, name, log string, heard func(c *child, line string), args ...string) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("where is this program: %w", err)
	}
	c := &child{name: name, ended: make(chan struct{})}
	if c.file, err = os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, secretMode); err != nil {
		return nil, err
	}
	ctx, c.stop = context.WithCancel(ctx)
	c.lines = &lines{to: c.file, heard: func(line string) { heard(c, line) }}
	c.cmd = exec.CommandContext(ctx, program, args...)
	c.cmd.Args[0] = "riskprop" // whatever the file is called
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.SysProcAttr = &c.out, c.lines, mortal()
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(os.Interrupt) }
	c.cmd.WaitDelay = endIn
	if err := c.cmd.Start(); err != nil {
		c.stop()
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), c.file.Close())
	}
	go func() {
		defer close(c.ended)
		c.err = errors.Join(c.cmd.Wait(), c.file.Close())
		c.stop()
	}()
	return c, nil
}

// failure words how a child has ended that should not have: in its own last words.
func (c *child) failure() error {
	if last, found := strings.CutPrefix(c.lines.error, "riskprop: error: "); found {
		return fmt.Errorf("%s: %s (%w)", c.name, last, c.err)
	}
	return fmt.Errorf("%s: %w", c.name, c.err)
}

// lines is a writer that passes on every whole line.
type lines struct {
	to    *os.File
	heard func(line string)
	rest  []byte
	error string // the last line that tells of an error
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return l.to.Write(p)
		}
		l.rest = rest
		if bytes.HasPrefix(line, []byte("riskprop: error: ")) {
			l.error = string(line)
		}
		l.heard(string(line))
	}
}
