package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/origin/http1"
)

// site is a handler with answers of each form. What is below /other is net/http's.
type site struct {
	big  []byte        // 300,000 bytes, the same in all forms
	file string        // that has them
	came chan struct{} // a request for /wait
	wait chan struct{} // its answer may come

	mu   sync.Mutex
	sent map[string]int64 // bytes of body by path
}

func newSite(t testing.TB) *site {
	s := &site{big: make([]byte, 300_000), file: filepath.Join(t.TempDir(), "big"), sent: map[string]int64{}, came: make(chan struct{}), wait: make(chan struct{})}
	for i := range s.big {
		s.big[i] = byte(i * i >> 8)
	}
	if err := os.WriteFile(s.file, s.big, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) Answer(req *http1.Request, rep *http1.Reply) bool {
	rep.Status = http.StatusOK
	length := len(s.big)
	switch req.Path {
	case "/small":
		rep.SetText([]byte("small"))
		length = 5
	case "/text":
		rep.SetText(s.big)
	case "/slices":
		rep.SetSlices([][]byte{s.big[:1], nil, s.big[1:777], s.big[777:]}, 0, int64(length))
	case "/part":
		length = 1000
		rep.SetSlices([][]byte{s.big[:500], s.big[500:]}, 300, 1000)
	case "/file", "/cut":
		f, err := os.Open(s.file)
		if err != nil {
			return false
		}
		if req.Path == "/cut" {
			length++
		}
		rep.SetFile(f, int64(length))
	case "/unchanged":
		rep.Status = http.StatusNotModified
		return true
	case "/panic":
		panic("a fault")
	case "/wait":
		s.came <- struct{}{}
		<-s.wait
		rep.SetText([]byte("waited"))
		length = 6
	default:
		return false
	}
	rep.Set("Content-Type", []string{"text/plain"})
	rep.Set("Content-Length", []string{strconv.Itoa(length)})
	return true
}

func (s *site) Sent(req *http1.Request, rep *http1.Reply, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[req.Path] += n
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "net/http: %s %s %q %v", r.Method, r.URL.Path, body, err)
}

// start runs a server of s on l.
func (s *site) start(t testing.TB, l net.Listener, change func(*http1.Config)) (stop func() error) {
	cfg := http1.Config{
		Handler: s, Other: s, MaxConnections: 100, Drain: 10 * time.Second,
		Fields:   []http1.Field{{Name: "X-All", Value: []string{"yes"}}},
		Panicked: func(path string, fault any) { t.Errorf("%s: %v", path, fault) },
	}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- http1.New(cfg).Run(ctx, l) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	return stop
}

func listen(t testing.TB) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func dial(t testing.TB, l net.Listener) (net.Conn, *bufio.Reader) {
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// exchange is a request and its answer.
type exchange struct {
	request string // \n is CRLF, but in a body
	status  int
	body    string
}

// check reads the answer from r.
func (x exchange) check(t *testing.T, r *bufio.Reader) {
	t.Helper()
	method, _, _ := strings.Cut(x.request, " ")
	res, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", x.request, err)
	}
	body, err := io.ReadAll(res.Body)
	if res.StatusCode != x.status || string(body) != x.body || err != nil {
		t.Fatalf("%q = %d with %d bytes %.30q, %v, want %d with %d bytes", x.request, res.StatusCode, len(body), body, err, x.status, len(x.body))
	}
	if date, err := http.ParseTime(res.Header.Get("Date")); err != nil || time.Since(date).Abs() > time.Minute {
		t.Errorf("%q: Date %q", x.request, res.Header.Get("Date")) // hls-rules D20
	}
}

func (s *site) exchanges() []exchange {
	big := string(s.big)
	get := func(path string) string { return "GET " + path + " HTTP/1.1\nHost: x\n\n" }
	return []exchange{
		{get("/small"), 200, "small"},
		{get("/small"), 200, "small"},
		{"HEAD /small HTTP/1.1\nHost: x\n\n", 200, ""},
		{get("/text"), 200, big},
		{get("/slices"), 200, big},
		{get("/part"), 200, big[300:1300]},
		{get("/file"), 200, big},
		{"HEAD /file HTTP/1.1\nHost: x\n\n", 200, ""},
		{get("/unchanged"), 304, ""},
		{get("/small"), 200, "small"},
		{get("/other"), 200, `net/http: GET /other "" <nil>`},
		{"POST /small HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc", 200, `net/http: POST /small "abc" <nil>`},
		{get("/other"), 200, `net/http: GET /other "" <nil>`},
	}
}

