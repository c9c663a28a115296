package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
)

// server is a "headwater serve" that runs in the test's process.
type server struct {
	t      *testing.T
	log    *output
	http   string // base URL
	stop   context.CancelFunc
	status chan int
}

// startServe runs "headwater serve" with args on free ports.
func startServe(t *testing.T, args ...string) *server {
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	s := &server{t: t, log: newOutput(), stop: stop, status: make(chan int, 1)}
	args = append([]string{"serve", "--http", "127.0.0.1:0", "--log-format", "json"}, args...)
	go func() {
		s.status <- run(ctx, args, &console{stdin: strings.NewReader(""), stdout: io.Discard, stderr: s.log, lookupEnv: environment()})
	}()
	s.http = "http://" + s.field("http", `"msg":"started"`)
	return s
}

// field waits for a line of the log with all words and returns one field of it.
func (s *server) field(key string, words ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var fields map[string]any
	line := s.log.line(ctx, words...)
	if err := json.Unmarshal([]byte(line), &fields); err != nil {
		s.t.Fatalf("no line with %q in the log (%v):\n%s", words, err, s.log)
	}
	value, _ := fields[key].(string)
	return value
}

// get returns the status and the body of a path.
func (s *server) get(path string) (int, string) {
	s.t.Helper()
	resp, err := http.Get(s.http + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// end stops the server and returns its exit status.
func (s *server) end() int {
	s.stop()
	return <-s.status
}

// send sends media to the port of a stream and waits until all was taken.
func (s *server) send(stream string, media []byte) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.field("address", "waiting for a source", `"stream":"`+stream+`"`))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(media); err != nil {
		s.t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		s.t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		s.t.Errorf("Read = %v, want EOF", err)
	}
}

func TestServe(t *testing.T) {
	data := t.TempDir()
	args := []string{"--tcp", "127.0.0.1:0", "--tcp", "radio/one=127.0.0.1:0", "--data", data, "--target-duration", "2s"}
	s := startServe(t, append(args, "--pprof", "127.0.0.1:0")...)
	if status, _ := s.get("/healthz"); status != 200 {
		t.Errorf("GET /healthz = %d, want 200", status)
	}
	if status, _ := s.get("/debug/pprof/"); status != 404 {
		t.Errorf("GET /debug/pprof/ of the public port = %d, want 404", status)
	}
	if status, body := fetch(t, strings.Replace(s.field("address", `"msg":"profiles"`), "/debug/pprof/", "/debug/metrics", 1)); status != 200 || !strings.Contains(body, "go_sched_goroutines") {
		t.Errorf("the metrics are %d %.100q", status, body)
	}
	if status, body := s.get("/live.m3u8"); status != 503 || !strings.Contains(body, "tcp://127.0.0.1:") {
		t.Errorf("GET /live.m3u8 = %d, %q, want 503 and where to send media", status, body)
	}
	s.send("live", muxtest.AV().Bytes(16*mux.ClockRate))
	s.send("radio/one", muxtest.RawAudio(mux.CodecMP3).Bytes(16*mux.ClockRate))
	for _, name := range []string{"live", "radio/one"} {
		s.field("tracks", "source started", `"stream":"`+name+`"`)
		if s.field("msg", "source ended", `"stream":"`+name+`"`) == "" {
			t.Errorf("the end of %s is not in the log", name)
		}
	}
	if status := s.end(); status != statusOK {
		t.Errorf("exit status %d, want 0:\n%s", status, s.log)
	}

	// What was sent is on disk, and served at once by the next process.
	s = startServe(t, args...)
	for _, path := range []string{"/live.m3u8", "/live/main.m3u8", "/radio/one.m3u8"} {
		if status, body := s.get(path); status != 200 || !strings.HasPrefix(body, "#EXTM3U") {
			t.Errorf("GET %s after a restart = %d, %q, want a playlist", path, status, body)
		}
	}
	if status := s.end(); status != statusOK {
		t.Errorf("exit status %d, want 0:\n%s", status, s.log)
	}
}

func TestServeFailsToStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := taken.Addr().String()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"the port of the profiles is busy", []string{"--http", "127.0.0.1:0", "--pprof", busy},
			[]string{"listen tcp " + busy, "give another address with --pprof"}},
		{"the HTTP port is busy", []string{"--http", busy},
			[]string{"listen tcp " + busy, "address already in use: another program uses the port; stop it, or give another address with --http"}},
		{"the port of a stream is busy", []string{"--http", "127.0.0.1:0", "--tcp", "one=" + busy},
			[]string{"listen tcp " + busy, "give stream one another address with --tcp one=ADDR"}},
		{"not an address of this machine", []string{"--http", "192.0.2.1:8080"}, []string{"this machine does not have the address"}},
		{"the data folder is a file", []string{"--http", "127.0.0.1:0", "--data", file},
			[]string{"open the data folder", file, "--data"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"serve", "--data", "", "--tcp", "live=127.0.0.1:0"}, tt.args...)
			status, _, stderr := call(t.Context(), "", args...)
			if status != statusFailed {
				t.Errorf("run(%q) = %d, want 1", args, status)
			}
			for _, want := range tt.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("run(%q) says %q, want %q in it", args, stderr, want)
				}
			}
		})
	}
}

// When one port cannot be bound, those before it are free again.
func TestServeReleasesPorts(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	opts := serveOptions{Config: defaultConfig()}
	opts.HTTP, opts.Data = "127.0.0.1:0", t.TempDir()
	opts.Streams = []StreamConfig{{Name: "a", TCP: "127.0.0.1:0"}, {Name: "b", TCP: ln.Addr().String()}}
	log := newOutput()
	if _, err := openStation(t.Context(), opts, newLogger(log, opts.Log)); err == nil {
		t.Fatal("openStation = nil error, want that the port is busy")
	}
	if log.String() != "" {
		t.Errorf("the log says %q", log)
	}
}

// runnerFunc is a runner made of a function.
type runnerFunc func(ctx context.Context) error

func (f runnerFunc) Run(ctx context.Context) error { return f(ctx) }

func TestRunStagesStopsInTheOrderOfTheData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string // guarded by mu
		stage := func(name string, takes time.Duration) runner {
			return runnerFunc(func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(takes)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
				return nil
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := runStages(ctx, []runner{stage("slow source", 2*time.Second), stage("source", time.Second)}, []runner{stage("server", 0)})
		if want := []string{"source", "slow source", "server"}; err != nil || !slices.Equal(order, want) {
			t.Errorf("runStages = %v, stopped %q, want nil, %q", err, order, want)
		}
	})
}

func TestRunStagesEndsWithTheFirstFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("listener closed")
		stopped := false
		source := runnerFunc(func(ctx context.Context) error {
			<-ctx.Done()
			stopped = true
			return nil
		})
		server := runnerFunc(func(context.Context) error {
			time.Sleep(time.Minute)
			return broken
		})
		if err := runStages(t.Context(), []runner{source}, []runner{server}); !errors.Is(err, broken) || !stopped {
			t.Errorf("runStages = %v, source stopped %v, want the failure, true", err, stopped)
		}
	})
}
