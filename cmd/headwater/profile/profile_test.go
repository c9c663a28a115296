package profile_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"headwater/cmd/headwater/profile"
)

func TestLoopback(t *testing.T) {
	tests := []struct {
		addr string
		want bool
	}{
		{"127.0.0.1:6060", true},
		{"127.9.9.9:0", true},
		{"localhost:6060", true},
		{"[::1]:6060", true},
		{"[::ffff:127.0.0.1]:6060", true},
		{":6060", false},
		{"0.0.0.0:6060", false},
		{"[::]:6060", false},
		{"192.168.0.1:6060", false},
		{"localhost.example:6060", false},
		{"127.0.0.1", false},
		{"", false},
	}
	for _, tt := range tests {
		if got := profile.Loopback(tt.addr); got != tt.want {
			t.Errorf("Loopback(%q) = %v, want %v", tt.addr, got, tt.want)
		}
	}
}

// get returns what the handler answers, asked by the name host.
func get(t *testing.T, host, path string) (int, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+host+path, nil)
	w := httptest.NewRecorder()
	profile.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestHandler(t *testing.T) {
	tests := []struct {
		name, host, path string
		status           int
		want             string
	}{
		{"there is a list", "127.0.0.1:6060", "/", 200, "/debug/pprof/"},
		{"profiles are listed", "127.0.0.1:6060", "/debug/pprof/", 200, "goroutine"},
		{"goroutines are shown", "localhost", "/debug/pprof/goroutine?debug=1", 200, "goroutine profile:"},
		{"metrics are text", "[::1]:6060", "/debug/metrics", 200, "# TYPE go_sched_goroutines_goroutines"},
		{"a name that was made to mean this machine is refused", "rebound.example:6060", "/debug/pprof/heap", 403, "loopback"},
		{"other paths do not exist", "127.0.0.1:6060", "/live.m3u8", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, body := get(t, tt.host, tt.path); status != tt.status || !strings.Contains(body, tt.want) {
				t.Errorf("GET %s by %s = %d %.200q, want %d and %q", tt.path, tt.host, status, body, tt.status, tt.want)
			}
		})
	}
}

// Each line is one that Prometheus reads, and each bucket holds those before it.
func TestMetrics(t *testing.T) {
	_, text := get(t, "localhost", "/debug/metrics")
	line := regexp.MustCompile(`^(# (HELP|TYPE) [a-z_][a-zA-Z0-9_]* .+|([a-z_][a-zA-Z0-9_]*)(\{le="([^"]+)"\})? (\S+))$`)
	values := map[string]float64{}
	var bucket string
	var count, edge float64
	for s := range strings.Lines(text) {
		m := line.FindStringSubmatch(strings.TrimSuffix(s, "\n"))
		if m == nil {
			t.Fatalf("line %q is none of the format", s)
		}
		if m[3] == "" {
			continue
		}
		v, err := strconv.ParseFloat(m[6], 64)
		if err != nil {
			t.Fatalf("line %q: %v", s, err)
		}
		if _, ok := values[m[3]+m[4]]; ok {
			t.Errorf("%s comes twice", m[3]+m[4])
		}
		values[m[3]+m[4]] = v
		if m[4] == "" {
			continue
		}
		le, err := strconv.ParseFloat(m[5], 64)
		if err != nil {
			t.Errorf("line %q: %v", s, err)
		}
		if m[3] == bucket && (v < count || le <= edge) {
			t.Errorf("bucket %q does not follow on %v up to %v", s, count, edge)
		}
		bucket, count, edge = m[3], v, le
	}
	for _, name := range []string{"go_sched_goroutines_goroutines", "go_gc_heap_live_bytes", "go_gc_cycles_total_gc_cycles_total", "go_sched_latencies_seconds_count", `go_sched_latencies_seconds_bucket{le="+Inf"}`} {
		if _, ok := values[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if runtime.GOOS == "linux" && (values["process_open_fds"] < 3 || values["process_resident_memory_bytes"] < 1<<20) {
		t.Errorf("%v open files and %v bytes are resident", values["process_open_fds"], values["process_resident_memory_bytes"])
	}
}

func TestServerRun(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- (&profile.Server{Listener: l, Log: slog.New(slog.DiscardHandler)}).Run(ctx) }()
	res, err := http.Get("http://" + l.Addr().String() + "/debug/pprof/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(res.Body); err != nil || len(body) == 0 {
		t.Errorf("the command line is %q, %v", body, err)
	}
	res.Body.Close()
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if err := (&profile.Server{Listener: l, Log: slog.New(slog.DiscardHandler)}).Run(t.Context()); err == nil {
		t.Error("Run on a closed listener = nil, want an error")
	}
}