// hls-rules D19, D27: answers of all forms, one after the other and sent
// ahead, whole and in pieces, before and after net/http has the connection.
func TestServer(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	s.start(t, l, nil)
	exchanges := s.exchanges()
	var all strings.Builder
	for _, x := range exchanges {
		all.WriteString(strings.ReplaceAll(x.request, "\n", "\r\n"))
	}
	t.Run("one after the other", func(t *testing.T) {
		c, r := dial(t, l)
		for _, x := range exchanges {
			io.WriteString(c, strings.ReplaceAll(x.request, "\n", "\r\n"))
			x.check(t, r)
		}
	})
	for _, size := range []int{1 << 20, 7, 1} {
		t.Run(fmt.Sprintf("sent ahead in pieces of %d", size), func(t *testing.T) {
			c, r := dial(t, l)
			go func() {
				for b := []byte(all.String()); len(b) > 0; b = b[min(size, len(b)):] {
					c.Write(b[:min(size, len(b))])
				}
			}()
			for _, x := range exchanges {
				x.check(t, r)
			}
		})
	}
	t.Run("the last one", func(t *testing.T) {
		c, r := dial(t, l)
		io.WriteString(c, "GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		res, err := http.ReadResponse(r, nil)
		if err != nil || !res.Close || res.Header.Get("X-All") != "yes" {
			t.Fatalf("%v, %v", res, err)
		}
		if rest, err := io.ReadAll(r); err != nil || string(rest) != "small" {
			t.Errorf("ends with %q, %v", rest, err)
		}
	})
	t.Run("lines that end with LF alone", func(t *testing.T) {
		c, r := dial(t, l)
		io.WriteString(c, "GET /small HTTP/1.1\nHost: x\n\n")
		exchange{"GET /small", 200, `net/http: GET /small "" <nil>`}.check(t, r)
	})
	t.Run("nonsense", func(t *testing.T) {
		for _, bytes := range []string{"\x16\x03\x01\x02\x00", "G\x00\r\n\r\n", "GET /small HTTP/1.1\r\n\r\n", "GET /" + strings.Repeat("x", 1<<20)} {
			c, r := dial(t, l)
			go io.WriteString(c, bytes+"\r\n\r\n")
			if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode < 400 || !res.Close {
				t.Errorf("%.10q: %v, %v", bytes, res, err)
			}
		}
	})
	t.Run("a file that is too short", func(t *testing.T) {
		c, r := dial(t, l)
		io.WriteString(c, "GET /cut HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(b, s.big) {
			t.Errorf("%d bytes, %v: the client takes it for the whole", len(b), err)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.sent["/file"]; got != 4*int64(len(s.big)) {
		t.Errorf("%d bytes of /file counted, want %d", got, 4*len(s.big))
	}
}

// A fault in the handler ends one connection.
func TestServerPanic(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	faults := make(chan any, 1)
	s.start(t, l, func(cfg *http1.Config) { cfg.Panicked = func(_ string, fault any) { faults <- fault } })
	c, _ := dial(t, l)
	io.WriteString(c, "GET /panic HTTP/1.1\r\nHost: x\r\n\r\n")
	if b, err := io.ReadAll(c); len(b) > 0 || err != nil {
		t.Errorf("answered with %q, %v", b, err)
	}
	if fault := <-faults; fault != "a fault" {
		t.Errorf("told of %v", fault)
	}
	c, r := dial(t, l)
	io.WriteString(c, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
	exchange{"GET /small", 200, "small"}.check(t, r)
}

// Idle connections end at once when the server stops, and requests when they
// are answered; what takes too long is cut off.
func TestServerStops(t *testing.T) {
	for _, tt := range []struct {
		name     string
		answered bool
	}{{"a request that ends", true}, {"a request that does not", false}} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			l := listen(t)
			stop := s.start(t, l, func(cfg *http1.Config) {
				if !tt.answered {
					cfg.Drain = time.Millisecond
				}
			})
			idle, r := dial(t, l)
			io.WriteString(idle, "GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
			exchange{"GET /small", 200, "small"}.check(t, r)
			fresh, _ := dial(t, l)
			busy, busyReader := dial(t, l)
			io.WriteString(busy, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
			<-s.came
			stopped := make(chan error)
			go func() { stopped <- stop() }()
			for _, c := range []net.Conn{idle, fresh} {
				if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Read = %v", err)
				}
			}
			if !tt.answered {
				if _, err := busy.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("Read = %v", err)
				}
			}
			s.wait <- struct{}{}
			if tt.answered {
				exchange{"GET /wait", 200, "waited"}.check(t, busyReader)
			}
			if err := <-stopped; err != nil {
				t.Errorf("Run = %v", err)
			}
		})
	}
}

// hls-rules D25: what a player asks for again and again is answered without
// an allocation.
func TestServerAllocations(t *testing.T) {
	s := newSite(t)
	l := listen(t)
	s.start(t, l, nil)
	c, _ := dial(t, l)
	request := []byte("GET /unchanged HTTP/1.1\r\nHost: x\r\nIf-None-Match: \"x\"\r\n\r\n")
	buf := make([]byte, 4<<10)
	got := testing.AllocsPerRun(1000, func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	})
	if got >= 1 {
		t.Errorf("%v allocations a request", got)
	}
}
