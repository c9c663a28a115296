package load

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Report is what a load has found. It is a struct whose JSON holds everything.
type Report interface {
	// Rows returns the report for a person.
	Rows() []Row
	// Chart returns the course of the load over time.
	Chart() Chart
}

// Row is one line of a report: what it is about, and the figures with their units.
type Row struct{ What, Value string }

// WriteTable writes the rows of r in two columns.
func WriteTable(w io.Writer, r Report) error {
	rows := r.Rows()
	width := 0
	for _, row := range rows {
		width = max(width, utf8.RuneCountInString(row.What))
	}
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%s%s  %s\n", row.What, strings.Repeat(" ", width-utf8.RuneCountInString(row.What)), row.Value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON writes all of r as JSON.
func WriteJSON(w io.Writer, r Report) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// String returns the quantiles in the unit that fits each.
func (q Quantiles) String() string {
	if q.Count == 0 {
		return "nothing measured"
	}
	return fmt.Sprintf("half within %s, 99 %% within %s, longest %s", duration(q.P50), duration(q.P99), duration(q.Max))
}

// duration writes milliseconds in a unit that needs few digits.
func duration(ms float64) string {
	switch {
	case ms >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case ms >= 1000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 1:
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f µs", ms*1000)
}

// number writes n with a comma after each three digits.
func number[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// megabytes writes a number of bytes in MB of 10^6.
func megabytes(n int64) string {
	if n < 100e6 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return number(n/1e6) + " MB"
}

// rows of a server's use and that of the load itself, which no report lacks.
func useRows(server *Usage, own float64) []Row {
	rows := []Row{{"server", "not watched: give its process by --pid"}}
	if server != nil {
		rows = []Row{
			{"server CPU", fmt.Sprintf("%.1f %% of one core", server.CPU)},
			{"server memory", fmt.Sprintf("%s at the end, %s at most, %s before", megabytes(server.RSS), megabytes(server.RSSMax), megabytes(server.RSSBefore))},
		}
	}
	return append(rows, Row{"CPU of the load itself", fmt.Sprintf("%.1f %% of one core", own)})
}
