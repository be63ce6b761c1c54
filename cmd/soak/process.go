package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// process is a program that is ended without mercy and started again. It is safe for concurrent use.
type process struct {
	binary string
	args   func() []string // asked at every start; nil: there is nothing to do now
	dir    string          // its working directory: made at every start, removed when it is killed
	log    string          // file to which both its streams are appended
	line   func(string)    // told of every line; may be nil
	ended  func(error)     // told when it ends by itself, or cannot be started

	turn sync.Mutex // one start or kill at a time

	mu      sync.Mutex // guards what follows; taken after turn
	running *exec.Cmd
	done    chan struct{} // closed when the running process has ended and its last line was told
	stopped bool          // for ever
}

// start starts the program, unless it runs, was stopped or has nothing to do.
func (p *process) start() {
	if err := p.launch(); err != nil {
		p.ended(fmt.Errorf("start %s: %w", p.binary, err))
	}
}

func (p *process) launch() error {
	p.turn.Lock()
	defer p.turn.Unlock()
	args := p.args()
	if args == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil || p.stopped {
		return nil
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	cmd := exec.Command(p.binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = p.dir, writer, writer, mortal()
	if err := errors.Join(cmd.Start(), writer.Close()); err != nil {
		return errors.Join(err, reader.Close(), file.Close())
	}
	p.running, p.done = cmd, make(chan struct{})
	go p.attend(cmd, p.done, reader, file)
	return nil
}

// attend keeps what a process prints, to its end.
func (p *process) attend(cmd *exec.Cmd, done chan struct{}, from io.ReadCloser, file *os.File) {
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		_, _ = fmt.Fprintln(file, lines.Text()) // it is a log: what could not be written is lost
		if p.line != nil {
			p.line(lines.Text())
		}
	}
	_, _ = io.Copy(file, from) // from a line that is too long on; nothing otherwise
	_, _ = from.Close(), file.Close()
	err := cmd.Wait()
	p.mu.Lock()
	killed := p.running != cmd
	if !killed {
		p.running = nil
	}
	p.mu.Unlock()
	close(done)
	if !killed {
		p.ended(err)
	}
}

// kill ends the process with SIGKILL and removes its working directory, and tells whether it was running.
func (p *process) kill() bool {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	cmd, done := p.running, p.done
	p.running = nil
	p.mu.Unlock()
	if cmd == nil {
		return false
	}
	_ = cmd.Process.Kill() // fails where it has just ended
	<-done
	_ = os.RemoveAll(p.dir) // the next start makes it, or says why it cannot
	return true
}

// stop kills the process for ever.
func (p *process) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.kill()
}
