package propagate_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"riskprop/crypto/modular"
	"riskprop/crypto/sample"
	"riskprop/crypto/seal"
	"riskprop/party"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

func steps(readers ...*partytest.Reader) []error {
	errs := make([]error, len(readers))
	for moved := true; moved; {
		moved = false
		for i, r := range readers {
			if errs[i] != nil {
				continue
			}
			stepped, err := r.Step()
			errs[i] = err
			moved = moved || stepped && err == nil
		}
	}
	return errs
}

// TestDoneInSpiteOfALateCheat: charlie's bad word comes when alice has settled the round without him. It does not count, and alice, who is
// done, is done again when she is started again.
func TestDoneInSpiteOfALateCheat(t *testing.T) {
	for _, what := range []string{"shifted", "no part on the log"} {
		names := []string{"alice", "bob", "charlie"}
		c := newConsortium(t, names, 512)
		configs := c.configs(circle(t, names), 1, 0.5)
		log := partytest.NewLog(c.roster)
		readers := c.untilOpen(t, log, configs)
		alice, bob := readers[0], readers[1]
		// charlie comes back as a cheat
		evil := partytest.NewReader(log, c.cheating(t, 2, configs[2], what == "shifted"))
		run(t, alice, bob)
		number := bob.Machine.Number()
		part := schema.Slot{Session: "run", Proto: schema.Propagate, Round: number, To: "charlie", From: "charlie"}
		for log.Records[part.Subject()] == nil { // he reads on when he has spoken
			if _, err := evil.Step(); err != nil {
				t.Fatal(err)
			}
		}
		settle(t, alice)
		mustSpeak(t, log, evil, number)
		if what != "shifted" {
			slot := schema.Slot{Session: "run", Proto: schema.Propagate, Round: number, To: "alice", From: "charlie", Part: 0}
			log.Records[slot.Subject()] = []byte("x")
		}
		run(t, alice, bob)
		if done := alice.Machine.Round().(*propagate.Done); !slices.Equal(done.Report.Unchecked, []string{"charlie"}) {
			t.Errorf("%s: %+v", what, done.Report)
		}
		again := partytest.NewReader(log, c.machine(t, 0, configs[0]))
		errs := steps(again)
		if errs[0] != nil || !again.Machine.Done() {
			t.Errorf("%s: alice, started again with the same log: %v", what, errs[0])
		}
	}
}

// TestPlantedParts: bob (with whoever may write in alice's name: a broker) plants the part that alice has not yet said to him. Alice, started
// again, does not sign it.
func TestPlantedParts(t *testing.T) {
	names := []string{"alice", "bob", "charlie", "dave"}
	c := newConsortium(t, names, 512)
	configs := c.configs(circle(t, names), 1, 0.5)
	log := partytest.NewLog(c.roster)
	readers := c.untilOpen(t, log, configs)
	number := readers[0].Machine.Number()
	// the transcript before open
	seen := schema.FirstSeen(schema.Propagate, "run", c.roster)
	for round := range number {
		digests := make([][32]byte, 4)
		for i, name := range names {
			digests[i] = digestOf(log, round, name)
		}
		seen = schema.NextSeen(seen, round, digests)
	}
	secret := seal.Derive([]byte("bob"), "partytest")
	i, _ := c.roster.Index("alice")
	pair, err := seal.NewPair(seal.NewPrivateKey(seal.Derive(secret[:], "riskprop/v1 sealing key")), c.roster.Member(i).Seal)
	if err != nil {
		t.Fatal(err)
	}
	slot := schema.Slot{Session: "run", Proto: schema.Propagate, Round: number, To: "bob", From: "alice", Part: 0}
	width := configs[0].Key.Ring().Width()
	junk := make([]byte, width)
	big.NewInt(4).FillBytes(junk)
	planted := pair.Seal(schema.Encode(schema.Batch{Width: uint32(width), Data: junk}), []byte(slot.Subject()), seen[:])
	if err := log.Put(slot.Subject(), planted); err != nil {
		t.Fatal(err)
	}
	for _, r := range readers {
		r.Close()
	}
	var again []*partytest.Reader
	for i := range names {
		again = append(again, partytest.NewReader(log, c.machine(t, i, configs[i])))
	}
	errs := steps(again...)
	if spoken(log, number, "alice") || !errors.Is(errs[0], partytest.ErrTaken) {
		t.Errorf("alice, in whose slot bob has written: %v", errs[0])
	}
	var blame *party.Blame
	if errors.As(errs[1], &blame) {
		t.Errorf("she is blamed for it: %v", blame)
	}
}

