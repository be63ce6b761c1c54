package main

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// table is rows of cells that are shown in columns, the first one flush left and the others flush right.
type table struct{ rows [][]string }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// lines are the rows with their columns two spaces apart, indented by two. A row may be shorter than the others.
func (t *table) lines() []string {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(t.rows))
	for r, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				cell, pad = pad, cell
			}
			line.WriteString("  " + pad + cell)
		}
		lines[r] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

// say adds the table to the story.
func (t *table) say(u *ui) {
	u.say("")
	for _, line := range t.lines() {
		u.say("%s", line)
	}
	u.say("")
}

// unknown is the cell for what is not known, or means nothing.
const unknown = "-"

// known is the cell for seconds that may not be known.
func known(seconds *float64) string {
	if seconds == nil {
		return unknown
	}
	return fmt.Sprintf("%.2f", *seconds)
}

// figure is the cell for a number of which three digits are enough; 0 is no number.
func figure(x float64) string {
	switch {
	case x == 0 || math.IsNaN(x) || math.IsInf(x, 0):
		return unknown
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
