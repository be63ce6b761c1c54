package party

import (
	"errors"
	"fmt"

	"riskprop/schema"
)

// ErrStale is returned for an event that was applied before, belongs to a round that is over, or to another session.
var ErrStale = errors.New("event is stale")

// ErrSplit is wrapped when a member signs another history than ours: the log has shown us two, or it signs what it has
// not seen.
var ErrSplit = errors.New("split view: the parties have different histories of the session")

// ErrInput is wrapped when what this party said earlier does not fit what it brings now: it was started again with
// another input, manifest or identity. Nobody else is concerned; with the old input it can go on.
var ErrInput = errors.New("this party has said something else before, with another input or manifest")

// Blame names the member whose signed word breaks the protocol.
type Blame struct {
	Party   string
	Slot    schema.Slot
	Private bool // only the recipient could see it: the others have its word for it
	Err     error
}

func (b *Blame) Error() string {
	return fmt.Sprintf("%s broke the protocol in %s: %v", b.Party, b.Slot.Subject(), b.Err)
}

func (b *Blame) Unwrap() error { return b.Err }

// Aborted is another member's last word: it has left the session.
type Aborted struct {
	By      string
	Culprit string // the member that it blames, or empty
	Reason  string
}

func (a *Aborted) Error() string {
	if a.Culprit == "" {
		return fmt.Sprintf("%s ended the session: %s", a.By, a.Reason)
	}
	return fmt.Sprintf("%s ended the session and blames %s: %s", a.By, a.Culprit, a.Reason)
}

// Fault is how a round names a culprit in an error of Next; the machine makes a [Blame] of it.
type Fault struct {
	Member  int  // index in the roster
	Private bool // only this party could see it
	Err     error
}

func (f *Fault) Error() string { return f.Err.Error() }

func (f *Fault) Unwrap() error { return f.Err }

// Refusal is how a round says that this party does not go on, for a reason whose details are its own: the others are
// told the reason only.
type Refusal struct {
	Reason string // for everybody
	Err    error  // for this party's operator
}

func (r *Refusal) Error() string { return r.Err.Error() }

func (r *Refusal) Unwrap() error { return r.Err }
