package http1_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/origin/http1"
)

// replies answers by net/http what s answers by itself, as the origin does.
func (s *site) replies() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := http1.From(r)
		var rep http1.Reply
		if !s.Answer(&req, &rep) {
			s.ServeHTTP(w, r)
			return
		}
		if n := rep.WriteTo(w, req.Head); !req.Head && n < rep.Length() {
			panic(http.ErrAbortHandler)
		}
	})
}

// http2Client returns a client of HTTP/2 by prior knowledge. It gives room for
// 64 KiB of an answer that nobody reads.
func http2Client(t testing.TB, dial func() (net.Conn, error)) *http.Client {
	tr := &http.Transport{
		Protocols:   new(http.Protocols),
		HTTP2:       &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, StrictMaxConcurrentRequests: true},
		DialContext: func(context.Context, string, string) (net.Conn, error) { return dial() },
	}
	tr.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// An answer of each form is whole over HTTP/2, its head too; what has a body
// ends no other request of the connection.
func TestServerSpeaksHTTP2(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	s.start(t, l, func(cfg *http1.Config) { cfg.Other = s.replies() })
	dials := 0
	client := http2Client(t, func() (net.Conn, error) { dials++; return net.Dial("tcp", l.Addr().String()) })
	for path, want := range map[string][]byte{"/small": []byte("small"), "/text": s.big, "/slices": s.big, "/file": s.big} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r, err := http.NewRequestWithContext(t.Context(), method, "http://x"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := client.Do(r)
			if err != nil {
				t.Fatalf("%s %s: %v", method, path, err)
			}
			body, err := io.ReadAll(res.Body)
			if method == http.MethodHead {
				want = nil
			}
			if err != nil || res.StatusCode != 200 || res.ProtoMajor != 2 || !bytes.Equal(body, want) {
				t.Errorf("%s %s = %d %s with %d bytes, %v", method, path, res.StatusCode, res.Proto, len(body), err)
			}
		}
	}
	if res, err := client.Get("http://x/cut"); err == nil {
		if _, err = io.ReadAll(res.Body); err == nil {
			t.Error("a body that is cut off looks whole") // hls-rules D19
		}
	}
	res, err := client.Post("http://x/other", "text/plain", bytes.NewReader([]byte("x")))
	if err != nil || res.StatusCode != 200 {
		t.Errorf("POST: %v, %v", res, err)
	}
	if dials != 1 {
		t.Errorf("%d connections, want 1", dials)
	}
}

// hls-rules D20: a request that shares its connection may be as slow as it
// likes, but not stall; others of the connection do not notice.
func TestServerTimesOutStreams(t *testing.T) {
	for _, path := range []string{"/text", "/slices", "/file"} {
		t.Run(path, func(t *testing.T) {
			s := newSite(t)
			synctest.Test(t, func(t *testing.T) {
				l := make(pipes, 1)
				stop := s.start(t, l, func(cfg *http1.Config) { cfg.Other = s.replies() })
				client := http2Client(t, func() (net.Conn, error) {
					inner, c := net.Pipe()
					l <- inner
					return c, nil
				})
				get := func() *http.Response {
					res, err := client.Get("http://x" + path)
					if err != nil {
						t.Fatal(err)
					}
					return res
				}
				slow, stalled := get(), get()
				began := time.Now()
				n := 0
				for err := error(nil); err == nil; {
					time.Sleep(time.Second)
					var k int64
					k, err = io.CopyN(io.Discard, slow.Body, 3<<10)
					n += int(k)
				}
				if n != len(s.big) || time.Since(began) < time.Minute {
					t.Errorf("a slow client got %d bytes in %v, want %d", n, time.Since(began), len(s.big))
				}
				if rest, err := io.Copy(io.Discard, stalled.Body); int(rest) >= len(s.big) || err == nil {
					t.Errorf("a stalled client got %d bytes, %v", rest, err)
				}
				res := get()
				if body, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(body, s.big) {
					t.Errorf("the next request of the connection got %d bytes, %v", len(body), err)
				}
				client.CloseIdleConnections()
				stop()
			})
		})
	}
}

// A client that vanished without a word is found by asking it.
func TestServerFindsDeadHTTP2(t *testing.T) {
	s := newSite(t)
	synctest.Test(t, func(t *testing.T) {
		l := make(pipes, 1)
		gone := make(chan time.Time, 1)
		stop := s.start(t, l, func(cfg *http1.Config) {
			cfg.Other = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.NewResponseController(w).Flush()
				<-r.Context().Done()
				gone <- time.Now()
			})
		})
		dead := &deafConn{}
		client := http2Client(t, func() (net.Conn, error) {
			inner, c := net.Pipe()
			l <- inner
			dead.Conn = c
			return dead, nil
		})
		res, err := client.Get("http://x/")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		dead.die()
		if late := (<-gone).Sub(began); late > 31*time.Second {
			t.Errorf("a dead client is noticed after %v, want 30 s", late)
		}
		dead.Conn.Close()
		res.Body.Close()
		stop()
	})
}

// deafConn takes what it is sent, and says nothing once it is dead.
type deafConn struct {
	net.Conn
	mu   sync.Mutex
	dead bool // guarded by mu
}

func (c *deafConn) die() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead = true
}

func (c *deafConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	dead := c.dead
	c.mu.Unlock()
	if dead {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// Many requests that nobody reads the answers of cost no more than is allowed:
// the rest is reset at once.
func TestServerLimitsStreams(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	release := make(chan struct{})
	s.start(t, l, func(cfg *http1.Config) {
		cfg.MaxStreams = 50
		cfg.Other = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		})
	})
	client := http2Client(t, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) })
	const most = 50 + 1000
	var open []*http.Response
	for i := range most {
		res, err := client.Get("http://x/")
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		open = append(open, res)
	}
	if res, err := client.Get("http://x/"); err == nil {
		t.Errorf("request %d = %d, want that it is reset", most+1, res.StatusCode)
	}
	close(release)
	for _, res := range open {
		if _, err := io.ReadAll(res.Body); err != nil {
			t.Error(err)
		}
	}
	if res, err := client.Get("http://x/"); err != nil {
		t.Errorf("a request after others have ended: %v, %v", res, err)
	}
}

// What speaks HTTP/2 badly is sent away, and ends nothing else.
func TestServerSurvivesBadHTTP2(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	s.start(t, l, nil)
	for _, bad := range []string{
		"PRI * HTTP/2.0\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\xff\xff\xff\x01\x04\x00\x00\x00\x01",
		"PRI / HTTP/2.0\r\nHost: x\r\n\r\n",
	} {
		c, r := dial(t, l)
		fmt.Fprint(c, bad)
		c.(*net.TCPConn).CloseWrite()
		if _, err := io.Copy(io.Discard, r); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !isReset(err) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	c, r := dial(t, l)
	fmt.Fprint(c, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 200 {
		t.Errorf("after that: %v, %v", res, err)
	}
}

// isReset reports whether a connection was closed while something was unread.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}
