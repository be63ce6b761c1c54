package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"riskprop/crypto/fixed"
)

var (
	banks        = []string{"alice", "bob", "charlie"}
	goodAccounts = "id,risk_score\na1,0.1\na2,0.9\n"
	goodHeader   = "id_source,bank_source,id_destination,bank_destination,amount,period\n"
)

func read(accounts, transactions string) (*Ledger, error) {
	return Read("alice", banks, File{"A.csv", []byte(accounts)}, File{"T.csv", []byte(transactions)})
}

func mustRead(t interface{ Fatalf(string, ...any) }, accounts, transactions string) *Ledger {
	l, err := read(accounts, transactions)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return l
}

func money(t interface{ Fatalf(string, ...any) }, s string) fixed.Amount {
	a, err := fixed.ParseAmount(s)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return a
}

func TestReadAddsUpAndSorts(t *testing.T) {
	l := mustRead(t, "id,risk_score\nz,1\na,0.25\nm,1e-3\n", goodHeader+
		"z,alice,a,alice,1.5,1\n"+
		"x,bob,a,alice,10,0\n"+
		"z,alice,a,alice,0.0001,1\n"+ // the same flow
		"a,bob,a,alice,10,0\n"+ // another bank's a
		"a,alice,a,alice,3,0\n"+ // to itself
		"m,alice,q,charlie,7,0\n")
	if want := []Account{{"a", 0.25}, {"m", 0.001}, {"z", 1}}; !slices.Equal(l.Accounts, want) {
		t.Errorf("accounts %v, want %v", l.Accounts, want)
	}
	a := Endpoint{"alice", "a"}
	want := []Edge{
		{0, a, a, money(t, "3")},
		{0, Endpoint{"bob", "a"}, a, money(t, "10")},
		{0, Endpoint{"bob", "x"}, a, money(t, "10")},
		{0, Endpoint{"alice", "m"}, Endpoint{"charlie", "q"}, money(t, "7")},
		{1, Endpoint{"alice", "z"}, a, money(t, "1.5001")},
	}
	if !slices.Equal(l.Edges, want) {
		t.Errorf("edges\n%v, want\n%v", l.Edges, want)
	}
	if l.Bank != "alice" || l.Periods() != 2 || len(l.Warnings) != 0 {
		t.Errorf("bank %s, %d periods, warnings %q", l.Bank, l.Periods(), l.Warnings)
	}
}

