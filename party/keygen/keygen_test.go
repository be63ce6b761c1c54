package keygen_test

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"riskprop/crypto/modular"
	"riskprop/crypto/paillier"
	"riskprop/crypto/shamir"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// consortium is a roster with its identities and a manifest that tests may change.
type consortium struct {
	roster   *schema.Roster
	ids      []*party.Identity
	manifest schema.KeygenManifest
}

func newConsortium(t testing.TB, n, threshold, bits int) *consortium {
	t.Helper()
	names := []string{"alice", "bob", "charlie", "dave", "erin", "frank", "grace"}[:n]
	roster, ids, err := partytest.Identities(names...)
	if err != nil {
		t.Fatal(err)
	}
	return &consortium{roster, ids, schema.KeygenManifest{
		Version: schema.ManifestVersion, Session: "test", Roster: roster.Digest(), KeyBits: uint32(bits),
		Threshold: uint32(threshold), Kappa: 80, Batch: 64, TrialTo: 4096,
	}}
}

func (c *consortium) machine(t testing.TB, id *party.Identity, manifest schema.KeygenManifest) *party.Machine {
	t.Helper()
	first, err := keygen.Start(manifest, c.roster)
	if err != nil {
		t.Fatal(err)
	}
	session := party.Session{Proto: schema.Keygen, ID: manifest.Session, Roster: c.roster}
	m, err := party.NewMachine(session, id, schema.Digest("test", schema.Encode(manifest)), first)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// run generates a key with an auditor at the end of the list.
func (c *consortium) run(t testing.TB) []*keygen.Done {
	t.Helper()
	var machines []*party.Machine
	for _, id := range append(c.ids, nil) {
		machines = append(machines, c.machine(t, id, c.manifest))
	}
	if err := partytest.Run(partytest.NewLog(c.roster), machines...); err != nil {
		t.Fatal(err)
	}
	var done []*keygen.Done
	for _, m := range machines {
		done = append(done, m.Round().(*keygen.Done))
	}
	return done
}

// TestKeygen generates keys for all sizes of a consortium that differ in the protocol: t = 1 has no degree reduction,
// n = 4 has a party that does not multiply, t = 2 reduces one pair and t = 3 two. All parties and the auditor must
// hold the same key, and every t+1 parties decrypt with it.
func TestKeygen(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {4, 1}, {5, 1}, {5, 2}, {7, 3}} {
		t.Run(fmt.Sprintf("%d of %d", c.t+1, c.n), func(t *testing.T) {
			done := newConsortium(t, c.n, c.t, 256).run(t)
			first := done[0]
			if first.Key.N.BitLen() != 256 || first.Stats.Candidates != 64*first.Stats.Attempts || first.Stats.Tested == 0 {
				t.Errorf("N has %d bits, stats are %+v", first.Key.N.BitLen(), first.Stats)
			}
			for i, d := range done {
				if d.ID != first.ID || d.Stats != first.Stats {
					t.Errorf("party %d has another key or counted otherwise", i)
				}
			}
			if done[c.n].Share != nil {
				t.Error("the auditor has a share")
			}
			decryptWithAll(t, done[:c.n], c.t)
		})
	}
}

func decryptWithAll(t *testing.T, done []*keygen.Done, threshold int) {
	t.Helper()
	key := done[0].Key
	plaintexts := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(123456789), new(big.Int).Sub(key.N, big.NewInt(1))}
	ciphertexts := key.Rerandomize(zeros{}, key.Embed(plaintexts))
	var partials []*modular.Vector
	for _, d := range done {
		partials = append(partials, d.Key.PartialDecrypt(d.Share, ciphertexts))
	}
	for subset := range shamir.Subsets(len(done), threshold+1) {
		var chosen []*modular.Vector
		for _, number := range subset {
			chosen = append(chosen, partials[number-1])
		}
		opened, err := key.Combine(subset, chosen)
		if err != nil {
			t.Errorf("parties %v: %v", subset, err)
			continue
		}
		for k := range plaintexts {
			if opened[k].Cmp(plaintexts[k]) != 0 {
				t.Errorf("parties %v decrypt %v as %v", subset, plaintexts[k], opened[k])
			}
		}
	}
}

