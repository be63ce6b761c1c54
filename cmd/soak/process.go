package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
)

// process is a program that is ended without mercy and started again. It is safe for concurrent use.
type process struct {
	name   string
	binary string
	args   []string
	dir    string       // its working directory: new at every start, gone when it is killed
	log    string       // file to which both its streams are appended
	line   func(string) // told of every line; may be nil
	ended  func(error)  // told when it ends by itself

	mu      sync.Mutex
	running *exec.Cmd
	done    chan struct{} // closed when the running process has ended
	stopped bool          // for ever
}

// start starts the program, unless it runs or was stopped.
func (p *process) start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running != nil || p.stopped {
		return
	}
	if err := p.launch(); err != nil {
		p.ended(fmt.Errorf("start %s: %w", p.name, err))
	}
}

func (p *process) launch() error {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(p.binary, p.args...)
	cmd.Dir = p.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	if err := cmd.Start(); err != nil {
		return errors.Join(err, file.Close())
	}
	done := make(chan struct{})
	p.running, p.done = cmd, done
	go p.read(reader, file)
	go func() {
		err := cmd.Wait()
		_ = writer.Close() // never fails
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
	}()
	return nil
}

// read keeps what a process prints.
func (p *process) read(from io.Reader, file *os.File) {
	defer file.Close() // it is a log: what could not be written is lost
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fmt.Fprintln(file, lines.Text())
		if p.line != nil {
			p.line(lines.Text())
		}
	}
}

// kill ends the process with SIGKILL, if it runs, and removes its working directory.
func (p *process) kill() {
	p.mu.Lock()
	cmd, done := p.running, p.done
	p.running = nil
	p.mu.Unlock()
	if cmd != nil {
		_ = cmd.Process.Kill() // fails where it has just ended
		<-done
	}
	if filepath.Base(p.dir) == p.name { // and nothing else
		_ = os.RemoveAll(p.dir)
	}
}

// stop kills the process for ever.
func (p *process) stop() {
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	p.kill()
}