func TestEncodingsOfTheSameFilesAreEqual(t *testing.T) {
	want := mustRead(t, goodAccounts, goodHeader+"a1,alice,a2,alice,5,0\nb1,bob,a1,alice,2.50,0\n")
	for what, files := range map[string][2]string{
		"no period column": {goodAccounts, "id_source,bank_source,id_destination,bank_destination,amount\na1,alice,a2,alice,5\nb1,bob,a1,alice,2.5\n"},
		"columns in another order": {"risk_score,id\n0.1,a1\n0.9,a2\n",
			"amount,id_destination,bank_destination,period,id_source,bank_source\n5,a2,alice,0,a1,alice\n2.5,a1,alice,0,b1,bob\n"},
		"rows in another order": {"id,risk_score\na2,0.9\na1,0.1\n", goodHeader + "b1,bob,a1,alice,2.50,0\na1,alice,a2,alice,5,0\n"},
		"split amounts":         {goodAccounts, goodHeader + "a1,alice,a2,alice,4,0\nb1,bob,a1,alice,2.50,0\na1,alice,a2,alice,1,0\n"},
		"CRLF":                  {strings.ReplaceAll(goodAccounts, "\n", "\r\n"), strings.ReplaceAll(goodHeader+"a1,alice,a2,alice,5,0\nb1,bob,a1,alice,2.50,0\n", "\n", "\r\n")},
		"byte order mark":       {"\ufeff" + goodAccounts, "\ufeff" + goodHeader + "a1,alice,a2,alice,5,0\nb1,bob,a1,alice,2.50,0\n"},
		"quotes":                {"\"id\",\"risk_score\"\n\"a1\",\"0.10\"\n\"a2\",0.9\n", goodHeader + "\"a1\",\"alice\",a2,alice,\"5\",\"0\"\nb1,bob,a1,alice,2.50,0\n"},
		"no newline at the end": {strings.TrimSuffix(goodAccounts, "\n"), goodHeader + "a1,alice,a2,alice,5,0\nb1,bob,a1,alice,2.50,0"},
		"blank lines":           {"id,risk_score\n\na1,0.1\n\na2,0.9\n\n", goodHeader + "\na1,alice,a2,alice,5,0\nb1,bob,a1,alice,2.50,0\n"},
	} {
		got := mustRead(t, files[0], files[1])
		if !slices.Equal(got.Accounts, want.Accounts) || !slices.Equal(got.Edges, want.Edges) || got.Digest() != want.Digest() {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
		if len(got.Warnings) != 0 {
			t.Errorf("%s: warnings %q", what, got.Warnings)
		}
	}
}

func TestQuotedCommasAndQuotesInIds(t *testing.T) {
	l := mustRead(t, "id,risk_score\n\"a,1\",0.1\n\"a \"\"2\"\"\",0.2\n", goodHeader+"\"a,1\",alice,\"a \"\"2\"\"\",alice,1,0\n")
	if l.Accounts[0].ID != `a "2"` || l.Accounts[1].ID != "a,1" || l.Edges[0].Source.ID != "a,1" || l.Edges[0].Destination.ID != `a "2"` {
		t.Errorf("%+v", l)
	}
}

func TestFilesWithOnlyAHeader(t *testing.T) {
	l := mustRead(t, "id,risk_score\n", goodHeader)
	if len(l.Accounts) != 0 || len(l.Edges) != 0 || l.Periods() != 1 {
		t.Errorf("%+v", l)
	}
}

func TestIdsAreLimitedInCharactersNotBytes(t *testing.T) {
	id := strings.Repeat("é", MaxID)
	if l := mustRead(t, "id,risk_score\n"+id+",0\n", goodHeader); l.Accounts[0].ID != id {
		t.Errorf("%+v", l.Accounts)
	}
}

func TestAmountsBeyondOneTransactionsLimitAreAddedUp(t *testing.T) {
	row := "b,bob,a1,alice,9223372036854775808,9999\n"
	l := mustRead(t, goodAccounts, goodHeader+row+row)
	if got := l.Edges[0].Amount.String(); got != "18446744073709551616" {
		t.Errorf("amount %s", got)
	}
	if l.Periods() != 10000 {
		t.Errorf("%d periods", l.Periods())
	}
}

func TestWarnings(t *testing.T) {
	l := mustRead(t, "name,id,risk_score,since\nx,a1,0.1,2001\n", "note,"+goodHeader+
		"n,ghost,alice,b1,bob,1,0\n"+ // not a source for bob either
		"n,a1,alice,b1,bob,1,0\n"+
		"n,ghost,alice,a1,alice,1,0\n"+
		"n,spook,alice,a1,alice,1,3\n")
	want := []string{
		`A.csv: columns ignored: "name", "since"`,
		`T.csv: columns ignored: "note"`,
		`T.csv: transactions left out because their source has no score in the accounts file: 3, of 2 accounts, the first "ghost" in line 2`,
	}
	if !slices.Equal(l.Warnings, want) {
		t.Errorf("warnings\n%s\nwant\n%s", strings.Join(l.Warnings, "\n"), strings.Join(want, "\n"))
	}
	if len(l.Edges) != 1 || l.Edges[0].Source.ID != "a1" || l.Periods() != 1 {
		t.Errorf("edges %v", l.Edges)
	}
}

func TestManyUnknownColumnsMakeOneShortWarning(t *testing.T) {
	header := "id,risk_score"
	for i := range 500 {
		header += fmt.Sprintf(",column%d", i)
	}
	l := mustRead(t, header+"\n", goodHeader)
	if len(l.Warnings) != 1 || len(l.Warnings[0]) > 300 || !strings.HasSuffix(l.Warnings[0], "and 490 more") {
		t.Errorf("warnings %q", l.Warnings)
	}
}

func TestErrorsInAccounts(t *testing.T) {
	long := strings.Repeat("x", 101)
	for _, c := range []struct{ what, file, want string }{
		{"empty", "", `A.csv: the file is empty: its first line names the columns id,risk_score`},
		{"only a mark", "\ufeff", `A.csv: the file is empty: its first line names the columns id,risk_score`},
		{"missing column", "id,score\n", `A.csv:1: column risk_score is missing: the header has "id", "score"`},
		{"columns by exact name", "Id, risk_score\n", `A.csv:1: column id is missing: the header has "Id", " risk_score"`},
		{"column after blank lines", "\n\nid,x\n", `A.csv:3: column risk_score is missing: the header has "id", "x"`},
		{"double column", "id,risk_score,id\n", `A.csv:1: column id is there twice`},
		{"too few fields", "id,risk_score\na\n", `A.csv:2: the line has 1 fields, the header has 2`},
		{"too many fields", "id,risk_score\na,0.5\nb,0.5,\n", `A.csv:3: the line has 3 fields, the header has 2`},
		{"stray quote", "id,risk_score\na\"b,1\n", `A.csv:2: a quote within a field: put the field in quotes and double the quotes inside`},
		{"open quote", "id,risk_score\n\"a,1\nb,2\n", `A.csv:2: a quoted field that does not end as one: close it with a single quote, before a comma or the end of the line`},
		{"text after a quote", "id,risk_score\n\"a\"b,1\n", `A.csv:2: a quoted field that does not end as one: close it with a single quote, before a comma or the end of the line`},
		{"quote in the header", "i\"d,risk_score\n", `A.csv:1: a quote within a field: put the field in quotes and double the quotes inside`},
		{"not UTF-8", "id,risk_score\na,1\nb\xff,1\n", `A.csv:3: not valid UTF-8: save the file in that encoding`},
		{"UTF-16", "\xff\xfei\x00d\x00", `A.csv:1: not valid UTF-8: save the file in that encoding`},
		{"cut short within a character", "id,risk_score\n\xe2\x82", `A.csv:2: not valid UTF-8: save the file in that encoding`},
		{"empty id", "id,risk_score\n,0.5\n", `A.csv:2: column id: an account id is missing`},
		{"long id", "id,risk_score\n" + long + ",0.5\n", `A.csv:2: column id: an account id has at most 100 characters, found "` + long[:40] + `"…`},
		{"control character", "id,risk_score\n\"a\x1b[2J\",0.5\n", `A.csv:2: column id: an account id has no control characters, found "a\x1b[2J"`},
		{"newline in an id", "id,risk_score\n\"a\nb\",0.5\n", `A.csv:2: column id: an account id has no control characters, found "a\nb"`},
		{"duplicate", "id,risk_score\na,0.5\nb,0.5\n\na,0.5\n", `A.csv:5: column id: account "a" is there twice: it is in line 2 already`},
		{"score missing", "id,risk_score\na,\n", `A.csv:2: column risk_score: a number is missing: write a decimal fraction such as 0.25, found ""`},
		{"score a word", "risk_score,id\nhigh,a\n", `A.csv:2: column risk_score: not a decimal number: write digits with a point, such as 0.25, found "high"`},
		{"score NaN", "id,risk_score\na,NaN\n", `A.csv:2: column risk_score: not a decimal number: write digits with a point, such as 0.25, found "NaN"`},
		{"score infinite", "id,risk_score\na,Inf\n", `A.csv:2: column risk_score: not a decimal number: write digits with a point, such as 0.25, found "Inf"`},
		{"score hexadecimal", "id,risk_score\na,0x1p-2\n", `A.csv:2: column risk_score: not a decimal number: write digits with a point, such as 0.25, found "0x1p-2"`},
		{"score with underscore", "id,risk_score\na,0_1\n", `A.csv:2: column risk_score: not a decimal number: write digits with a point, such as 0.25, found "0_1"`},
		{"score huge", "id,risk_score\na,1e999\n", `A.csv:2: column risk_score: number out of range, found "1e999"`},
		{"score above 1", "id,risk_score\na,1\nb,1.01\n", `A.csv:3: column risk_score: a score is from 0 to 1, found "1.01"`},
		{"score negative", "id,risk_score\na,-0.1\n", `A.csv:2: column risk_score: a score is from 0 to 1, found "-0.1"`},
	} {
		if _, err := read(c.file, goodHeader); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.what, err, c.want)
		}
	}
}

