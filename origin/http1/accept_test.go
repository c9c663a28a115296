package http1_test

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"headwater/origin/http1"
)

// scarce is a listener on a system that has no files left each time before it
// takes a connection, as often as lacks says.
type scarce struct {
	net.Listener
	lacks []error
	given int
}

func (l *scarce) Accept() (net.Conn, error) {
	if l.given < len(l.lacks) {
		l.given++
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", l.lacks[l.given-1])}
	}
	l.given = 0
	return l.Listener.Accept()
}

// lines counts the lines of a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (w *lines) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// A server that runs out of files takes connections again as soon as it can,
// and says so once, not each time.
func TestServerOutlivesALackOfFiles(t *testing.T) {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		t.Run(lack.Error(), func(t *testing.T) {
			inner := listen(t)
			var log lines
			stop := newSite(t).start(t, &scarce{Listener: inner, lacks: []error{lack, lack, lack}}, func(c *http1.Config) {
				c.Log = slog.New(slog.NewTextHandler(&log, nil))
			})
			for range 3 {
				c, r := dial(t, inner)
				fmt.Fprint(c, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
				exchange{"GET /small", 200, "small"}.check(t, r)
				c.Close()
			}
			if err := stop(); err != nil {
				t.Errorf("Run = %v, want nil", err)
			}
			if n := strings.Count(log.text.String(), "cannot be accepted"); n != 1 {
				t.Errorf("%d lines in the log, want 1:\n%s", n, log.text.String())
			}
		})
	}
}

// Connections above the limit are told so, and of a flood the rest is closed;
// all of them are counted.
func TestServerRefuses(t *testing.T) {
	l := listen(t)
	refused := make(chan struct{}, 10)
	newSite(t).start(t, l, func(c *http1.Config) {
		c.MaxConnections, c.MaxRefused = 1, 1
		c.Refused = func() { refused <- struct{}{} }
	})
	c, r := dial(t, l)
	fmt.Fprint(c, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
	exchange{"GET /small", 200, "small"}.check(t, r)
	_, second := dial(t, l) // takes the only place of those who are told
	exchange{"GET /small", 503, "the server has as many connections as it can take\n"}.check(t, second)
	_, third := dial(t, l)
	if b, err := third.ReadByte(); err == nil {
		t.Errorf("a connection of a flood was sent %q, want nothing", b)
	}
	for range 2 {
		<-refused
	}
	if len(refused) > 0 {
		t.Errorf("%d more connections were counted as refused, want 2", len(refused))
	}
}
