package schema

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestKeygenManifestValidate(t *testing.T) {
	if err := sampleKeygen.Validate(3); err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		change func(*KeygenManifest)
		ok     bool
	}{
		"version 0":                {func(m *KeygenManifest) { m.Version = 0 }, false},
		"version 2":                {func(m *KeygenManifest) { m.Version = 2 }, false},
		"no session":               {func(m *KeygenManifest) { m.Session = "" }, false},
		"a session with a dot":     {func(m *KeygenManifest) { m.Session = "a.b" }, false},
		"the smallest key":         {func(m *KeygenManifest) { m.KeyBits = 256 }, true},
		"a key too small":          {func(m *KeygenManifest) { m.KeyBits = 192 }, false},
		"the largest key":          {func(m *KeygenManifest) { m.KeyBits = 4096 }, true},
		"a key too large":          {func(m *KeygenManifest) { m.KeyBits = 6144 }, false},
		"an odd key size":          {func(m *KeygenManifest) { m.KeyBits = 2050 }, false},
		"threshold 0":              {func(m *KeygenManifest) { m.Threshold = 0 }, false},
		"threshold 2 of 3":         {func(m *KeygenManifest) { m.Threshold = 2 }, false},
		"the largest threshold":    {func(m *KeygenManifest) { m.Threshold = math.MaxUint32 }, false},
		"a threshold of 2^31":      {func(m *KeygenManifest) { m.Threshold = 1 << 31 }, false},
		"the least kappa":          {func(m *KeygenManifest) { m.Kappa = 40 }, true},
		"kappa too small":          {func(m *KeygenManifest) { m.Kappa = 39 }, false},
		"the largest kappa":        {func(m *KeygenManifest) { m.Kappa = 256 }, true},
		"kappa too large":          {func(m *KeygenManifest) { m.Kappa = 257 }, false},
		"one candidate":            {func(m *KeygenManifest) { m.Batch = 1 }, true},
		"no candidates":            {func(m *KeygenManifest) { m.Batch = 0 }, false},
		"most candidates":          {func(m *KeygenManifest) { m.Batch = 4096 }, true},
		"too many candidates":      {func(m *KeygenManifest) { m.Batch = 4097 }, false},
		"no trial division":        {func(m *KeygenManifest) { m.TrialTo = 0 }, false},
		"most trial division":      {func(m *KeygenManifest) { m.TrialTo = 1 << 24 }, true},
		"too much trial division":  {func(m *KeygenManifest) { m.TrialTo = 1<<24 + 1 }, false},
		"no deadline":              {func(m *KeygenManifest) { m.Deadline = 0 }, true},
		"the last deadline":        {func(m *KeygenManifest) { m.Deadline = MaxDeadline }, true},
		"a deadline of no date":    {func(m *KeygenManifest) { m.Deadline = MaxDeadline + 1 }, false},
		"the zero manifest":        {func(m *KeygenManifest) { *m = KeygenManifest{} }, false},
		"another roster's digest":  {func(m *KeygenManifest) { m.Roster = [32]byte{9} }, true},
		"a session of 64":          {func(m *KeygenManifest) { m.Session = strings.Repeat("s", MaxSession) }, true},
		"a session of 65":          {func(m *KeygenManifest) { m.Session = strings.Repeat("s", MaxSession+1) }, false},
		"a session beyond ASCII":   {func(m *KeygenManifest) { m.Session = "é" }, false},
		"a session with wildcards": {func(m *KeygenManifest) { m.Session = "*" }, false},
	} {
		m := sampleKeygen
		test.change(&m)
		if err := m.Validate(3); (err == nil) != test.ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestPropagateManifestValidate(t *testing.T) {
	if err := sampleManifest.Validate(); err != nil {
		t.Fatal(err)
	}
	for what, test := range map[string]struct {
		change func(*PropagateManifest)
		ok     bool
	}{
		"version 0":               {func(m *PropagateManifest) { m.Version = 0 }, false},
		"version 2":               {func(m *PropagateManifest) { m.Version = 2 }, false},
		"no session":              {func(m *PropagateManifest) { m.Session = "" }, false},
		"no key session":          {func(m *PropagateManifest) { m.KeySession = "" }, false},
		"a key session of two":    {func(m *PropagateManifest) { m.KeySession = "a.b" }, false},
		"no deadline":             {func(m *PropagateManifest) { m.Deadline = 0 }, true},
		"last deadline":           {func(m *PropagateManifest) { m.Deadline = MaxDeadline }, true},
		"deadline of no date":     {func(m *PropagateManifest) { m.Deadline = MaxDeadline + 1 }, false},
		"no period":               {func(m *PropagateManifest) { m.Periods = 0 }, false},
		"no accounts":             {func(m *PropagateManifest) { m.MaxAccounts = 0 }, false},
		"most accounts":           {func(m *PropagateManifest) { m.MaxAccounts = 1 << 24 }, true},
		"too many accounts":       {func(m *PropagateManifest) { m.MaxAccounts = 1<<24 + 1 }, false},
		"no edges":                {func(m *PropagateManifest) { m.MaxEdges = 0 }, false},
		"most edges":              {func(m *PropagateManifest) { m.MaxEdges = 1 << 24 }, true},
		"too many edges":          {func(m *PropagateManifest) { m.MaxEdges = 1<<24 + 1 }, false},
		"most periods":            {func(m *PropagateManifest) { m.Periods = 10000 }, true},
		"too many periods":        {func(m *PropagateManifest) { m.Periods = 10001 }, false},
		"no iteration":            {func(m *PropagateManifest) { m.Delta = nil }, false},
		"an empty list":           {func(m *PropagateManifest) { m.Delta = []uint64{} }, false},
		"most iterations":         {func(m *PropagateManifest) { m.Delta = make([]uint64, 1000) }, true},
		"too many iterations":     {func(m *PropagateManifest) { m.Delta = make([]uint64, 1001) }, false},
		"delta just below 1":      {func(m *PropagateManifest) { m.Delta = []uint64{1<<40 - 1} }, true},
		"delta 1":                 {func(m *PropagateManifest) { m.Delta = []uint64{0, 1 << 40} }, false},
		"delta far above 1":       {func(m *PropagateManifest) { m.Delta = []uint64{math.MaxUint64} }, false},
		"coarsest scores":         {func(m *PropagateManifest) { m.ScoreBits = 8 }, true},
		"scores too coarse":       {func(m *PropagateManifest) { m.ScoreBits = 7 }, false},
		"finest scores":           {func(m *PropagateManifest) { m.ScoreBits = 52 }, true},
		"scores too fine":         {func(m *PropagateManifest) { m.ScoreBits = 53 }, false},
		"coarsest weights":        {func(m *PropagateManifest) { m.WeightBits, m.Delta = 8, []uint64{255} }, true},
		"delta of another scale":  {func(m *PropagateManifest) { m.WeightBits, m.Delta = 8, []uint64{256} }, false},
		"weights too coarse":      {func(m *PropagateManifest) { m.WeightBits, m.Delta = 7, []uint64{0} }, false},
		"finest weights":          {func(m *PropagateManifest) { m.WeightBits, m.Delta = 62, []uint64{1<<62 - 1} }, true},
		"weights too fine":        {func(m *PropagateManifest) { m.WeightBits = 63 }, false},
		"weights beyond a word":   {func(m *PropagateManifest) { m.WeightBits = math.MaxUint32 }, false},
		"no limit":                {func(m *PropagateManifest) { m.LimitDisclosure, m.MaxSingleSource = false, 0 }, true},
		"a limit of 0":            {func(m *PropagateManifest) { m.MaxSingleSource = 0 }, true},
		"a limit that is not set": {func(m *PropagateManifest) { m.LimitDisclosure = false }, false},
		"the zero manifest":       {func(m *PropagateManifest) { *m = PropagateManifest{} }, false},
	} {
		m := sampleManifest
		test.change(&m)
		if err := m.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// protocol.md, security model: n >= 2t+1, n >= 3, t >= 1.
func TestValidateThreshold(t *testing.T) {
	for members := range MaxMembers + 1 {
		for threshold := -2; threshold <= MaxMembers; threshold++ {
			want := threshold >= 1 && members >= 2*threshold+1
			if err := ValidateThreshold(threshold, members); (err == nil) != want {
				t.Errorf("threshold %d of %d: %v", threshold, members, err)
			}
		}
		for _, threshold := range []int{math.MinInt, math.MaxInt, math.MaxInt/2 + 1, math.MaxInt / 2, math.MaxUint32} {
			if ValidateThreshold(threshold, members) == nil {
				t.Errorf("threshold %d of %d is accepted", threshold, members)
			}
		}
	}
}

// changed returns copies of a manifest, each with one field changed a little, by the field's name.
func changed[M any](t *testing.T, manifest M) map[string]M {
	t.Helper()
	out := map[string]M{}
	for i := range reflect.TypeFor[M]().NumField() {
		other := manifest
		field := reflect.ValueOf(&other).Elem().Field(i)
		name := reflect.TypeFor[M]().Field(i).Name
		switch field.Kind() {
		case reflect.Uint8, reflect.Uint32, reflect.Uint64:
			field.SetUint(field.Uint() + 1)
		case reflect.String:
			field.SetString(field.String() + "x")
		case reflect.Bool:
			field.SetBool(!field.Bool())
		case reflect.Array:
			field.Index(field.Len() - 1).SetUint(field.Index(field.Len()-1).Uint() ^ 1)
		case reflect.Slice:
			longer := reflect.MakeSlice(field.Type(), field.Len()+1, field.Len()+1)
			reflect.Copy(longer, field)
			field.Set(longer)
		default:
			t.Fatalf("field %s: a %v cannot be changed yet", name, field.Kind())
		}
		out[name] = other
	}
	return out
}

// testFields checks that every field of a manifest is seen by people, on one line that is its own, and that Compare
// names that line, both values and the member.
func testFields[M interface{ Fields() []Field }](t *testing.T, manifest M, lines int) {
	t.Helper()
	own := manifest.Fields()
	names := map[string]bool{}
	for _, field := range own {
		if field.Name == "" || field.Value == "" || names[field.Name] {
			t.Errorf("field %q with value %q is nameless, empty or there twice", field.Name, field.Value)
		}
		names[field.Name] = true
	}
	if len(own) != lines {
		t.Errorf("%d lines, want %d", len(own), lines)
	}
	if err := Compare(own, manifest.Fields(), "bob"); err != nil {
		t.Errorf("a manifest differs from itself: %v", err)
	}
	for name, other := range changed(t, manifest) {
		theirs := other.Fields()
		var differs []int
		for i := range own {
			if own[i] != theirs[i] {
				differs = append(differs, i)
			}
		}
		if len(differs) != 1 && (name != "WeightBits" || len(differs) != 2) { // delta is in units of them
			t.Errorf("a change of %s changes %d lines", name, len(differs))
			continue
		}
		err := Compare(own, theirs, "bob")
		if !errors.Is(err, ErrDisagree) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, field := range own {
			if named := strings.Contains(err.Error(), " "+field.Name+" is "); named != slices.Contains(differs, i) {
				t.Errorf("a change of %s: %v", name, err)
			}
		}
		if i := differs[0]; !strings.Contains(err.Error(), own[i].Value+" here") || !strings.Contains(err.Error(), theirs[i].Value+" at bob") {
			t.Errorf("a change of %s: values or member are missing: %v", name, err)
		}
	}
}

func TestFieldsShowEveryField(t *testing.T) {
	testFields(t, sampleKeygen, reflect.TypeFor[KeygenManifest]().NumField())
	// The limit and whether there is one are one line.
	lines := reflect.TypeFor[PropagateManifest]().NumField() - 1
	testFields(t, sampleManifest, lines)
	without := sampleManifest
	without.LimitDisclosure, without.MaxSingleSource = false, 0
	testFields(t, without, lines)
}

// What the fields show is all there is: manifests with other bytes show other lines.
func TestFieldsAreInjectiveInTheDisclosureLimit(t *testing.T) {
	seen := map[string]PropagateManifest{}
	for _, limited := range []bool{false, true} {
		for _, most := range []uint32{0, 1, 5, math.MaxUint32} {
			m := sampleManifest
			m.LimitDisclosure, m.MaxSingleSource = limited, most
			fields := m.Fields()
			at := slices.IndexFunc(fields, func(f Field) bool { return f.Name == "disclosure.max_single_source" })
			value := fields[at].Value
			if other, taken := seen[value]; taken {
				t.Errorf("%q stands for %t, %d and for %t, %d", value, limited, most, other.LimitDisclosure, other.MaxSingleSource)
			}
			seen[value] = m
		}
	}
}

func TestCompareListsEveryDifference(t *testing.T) {
	theirs := sampleKeygen
	theirs.KeyBits, theirs.Kappa = 3072, 100
	err := Compare(sampleKeygen.Fields(), theirs.Fields(), "charlie")
	const want = "key_bits is 2048 here and 3072 at charlie; kappa is 80 here and 100 at charlie"
	if !errors.Is(err, ErrDisagree) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Another member's text reaches a terminal through this error.
func TestCompareShowsOnlyPrintableText(t *testing.T) {
	theirs := sampleKeygen
	theirs.Session = "\x1b[2J\n" + strings.Repeat("long", 1000)
	err := Compare(sampleKeygen.Fields(), theirs.Fields(), "bob")
	if !errors.Is(err, ErrDisagree) || strings.ContainsAny(err.Error(), "\x1b\n") || len(err.Error()) > 400 {
		t.Errorf("%q", err)
	}
}
