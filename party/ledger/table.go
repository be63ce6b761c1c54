package ledger

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"riskprop/crypto/fixed"
)

// table reads the rows of a CSV file by the names of its columns.
type table struct {
	name    string
	csv     *csv.Reader
	columns []string // wanted, as given to open
	field   []int    // the field of each wanted column; -1: not there
	row     []string // the present row
	ignored []string // names of columns that nobody wanted
}

// open reads the header. Of the columns asked for, the first `required` must be there; none may be there twice.
func open(f File, columns []string, required int) (*table, error) {
	data := bytes.TrimPrefix(f.Data, []byte("\ufeff"))
	if line := firstInvalid(data); line > 0 {
		return nil, fmt.Errorf("%s:%d: not valid UTF-8: save the file in that encoding", f.Name, line)
	}
	t := &table{name: f.Name, csv: csv.NewReader(bytes.NewReader(data)), columns: columns}
	t.csv.ReuseRecord = true
	header, err := t.csv.Read()
	if err == io.EOF {
		return nil, fmt.Errorf("%s: the file is empty: its first line names the columns %s", f.Name, strings.Join(columns[:required], ","))
	}
	if err != nil {
		return nil, t.syntax(err)
	}
	for i, column := range columns {
		at := slices.Index(header, column)
		if at < 0 && i < required {
			return nil, fmt.Errorf("%s:%d: column %s is missing: the header has %s", f.Name, t.line(0), column, list(header))
		}
		if at >= 0 && slices.Contains(header[at+1:], column) {
			return nil, fmt.Errorf("%s:%d: column %s is there twice", f.Name, t.line(0), column)
		}
		t.field = append(t.field, at)
	}
	for _, name := range header {
		if !slices.Contains(columns, name) {
			t.ignored = append(t.ignored, strings.Clone(name))
		}
	}
	return t, nil
}

// each calls do for every row below the header, until one of them fails.
func (t *table) each(do func() error) error {
	for {
		row, err := t.csv.Read()
		if err == io.EOF {
			return nil
		}
		t.row = row
		if err != nil {
			return t.syntax(err)
		}
		if err := do(); err != nil {
			return err
		}
	}
}

// has tells whether the file has the column.
func (t *table) has(column int) bool { return t.field[column] >= 0 }

// text returns the present row's value in a column that the file has. It is valid after the next row, too.
func (t *table) text(column int) string { return t.row[t.field[column]] }

// line returns the line, from 1, on which a field of the row last read begins.
func (t *table) line(field int) int {
	line, _ := t.csv.FieldPos(field)
	return line
}

// lineOf returns the line of the present row's value in a column.
func (t *table) lineOf(column int) int { return t.line(t.field[column]) }

// ValueError is what is wrong with one value of a bank's files. Err may quote account ids and scores, Where does not.
type ValueError struct {
	Where string // file, line and column
	Err   error
}

func (e *ValueError) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap returns what is wrong.
func (e *ValueError) Unwrap() error { return e.Err }

// errorf makes an error about the present row's value in a column.
func (t *table) errorf(column int, format string, args ...any) error {
	return &ValueError{
		Where: fmt.Sprintf("%s:%d: column %s", t.name, t.lineOf(column), t.columns[column]),
		Err:   fmt.Errorf(format, args...),
	}
}

// score returns the value of a column as a score.
func (t *table) score(column int) (float64, error) {
	x, err := fixed.ParseDecimal(t.text(column))
	if err != nil {
		return 0, t.errorf(column, "%w, found %s", err, quote(t.text(column)))
	}
	if x < 0 || x > 1 {
		return 0, t.errorf(column, "a score is from 0 to 1, found %s", quote(t.text(column)))
	}
	return x, nil
}

// id returns the value of a column as an account id.
func (t *table) id(column int) (string, error) {
	id := t.text(column)
	switch {
	case id == "":
		return "", t.errorf(column, "an account id is missing")
	case utf8.RuneCountInString(id) > MaxID:
		return "", t.errorf(column, "an account id has at most %d characters, found %s", MaxID, quote(id))
	case strings.ContainsFunc(id, unicode.IsControl):
		return "", t.errorf(column, "an account id has no control characters, found %s", quote(id))
	}
	return id, nil
}

// newID returns the value of a column as an account id that is not in lines yet, and enters its line there.
func (t *table) newID(column int, lines map[string]int) (string, error) {
	id, err := t.id(column)
	if err != nil {
		return "", err
	}
	if line, double := lines[id]; double {
		return "", t.errorf(column, "account %s is there twice: it is in line %d already", quote(id), line)
	}
	lines[id] = t.lineOf(column)
	return id, nil
}

// warning returns the one warning about columns that nobody wanted, or nothing.
func (t *table) warning() []string {
	if len(t.ignored) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: columns ignored: %s", t.name, list(t.ignored))}
}

// syntax turns an error of the CSV reader into one of this package.
func (t *table) syntax(err error) error {
	parse, ok := errors.AsType[*csv.ParseError](err)
	switch {
	case !ok:
		return fmt.Errorf("%s: %w", t.name, err)
	case errors.Is(err, csv.ErrFieldCount):
		return fmt.Errorf("%s:%d: the line has %d fields, the header has %d", t.name, parse.Line, len(t.row), t.csv.FieldsPerRecord)
	case errors.Is(err, csv.ErrBareQuote):
		return fmt.Errorf("%s:%d: a quote within a field: put the field in quotes and double the quotes inside", t.name, parse.Line)
	}
	return fmt.Errorf("%s:%d: a quoted field that does not end as one: close it with a single quote, before a comma or the end of the line", t.name, parse.StartLine)
}

// list quotes names for a message: a few of them, and how many more there are.
func list(names []string) string {
	const limit = 10
	quoted := make([]string, 0, limit)
	for _, name := range names[:min(limit, len(names))] {
		quoted = append(quoted, quote(name))
	}
	text := strings.Join(quoted, ", ")
	if more := len(names) - limit; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// firstInvalid returns the line, from 1, of the first byte that is not UTF-8, or 0.
func firstInvalid(data []byte) int {
	if utf8.Valid(data) {
		return 0
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size <= 1 {
			return 1 + bytes.Count(data[:at], []byte("\n"))
		}
		at += size
	}
}
