package party_test

import (
	"fmt"
	"math/big"
	"testing"

	"riskprop/crypto/biprime"
	"riskprop/crypto/shamir"
	"riskprop/party"
	"riskprop/party/keygen"
	"riskprop/party/partytest"
	"riskprop/schema"
)

// quorum is a consortium of the first n names that generates a key of 256 bits.
type quorum struct {
	roster   *schema.Roster
	ids      []*party.Identity
	manifest schema.KeygenManifest
}

func newQuorum(t testing.TB, n, threshold int) *quorum {
	t.Helper()
	roster, ids, err := partytest.Identities([]string{"alice", "bob", "charlie", "dave", "erin"}[:n]...)
	if err != nil {
		t.Fatal(err)
	}
	return &quorum{roster, ids, schema.KeygenManifest{Version: schema.ManifestVersion, Session: "k", Roster: roster.Digest(),
		KeyBits: 256, Threshold: uint32(threshold), Kappa: 80, Batch: 32, TrialTo: 4096}}
}

// machine makes a member's machine, that of a cheat if it alters anything; -1 makes an auditor's.
func (q *quorum) machine(t testing.TB, member int, alter alteration) *party.Machine {
	t.Helper()
	first, err := keygen.Start(q.manifest, q.roster)
	if err != nil {
		t.Fatal(err)
	}
	return q.begin(t, party.Session{Proto: schema.Keygen, ID: q.manifest.Session, Roster: q.roster}, member, first, alter)
}

