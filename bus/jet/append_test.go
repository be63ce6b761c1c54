package jet_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"riskprop/bus"
	"riskprop/bus/jet"
)

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]jet.Config{
		"no stream":      {Party: "a"},
		"stream of two":  {Stream: "a.b", Party: "a"},
		"no party":       {Stream: "S"},
		"wildcard party": {Stream: "S", Party: "*"},
		"budget":         {Stream: "S", Party: "a", Budget: -1},
		"grace":          {Stream: "S", Party: "a", Grace: -1},
	} {
		if _, err := jet.New(t.Context(), nil, cfg); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%s: New = %v, want ErrInvalid", name, err)
		}
	}
}

func TestSubjectsOutsideTheStreamAreRefusedAtOnce(t *testing.T) {
	log := newSite(t).open(t)
	for _, s := range []string{"risk.s.p.1.all.a", "risk.s.p.1.all.a.0.0", "other.s.p.1.all.a.0"} {
		if err := log.Append(t.Context(), s, []byte("x")); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("Append(%s) = %v, want ErrInvalid", s, err)
		}
		if _, err := log.Get(t.Context(), s); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("Get(%s) = %v, want ErrInvalid", s, err)
		}
		if err := log.Tail(t.Context(), 0, s, nil, nil); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("Tail(%s) = %v, want ErrInvalid", s, err)
		}
	}
}

func TestAClosedConnectionIsNamed(t *testing.T) {
	s := newSite(t)
	nc := s.connect(t, "a")
	log := s.handle(t, nc, jet.Config{Stream: stream, Party: "a"})
	x := tail(t, log)
	<-x.heads
	nc.Close()
	_, get := log.Get(t.Context(), slot(1))
	_, open := jet.New(t.Context(), nc, jet.Config{Stream: stream, Party: "a"})
	for call, err := range map[string]error{
		"running Tail": <-x.done,
		"Tail":         log.Tail(t.Context(), 0, jet.Shared, nil, nil),
		"Append":       log.Append(t.Context(), slot(1), []byte("x")),
		"Get":          get,
		"New":          open,
	} {
		if !errors.Is(err, bus.ErrClosed) {
			t.Errorf("%s = %v, want ErrClosed", call, err)
		}
	}
}

// Nobody answers for a stream that does not exist, which looks like a cluster without a leader until the budget is used up.
func TestTheBudgetEnds(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	log := s.handle(t, s.connect(t, "a"), jet.Config{Stream: "NONE", Party: "a", Budget: time.Second})
	if _, err := log.Get(t.Context(), slot(1)); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("Get = %v, want no responders", err)
	}
	if err := log.Tail(t.Context(), 0, jet.Shared, nil, nil); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("Tail = %v, want no responders", err)
	}
	s.stop()
	if err := log.Append(t.Context(), slot(1), []byte("x")); !errors.Is(err, nats.ErrReconnectBufExceeded) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrDisconnected) {
		t.Errorf("Append to a server that is down = %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := log.Append(ctx, slot(1), []byte("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Append = %v, want the context's error", err)
	}
}

func TestAnotherStreamsSubjectIsNamed(t *testing.T) {
	s := newSite(t)
	log := s.handle(t, s.connect(t, "a"), jet.Config{Stream: "OTHER", Party: "a"})
	if err := log.Append(t.Context(), slot(1), []byte("x")); !errors.Is(err, bus.ErrInvalid) || !strings.Contains(err.Error(), stream) {
		t.Fatalf("Append = %v, want an error that names the stream %s", err, stream)
	}
}

// A refusal for another reason than the subject, here the size, is final.
func TestARefusalIsFinal(t *testing.T) {
	s := newSite(t)
	js, err := jetstream.New(s.connect(t, "operator"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.UpdateStream(t.Context(), small(t, js)); err != nil {
		t.Fatal(err)
	}
	if err := s.open(t).Append(t.Context(), slot(1), make([]byte, 5000)); !errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum) {
		t.Fatalf("Append = %v, want the server's refusal", err)
	}
}

// small returns the stream's configuration with room for 1000 bytes a message.
func small(t *testing.T, js jetstream.JetStream) jetstream.StreamConfig {
	t.Helper()
	st, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	cfg := st.CachedInfo().Config
	cfg.MaxMsgSize = 1000
	return cfg
}

func TestCreateStream(t *testing.T) {
	s := newSite(t)
	nc := s.connect(t, "operator")
	if err := jet.CreateStream(t.Context(), nc, jet.StreamConfig{Name: stream, Replicas: 1}); err != nil {
		t.Fatalf("CreateStream again = %v", err)
	}
	for name, cfg := range map[string]jet.StreamConfig{
		"name": {Name: "a.b", Replicas: 1}, "replicas": {Name: stream, Replicas: 2}, "budget": {Name: stream, Replicas: 1, Budget: -1},
	} {
		if err := jet.CreateStream(t.Context(), nc, cfg); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%s: CreateStream = %v, want ErrInvalid", name, err)
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.UpdateStream(t.Context(), small(t, js)); err != nil {
		t.Fatal(err)
	}
	err = jet.CreateStream(t.Context(), nc, jet.StreamConfig{Name: stream, Replicas: 1})
	var differs *jet.StreamError
	if !errors.As(err, &differs) || len(differs.Differences) != 1 || differs.Differences[0].Have != "1000" || !strings.Contains(err.Error(), "message size is 1000") {
		t.Fatalf("CreateStream over a smaller message size = %v", err)
	}
}

func TestCreateStreamNamesEveryField(t *testing.T) {
	s := newSite(t)
	nc := s.connect(t, "operator")
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "LOOSE", Subjects: []string{"loose.>"}, Storage: jetstream.MemoryStorage, Retention: jetstream.InterestPolicy,
		MaxMsgsPerSubject: 2, MaxMsgs: 10, MaxBytes: 1 << 20, MaxConsumers: 5, MaxAge: time.Hour, Duplicates: time.Minute,
		NoAck: true, AllowRollup: true, AllowMsgTTL: true, AllowAtomicPublish: true,
		SubjectTransform: &jetstream.SubjectTransformConfig{Source: "loose.>", Destination: "l.>"},
		RePublish:        &jetstream.RePublish{Source: ">", Destination: "copy.>"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var differs *jet.StreamError
	if err := jet.CreateStream(t.Context(), nc, jet.StreamConfig{Name: "LOOSE", Replicas: 1}); !errors.As(err, &differs) {
		t.Fatalf("CreateStream = %v, want a StreamError", err)
	}
	var got []string
	for _, d := range differs.Differences {
		got = append(got, d.Field)
	}
	want := "subjects storage retention discard discard new per subject messages per subject message size messages bytes consumers" +
		" age duplicate window no acknowledgements deny delete deny purge rollup direct get subject transform republish message TTL atomic publish"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("differences are\n%s, want\n%s", s, want)
	}
}

func TestCallersWaitForTheirTurnOnlyAsLongAsTheirContext(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	log := s.open(t)
	s.stop()
	ctx, cancel := context.WithCancel(t.Context())
	const callers = 50
	done := make(chan error, callers)
	for i := range callers {
		go func() { done <- log.Append(ctx, slot(i), []byte("x")) }()
	}
	cancel()
	for range callers {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Append = %v, want the context's error", err)
		}
	}
}
