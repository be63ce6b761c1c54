package party_test

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"riskprop/crypto/fixed"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/ledger"
	"riskprop/party/partytest"
	"riskprop/party/propagate"
	"riskprop/schema"
)

// banks are a quorum with a key and data: alice has three accounts, bob two, all others one.
type banks struct {
	*quorum
	keys     []*keygen.Done
	manifest schema.PropagateManifest
}

func newBanks(t testing.TB, n, threshold int) *banks {
	t.Helper()
	q := newQuorum(t, n, threshold)
	b := &banks{quorum: q, keys: q.keys(t)}
	b.manifest = schema.PropagateManifest{Version: schema.ManifestVersion, Session: "p", KeySession: "keys", Roster: q.roster.Digest(), Key: b.keys[0].ID,
		Periods: 1, Delta: []uint64{fixed.Delta(0.5, 40)}, ScoreBits: 32, WeightBits: 40, MaxAccounts: 8, MaxEdges: 5}
	return b
}

func (b *banks) ledger(t testing.TB, name string) *ledger.Ledger {
	t.Helper()
	ab := "x,bob,a,alice,5,0\ny,bob,b,alice,1,0\na,alice,x,bob,2,0\n"
	accounts, ok := map[string]string{"alice": "a,0.5\nb,1\nc,0\n", "bob": "x,0.25\ny,0.75\n"}[name]
	transactions := map[string]string{"alice": ab, "bob": ab + "x,bob,p,charlie,3,0\n", "charlie": "x,bob,p,charlie,3,0\n"}[name]
	if !ok {
		accounts = "p,0.125\n"
	}
	l, err := ledger.Read(name, b.roster.Names(), ledger.File{Name: "accounts.csv", Data: []byte("id,risk_score\n" + accounts)},
		ledger.File{Name: "transactions.csv", Data: []byte("id_source,bank_source,id_destination,bank_destination,amount,period\n" + transactions)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// machines are those of all banks, cheats among them, and of an auditor.
func (b *banks) machines(t testing.TB, alter map[string]alteration) []*party.Machine {
	var machines []*party.Machine
	for i, name := range append(b.roster.Names(), "") {
		config, member := propagate.Config{Manifest: b.manifest, Roster: b.roster, Key: b.keys[i].Key, KeyID: b.keys[i].ID}, -1
		if name != "" {
			config.Ledger, config.Share, member = b.ledger(t, name), b.keys[i].Share, i
		}
		first, err := propagate.Start(config)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, b.begin(t, party.Session{Proto: schema.Propagate, ID: "p", Roster: b.roster}, member, first, alter[name]))
	}
	return machines
}

func (b *banks) try(t *testing.T, c cheat) {
	t.Run(c.name, func(t *testing.T) {
		c.judge(t, b.roster.Names(), trial(t, partytest.NewLog(b.roster), b.machines(t, c.alter), c.cheats(b.roster.Names())))
	})
}

// TestCheatsOfPropagate is the table of all that a bank can say wrong, and that can be seen. A wrong score, or scores in
// another order, cannot: they are a bank's own input.
func TestCheatsOfPropagate(t *testing.T) {
	b := newBanks(t, 3, 1)
	for _, c := range slices.Concat(cheatsOfAgree(b), notCiphertexts(b), cheatsOnScores(b)) {
		b.try(t, c)
	}
	b.manifest.FailOnMismatch = true
	b.try(t, cheat{"agree: tags of other transactions", "propagate agree.match 2",
		by("bob", saying("agree", 0, func(tags []byte) []byte { return append(slices.Clone(tags[:64]), bytes.Repeat([]byte{0xff}, 32)...) })),
		verdict{victim: "alice", want: "the transactions with bob do not match: 2 agreed, 1 only here, 1 only there", told: "do not match those of another bank"}})
}

func cheatsOfAgree(b *banks) []cheat {
	announce := func(change func(*schema.Announcement)) map[string]alteration {
		return by("bob", saying("agree", party.Everybody, func(data []byte) []byte {
			a, err := schema.Decode[schema.Announcement](data, len(data))
			if err != nil {
				panic(err)
			}
			change(&a)
			return schema.Encode(a)
		}))
	}
	named := func(want string) verdict { return verdict{culprit: "bob", want: want} }
	only := func(want string) verdict { return verdict{culprit: "bob", victim: "alice", want: want} }
	tags := func(change func([]byte) []byte) map[string]alteration { return by("bob", saying("agree", 0, change)) }
	const disorder = "its tags are not in ascending order"
	return []cheat{
		{"agree: no announcement", "propagate agree.Check 1", by("bob", saying("agree", party.Everybody, fill(0xc1))), named("not a msgpack array")},
		{"agree: another manifest", "propagate agree.Check 2", announce(func(a *schema.Announcement) { a.Manifest.ScoreBits++ }),
			verdict{want: "score_bits is 32 here and 33 at bob", is: schema.ErrDisagree}},
		{"agree: too many ciphertexts", "propagate agree.Check 3", announce(func(a *schema.Announcement) { a.Ciphertexts = 5 }), named("5 packed ciphertexts, max_accounts allows 4")},
		{"agree: tags in another order", "propagate agree.Check 4",
			tags(func(data []byte) []byte { return slices.Concat(data[32:64], data[:32], data[64:]) }), only(disorder)},
		{"agree: a tag twice", "propagate agree.Check 4", tags(func(data []byte) []byte { return slices.Concat(data[:32], data) }), only(disorder)},
		{"agree: a tag twice, with different amounts", "propagate agree.Check 4",
			tags(func(data []byte) []byte { return slices.Concat(data[:16], make([]byte, 16), data) }), only(disorder)},
		{"agree: too many tags", "party Machine.count 2", tags(func(data []byte) []byte { return slices.Concat(data, data) }), only("6 elements, 0 to 5 are due")},
		{"agree: no announcement at all", "party Machine.checkRefs 1", by("bob", saying("agree", party.Everybody, nothing)), named("0 parts for all, 1 to 1 are due")},
	}
}

// notCiphertexts are, for every round with elements of Z_{N²}, those that are none, and lists of another length.
func notCiphertexts(b *banks) []cheat {
	n := b.keys[0].Key.N
	square := new(big.Int).Mul(n, n)
	var rows []cheat
	for _, round := range []struct {
		name, covers      string
		unit, below, long string
		to                int
		victim            string
		count             int
	}{
		{"scores.0.0", "propagate scores.Next 1", "propagate intake.checked 1", "propagate intake.Add 1", "party Machine.take 2", 0, "alice", 2},
		{"final", "propagate final.Next 1", "propagate setup.ciphertexts 2", "propagate setup.ciphertexts 1", "party Machine.count 2", party.Everybody, "", 1},
		{"open", "propagate open.Next 1", "propagate setup.ciphertexts 2", "propagate setup.ciphertexts 1", "party Machine.count 2", 0, "alice", 1},
		{"check", "propagate check.Next 1", "propagate setup.ciphertexts 2", "propagate setup.ciphertexts 1", "party Machine.count 2", 0, "alice", 1},
	} {
		add := func(what, covers string, change func([]byte) []byte, want string) {
			rows = append(rows, cheat{round.name + ": " + what, covers, by("bob", saying(round.name, round.to, change)),
				verdict{culprit: "bob", victim: round.victim, want: want}})
		}
		const notUnit, tooLarge = "element 0: value shares a factor with the modulus", "element 0: value is not below the modulus"
		add("0", round.covers, setFirst(64, new(big.Int)), notUnit)
		add("N", round.unit, setFirst(64, n), notUnit)
		add("N²", round.below, setFirst(64, square), tooLarge)
		add("all ones", round.below, fill(0xff), tooLarge)
		due := fmt.Sprintf("%d to %d are due", round.count, round.count)
		add("one long", round.long, longer(64), fmt.Sprintf("%d elements, %s", round.count+1, due))
		if round.count > 1 {
			add("one short", "party Machine.count 2", shorter(64), fmt.Sprintf("%d elements, %s", round.count-1, due))
		}
		if round.name != "open" && round.name != "check" { // there all know how many are due, so all see it
			add("nothing", "party Machine.checkRefs 1", nothing, "0 parts for")
		}
	}
	return rows
}

// cheatsOnScores are ciphertexts of something else, and partial decryptions of something else. Three banks cannot tell
// whose they are.
func cheatsOnScores(b *banks) []cheat {
	const told, unknown, rows = "its scores cannot be opened", "what is known here does not tell which", "the encrypted scores are wrong at the accounts in rows 1 to 2: packed score "
	n, two := b.keys[0].Key.N, big.NewInt(2) // a unit, and the ciphertext of nothing that anybody knows
	return []cheat{
		{"scores: beyond 1", "propagate setup.scoresOf 1", by("bob", saying("scores.0.0", 0, func(data []byte) []byte {
			return slices.Concat(setFirst(64, two)(data[:64]), setFirst(64, two)(data[64:]))
		})), verdict{victim: "alice", want: rows, told: told}},
		{"final: beyond 1", "propagate setup.scoresOf 1", by("bob", saying("final", party.Everybody, setFirst(64, two))), verdict{victim: "bob", want: rows, told: told}},
		{"open: shifted", "propagate check.fit 2", by("bob", saying("open", 0, mapFirst(64, plainShift(n, 1)))),
			verdict{victim: "alice", want: unknown, told: told}},
		{"check: shifted", "propagate check.fit 2", by("bob", saying("check", 0, mapFirst(64, plainShift(n, 1)))),
			verdict{victim: "alice", want: unknown, told: told}},
		{"open: of something else", "propagate check.fit 2", by("bob", saying("open", 0, mapFirst(64, func(*big.Int) *big.Int { return two }))),
			verdict{victim: "alice", want: unknown, told: told}},
		{"open: negated", "propagate check.decrypt 1", by("charlie", saying("open", 0, mapFirst(64, func(x *big.Int) *big.Int {
			return new(big.Int).Sub(new(big.Int).Mul(n, n), x)
		}))), verdict{victim: "alice", want: unknown, told: told}},
	}
}

// TestCheatsAmongMore: four banks with a threshold of 1 have one share to spare beyond the one that shows that something
// is wrong, and it tells who is. Of five with a threshold of 2, two can cheat such that an honest one would seem to be
// the only one that does not fit; so nobody is blamed there, neither in that case nor when only one cheats.
func TestCheatsAmongMore(t *testing.T) {
	four := newBanks(t, 4, 1)
	n := four.keys[0].Key.N
	const misfit, unknown, told = "its partial decryptions do not fit those of the others", "what is known here does not tell which", "its scores cannot be opened"
	for i, name := range four.roster.Names()[1:] {
		round := "open"
		if name == "bob" {
			round = "check" // he decrypts none of alice's
		}
		four.try(t, cheat{round + ": one of four, " + name, "propagate check.fit 1", by(name, saying(round, 0, mapFirst(64, plainShift(n, int64(i+1))))),
			verdict{culprit: name, victim: "alice", want: misfit}})
	}
	five := newBanks(t, 5, 2)
	n = five.keys[0].Key.N
	five.try(t, cheat{"check: two of five frame dave", "propagate check.fit 2", map[string]alteration{
		"bob":  saying("check", 0, mapAll(64, plainShift(n, -1))), // (x-1)(x-3) at 2 and at 5
		"erin": saying("check", 0, mapAll(64, plainShift(n, 8))),
	}, verdict{victim: "alice", want: unknown, told: told}})
	five.try(t, cheat{"check: one of five", "propagate check.fit 2", by("bob", saying("check", 0, mapAll(64, plainShift(n, 1)))),
		verdict{victim: "alice", want: unknown, told: told}})
}
