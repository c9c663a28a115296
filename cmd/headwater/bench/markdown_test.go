package main

import (
	"strings"
	"testing"
	"time"
)

func TestMarkdown(t *testing.T) {
	b := &bench{ran: []string{"headwater bench listeners URL -n 3"}}
	b.table.add(row{"a | b", "<= 1", "2", "2.00 x", notOK})
	b.table.add(row{what: "  its CPU", measured: "3 %"})
	got := string(b.markdown(time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC), machine{"a CPU", "Linux 7", []string{"Icecast 2"}}))
	for _, want := range []string{
		"2026-11-21", "a CPU", "Linux 7", "Beside it: Icecast 2.", "\n| a \\| b | <= 1 | 2 | 2.00 x | NOT ok |\n",
		"\n| … its CPU |  | 3 % |  |  |\n", "\n    headwater bench listeners URL -n 3\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}

func TestSample(t *testing.T) {
	s := sample{3, 1, 2, 10}
	if got := s.median(); got != 2.5 {
		t.Errorf("median of %v = %v, want 2.5", s, got)
	}
	if got := s.spread("%.0f"); got != "(1-10)" {
		t.Errorf("spread of %v = %v, want (1-10)", s, got)
	}
}