func (q *quorum) begin(t testing.TB, frame party.Session, member int, first party.Round, alter alteration) *party.Machine {
	t.Helper()
	var id *party.Identity
	if member >= 0 {
		id = q.ids[member]
	}
	if alter != nil {
		first = partytest.Cheat(first, alter)
	}
	m, err := party.NewMachine(frame, id, [32]byte{}, first)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// machines are those of all members, cheats among them, and of an auditor.
func (q *quorum) machines(t testing.TB, alter map[string]alteration) []*party.Machine {
	var machines []*party.Machine
	for member, name := range q.roster.Names() {
		machines = append(machines, q.machine(t, member, alter[name]))
	}
	return append(machines, q.machine(t, -1, nil))
}

// keys generates the key.
func (q *quorum) keys(t testing.TB) []*keygen.Done {
	t.Helper()
	machines := q.machines(t, nil)
	if err := partytest.Run(partytest.NewLog(q.roster), machines...); err != nil {
		t.Fatal(err)
	}
	var keys []*keygen.Done
	for _, m := range machines {
		keys = append(keys, m.Round().(*keygen.Done))
	}
	return keys
}

// try holds the trial of one row.
func (q *quorum) try(t *testing.T, c cheat) {
	t.Run(c.name, func(t *testing.T) {
		c.judge(t, q.roster.Names(), trial(t, partytest.NewLog(q.roster), q.machines(t, c.alter), c.cheats(q.roster.Names())))
	})
}

const nobody = "public data do not tell which"

// TestCheatsOfKeygen is the table of all that a member can say wrong in a key generation of two among three.
func TestCheatsOfKeygen(t *testing.T) {
	q := newQuorum(t, 3, 1)
	for _, c := range append(privateCheatsOfKeygen(t, q), publicCheatsOfKeygen(t, q)...) {
		q.try(t, c)
	}
}

// privateCheatsOfKeygen are shares out of range: only their recipient reads them.
func privateCheatsOfKeygen(t testing.TB, q *quorum) []cheat {
	form := newForm(t, q)
	unit, field := (form.M.BitLen()+7)/8, form.FieldWidth()
	only := func(victim, want string) verdict { return verdict{culprit: "bob", victim: victim, want: want} }
	return []cheat{
		{"sieve: share of the modulus M", "keygen sieve.Check 1", by("bob", saying("sieve", 0, setFirst(unit, form.M))), only("alice", "integer 0 is out of range")},
		{"sieve: one share short", "party Machine.count 2", by("bob", saying("sieve", 2, shorter(unit))), only("charlie", "63 elements, 64 to 64 are due")},
		{"sieve: one share long", "party Machine.count 2", by("bob", saying("sieve", 2, longer(unit))), only("charlie", "65 elements, 64 to 64 are due")},
		{"candidates: share of the field's order", "keygen candidates.Check 1", by("bob", saying("candidates", 2, setFirst(field, form.Field))), only("charlie", "integer 0 is out of range")},
		{"moduli: the next batch's share of the modulus M", "keygen sieve.Check 1", by("bob", saying("moduli", 2, setFirst(unit, form.M))), only("charlie", "integer 0 is out of range")},
		{"moduli: the next batch one share short", "party Machine.count 2", by("bob", saying("moduli", 0, shorter(unit))), only("alice", "63 elements, 64 to 64 are due")},
		{"biprime: the next batch's share of the field's order", "keygen candidates.Check 1", by("bob", saying("biprime", 0, setFirst(field, form.Field))), only("alice", "integer 0 is out of range")},
		{"share: above the bound", "keygen share.Check 1", by("bob", saying("share", 0, fill(0xff))), only("alice", "integer 0 is out of range")},
		{"share: below the bound", "keygen share.Check 1", by("bob", saying("share", 0, fill(0))), only("alice", "integer 0 is out of range")},
		{"product: above the bound", "keygen product.Check 1", by("bob", saying("product", 2, fill(0xff))), only("charlie", "integer 0 is out of range")},
		{"product: below the bound", "keygen product.Check 1", by("bob", saying("product", 2, fill(0))), only("charlie", "integer 0 is out of range")},
	}
}

func newForm(t testing.TB, q *quorum) *biprime.Form {
	t.Helper()
	form, err := biprime.NewForm(int(q.manifest.KeyBits), q.roster.Len())
	if err != nil {
		t.Fatal(err)
	}
	return form
}

// shifted changes what is interpolated at 0 from the values of the first `points` parties by delta, by the second one's.
func shifted(form *biprime.Form, points int, delta *big.Int) func(*big.Int) *big.Int {
	step := new(big.Int).ModInverse(shamir.Lagrange(shamir.Points(points), form.Field)[1], form.Field)
	return func(x *big.Int) *big.Int {
		x.Add(x, new(big.Int).Mul(step, delta))
		return x.Mod(x, form.Field)
	}
}

func publicCheatsOfKeygen(t testing.TB, q *quorum) []cheat {
	form := newForm(t, q)
	field, n, ring := form.FieldWidth(), 32, 64
	say := func(round string, change func([]byte) []byte) map[string]alteration {
		return by("bob", saying(round, party.Everybody, change))
	}
	plus := func(delta int64) func(*big.Int) *big.Int {
		return func(x *big.Int) *big.Int { return x.Add(x, big.NewInt(delta)) }
	}
	large := new(big.Int).Lsh(big.NewInt(1), 256)
	other := q.manifest
	other.Kappa++
	named := func(want string) verdict { return verdict{culprit: "bob", want: want} }
	unknown := func(want string) verdict { return verdict{want: want} }
	key := q.keys(t)[0].Key
	square := new(big.Int).Mul(key.N, key.N)
	wrong := mapFirst(ring, func(x *big.Int) *big.Int { return x.Mod(x.Mul(x, big.NewInt(2)), square) })
	return []cheat{
		{"agree: no manifest", "keygen agree.Check 1", say("agree", fill(0xc1)), named("not a msgpack array")},
		{"agree: a byte behind the manifest", "keygen agree.Check 1", say("agree", longer(1)), named("1 bytes behind the document")},
		{"agree: another manifest", "keygen agree.Check 2", say("agree", func([]byte) []byte { return schema.Encode(other) }),
			verdict{want: "kappa is 80 here and 81 at bob", is: schema.ErrDisagree}},
		{"agree: a message too long", "party Machine.count 2", say("agree", func([]byte) []byte { return make([]byte, 1025) }), named("1025 elements, 1 to 1024 are due")},
		{"moduli: the field's order", "keygen moduli.Check 1", say("moduli", setFirst(field, form.Field)), named("integer 0 is out of range")},
		{"moduli: one short", "party Machine.count 2", say("moduli", shorter(field)), named("elements, 32 to 32 are due")},
		{"moduli: nothing", "party Machine.checkRefs 1", say("moduli", nothing), named("0 parts for all, 1 to 1 are due")},
		{"moduli: N of another residue", "keygen moduli.open 2", say("moduli", mapFirst(field, shifted(form, 3, big.NewInt(1)))), unknown(nobody)},
		{"moduli: N of another size", "keygen moduli.open 2", say("moduli", mapFirst(field, shifted(form, 3, new(big.Int).Neg(large)))), unknown("bits instead of 256")},
		{"biprime: v beyond every N", "keygen biprimality.values 1", say("biprime", fill(0xff)), named("value for candidate 0 is not below its modulus")},
		{"biprime: v is 0", "keygen biprimality.Check 2", say("biprime", setFirst(n, new(big.Int))), named("value for candidate 0 is not a unit")},
		{"confirm: v is 0", "keygen biprimality.Check 2", say("confirm", fill(0)), named("value for candidate 0 is not a unit")},
		{"confirm: v beyond N", "keygen biprimality.Check 1", say("confirm", fill(0xff)), named("value for candidate 0 is not below its modulus")},
		{"theta: N", "keygen theta.Check 1", say("theta", setFirst(n, key.N)), named("integer 0 is out of range")},
		{"theta: off by one", "keygen theta.Next 2", say("theta", mapFirst(n, plus(1))), unknown(nobody)},
		{"prove: 0", "keygen prove.Check 2", say("prove", fill(0)), named("value shares a factor with the modulus")},
		{"prove: N", "keygen prove.Check 2", say("prove", setFirst(ring, key.N)), named("value shares a factor with the modulus")},
		{"prove: N²", "keygen prove.Check 1", say("prove", setFirst(ring, square)), named("value is not below the modulus")},
		{"prove: all ones", "keygen prove.Check 1", say("prove", fill(0xff)), named("value is not below the modulus")},
		{"prove: with another share", "keygen prove.findCulprit 1", say("prove", wrong), named("its share of the key does not decrypt with those of the others")},
		{"prove: two with other shares", "keygen prove.findCulprit 2",
			map[string]alteration{"bob": saying("prove", party.Everybody, wrong), "charlie": saying("prove", party.Everybody, mapFirst(ring, func(x *big.Int) *big.Int {
				return x.Mod(x.Mul(x, big.NewInt(3)), square)
			}))}, unknown(nobody)},
	}
}

// TestCheatsOfFour: with n > 2t+1 the shares of a modulus have something to spare, so that a wrong one is seen before N
// is used, even if N has the form; who is wrong is not seen.
func TestCheatsOfFour(t *testing.T) {
	q := newQuorum(t, 4, 1)
	form := newForm(t, q)
	q.try(t, cheat{"moduli: shares that do not fit", "keygen moduli.open 1",
		by("dave", saying("moduli", party.Everybody, mapFirst(form.FieldWidth(), func(x *big.Int) *big.Int { return x.Xor(x, big.NewInt(1)) }))),
		verdict{want: "the shares of modulus 0 do not fit together"}})
}

// TestCheatsOfFive has the round sieve-reduce, and two that cheat together: each alone would be found out, but so
// shifted, their partial decryptions decrypt together with those of one honest party and with no other's.
func TestCheatsOfFive(t *testing.T) {
	q := newQuorum(t, 5, 2)
	form := newForm(t, q)
	q.try(t, cheat{"sieve-reduce: share of the modulus M", "keygen reduce.Check 1",
		by("bob", saying("sieve-reduce", 4, setFirst((form.M.BitLen()+7)/8, form.M))),
		verdict{culprit: "bob", victim: "erin", want: "integer 0 is out of range"}})
	key := q.keys(t)[0].Key
	q.try(t, cheat{"prove: two frame a third", "keygen prove.findCulprit 2",
		map[string]alteration{"alice": saying("prove", party.Everybody, mapAll(64, plainShift(key.N, 1))),
			"bob": saying("prove", party.Everybody, mapAll(64, plainShift(key.N, 1)))},
		verdict{want: nobody}})
	q.try(t, cheat{"prove: one of five", "keygen prove.findCulprit 1",
		by("alice", saying("prove", party.Everybody, mapAll(64, plainShift(key.N, 1)))),
		verdict{culprit: "alice", want: "does not decrypt with those of the others"}})
}

// TestSign: a partial decryption with the wrong sign comes from the right share, and would show in some subsets of the
// parties and not in others. Nobody is blamed for it, least of all another party.
func TestSign(t *testing.T) {
	q := newQuorum(t, 3, 1)
	n := q.keys(t)[0].Key.N
	square := new(big.Int).Mul(n, n)
	for _, name := range q.roster.Names() {
		cheat := by(name, saying("prove", party.Everybody, mapAll(64, func(x *big.Int) *big.Int { return x.Sub(square, x) })))
		if err := partytest.Run(partytest.NewLog(q.roster), q.machines(t, cheat)...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// plainShift multiplies a partial decryption by (1+N)^by modulo N².
func plainShift(n *big.Int, by int64) func(*big.Int) *big.Int {
	square := new(big.Int).Mul(n, n)
	factor := new(big.Int).Mul(n, big.NewInt(by))
	factor.Add(factor, big.NewInt(1))
	return func(x *big.Int) *big.Int { return x.Mod(x.Mul(x, factor), square) }
}

// TestCheatSharesAFactor: a value of the biprimality test that shares a factor with N. Without trial division many of
// the moduli have one that is small; the broadcasts of an honest session tell which.
func TestCheatSharesAFactor(t *testing.T) {
	q := newQuorum(t, 3, 1)
	q.manifest.TrialTo = 1
	form, log := newForm(t, q), partytest.NewLog(q.roster)
	if err := partytest.Run(log, q.machines(t, nil)...); err != nil {
		t.Fatal(err)
	}
	at, factor := smallFactor(t, log, form, q.roster)
	q.try(t, cheat{"biprime: v shares a factor with N", "keygen biprimality.Check 2",
		by("bob", saying("biprime", party.Everybody, func(data []byte) []byte {
			return append(append([]byte{}, data[:at*32]...), setFirst(32, factor)(data[at*32:])...)
		})), verdict{culprit: "bob", want: fmt.Sprintf("value for candidate %d is not a unit", at)}})
}

// smallFactor opens the moduli of a log's first attempt and finds one with a small factor.
func smallFactor(t *testing.T, log *partytest.Log, form *biprime.Form, roster *schema.Roster) (int, *big.Int) {
	t.Helper()
	var values [][]*big.Int
	for _, name := range roster.Names() {
		batch, err := schema.Decode[schema.Batch](log.Records["risk.k.keygen.3.all."+name+".0"], schema.MaxRecord)
		if err != nil {
			t.Fatal(err)
		}
		list, err := schema.Uints(batch.Data, form.FieldWidth(), form.Field)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, list)
	}
	lambda := shamir.Lagrange(shamir.Points(3), form.Field)
	for c := range values[0] {
		n := new(big.Int)
		for i := range values {
			n.Add(n, new(big.Int).Mul(lambda[i], values[i][c]))
		}
		n.Mod(n, form.Field)
		for factor := int64(3); factor < 1<<16; factor += 2 {
			if f := big.NewInt(factor); new(big.Int).Mod(n, f).Sign() == 0 {
				return c, f
			}
		}
	}
	t.Fatal("no modulus has a small factor: choose another session")
	return 0, nil
}
