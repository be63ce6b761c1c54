package fixed

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		text, canonical string
		want            []float64
	}{
		{"0.5", "0.5", []float64{0.5, 0.5, 0.5}},
		{"0", "0", []float64{0, 0, 0}},
		{" 0.50 ", "0.5", []float64{0.5, 0.5, 0.5}},
		{"0.5,0.4,0.3", "0.5,0.4,0.3", []float64{0.5, 0.4, 0.3}},
		{"0.5, 0 ,0.99", "0.5,0,0.99", []float64{0.5, 0, 0.99}},
		{"{0.5,1}", "{0.5,1}", []float64{0.5, 0.25, 0.5 / 3}},
		{" { 0.8 , 2 } ", "{0.8,2}", []float64{0.8, 0.2, 0.8 / 9}},
		{"{0.9,0}", "{0.9,0}", []float64{0.9, 0.9, 0.9}},
		{"{0.25,-1}", "{0.25,-1}", []float64{0.25, 0.5, 0.75}},
	} {
		s, err := ParseSchedule(c.text)
		if err != nil {
			t.Errorf("ParseSchedule(%q): %v", c.text, err)
			continue
		}
		if got := s.String(); got != c.canonical {
			t.Errorf("ParseSchedule(%q) is written %q, want %q", c.text, got, c.canonical)
		}
		if got, err := s.Resolve(3); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q resolves to %v, %v, want %v", c.text, got, err, c.want)
		}
	}
}

func TestSchedulesThatAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		"":              "number 1 of 1",
		"x":             "number 1 of 1",
		"0.5,,0.3":      "number 2 of 3",
		"0.5,0.4,":      "number 3 of 3",
		"1":             "delta 1 of iteration 0",
		"-0.1":          "delta -0.1 of iteration 0",
		"0.5,1.5,0.5":   "delta 1.5 of iteration 1",
		"NaN":           "number 1 of 1",
		"0x1p-1":        "number 1 of 1",
		"{0.5,1":        "does not end with '}'",
		"0.5,1}":        "number 2 of 2",
		"{0.5}":         "1 numbers between braces",
		"{0.5,1,2}":     "3 numbers between braces",
		"{}":            "1 numbers between braces",
		"{0.5,Inf}":     "number 2 of 2",
		"{{0.5,1}}":     "number 1 of 2",
		"0.5;0.4":       "number 1 of 1",
		"a/(i+1)^b,0.5": "number 1 of 2",
	} {
		if s, err := ParseSchedule(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("ParseSchedule(%q) = %v, %v, want an error with %q", text, s, err, says)
		}
	}
}

func TestSchedulesThatDoNotResolve(t *testing.T) {
	for _, c := range []struct {
		text       string
		iterations int
		says       string
	}{
		{"0.5,0.4,0.3", 2, "3 values for 2 iterations"},
		{"0.5,0.4,0.3", 4, "3 values for 4 iterations"},
		{"{1,1}", 3, "delta 1 of iteration 0"},
		{"{0.4,-1}", 3, "of iteration 2"},
		{"{-0.5,1}", 1, "of iteration 0"},
		{"{0,-1e300}", 3, "NaN of iteration 1"},
	} {
		s, err := ParseSchedule(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Resolve(c.iterations); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q resolves to %v, %v, want an error with %q", c.text, got, err, c.says)
		}
	}
	if _, err := (Schedule{}).Resolve(1); err == nil {
		t.Error("the zero schedule resolves")
	}
}

func TestSchedulesAreReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Schedule{decay: rapid.Bool().Draw(t, "decay")}
		if s.decay {
			s.values = []float64{rapid.Float64().Draw(t, "a"), rapid.Float64().Draw(t, "b")}
		} else {
			s.values = rapid.SliceOfN(rapid.Float64Range(0, 0.999), 1, 5).Draw(t, "values")
		}
		back, err := ParseSchedule(s.String())
		if err != nil || back.decay != s.decay || !slices.Equal(back.values, s.values) {
			t.Fatalf("%q came back as %v, %v", s, back, err)
		}
	})
}

func TestResolveReturnsAnIndependentSlice(t *testing.T) {
	s, err := ParseSchedule("0.1,0.2")
	if err != nil {
		t.Fatal(err)
	}
	first, _ := s.Resolve(2)
	first[0] = 9
	if second, _ := s.Resolve(2); second[0] != 0.1 {
		t.Error("a caller's change reached the schedule")
	}
}