func TestErrorsInTransactions(t *testing.T) {
	const good = "b1,bob,a1,alice,1,0\n"
	long := strings.Repeat("€", 101)
	for _, c := range []struct{ what, file, want string }{
		{"empty", "", `T.csv: the file is empty: its first line names the columns id_source,bank_source,id_destination,bank_destination,amount`},
		{"missing column", "id_source,bank_source,id_destination,bank_destination\n", `T.csv:1: column amount is missing: the header has "id_source", "bank_source", "id_destination", "bank_destination"`},
		{"double optional column", "period," + goodHeader, `T.csv:1: column period is there twice`},
		{"too few fields", goodHeader + good + "b1,bob\n", `T.csv:3: the line has 2 fields, the header has 6`},
		{"empty source", goodHeader + ",bob,a1,alice,1,0\n", `T.csv:2: column id_source: an account id is missing`},
		{"empty destination", goodHeader + "b1,bob,,alice,1,0\n", `T.csv:2: column id_destination: an account id is missing`},
		{"long foreign id", goodHeader + good + long + ",bob,a1,alice,1,0\n", `T.csv:3: column id_source: an account id has at most 100 characters, found "` + strings.Repeat("€", 40) + `"…`},
		{"unknown source bank", goodHeader + "b1,Bob,a1,alice,1,0\n", `T.csv:2: column bank_source: bank "Bob" is none of those that take part: alice, bob, charlie`},
		{"unknown destination bank", goodHeader + "a1,alice,b1,dave,1,0\n", `T.csv:2: column bank_destination: bank "dave" is none of those that take part: alice, bob, charlie`},
		{"not ours", goodHeader + good + "b1,bob,c1,charlie,1,0\n", `T.csv:3: column bank_source: a transaction between bob and charlie is not one of alice: its file has those with an account of alice on at least one side`},
		{"amount missing", goodHeader + "b1,bob,a1,alice,,0\n", `T.csv:2: column amount: an amount is missing, found ""`},
		{"amount zero", goodHeader + "b1,bob,a1,alice,0,0\n", `T.csv:2: column amount: an amount is greater than 0, found "0"`},
		{"amount negative", goodHeader + "b1,bob,a1,alice,-5,0\n", `T.csv:2: column amount: an amount is not negative: swap source and destination, found "-5"`},
		{"amount long", goodHeader + "b1,bob,a1,alice," + strings.Repeat("1", 5000) + ",0\n", `T.csv:2: column amount: an amount has at most 40 characters, found "` + strings.Repeat("1", 40) + `"…`},
		{"period fraction", goodHeader + "b1,bob,a1,alice,1,1.0\n", periodError(`"1.0"`)},
		{"period negative", goodHeader + "b1,bob,a1,alice,1,-1\n", periodError(`"-1"`)},
		{"period with a sign", goodHeader + "b1,bob,a1,alice,1,+1\n", periodError(`"+1"`)},
		{"period with zeros", goodHeader + "b1,bob,a1,alice,1,01\n", periodError(`"01"`)},
		{"period minus zero", goodHeader + "b1,bob,a1,alice,1,-0\n", periodError(`"-0"`)},
		{"period missing", goodHeader + "b1,bob,a1,alice,1,\n", periodError(`""`)},
		{"period high", goodHeader + "b1,bob,a1,alice,1,10000\n", periodError(`"10000"`)},
		{"period huge", goodHeader + "b1,bob,a1,alice,1,99999999999999999999\n", periodError(`"99999999999999999999"`)},
		{"destination without a score", goodHeader + good + "b1,bob,ghost,alice,1,0\n", `T.csv:3: column id_destination: account "ghost" receives money but has no score: add it to the accounts file`},
		{"neither side has a score", goodHeader + "spook,alice,ghost,alice,1,0\n", `T.csv:2: column id_destination: account "ghost" receives money but has no score: add it to the accounts file`},
		{"line after a quoted newline", goodHeader + "b1,bob,a1,alice,1,0\n\"b\n1\",bob,a1,alice,1,0\n", `T.csv:3: column id_source: an account id has no control characters, found "b\n1"`},
		{"not UTF-8", goodHeader + "b\xc31,bob,a1,alice,1,0\n", `T.csv:2: not valid UTF-8: save the file in that encoding`},
	} {
		if _, err := read(goodAccounts, c.file); err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.what, err, c.want)
		}
	}
}

