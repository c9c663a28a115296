package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bench "headwater/cmd/headwater/load"
)

func TestBenchUsage(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   string
		status int
		says   string
	}{
		{"no load", "bench", statusUsage, "listeners, viewers or publishers"},
		{"no such load", "bench horses", statusUsage, `no load "horses"`},
		{"no URL", "bench listeners", statusUsage, "one URL is needed"},
		{"two URLs", "bench viewers http://a/ http://b/", statusUsage, "one URL is needed"},
		{"not an address of the web", "bench viewers live.m3u8", statusUsage, "is no URL"},
		{"a flag of another load", "bench viewers http://a/ --slow 3", statusUsage, "--slow is for listeners, not for viewers"},
		{"a source that is none", "bench listeners http://a/ --source localhost:1", statusUsage, "is not tcp://HOST:PORT"},
		{"no time", "bench listeners http://a/ --for 0s", statusUsage, "must be longer"},
		{"fewer than none", "bench listeners http://a/ -n -1", statusUsage, "negative"},
		{"too few addresses", "bench publishers 127.0.0.1:1-3 -n 4", statusUsage, "need as many addresses"},
		{"nobody there", "bench listeners http://127.0.0.1:1/x -n 2 --for 1s", statusFailed, "2 refused"},
		{"no file", "bench publishers 127.0.0.1:1 --file /does/not/exist", statusFailed, "no such file"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, stderr := call(t.Context(), "", strings.Fields(test.args)...)
			if status != test.status || !strings.Contains(stderr, test.says) {
				t.Errorf("status = %d, want %d, with %q in %q", status, test.status, test.says, stderr)
			}
		})
	}
}

// TestBenchWrites publishes to a port that takes everything, and reads what was written.
func TestBenchWrites(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var taking sync.WaitGroup
	defer taking.Wait()
	defer ln.Close()
	taking.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for b := make([]byte, 4096); err == nil; _, err = conn.Read(b) {
		}
	})
	dir := t.TempDir()
	svg, object := filepath.Join(dir, "x.svg"), filepath.Join(dir, "x.json")
	status, stdout, stderr := call(t.Context(), "", "bench", "publishers", ln.Addr().String(), "--kind", "radio", "--for", (300 * time.Millisecond).String(), "--svg", svg, "--json", object)
	if status != statusOK || !strings.Contains(stdout, "1 of 1") {
		t.Fatalf("status %d: %s%s", status, stdout, stderr)
	}
	text, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	var report bench.PublishersReport
	if err := json.Unmarshal(text, &report); err != nil || report.KeptPace != 1 {
		t.Errorf("JSON: %v, %+v, want one who kept pace", err, report)
	}
	if text, err = os.ReadFile(svg); err != nil || !strings.HasPrefix(string(text), "<svg") {
		t.Errorf("chart: %.20q, %v", text, err)
	}
}