func digestOf(log *partytest.Log, round int, name string) [32]byte {
	slot := schema.Slot{Session: "run", Proto: schema.Propagate, Round: round, To: schema.All, From: name, Part: schema.HeadPart}
	return sha256.Sum256(log.Records[slot.Subject()])
}

// TestWithoutRedundancy shows what t+1 shares are worth, and no more: bob is slow, alice goes on with charlie alone, and his
// share is shifted such that her score comes out as he likes. All she has is the word that bob's share was not there.
func TestWithoutRedundancy(t *testing.T) {
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(t, names, 512)
	configs := c.configs(circle(t, names), 1, 0.5)
	key := configs[0].Key
	log := partytest.NewLog(c.roster)
	readers := c.untilOpen(t, log, configs)
	alice, bob := readers[0], readers[1]
	// m += x for x = 1/4 in fixed point: the coefficient of party 3 in {1,3} is Δ·λ_3 = 6·(1/(1-3)) = -3
	x := new(big.Int).Lsh(big.NewInt(1), 70)
	y := new(big.Int).Mul(x, big.NewInt(6))
	y.Mul(y, key.Theta).Mul(y, new(big.Int).ModInverse(big.NewInt(-3), key.N)).Mod(y, key.N)
	charlie := partytest.NewReader(log, c.altered(t, 2, configs[2], func(round string, draft party.Draft) party.Draft {
		if draft.To == 0 && (round == "open" || round == "stand-in.1") {
			v, _ := key.Ring().Decode(draft.Data)
			draft.Data = v.Mul(key.Embed([]*big.Int{y})).Append(nil)
		}
		return draft
	}))
	run(t, alice, charlie)
	settle(t, alice)
	run(t, alice, bob, charlie) // bob reads on, but is not heard any more
	done := alice.Machine.Round().(*propagate.Done)
	if done.Scores[0].Final != 0.75 || !slices.Equal(done.Report.Unchecked, []string{"bob"}) {
		t.Errorf("alice's score is %v, unchecked: %v", done.Scores[0].Final, done.Report.Unchecked)
	}
}

// residues are the ciphertexts that a member sends to others, modulo N: (1+N)^m·r^N ≡ r^N. Two that are equal were made with
// the same randomness, and their quotient tells the difference of the plaintexts.
func residues(t *testing.T, c *consortium, log *partytest.Log, configs []propagate.Config) map[string]string {
	t.Helper()
	found := make(map[string]string)
	var readers []*partytest.Reader
	for i, config := range configs {
		who := c.roster.Member(i).Name
		readers = append(readers, partytest.NewReader(log, c.altered(t, i, config, func(round string, draft party.Draft) party.Draft {
			if round != "final" && !strings.HasPrefix(round, "scores") || draft.To == i {
				return draft
			}
			v, err := config.Key.Ring().Decode(draft.Data)
			if err != nil {
				t.Fatal(err)
			}
			for k := range v.Len() {
				r := new(big.Int).Mod(v.At(k), config.Key.N).String()
				text := v.At(k).String()
				if other, there := found[r]; there && other != text {
					t.Errorf("%s in %s: two ciphertexts have the same randomness", who, round)
				}
				found[r] = text
			}
			return draft
		})))
	}
	if err := partytest.RunReaders(readers...); err != nil {
		t.Fatal(err)
	}
	if len(found) < 5 {
		t.Fatalf("%d ciphertexts", len(found))
	}
	return found
}

