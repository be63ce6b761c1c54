package main

// This file decides what goes where. The rules are:
//
//   - The story of a run (what is done, how long it took, what came out) goes to standard output. With --json the
//     only thing there is one JSON object, and the story goes to standard error.
//
//   - Warnings, and the one error that ends a run, go to standard error, with the prefix "riskprop: ". They begin with a lower-case
//     letter and end without a period.
//
//   - Standard output that is a terminal also shows, in one line that is overwritten in place, what is going on. Everywhere else there is one
//     line a phase, so that a log stays readable.
//
//   - Text from outside that may hold anything (account ids) is quoted unless it is printable.
//
//   - Output that cannot be written ends the run: nobody would learn what came of it.

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// ui is the only writer to the standard streams. Safe for concurrent use.
type ui struct {
	stdout, stderr io.Writer
	fail           context.CancelCauseFunc // ends the run

	mu       sync.Mutex
	story    io.Writer // stdout, or stderr with --json
	inPlace  bool      // the story may overwrite its last line
	status   bool      // such a line is on the screen
	unusable bool      // stdout failed
}

// newUI returns a ui that calls fail with the reason when standard output fails.
func newUI(stdout, stderr io.Writer, fail context.CancelCauseFunc) *ui {
	u := &ui{stdout: stdout, stderr: stderr, fail: fail, story: stdout}
	if file, ok := stdout.(*os.File); ok {
		info, err := file.Stat()
		u.inPlace = err == nil && info.Mode()&fs.ModeCharDevice != 0 // or the null device, where it does no harm
	}
	return u
}

// onlyJSON keeps standard output free for the one JSON object.
func (u *ui) onlyJSON() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.story, u.inPlace = u.stderr, false
}

// say adds a line to the story.
func (u *ui) say(format string, args ...any) {
	u.print(false, format+"\n", args...)
}

// warn writes a warning.
func (u *ui) warn(format string, args ...any) {
	u.print(true, "riskprop: warning: "+format+"\n", args...)
}

// note writes what a user should know at once, without its being wrong.
func (u *ui) note(format string, args ...any) {
	u.print(true, "riskprop: "+format+"\n", args...)
}

// error writes the error that ends the run.
func (u *ui) error(err error) {
	u.print(true, "riskprop: error: %v\n", err)
}

// print writes to standard error, or to the story.
func (u *ui) print(aside bool, format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.clear()
	w := u.story
	if aside {
		w = u.stderr
	}
	u.write(w, fmt.Sprintf(format, args...))
}

// show replaces the line that says what is going on. Without a terminal it does nothing.
func (u *ui) show(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.inPlace {
		return
	}
	u.clear()
	u.write(u.story, fmt.Sprintf(format, args...))
	u.status = true
}

// logs returns a writer for the logger, to standard error.
func (u *ui) logs() io.Writer { return logs{u} }

type logs struct{ ui *ui }

func (l logs) Write(line []byte) (int, error) {
	l.ui.print(true, "%s", line)
	return len(line), nil
}

// clear takes the line that says what is going on from the screen.
func (u *ui) clear() {
	if u.status {
		u.write(u.story, "\r\x1b[K")
		u.status = false
	}
}

// result writes v, the outcome of the run, to standard output as one JSON object.
func (u *ui) result(v report) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.write(u.stdout, string(text)+"\n")
	return nil
}

// write writes text. Where not even standard error can be written there is nobody to tell.
func (u *ui) write(w io.Writer, text string) {
	if _, err := io.WriteString(w, text); err != nil && w == u.stdout {
		u.unusable = true
		u.fail(fmt.Errorf("write to standard output: %w", err))
	}
}

// broken reports whether standard output failed.
func (u *ui) broken() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.unusable
}

// printable returns text from outside in a form that is fit for a terminal: of at most 40 characters, quoted where it holds what is not printable.
func printable(text string) string {
	const limit = 40
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit-1]) + "…"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
