package mem

import "fmt"

// Op is what a handle was asked to do.
type Op int

// The operations that a Hook sees.
const (
	Append  Op = iota + 1 // storing one record
	Get                   // reading one record
	Deliver               // handing one record to the fold of a Tail
)

// String returns the operation's name.
func (o Op) String() string {
	switch o {
	case Append:
		return "append"
	case Get:
		return "get"
	case Deliver:
		return "deliver"
	}
	return fmt.Sprintf("Op(%d)", int(o))
}

// Phase is a moment of an operation.
type Phase int

// The moments at which a Hook is called.
const (
	Before Phase = iota + 1 // nothing has happened yet: an error means that nothing will
	After                   // the operation succeeded: an error means that its caller does not learn so
)

// String returns the moment's name.
func (p Phase) String() string {
	switch p {
	case Before:
		return "before"
	case After:
		return "after"
	}
	return fmt.Sprintf("Phase(%d)", int(p))
}

// Step is one moment of one operation: where a fault can be placed.
type Step struct {
	Op      Op
	Phase   Phase
	Subject string
}

// Hook is called at every step of a handle, on the goroutine of the operation and without any lock held: it may block, and may
// use the store. An error that it returns is what the caller of Append, Get or Tail gets, unchanged. It must be safe for
// concurrent use when the handle is used concurrently.
//
// Invalid arguments, a closed handle and an ended context are refused before any step. Phase After is not reached when the
// operation itself failed.
type Hook func(Step) error

// around runs effect between the two calls of the hook.
func (l *Log) around(op Op, subject string, effect func() error) error {
	if err := l.hook(Step{Op: op, Phase: Before, Subject: subject}); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return l.hook(Step{Op: op, Phase: After, Subject: subject})
}
