//go:build e2e

package e2e_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestFewFiles has more players than the system lets headwater have files:
// those above are told to come back, and nothing else lacks one: segments leave
// the store, and another encoder gets in.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	const files, players = 512, 800
	port := freePort(t)
	s := &server{t: t, port: port, shell: fmt.Sprintf("ulimit -n %d", files)}
	s.launch("--tcp", fmt.Sprintf("live=127.0.0.1:%d", port))
	encoder := start(t, headwater, "push", "--test", fmt.Sprintf("tcp://127.0.0.1:%d", port)).live()
	s.ready()

	answers := map[int]int{}
	for range players {
		status, err := hold(t, s.url, "/live/main.m3u8")
		if err != nil {
			t.Fatalf("after %v: %v", answers, err)
		}
		answers[status]++
	}
	if answers[http.StatusOK] < 100 || answers[http.StatusOK]+answers[http.StatusServiceUnavailable] != players {
		t.Errorf("%d players got %v, want 200 for more than 100 of them and 503 for the rest", players, answers)
	}
	encoder.kill()
	start(t, headwater, "push", "--test", fmt.Sprintf("tcp://127.0.0.1:%d", port)).live()
	eventually(t, 20*time.Second, "another encoder gets in", func() error {
		if n := strings.Count(s.process.output.String(), "source started"); n < 2 {
			return fmt.Errorf("%d sources started", n)
		}
		return nil
	})
	log := s.process.output.String()
	if !strings.Contains(log, "file limit is too low") || !strings.Contains(log, "LimitNOFILE=") {
		t.Error("the log does not say that the file limit is too low, and what to do")
	}
	if strings.Contains(log, "too many open files") {
		t.Error("headwater had too few files")
	}
}

// hold asks for a path and returns the status. The connection stays open until
// the test ends, if the server does not want it closed.
func hold(t *testing.T, url, path string) (int, error) {
	host := strings.TrimPrefix(url, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		return 0, err
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		return 0, err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, err
	}
	res.Body.Close()
	if res.Close {
		c.Close()
	}
	return res.StatusCode, nil
}