// zeros is a stream for randomness that does not matter.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestDeterministic: the same identities and manifest give the same log, other sessions another key.
func TestDeterministic(t *testing.T) {
	c := newConsortium(t, 3, 1, 256)
	first, again := c.run(t), c.run(t)
	if first[0].ID != again[0].ID || first[0].Share.Cmp(again[0].Share) != 0 {
		t.Error("a repeated session gives another key")
	}
	c.manifest.Session = "other"
	if other := c.run(t); other[0].ID == first[0].ID {
		t.Error("another session gives the same key")
	}
}

// TestRestartFromLog: a machine that starts when everything is on the log finds its share without a word.
func TestRestartFromLog(t *testing.T) {
	c := newConsortium(t, 3, 1, 256)
	log := partytest.NewLog(c.roster)
	machines := []*party.Machine{c.machine(t, c.ids[0], c.manifest), c.machine(t, c.ids[1], c.manifest), c.machine(t, c.ids[2], c.manifest)}
	if err := partytest.Run(log, machines...); err != nil {
		t.Fatal(err)
	}
	records := len(log.Records)
	again := c.machine(t, c.ids[1], c.manifest)
	if err := partytest.Run(log, again); err != nil {
		t.Fatal(err)
	}
	before, after := machines[1].Round().(*keygen.Done), again.Round().(*keygen.Done)
	if before.Share.Cmp(after.Share) != 0 || before.ID != after.ID || len(log.Records) != records {
		t.Error("replaying the log gives another share, or writes")
	}
}

// TestDisagreement names the field and the party.
func TestDisagreement(t *testing.T) {
	c := newConsortium(t, 3, 1, 256)
	other := c.manifest
	other.TrialTo++
	err := partytest.Run(partytest.NewLog(c.roster),
		c.machine(t, c.ids[0], c.manifest), c.machine(t, c.ids[1], other), c.machine(t, c.ids[2], c.manifest))
	if !errors.Is(err, schema.ErrDisagree) || !strings.Contains(err.Error(), "trial_to is 4096 here and 4097 at bob") {
		t.Errorf("%v", err)
	}
	third := c.manifest
	third.Deadline = 1
	err = partytest.Run(partytest.NewLog(c.roster),
		c.machine(t, c.ids[0], c.manifest), c.machine(t, c.ids[1], other), c.machine(t, c.ids[2], third))
	const want = "deadline is 1 (Unix time) here and none at alice; trial_to is 4096 here and 4097 at bob; deadline is 1 (Unix time) here and none at bob"
	if !errors.Is(err, schema.ErrDisagree) || !strings.Contains(err.Error(), want) {
		t.Errorf("%v does not name everybody who differs", err)
	}
}

func TestStartRefuses(t *testing.T) {
	c := newConsortium(t, 3, 1, 256)
	for want, change := range map[string]func(*schema.KeygenManifest){
		"threshold 2":    func(m *schema.KeygenManifest) { m.Threshold = 2 },
		"another roster": func(m *schema.KeygenManifest) { m.Roster[0]++ },
		"key_bits":       func(m *schema.KeygenManifest) { m.KeyBits = 255 },
		"batch":          func(m *schema.KeygenManifest) { m.Batch = 0 },
	} {
		manifest := c.manifest
		change(&manifest)
		if _, err := keygen.Start(manifest, c.roster); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error about %q", err, want)
		}
	}
}