// TestNoRandomnessTwice: no two ciphertexts of a session, nor of two sessions with the same id and other data, have the same
// randomness.
func TestNoRandomnessTwice(t *testing.T) {
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(t, names, 512)
	sets := []map[string]string{}
	for _, score := range []string{"0.5", "0.25"} {
		banks := map[string]bank{}
		for i, name := range names {
			next := names[(i+1)%3]
			for _, id := range []string{"x", "y", "z"} {
				line := id + "," + name + "," + id + "," + next + ",1,0\n" + id + "," + name + "," + id + "," + next + ",1,1\n"
				own, other := banks[name], banks[next]
				own.transactions, other.transactions = own.transactions+line, other.transactions+line
				banks[name], banks[next] = own, other
			}
			// Of one account the third bank alone needs the score: it is randomised apart from the rest.
			third := names[(i+2)%3]
			line := "w," + name + ",w," + third + ",1,0\n"
			own, other := banks[name], banks[third]
			own.transactions, other.transactions = own.transactions+line, other.transactions+line
			banks[name], banks[third] = own, other
		}
		for _, name := range names {
			b := banks[name]
			b.accounts = "x," + score + "\ny,0.75\nz,1\nw,0.125\n"
			if name != "alice" {
				b.accounts = "x,0.5\ny,0.75\nz,1\nw,0.125\n"
			}
			banks[name] = b
		}
		sets = append(sets, residues(t, c, partytest.NewLog(c.roster), c.configs(read(t, banks, names), 2, 0.5, 0.25)))
	}
	for r := range sets[0] {
		if _, there := sets[1][r]; there {
			t.Error("the same randomness in two sessions with different input")
		}
	}
}

// TestCommitmentsHide: the commitment to the same data is another one in every session, so that nobody can recognise data.
func TestCommitmentsHide(t *testing.T) {
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(t, names, 512)
	seen := make(map[[32]byte]bool)
	for _, session := range []string{"run", "again"} {
		config := c.configs(circle(t, names), 1, 0.5)[0]
		config.Manifest.Session = session
		first, err := propagate.Start(config)
		if err != nil {
			t.Fatal(err)
		}
		m, err := party.NewMachine(party.Session{Proto: schema.Propagate, ID: session, Roster: c.roster}, c.ids[0], config.Input(), first)
		if err != nil {
			t.Fatal(err)
		}
		for effect, err := range m.Ready() {
			if err != nil {
				t.Fatal(err)
			}
			if effect.Op != party.Append || effect.Slot.To != schema.All || effect.Slot.Part == schema.HeadPart {
				continue
			}
			batch, err := schema.Decode[schema.Batch](effect.Data, schema.MaxRecord)
			if err != nil {
				t.Fatal(err)
			}
			announced, err := schema.Decode[schema.Announcement](batch.Data, schema.MaxRecord)
			if err != nil {
				t.Fatal(err)
			}
			digest := config.Ledger.Digest()
			if seen[announced.Commitment] || announced.Commitment == schema.Digest("riskprop/v1 commitment", digest[:]) {
				t.Errorf("session %s: the commitment tells the data", session)
			}
			seen[announced.Commitment] = true
		}
	}
	if len(seen) != 2 {
		t.Errorf("%d commitments", len(seen))
	}
}

// TestRandomizer: the manifest decides between the short randomiser and the full one.
func TestRandomizer(t *testing.T) {
	names := []string{"alice", "bob", "charlie"}
	c := newConsortium(t, names, 512)
	for _, full := range []bool{false, true} {
		config := c.configs(circle(t, names), 1, 0.5)[0]
		config.Manifest.FullRandomizer = full
		plain := config.Key.Embed([]*big.Int{big.NewInt(7), big.NewInt(8)})
		stream := func(i int) io.Reader { return sample.Hash("test", []byte{byte(i)}) }
		got := propagate.RerandomizeWith(config, stream, plain)
		short, long := config.Key.RerandomizeEach(stream, plain), config.Key.RerandomizeFullEach(stream, plain)
		want := map[bool]*modular.Vector{false: short, true: long}[full]
		if !bytes.Equal(got.Append(nil), want.Append(nil)) || bytes.Equal(short.Append(nil), long.Append(nil)) {
			t.Errorf("full: %t: another randomiser", full)
		}
	}
}
