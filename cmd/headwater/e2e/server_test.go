//go:build e2e

package e2e_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// server is a headwater with one stream, "live".
type server struct {
	t       *testing.T
	process *process
	args    []string
	shell   string // commands that run before it, such as a ulimit

	url  string // http://127.0.0.1:port, no slash at the end
	port int    // of the raw TCP source
}

// serve starts a headwater that takes a source on a TCP port. Further
// arguments are for "headwater serve".
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	port := freePort(t)
	s := &server{t: t, port: port}
	s.launch(append([]string{"--tcp", fmt.Sprintf("live=127.0.0.1:%d", port)}, args...)...)
	return s
}

// serveFrom starts a headwater that fetches its source from port.
func serveFrom(t *testing.T, port int, args ...string) *server {
	t.Helper()
	s := &server{t: t, port: port}
	s.launch(append([]string{"--tcp", fmt.Sprintf("live=connect:127.0.0.1:%d", port)}, args...)...)
	return s
}

func (s *server) launch(args ...string) {
	s.t.Helper()
	web := freePort(s.t)
	s.url = fmt.Sprintf("http://127.0.0.1:%d", web)
	s.args = append([]string{"serve", "--http", fmt.Sprintf("127.0.0.1:%d", web), "--target-duration", "2s", "--data", s.t.TempDir()}, args...)
	s.start()
}

// start starts the process, or starts it again with all that it had.
func (s *server) start() {
	s.t.Helper()
	cmd := exec.Command(headwater, s.args...)
	if s.shell != "" {
		cmd = exec.Command(program(s.t, "sh"), append([]string{"-c", s.shell + ` && exec "$0" "$@"`, headwater}, s.args...)...)
	}
	s.process = startCommand(s.t, cmd).live()
	eventually(s.t, 20*time.Second, "headwater listens", func() error {
		if s.process.ended() {
			s.t.Fatalf("headwater ended: %v\n%s", s.process.err, s.process.output.String())
		}
		return s.status("/healthz", http.StatusOK)
	})
}

// playlist returns the URL to hand to players.
func (s *server) playlist() string { return s.url + "/live.m3u8" }

// ready waits until the stream can be played.
func (s *server) ready() {
	s.t.Helper()
	eventually(s.t, 60*time.Second, "the stream is ready", func() error {
		return s.status("/live/main.m3u8", http.StatusOK)
	})
}

// status returns an error unless GET path answers want.
func (s *server) status(path string, want int) error {
	status, body, err := get(s.url + path)
	if err != nil {
		return err
	}
	if status != want {
		return fmt.Errorf("GET %s = %d %s, want %d", path, status, strings.TrimSpace(tail(body, 1)), want)
	}
	return nil
}

// get fetches a URL whole.
func get(url string) (status int, body string, err error) {
	client := http.Client{Timeout: 10 * time.Second}
	res, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// The ports that freePort gives out: outside the range that the system gives
// to outgoing connections, so that they are still free when they are used, and
// again after a restart.
const firstPort, portCount = 10000, 20000

// lastPort counts up from anywhere, so that no two tests of a run get one port
// and two runs beside each other seldom try the same.
var lastPort = func() *atomic.Uint32 {
	var n atomic.Uint32
	n.Store(rand.Uint32N(portCount))
	return &n
}()

// freePort returns a TCP port of 127.0.0.1 that nobody listens on and that
// nobody was given before.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := firstPort + int(lastPort.Add(1)%portCount)
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			ln.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}
