package mem_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"riskprop/bus"
	"riskprop/bus/mem"
)

var errFault = errors.New("fault")

// faultAt returns a hook that fails at the first call with this step, and the record of all steps.
func faultAt(at mem.Step) (mem.Hook, *[]mem.Step) {
	var steps []mem.Step
	failed := false
	return func(s mem.Step) error {
		steps = append(steps, s)
		if s == at && !failed {
			failed = true
			return errFault
		}
		return nil
	}, &steps
}

const subject = "risk.s.p.1.all.a.head"

// What a writer sees, what is stored, and that trying again with the same bytes settles it: for both ways an Append can fail.
func TestAppendFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		phase  mem.Phase
		stored bool
	}{
		{"and was not stored", mem.Before, false},
		{"but WAS stored", mem.After, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := mem.NewStore()
			hook, _ := faultAt(mem.Step{Op: mem.Append, Phase: c.phase, Subject: subject})
			log := store.Open(hook)
			if err := log.Append(t.Context(), subject, []byte("x")); err != errFault {
				t.Fatalf("Append = %v, want the hook's error", err)
			}
			if got := len(store.Records()) == 1; got != c.stored {
				t.Fatalf("stored: %t, want %t", got, c.stored)
			}
			other := store.Open(nil).Append(t.Context(), subject, []byte("other"))
			if taken := errors.Is(other, bus.ErrTaken); taken != c.stored {
				t.Fatalf("another writer's Append = %v", other)
			}
			again := log.Append(t.Context(), subject, []byte("x"))
			if (again == nil) != c.stored || !c.stored && !errors.Is(again, bus.ErrTaken) {
				t.Fatalf("Append again = %v", again)
			}
		})
	}
}

func TestGetFails(t *testing.T) {
	for _, phase := range []mem.Phase{mem.Before, mem.After} {
		t.Run(phase.String(), func(t *testing.T) {
			hook, steps := faultAt(mem.Step{Op: mem.Get, Phase: phase, Subject: subject})
			log := mem.NewStore().Open(hook)
			if err := log.Append(t.Context(), subject, []byte("x")); err != nil {
				t.Fatal(err)
			}
			if data, err := log.Get(t.Context(), subject); err != errFault || data != nil {
				t.Fatalf("Get = %q, %v, want the hook's error alone", data, err)
			}
			if data, err := log.Get(t.Context(), subject); err != nil || string(data) != "x" {
				t.Fatalf("Get again = %q, %v", data, err)
			}
			if got := len(*steps); got != 4+int(phase) {
				t.Errorf("the hook was called %d times: %v", got, *steps)
			}
		})
	}
}

func TestDeliveryFails(t *testing.T) {
	const third = "risk.s.p.3.all.a.head"
	for phase, want := range map[mem.Phase]int{mem.Before: 2, mem.After: 3} {
		t.Run(phase.String(), func(t *testing.T) {
			hook, _ := faultAt(mem.Step{Op: mem.Deliver, Phase: phase, Subject: third})
			log := mem.NewStore().Open(hook)
			for i := 1; i <= 5; i++ {
				if err := log.Append(t.Context(), fmt.Sprintf("risk.s.p.%d.all.a.head", i), []byte("x")); err != nil {
					t.Fatal(err)
				}
			}
			var got []uint64
			fold := func(r bus.Record) error { got = append(got, r.Seq); return nil }
			if err := log.Tail(t.Context(), 0, "risk.*.*.*.*.*.*", fold, func() error { return nil }); err != errFault || len(got) != want {
				t.Fatalf("Tail = %v after %v, want the hook's error after %d records", err, got, want)
			}
			done := errors.New("done")
			if err := log.Tail(t.Context(), uint64(len(got)), "risk.*.*.*.*.*.*", fold, func() error { return done }); err != done {
				t.Fatalf("Tail again = %v", err)
			}
			if !slices.Equal(got, []uint64{1, 2, 3, 4, 5}) {
				t.Errorf("records %v, want each once", got)
			}
		})
	}
}

// Failures of the call itself have no step after.
func TestStepsOfAFailedCall(t *testing.T) {
	hook, steps := faultAt(mem.Step{})
	log := mem.NewStore().Open(hook)
	if _, err := log.Get(t.Context(), subject); !errors.Is(err, bus.ErrNone) {
		t.Fatalf("Get = %v, want ErrNone", err)
	}
	if err := log.Append(t.Context(), "*", []byte("x")); !errors.Is(err, bus.ErrInvalid) {
		t.Fatalf("Append = %v, want ErrInvalid", err)
	}
	if want := []mem.Step{{Op: mem.Get, Phase: mem.Before, Subject: subject}}; !slices.Equal(*steps, want) {
		t.Errorf("steps %v, want %v", *steps, want)
	}
}

// A hook may use the store: another writer gets in between the decision and the effect.
func TestAHookMayWrite(t *testing.T) {
	store := mem.NewStore()
	rival := store.Open(nil)
	log := store.Open(func(s mem.Step) error {
		if s.Op == mem.Append && s.Phase == mem.Before {
			return rival.Append(context.Background(), s.Subject, []byte("rival"))
		}
		return nil
	})
	if err := log.Append(t.Context(), subject, []byte("x")); !errors.Is(err, bus.ErrTaken) {
		t.Fatalf("Append = %v, want ErrTaken", err)
	}
}

func TestClose(t *testing.T) {
	store := mem.NewStore()
	log := store.Open(nil)
	if err := log.Append(t.Context(), subject, []byte("x")); err != nil {
		t.Fatal(err)
	}
	head := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		result <- log.Tail(context.Background(), 0, "*", func(bus.Record) error { return nil }, func() error { close(head); return nil })
	}()
	<-head
	log.Close()
	log.Close()
	_, get := log.Get(t.Context(), subject)
	for call, err := range map[string]error{
		"running Tail": <-result,
		"Tail":         log.Tail(t.Context(), 0, "*", nil, nil),
		"Append":       log.Append(t.Context(), subject, []byte("x")),
		"Get":          get,
	} {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("%s = %v, want ErrClosed", call, err)
		}
	}
	if data, err := store.Open(nil).Get(t.Context(), subject); err != nil || string(data) != "x" {
		t.Errorf("Get on another handle = %q, %v", data, err)
	}
}

func TestNames(t *testing.T) {
	got := fmt.Sprint(mem.Append, mem.Get, mem.Deliver, mem.Op(9), mem.Before, mem.After, mem.Phase(9))
	if want := "append get deliver Op(9) before after Phase(9)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