// TestProveNamesTheCulprit: a party that lost its share, or computes with another, is named by all.
func TestProveNamesTheCulprit(t *testing.T) {
	for _, c := range []struct{ n, t int }{{3, 1}, {5, 2}} {
		for culprit := range c.n {
			con := newConsortium(t, c.n, c.t, 256)
			done := con.run(t)
			partials := make([]*modular.Vector, c.n)
			challenge := done[0].Key.Embed([]*big.Int{big.NewInt(7)})
			for i, d := range done[:c.n] {
				share := d.Share
				if i == culprit {
					share = new(big.Int).Add(share, big.NewInt(1))
				}
				partials[i] = d.Key.PartialDecrypt(share, done[0].Key.Rerandomize(zeros{}, challenge))
			}
			err := keygen.FindCulprit(con.roster, done[0].Key, partials, big.NewInt(7))
			var fault *party.Fault
			if !errors.As(err, &fault) || fault.Member != culprit {
				t.Errorf("n=%d: %v, want party %d", c.n, err, culprit)
			}
		}
	}
}

// TestProveWithTooManyCulprits blames nobody.
func TestProveWithTooManyCulprits(t *testing.T) {
	con := newConsortium(t, 3, 1, 256)
	done := con.run(t)
	partials := make([]*modular.Vector, 3)
	for i, d := range done[:3] {
		wrong := new(big.Int).Add(d.Share, big.NewInt(int64(i*i)))
		partials[i] = d.Key.PartialDecrypt(wrong, d.Key.Rerandomize(zeros{}, d.Key.Embed([]*big.Int{big.NewInt(7)})))
	}
	var fault *party.Fault
	if err := keygen.FindCulprit(con.roster, done[0].Key, partials, big.NewInt(7)); err == nil || errors.As(err, &fault) {
		t.Errorf("%v", err)
	}
}

// TestThetaIsDiscarded: the derivation's verdict that N is of no use leads to a new attempt, and others stop.
func TestThetaIsDiscarded(t *testing.T) {
	done := newConsortium(t, 3, 1, 256).run(t)
	n := done[0].Key.N
	d := paillier.Derivation{Parties: 3, Threshold: 1, Kappa: 80, N: n}
	if _, err := d.Theta([]*big.Int{new(big.Int), new(big.Int), new(big.Int)}); !errors.Is(err, paillier.ErrDiscard) {
		t.Fatalf("a θ of 0: %v", err)
	}
	names := keygen.AfterTheta(t, n, []*big.Int{new(big.Int), new(big.Int), new(big.Int)})
	if names != "sieve" {
		t.Errorf("after a θ of 0 comes %q", names)
	}
	if after := keygen.AfterTheta(t, n, []*big.Int{big.NewInt(1), big.NewInt(2), big.NewInt(4)}); !strings.Contains(after, "public data do not tell") {
		t.Errorf("after shares on no line comes %q", after)
	}
}

// TestKeyIDCoversTheKey: another number in the key, or another roster, is another id.
func TestKeyIDCoversTheKey(t *testing.T) {
	c := newConsortium(t, 3, 1, 256)
	other := newConsortium(t, 4, 1, 256)
	base := paillier.Params{N: big.NewInt(77), Theta: big.NewInt(5), HS: big.NewInt(9), Parties: 3, Threshold: 1, Kappa: 80}
	ids := map[[32]byte]string{keygen.KeyID(&paillier.Key{Params: base}, c.roster): "the key"}
	for name, change := range map[string]func(*paillier.Params){
		"N": func(p *paillier.Params) { p.N = big.NewInt(91) }, "theta": func(p *paillier.Params) { p.Theta = big.NewInt(6) },
		"h_s": func(p *paillier.Params) { p.HS = big.NewInt(10) }, "parties": func(p *paillier.Params) { p.Parties = 4 },
		"threshold": func(p *paillier.Params) { p.Threshold = 2 }, "kappa": func(p *paillier.Params) { p.Kappa = 81 },
		"roster": nil,
	} {
		params, roster := base, c.roster
		if change != nil {
			change(&params)
		} else {
			roster = other.roster
		}
		id := keygen.KeyID(&paillier.Key{Params: params}, roster)
		if same, there := ids[id]; there {
			t.Errorf("another %s has the id of %s", name, same)
		}
		ids[id] = "another " + name
	}
}

