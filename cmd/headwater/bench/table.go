package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// table is what a run has found.
type table struct{ rows []row }

// row is one figure. A row without a limit is there to be read only.
type row struct {
	what, limit, measured, ratio string
	verdict                      verdict
}

type verdict string

const (
	noVerdict verdict = ""
	ok        verdict = "ok"
	notOK     verdict = "NOT ok"
)

// judge returns ok if the condition holds.
func judge(holds bool) verdict {
	if holds {
		return ok
	}
	return notOK
}

func (t *table) add(r row) { t.rows = append(t.rows, r) }

// lacking adds a row for a comparison that cannot be made.
func (t *table) lacking(what, program string) {
	t.add(row{what: what, measured: program + " is not installed: left out"})
}

// String returns the table as text.
func (t *table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\tlimit\tmeasured\tratio\t")
	for _, r := range t.rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.what, r.limit, r.measured, r.ratio, r.verdict)
	}
	w.Flush()
	return b.String()
}

// sample is one figure, measured several times.
type sample []float64

// median returns the middle of the sample, 0 if it is empty.
func (s sample) median() float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// spread returns the smallest and the largest figure as text, in the given format.
func (s sample) spread(format string) string {
	if len(s) == 0 {
		return ""
	}
	return fmt.Sprintf("("+format+"-"+format+")", slices.Min(s), slices.Max(s))
}
