package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// pseudoTerminal makes this process's standard input a terminal, and returns its other end.
func pseudoTerminal(t *testing.T) (control *os.File) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { control.Close() })
	if err := unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stdin
	os.Stdin = terminal
	t.Cleanup(func() { os.Stdin = before; terminal.Close() })
	return control
}

// echoes tells whether the terminal at standard input shows what is typed.
func echoes(t *testing.T) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(os.Stdin.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// An interrupt while a passphrase is asked for ends the wait, and the terminal shows again what is typed.
func TestInterruptAtThePrompt(t *testing.T) {
	control := pseudoTerminal(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupt")
	answered := make(chan error)
	var stderr bytes.Buffer
	go func() {
		_, err := newPassphrase(ctx, newUI(&bytes.Buffer{}, &stderr, cancel), "", "it")
		answered <- err
	}()
	for echoes(t) { // until the prompt is there
		runtime.Gosched()
	}
	cancel(cause)
	if err := <-answered; !errors.Is(err, cause) {
		t.Errorf("%v, want the cause of the interrupt", err)
	}
	if !echoes(t) {
		t.Error("the terminal is left without an echo")
	}
	if got := stderr.String(); got != "New passphrase of it: \n" {
		t.Errorf("%q", got)
	}
	finish(t, control)
}

// finish lets the read that was given up end, which it shows by giving the terminal its echo back: it must not do so to another file of the same number.
func finish(t *testing.T, control *os.File) {
	t.Helper()
	terminal := int(os.Stdin.Fd())
	state, err := unix.IoctlGetTermios(terminal, unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	state.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(terminal, unix.TCSETS, state); err != nil {
		t.Fatal(err)
	}
	if _, err := control.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	for !echoes(t) {
		runtime.Gosched()
	}
}

// A passphrase that is known already is asked for once, and never shown.
func TestKnownPassphrase(t *testing.T) {
	control := pseudoTerminal(t)
	u := newUI(&bytes.Buffer{}, &bytes.Buffer{}, func(error) {})
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer)
	go func() {
		text, err := knownPassphrase(t.Context(), u, "", "it")()
		answers <- answer{text, err}
	}()
	for echoes(t) {
		runtime.Gosched()
	}
	if _, err := control.WriteString("open sesame\n"); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; a.err != nil || string(a.text) != "open sesame" || !echoes(t) {
		t.Errorf("%q, %v", a.text, a.err)
	}
	if _, err := os.Stdin.WriteString("end"); err != nil {
		t.Fatal(err)
	}
	shown := make([]byte, 100)
	if n, err := control.Read(shown); err != nil || string(shown[:n]) != "end" {
		t.Errorf("the terminal shows %q, %v", shown[:n], err)
	}
}

// A file is never asked for at the terminal.
func TestKnownPassphraseOfAFile(t *testing.T) {
	path := t.TempDir() + "/passphrase"
	if err := os.WriteFile(path, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := newUI(&bytes.Buffer{}, &bytes.Buffer{}, func(error) {})
	if text, err := knownPassphrase(t.Context(), u, path, "it")(); err != nil || string(text) != "open sesame" {
		t.Errorf("%q, %v", text, err)
	}
}