func periodError(found string) string {
	return `T.csv:2: column period: a period is a whole number from 0 to 9999, without leading zeros, found ` + found
}

func TestABankOutsideTheRosterIsRefused(t *testing.T) {
	_, err := Read("mallory", banks, File{"A.csv", []byte(goodAccounts)}, File{"T.csv", []byte(goodHeader)})
	if want := `bank "mallory" is none of those that take part: alice, bob, charlie`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Whatever the bytes, reading ends without a panic, in a value that keeps its promises or an error that is short, names a file and prints safely.
func FuzzRead(f *testing.F) {
	f.Add(goodAccounts, goodHeader+"a1,alice,b,bob,1.5,0\n")
	f.Add("\ufeffid,risk_score\r\n\"a,1\",1e-3\r\n", goodHeader+"x,bob,\"a,1\",alice,0.0001,9999\r\n")
	f.Add("id,risk_score\na\x00,NaN\n", "\xff")
	f.Add("\"", ",,,\n\"\"\"")
	f.Fuzz(func(t *testing.T, accounts, transactions string) {
		l, err := read(accounts, transactions)
		if err != nil {
			if text := err.Error(); len(text) > 4000 || !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x1b\x00") ||
				!strings.HasPrefix(text, "A.csv:") && !strings.HasPrefix(text, "T.csv:") {
				t.Fatalf("error %q", text)
			}
			return
		}
		if !slices.IsSortedFunc(l.Accounts, func(a, b Account) int { return strings.Compare(a.ID, b.ID) }) || !slices.IsSortedFunc(l.Edges, Edge.compare) {
			t.Fatal("not sorted")
		}
		own := make(map[string]bool)
		for _, a := range l.Accounts {
			own[a.ID] = true
		}
		for _, e := range l.Edges {
			for _, end := range []Endpoint{e.Source, e.Destination} {
				if end.Bank == "alice" && !own[end.ID] {
					t.Fatalf("edge %v without a score", e)
				}
			}
			if e.Amount.IsZero() || e.Source.Bank != "alice" && e.Destination.Bank != "alice" {
				t.Fatalf("edge %v", e)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var accounts, transactions strings.Builder
	accounts.WriteString("id,risk_score\n")
	transactions.WriteString(goodHeader)
	for i := range 50_000 {
		fmt.Fprintf(&accounts, "account%07d,0.%03d\n", i*7919%50_000, i%1000)
	}
	for i := range 200_000 {
		fmt.Fprintf(&transactions, "account%07d,alice,account%07d,alice,%d.%02d,%d\n", i*31%50_000, i*17%50_000, 1+i, i%100, i%3)
	}
	a, t := File{"A.csv", []byte(accounts.String())}, File{"T.csv", []byte(transactions.String())}
	for b.Loop() {
		if _, err := Read("alice", banks, a, t); err != nil {
			b.Fatal(err)
		}
	}
}
