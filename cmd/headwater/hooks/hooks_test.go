package hooks_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/cmd/headwater/hooks"
	"headwater/mux"
	"headwater/origin"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"https://u:p@example.org/hook?key=secret", "https://example.org/hook"},
		{"/bin/notify  a b", "/bin/notify a b"},
		{"http://", ""},
		{"ftp://example.org", ""},
		{" ", ""},
	} {
		h, err := hooks.Parse(origin.EventTitle, c.text)
		if got := h.String(); (err == nil) != (c.want != "") || got != c.want {
			t.Errorf("Parse(%q) = %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

// station is a server with a stream whose events some hooks are told of.
type station struct {
	stream *origin.Stream
	log    lines // what is logged
}

// lines brings what is written to it.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// want waits for a line with each of some texts.
func (l lines) want(t *testing.T, texts ...string) {
	t.Helper()
	for len(texts) > 0 {
		line := <-l
		texts = slices.DeleteFunc(texts, func(s string) bool { return strings.Contains(line, s) })
	}
}

func start(t *testing.T, timeout time.Duration, told ...hooks.Hook) *station {
	t.Helper()
	s := &station{log: make(lines, 100)}
	var err error
	if s.stream, err = origin.NewStream(origin.StreamConfig{Name: "live"}); err != nil {
		t.Fatal(err)
	}
	server := origin.NewServer(origin.ServerConfig{})
	if err := server.Add(s.stream); err != nil {
		t.Fatal(err)
	}
	r := hooks.New(hooks.Config{Server: server, Hooks: told, Timeout: timeout, Log: slog.New(slog.NewTextHandler(s.log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return s
}

func TestHooks(t *testing.T) {
	posted := make(chan string, 10)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posted <- r.Method + " " + r.Header.Get("Content-Type") + " " + string(body)
		w.WriteHeader(http.StatusTeapot)
	}))
	defer service.Close()
	dir := t.TempDir()
	script, file := filepath.Join(dir, "hook"), filepath.Join(dir, "out")
	text := "#!/bin/sh\nread json\necho \"$HEADWATER_EVENT $HEADWATER_STREAM $1 $json\" >>" + file + "\necho oh no >&2\nexit 3\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	after := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(done) }))
	defer after.Close()
	s := start(t, 0,
		hooks.Hook{On: origin.EventSourceConnected, Command: []string{script, "$(id)"}},
		hooks.Hook{URL: service.URL},
		hooks.Hook{On: origin.EventSourceDisconnected, URL: after.URL})
	feed, err := s.stream.Attach(mux.SourceInfo{ID: "test-1", Remote: "10.0.0.1:1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"source_connected", "stream_appeared"} {
		var e origin.Event
		got := <-posted
		kind, body, _ := strings.Cut(got, " {")
		if err := json.Unmarshal([]byte("{"+body), &e); err != nil || kind != "POST application/json" || string(e.Kind) != want || e.Stream != "live" {
			t.Errorf("there was posted %q (%v), want %s", got, err, want)
		}
	}
	s.log.want(t, "418", "exit status 3: oh no")
	out, err := os.ReadFile(file)
	if want := "source_connected live $(id) {"; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("the command wrote %q, %v, want %q", out, err, want)
	}
	feed.Close(nil, time.Now())
	<-done
}

// A hook that hangs is ended, and others are told meanwhile.
func TestHooksThatHang(t *testing.T) {
	hang, told := make(chan struct{}), make(chan struct{}, 10)
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer slow.Close()
	defer close(hang)
	quick := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told <- struct{}{} }))
	defer quick.Close()
	s := start(t, time.Second, hooks.Hook{URL: slow.URL}, hooks.Hook{Command: []string{"sleep", "600"}}, hooks.Hook{URL: quick.URL},
		hooks.Hook{Command: []string{"/does/not/exist"}})
	if _, err := s.stream.Attach(mux.SourceInfo{ID: "test-1"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	<-told
	<-told
	s.log.want(t, "took longer than 1s", "sleep 600", "no such file")
}

// What a script that hangs has started ends with it.
func TestHookEndsWithItsGroup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	script := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nsleep 600 &\necho $! >"+file+"\nwait\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	s := start(t, 2*time.Second, hooks.Hook{On: origin.EventSourceConnected, Command: []string{script}})
	if _, err := s.stream.Attach(mux.SourceInfo{ID: "test-1"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	s.log.want(t, "took longer than 2s")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	stat := filepath.Join("/proc", strings.TrimSpace(string(text)), "stat")
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		b, err := os.ReadFile(stat)
		if err != nil || strings.Contains(string(b), ") Z ") {
			return // gone, or nobody has asked yet how it ended
		}
		if time.Now().After(deadline) {
			t.Fatal("what the script has started is there still")
		}
	}
}
