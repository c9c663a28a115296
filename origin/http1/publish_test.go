package http1_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"headwater/origin/http1"
)

// hls-rules F10, F12: connections that bring media are given away with all that
// they sent; what only looks alike is not.
func TestServerGivesSourcesAway(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	given := make(chan string, 1)
	s.start(t, l, func(cfg *http1.Config) {
		cfg.Reserved = func(path string) bool { return strings.HasPrefix(path, "/api") }
		cfg.Publish = func(c net.Conn) {
			b, err := io.ReadAll(c)
			given <- fmt.Sprintf("%s %v", b, err)
			c.Close()
		}
	})
	for _, tt := range []struct {
		name, head string
		published  bool
	}{
		{"SOURCE of HTTP/1.0", "SOURCE /live HTTP/1.0\n\n", true},
		{"ICE/1.0", "SOURCE /live ICE/1.0\n\n", true},
		{"another method of ICE/1.0", "PUT /api ICE/1.0\n\n", true},
		{"PUT", "PUT /live HTTP/1.1\nHost: x\nExpect: 100-continue\n\n", true},
		{"PUT whose lines end in a bare LF", "PUT /live HTTP/1.1\n\n", true},
		{"POST with a whole URL", "POST http://x/live?api HTTP/1.1\nHost: x\n\n", true},
		{"PUT to a page", "PUT /api/x HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 5\n\n", false},
		{"PUT to the URL of a page", "PUT http://x/api/x HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 5\n\n", false},
		{"DELETE", "DELETE /live HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 5\n\n", false},
		{"a word of it", "SOURCES /live HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 5\n\n", false},
		{"a request before it", "GET /small HTTP/1.1\nHost: x\n\nSOURCE /live HTTP/1.0\n\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, r := dial(t, l)
			sent := strings.ReplaceAll(tt.head, "\n", "\r\n")
			if strings.Contains(tt.name, "bare") {
				sent = tt.head
			}
			io.WriteString(c, sent+"media") // in one piece
			if !tt.published {
				if b, _ := io.ReadAll(r); !strings.Contains(string(b), "net/http") {
					t.Fatalf("answer is %q, want that of net/http", b)
				}
				return
			}
			io.WriteString(c, " and more")
			c.(*net.TCPConn).CloseWrite()
			_, own, _ := strings.Cut(sent, "Host: x\r\n\r\n")
			if !strings.HasPrefix(own, "SOURCE") {
				own = sent
			}
			if got, want := <-given, own+"media and more <nil>"; got != want {
				t.Errorf("given %q, want %q", got, want)
			}
		})
	}
}

// libshout asks OPTIONS * first, and may send on the same connection: what net/http
// has read, and what it has read beyond that, is given away as well.
func TestServerGivesSourcesOfNetHTTPAway(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	given := make(chan string, 1)
	s.start(t, l, func(cfg *http1.Config) {
		cfg.Reserved = func(path string) bool { return strings.HasPrefix(path, "/api") }
		cfg.Publish = func(c net.Conn) {
			defer c.Close()
			b, err := io.ReadAll(c)
			given <- fmt.Sprintf("%s %v", strings.ReplaceAll(string(b), "\r", ""), err)
		}
	})
	media := strings.Repeat("media", 2000)
	for _, tt := range []struct{ name, head, want string }{
		{"SOURCE", "SOURCE /live%2Fx?y HTTP/1.0\nHost: x\nIce-Name: R\n\n", "SOURCE /live%2Fx?y HTTP/1.0\nHost: x\nIce-Name: R\n\n"},
		{"PUT in chunks", "PUT /live HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nExpect: 100-continue\n\n", "PUT /live HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\nExpect: 100-continue\n\n"},
		{"PUT of a length", "PUT /live HTTP/1.1\nHost: x\nContent-Length: 10\n\n", "PUT /live HTTP/1.1\nHost: x\nContent-Length: 10\n\n"},
		{"PUT to a page", "PUT /api HTTP/1.1\nHost: x\nConnection: close\nContent-Length: 10000\n\n", ""},
	} {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprint(tt.name, ", together ", together), func(t *testing.T) {
				c, r := dial(t, l)
				options := "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n\r\n"
				sent := strings.ReplaceAll(tt.head, "\n", "\r\n") + media
				if together {
					io.WriteString(c, options+sent)
					sent = ""
				} else {
					io.WriteString(c, options)
				}
				exchange{"OPTIONS *", 200, ""}.check(t, r)
				io.WriteString(c, sent)
				c.(*net.TCPConn).CloseWrite()
				if tt.want == "" {
					if b, _ := io.ReadAll(r); !strings.Contains(string(b), "net/http: PUT /api") {
						t.Errorf("answer is %.100q, want that of net/http", b)
					}
					return
				}
				if got, want := <-given, tt.want+media+" <nil>"; got != want {
					t.Errorf("given %.200q of %d bytes, want %.200q of %d", got, len(got), want, len(want))
				}
			})
		}
	}
}

// A source that goes on sending when the server stops is cut off after Drain:
// nobody else need end it.
func TestServerStopsWithASource(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	given := make(chan struct{})
	stop := s.start(t, l, func(cfg *http1.Config) {
		cfg.Drain = time.Millisecond
		cfg.Reserved = func(string) bool { return false }
		cfg.Publish = func(c net.Conn) {
			defer c.Close()
			close(given)
			io.Copy(io.Discard, c)
		}
	})
	c, _ := dial(t, l)
	io.WriteString(c, "SOURCE /live HTTP/1.0\r\n\r\n")
	<-given
	if err := stop(); err != nil {
		t.Errorf("Run = %v", err)
	}
}

// A fault in what takes a source gives the connection's place back once.
func TestServerPanicInPublish(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	faults := make(chan any, 1)
	s.start(t, l, func(cfg *http1.Config) {
		cfg.MaxConnections = 1
		cfg.Panicked = func(_ string, fault any) { faults <- fault }
		cfg.Reserved = func(string) bool { return false }
		cfg.Publish = func(c net.Conn) {
			defer c.Close()
			panic("a fault")
		}
	})
	c, _ := dial(t, l)
	io.WriteString(c, "SOURCE /live HTTP/1.0\r\n\r\n")
	if _, err := io.ReadAll(c); err != nil {
		t.Fatal(err)
	}
	<-faults
	first, r := dial(t, l)
	io.WriteString(first, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
	exchange{"GET /small", 200, "small"}.check(t, r)
	second, _ := dial(t, l)
	io.WriteString(second, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
	if b, _ := io.ReadAll(second); !strings.HasPrefix(string(b), "HTTP/1.1 503 ") {
		t.Errorf("a second connection is answered with %q, want 503", b)
	}
}
