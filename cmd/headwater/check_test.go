package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"headwater/cmd/headwater/check"
)

func TestCheckUsage(t *testing.T) {
	for _, test := range []struct {
		name   string
		args   []string
		status int
		says   string
	}{
		{"no URL", []string{"check"}, statusUsage, "one URL is needed"},
		{"two URLs", []string{"check", "http://a/x.m3u8", "http://b/x.m3u8"}, statusUsage, "one URL is needed"},
		{"no time", []string{"check", "--for", "0s", "http://a/x.m3u8"}, statusUsage, "must be longer"},
		{"a wrong flag behind the URL", []string{"check", "http://a/x.m3u8", "--four", "3s"}, statusUsage, "four"},
		{"not an address of the web", []string{"check", "live.m3u8"}, statusUsage, "is no URL"},
		{"nobody there", []string{"check", "http://127.0.0.1:1/x.m3u8"}, statusFailed, "no playlist can be had"},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, _, stderr := call(t.Context(), "", test.args...)
			if status != test.status || !strings.Contains(stderr, test.says) {
				t.Errorf("status = %d, want %d, with %q in %q", status, test.status, test.says, stderr)
			}
		})
	}
}

// TestCheckOfDemo holds our own output to the rules, our own rules included.
func TestCheckOfDemo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s, err := openStation(ctx, demoOptions("127.0.0.1:0", ""), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run = %v, want nil", err)
		}
	}()
	base := "http://" + s.endpoints.http
	for status := 0; status != 200; {
		status, _ = fetch(t, base+"/demo/ready")
	}
	status, stdout, stderr := call(t.Context(), "", "check", base+"/demo.m3u8", "--for", "1s", "--strict", "--json")
	var report check.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("status %d, %v: %s%s", status, err, stdout, stderr)
	}
	for _, f := range report.Findings {
		t.Errorf("%s %s: %s (%s)", f.Level, f.Rule, f.Text, f.Subject)
	}
	if status != statusOK || len(report.Playlists) != 2 || report.Segments < 6 {
		t.Errorf("status %d, %d playlists, %d segments; want 0, 2, at least 6", status, len(report.Playlists), report.Segments)
	}
}