// TestConfirmLooksAtEveryBase: a modulus that passes with the first base and fails with another is not taken.
func TestConfirmLooksAtEveryBase(t *testing.T) {
	c := newConsortium(t, 3, 1, 256)
	honest, confirms := c.modulus(t, 0)
	if cheated, _ := c.modulus(t, confirms); honest.Cmp(cheated) == 0 {
		t.Error("a modulus was taken that does not pass with every base")
	}
}

// modulus generates a key, in which one of the values that alice gives in the rounds confirm is wrong: that of the given
// number, from 1. It returns how many she gives; the last one is for the last base of what becomes the modulus.
func (c *consortium) modulus(t *testing.T, wrong int) (n *big.Int, confirms int) {
	t.Helper()
	var machines []*party.Machine
	after := ""
	for i, id := range c.ids {
		first, err := keygen.Start(c.manifest, c.roster)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = partytest.Cheat(first, func(round string, draft party.Draft) party.Draft {
				if round != "confirm" {
					if confirms == wrong && confirms > 0 && after == "" {
						after = round
					}
					return draft
				}
				if confirms++; confirms == wrong {
					draft.Data = slices.Clone(draft.Data)
					draft.Data[len(draft.Data)-1] ^= 1
				}
				return draft
			})
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Keygen, ID: c.manifest.Session, Roster: c.roster}, id, [32]byte{}, first)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
	}
	if err := partytest.Run(partytest.NewLog(c.roster), machines...); err != nil {
		t.Fatal(err)
	}
	if wrong > 0 && after != "moduli" {
		t.Errorf("after a batch that fails in confirm comes %q, though the next is ready for moduli", after)
	}
	return machines[1].Round().(*keygen.Done).Key.N, confirms
}

// TestRoundsOfTheSearch: while a batch is tested the next one is prepared, so only the first has rounds of its own for that,
// and an attempt takes two rounds. With t = 2 the preparation takes a round more than the tests.
func TestRoundsOfTheSearch(t *testing.T) {
	for _, c := range []struct {
		n, t    int
		session string
		want    string
	}{
		{3, 1, "s214", "agree public; sieve private; candidates private; moduli public private; biprime public private; " +
			"moduli public private; biprime public private; confirm public; share private; product private; theta public; prove public"},
		{5, 2, "s288", "agree public; sieve private; sieve-reduce private; candidates private; moduli public private; sieve-reduce private; " +
			"candidates private; moduli public private; biprime public private; confirm public private; share private; product private; " +
			"theta public; prove public"},
	} {
		con := newConsortium(t, c.n, c.t, 256)
		con.manifest.Batch, con.manifest.Session = 4, c.session
		var said []string
		first, err := keygen.Start(con.manifest, con.roster)
		if err != nil {
			t.Fatal(err)
		}
		first = partytest.Cheat(first, func(round string, draft party.Draft) party.Draft {
			kind := map[bool]string{true: "public", false: "private"}[draft.To == party.Everybody]
			if len(said) == 0 || !strings.HasPrefix(said[len(said)-1], round+" ") {
				said = append(said, round+" "+kind)
			} else if last := &said[len(said)-1]; !strings.HasSuffix(*last, kind) {
				*last += " " + kind
			}
			return draft
		})
		session := party.Session{Proto: schema.Keygen, ID: con.manifest.Session, Roster: con.roster}
		m, err := party.NewMachine(session, con.ids[0], schema.Digest("test", schema.Encode(con.manifest)), first)
		if err != nil {
			t.Fatal(err)
		}
		machines := []*party.Machine{m}
		for _, id := range con.ids[1:] {
			machines = append(machines, con.machine(t, id, con.manifest))
		}
		if err := partytest.Run(partytest.NewLog(con.roster), machines...); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(said, "; "); got != c.want {
			t.Errorf("alice says %s\nwant %s", got, c.want)
		}
	}
}
