package http1_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// pipes accepts one end of each pipe.
type pipes chan net.Conn

func (l pipes) Accept() (net.Conn, error) {
	c, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l pipes) Close() error   { defer func() { recover() }(); close(l); return nil }
func (l pipes) Addr() net.Addr { return &net.TCPAddr{} }

// hls-rules D20: a client may be as slow as it likes, but not stall; and it
// has to say what it wants.
func TestServerTimesOutByProgress(t *testing.T) {
	for _, path := range []string{"/text", "/slices", "/file"} {
		t.Run(path, func(t *testing.T) {
			s := newSite(t)
			synctest.Test(t, func(t *testing.T) {
				l := make(pipes, 2)
				stop := s.start(t, l, nil)
				for _, slow := range []bool{true, false} {
					inner, c := net.Pipe()
					l <- inner
					fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path)
					began := time.Now()
					res, err := http.ReadResponse(bufio.NewReaderSize(c, 4<<10), nil)
					if err != nil {
						t.Fatal(err)
					}
					n := 0
					for slow || n < 100_000 {
						time.Sleep(time.Second)
						k, err := io.CopyN(io.Discard, res.Body, 1<<10)
						n += int(k)
						if err != nil {
							break
						}
					}
					if slow && (n != len(s.big) || time.Since(began) < 4*time.Minute) {
						t.Errorf("a slow client got %d bytes in %v, want %d", n, time.Since(began), len(s.big))
					}
					if !slow {
						time.Sleep(61 * time.Second)
						if rest, _ := io.Copy(io.Discard, res.Body); n+int(rest) >= len(s.big) {
							t.Error("a stalled client got all")
						}
					}
					c.Close()
				}
				stop()
			})
		})
	}
	for request, want := range map[string]time.Duration{
		"":                                       10 * time.Second,
		"GET /small HTTP/1.1\r\n":                10 * time.Second,
		"GET /small HTTP/1.1\r\nHost: x\r\n\r\n": 75 * time.Second,
		"GET /small HTTP/1.1\r\nHost: x\r\n\r\nGET /small HTTP/": 10 * time.Second,
	} {
		t.Run(request, func(t *testing.T) {
			s := newSite(t)
			synctest.Test(t, func(t *testing.T) {
				l := make(pipes, 1)
				stop := s.start(t, l, nil)
				inner, c := net.Pipe()
				l <- inner
				began := time.Now()
				go io.WriteString(c, request)
				io.Copy(io.Discard, c)
				if got := time.Since(began); got != want {
					t.Errorf("closed after %v, want %v", got, want)
				}
				stop()
			})
		})
	}
}
