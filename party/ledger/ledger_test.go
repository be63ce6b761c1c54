package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestDigestChangesWithEveryPartOfTheContent(t *testing.T) {
	const edge = "a1,alice,a2,alice,5,0\n"
	seen := make(map[[32]byte]string)
	add := func(what string, l *Ledger) {
		d := l.Digest()
		if other, ok := seen[d]; ok {
			t.Errorf("%s and %s have the same digest", what, other)
		}
		seen[d] = what
	}
	add("base", mustRead(t, goodAccounts, goodHeader+edge))
	add("no edges", mustRead(t, goodAccounts, goodHeader))
	add("no accounts", mustRead(t, "id,risk_score\n", goodHeader))
	add("another id", mustRead(t, "id,risk_score\na1,0.1\na2,0.9\na3,0.9\n", goodHeader+edge))
	add("another score", mustRead(t, "id,risk_score\na1,0.1\na2,0.90000000000000013\n", goodHeader+edge))
	add("another amount", mustRead(t, goodAccounts, goodHeader+"a1,alice,a2,alice,5.0001,0\n"))
	add("another period", mustRead(t, goodAccounts, goodHeader+"a1,alice,a2,alice,5,1\n"))
	add("another direction", mustRead(t, goodAccounts, goodHeader+"a2,alice,a1,alice,5,0\n"))
	add("another bank's account", mustRead(t, goodAccounts, goodHeader+"a1,bob,a2,alice,5,0\n"))
	add("another bank's account of another name", mustRead(t, goodAccounts, goodHeader+"a,bob,a2,alice,5,0\n"))
	add("yet another bank", mustRead(t, goodAccounts, goodHeader+"a1,charlie,a2,alice,5,0\n"))
	add("twice", mustRead(t, goodAccounts, goodHeader+edge+"a1,alice,a2,alice,5,1\n"))
	other, err := Read("bob", banks, File{"A.csv", []byte("id,risk_score\n")}, File{"T.csv", []byte(goodHeader)})
	if err != nil {
		t.Fatal(err)
	}
	add("of another bank", other)
}

func TestDigestIgnoresWarningsAndNegativeZero(t *testing.T) {
	want := mustRead(t, "id,risk_score\na,0\n", goodHeader)
	for _, accounts := range []string{"id,risk_score,x\na,0,\n", "id,risk_score\na,-0\n", "id,risk_score\na,0e5\n"} {
		if got := mustRead(t, accounts, goodHeader); got.Digest() != want.Digest() {
			t.Errorf("%q has another digest", accounts)
		}
	}
}

func TestDigestIsIndependentOfTheOrderOfRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var accounts, transactions []string
		n := rapid.IntRange(1, 8).Draw(t, "accounts")
		for i := range n {
			accounts = append(accounts, fmt.Sprintf("a%d,0.%d\n", i, rapid.IntRange(0, 99).Draw(t, "score")))
		}
		account := rapid.IntRange(0, n-1)
		for range rapid.IntRange(0, 12).Draw(t, "transactions") {
			transactions = append(transactions, fmt.Sprintf("a%d,%s,a%d,alice,%d.%d,%d\n", account.Draw(t, "source"), rapid.SampledFrom(banks[:2]).Draw(t, "bank"),
				account.Draw(t, "destination"), rapid.IntRange(1, 9).Draw(t, "whole"), rapid.IntRange(0, 9999).Draw(t, "part"), rapid.IntRange(0, 2).Draw(t, "period")))
		}
		if len(transactions) > 0 {
			transactions = append(transactions, transactions[0]) // added up
		}
		files := func() (string, string) {
			return "id,risk_score\n" + strings.Join(accounts, ""), goodHeader + strings.Join(transactions, "")
		}
		want := mustRead(t, first(files()), second(files()))
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "shuffle"), 0))
		r.Shuffle(len(accounts), func(i, j int) { accounts[i], accounts[j] = accounts[j], accounts[i] })
		r.Shuffle(len(transactions), func(i, j int) { transactions[i], transactions[j] = transactions[j], transactions[i] })
		got := mustRead(t, first(files()), second(files()))
		if got.Digest() != want.Digest() || !slices.Equal(got.Accounts, want.Accounts) || !slices.Equal(got.Edges, want.Edges) {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

func first(a, _ string) string  { return a }
func second(_, b string) string { return b }

func TestQuoteCutsWholeCharacters(t *testing.T) {
	forty := strings.Repeat("é", 40)
	for s, want := range map[string]string{
		"":             `""`,
		forty:          `"` + forty + `"`,
		forty + "é":    `"` + forty + `"…`,
		"a\x1b\u202eb": `"a\x1b\u202eb"`,
	} {
		if got := quote(s); got != want {
			t.Errorf("quote(%q) = %s, want %s", s, got, want)
		}
	}
}
