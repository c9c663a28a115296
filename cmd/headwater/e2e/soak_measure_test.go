//go:build e2e

package e2e_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sample is what a process has at a quiet moment.
type sample struct {
	goroutines int
	files      int   // open ones
	heap       int64 // bytes that are live
	resident   int64 // bytes
}

// What may be more at the end than at the beginning: what happens to be under
// way at the moment of measuring, and what the tails hold more or less. The
// heap of single samples differs by 3.5 MiB, the median of many by 0.3.
const (
	noiseGoroutines = 4
	noiseFiles      = 4
	noiseHeap       = 4 << 20
	noiseHeapOfMany = 1 << 20
	noiseResident   = 12 << 20
	many            = 10 // samples in a third
)

// growth says what has grown from the first third of the samples to the last.
func growth(samples []sample) []string {
	third := max(1, len(samples)/3)
	var grown []string
	compare := func(what string, noise int64, of func(sample) int64) {
		median := func(s []sample) int64 {
			values := make([]int64, len(s))
			for i := range s {
				values[i] = of(s[i])
			}
			slices.Sort(values)
			return values[(len(values)-1)/2]
		}
		before, after := median(samples[:third]), median(samples[len(samples)-third:])
		if after-before > noise {
			grown = append(grown, fmt.Sprintf("%s grew from %d to %d, want at most %d more", what, before, after, noise))
		}
	}
	compare("goroutines", noiseGoroutines, func(s sample) int64 { return int64(s.goroutines) })
	compare("open files", noiseFiles, func(s sample) int64 { return int64(s.files) })
	heap := int64(noiseHeap)
	if third >= many {
		heap = noiseHeapOfMany
	}
	compare("the live heap", heap, func(s sample) int64 { return s.heap })
	compare("the resident memory", noiseResident, func(s sample) int64 { return s.resident })
	return grown
}

// measure measures the server.
func (s *soak) measure() sample {
	s.t.Helper()
	var m sample
	var live int
	for range 3 { // the last of what was in a pool goes with the third collection
		live = s.number("/debug/pprof/heap?gc=1&debug=1", `# HeapAlloc = (\d+)`)
	}
	m.heap = int64(live)
	m.goroutines = s.number("/debug/pprof/goroutine?debug=1", `goroutine profile: total (\d+)`)
	proc := fmt.Sprintf("/proc/%d/", s.server.process.cmd.Process.Pid)
	files, err := os.ReadDir(proc + "fd")
	if err != nil {
		s.t.Fatal(err)
	}
	m.files = len(files)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		s.t.Fatal(err)
	}
	m.resident = int64(number(s.t, string(status), `VmRSS:\s+(\d+) kB`)) << 10
	return m
}

// number fetches a page of the profiles and returns a number from it.
func (s *soak) number(path, pattern string) int {
	s.t.Helper()
	_, body, err := get(s.debug + path)
	if err != nil {
		s.t.Fatal(err)
	}
	return number(s.t, body, pattern)
}

func number(t *testing.T, text, pattern string) int {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %s in %.200q", pattern, text)
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// stacks returns where the goroutines of the server are.
func (s *soak) stacks() string {
	_, body, err := get(s.debug + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		return err.Error()
	}
	return body
}

// table writes samples down: some of them, if there are many.
func table(samples []sample) string {
	var b strings.Builder
	fmt.Fprintln(&b, "goroutines  files  heap KiB  resident KiB")
	step := max(1, len(samples)/40)
	for i := 0; i < len(samples); i += step {
		s := samples[i]
		fmt.Fprintf(&b, "%10d  %5d  %8d  %12d\n", s.goroutines, s.files, s.heap>>10, s.resident>>10)
	}
	return b.String()
}

// TestGrowth holds that TestSoak can fail.
func TestGrowth(t *testing.T) {
	steady := sample{30, 20, 5 << 20, 40 << 20}
	run := func(at func(i int, s *sample)) []sample {
		var all []sample
		for i := range 30 {
			s := steady
			at(i, &s)
			all = append(all, s)
		}
		return all
	}
	tests := []struct {
		name    string
		samples []sample
		grows   string
	}{
		{"nothing", run(func(int, *sample) {}), ""},
		{"one sample that stands out", run(func(i int, s *sample) { s.goroutines += 100 * (i / 29) }), ""},
		{"a goroutine a cycle", run(func(i int, s *sample) { s.goroutines += i }), "goroutines"},
		{"a file a cycle", run(func(i int, s *sample) { s.files += i }), "files"},
		{"200 KiB a cycle", run(func(i int, s *sample) { s.heap += int64(i) * 200 << 10 }), "heap"},
		{"2 MiB a cycle", run(func(i int, s *sample) { s.resident += int64(i) * 2 << 20 }), "resident"},
		{"less and less", run(func(i int, s *sample) { s.heap -= int64(i) * 200 << 10 }), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := growth(tt.samples)
			if tt.grows == "" && len(got) > 0 || tt.grows != "" && (len(got) != 1 || !strings.Contains(got[0], tt.grows)) {
				t.Errorf("growth(%v) = %q, want %q", tt.samples, got, tt.grows)
			}
		})
	}
}
