package origin_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
	"headwater/segmenter"
)

// host is a server on a real socket with stream "live", which has got a burst
// of 20 s of pictures and sound.
type host struct {
	t      testing.TB
	addr   string
	server *origin.Server
	stream *origin.Stream
	feed   mux.Feed
	stop   func() error
}

func newHost(t testing.TB, cfg origin.ServerConfig, streamCfg origin.StreamConfig, s muxtest.Stream) *host {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = ln
	streamCfg.Name = "live"
	streamCfg.Segmenter.TargetDuration = 2 * time.Second
	stream, err := origin.NewStream(streamCfg)
	if err != nil {
		t.Fatal(err)
	}
	h := &host{t: t, addr: ln.Addr().String(), server: origin.NewServer(cfg), stream: stream}
	if err := h.server.Add(stream); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.server.Run(ctx) }()
	h.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := h.stop(); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	if h.feed, err = stream.Attach(mux.SourceInfo{ID: "test-1", Since: time.Now()}, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.feed.Write(s.UnitsFor(20*mux.ClockRate), time.Now())
	for !stream.State(time.Now()).Ready {
		<-origin.Changed(stream)
	}
	return h
}

// media returns the media playlist of a rendition.
func (h *host) media(rendition string) *playlist.Media {
	h.t.Helper()
	res, err := http.Get("http://" + h.addr + "/live/" + rendition + ".m3u8")
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := playlist.ReadMedia(body)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// dial opens a connection that speaks for itself.
func (h *host) dial() (net.Conn, *bufio.Reader) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		h.t.Fatal(err)
	}
	return c, bufio.NewReader(c)
}

// big is a stream of about 4 Mbit/s.
func big() muxtest.Stream {
	s := muxtest.AV()
	s.VideoBytes = 20_000
	return s
}

// hls-rules D19, D27: bodies are whole whichever way they take, and a
// connection serves many requests, also when they are sent ahead.
func TestServerSendsSegments(t *testing.T) {
	bodies := map[string][]byte{}
	for _, from := range []string{"memory", "store"} {
		t.Run(from, func(t *testing.T) {
			cfg := origin.StreamConfig{}
			if from == "store" {
				cfg.Store = openStore(t, t.TempDir())
			}
			h := newHost(t, origin.ServerConfig{}, cfg, big())
			uri := h.media("main").Segments[1].URI
			c, r := h.dial()
			request := "GET /live/" + uri + " HTTP/1.1\r\nHost: x\r\n"
			fmt.Fprintf(c, "%s\r\n%sRange: bytes=100000-299999\r\n\r\n%s\r\n", request, request, "GET /live.m3u8 HTTP/1.1\r\nHost: x\r\n")
			var got [3][]byte
			for i, want := range []int{200, 206, 200} {
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				if got[i], err = io.ReadAll(res.Body); err != nil || res.StatusCode != want || res.ContentLength != int64(len(got[i])) || res.Close {
					t.Fatalf("request %d = %d with %d of %d bytes, close %v, %v", i, res.StatusCode, len(got[i]), res.ContentLength, res.Close, err)
				}
			}
			if len(got[0]) < 300_000 || !bytes.Equal(got[1], got[0][100000:300000]) {
				t.Errorf("range of %d bytes is not that of the segment of %d", len(got[1]), len(got[0]))
			}
			for i := 0; i < len(got[0]); i += mux.PacketSize {
				if got[0][i] != 0x47 {
					t.Fatalf("no packet at %d", i)
				}
			}
			// The counters of PAT and PMT are those of the slot, which the two
			// streams need not share.
			bodies[from] = got[0][2*mux.PacketSize:]
		})
	}
	if !bytes.Equal(bodies["memory"], bodies["store"]) {
		t.Error("the same segment differs from memory and from the store")
	}
}

// hls-rules F01: chunked, endless, whole packets; and it ends when the server
// stops.
func TestServerSendsContinuous(t *testing.T) {
	h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{}, muxtest.AV())
	res, err := http.Get("http://" + h.addr + "/live.ts")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if len(res.TransferEncoding) != 1 || res.TransferEncoding[0] != "chunked" || res.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("headers %v %v", res.TransferEncoding, res.Header)
	}
	head := make([]byte, 10*mux.PacketSize)
	if _, err := io.ReadFull(res.Body, head); err != nil || head[0] != 0x47 || head[1]&0x1f != 0 || head[2] != 0 {
		t.Fatalf("begins with % x, %v", head[:8], err)
	}
	if n := h.server.Stats().Listeners; n != 1 {
		t.Errorf("%d listeners, want 1", n)
	}
	go h.stop()
	if rest, err := io.ReadAll(res.Body); err != nil || len(rest)%mux.PacketSize != 0 {
		t.Errorf("ends after %d bytes with %v", len(rest), err)
	}
}

// HTTP/1.0 players get a body that ends with the connection.
func TestServerSpeaksHTTP10(t *testing.T) {
	h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{}, muxtest.AV())
	c, r := h.dial()
	fmt.Fprint(c, "GET /live.aac HTTP/1.0\r\n\r\n")
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	sync := make([]byte, 2)
	if _, err := io.ReadFull(res.Body, sync); err != nil || sync[0] != 0xff || sync[1]&0xf6 != 0xf0 || len(res.TransferEncoding) > 0 {
		t.Errorf("body begins % x, %v, coding %v", sync, err, res.TransferEncoding)
	}
}

func TestServerLimits(t *testing.T) {
	h := newHost(t, origin.ServerConfig{MaxListeners: 1, MaxConnections: 3}, origin.StreamConfig{}, muxtest.AV())
	one, err := http.Get("http://" + h.addr + "/live.ts")
	if err != nil {
		t.Fatal(err)
	}
	defer one.Body.Close()
	two, err := http.Get("http://" + h.addr + "/live.aac")
	if err != nil {
		t.Fatal(err)
	}
	sentence, _ := io.ReadAll(two.Body)
	two.Body.Close()
	if two.StatusCode != 503 || two.Header.Get("Retry-After") == "" || !strings.Contains(string(sentence), "as many listeners") {
		t.Errorf("second listener: %d %q", two.StatusCode, sentence)
	}
	if n := h.server.Stats().Refused; n != 1 {
		t.Errorf("%d refused, want 1", n)
	}
	// Connections above the limit are told to come back, and those that come
	// when others have gone are served.
	http.DefaultClient.CloseIdleConnections()
	var open []net.Conn
	for range 2 {
		c, r := h.dial()
		fmt.Fprint(c, "GET /live.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
		if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 200 {
			t.Errorf("a connection within the limit: %v, %v", res, err)
		}
		open = append(open, c)
	}
	c, r := h.dial()
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 503 || !res.Close || res.Header.Get("Retry-After") == "" {
		t.Errorf("a connection above the limit: %v, %v", res, err)
	}
	c.Close()
	if n := h.server.Stats().Refused; n != 2 {
		t.Errorf("%d refused, want the listener and the connection", n)
	}
	for _, c := range open {
		c.Close()
	}
	for status := 503; status == 503; {
		c, r := h.dial()
		fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if status = res.StatusCode; status != 503 && status != 200 {
			t.Errorf("a connection after others have gone: %d", status)
		}
		c.Close()
	}
}

// A client that announces a body and does not send it gets its answer, and
// keeps nobody out: net/http would wait for the body before it answers.
func TestServerWaitsForNoBody(t *testing.T) {
	h := newHost(t, origin.ServerConfig{MaxRequests: 2}, origin.StreamConfig{}, muxtest.AV())
	for _, tt := range []struct {
		path, header string
		closes       bool
	}{
		{"/live.m3u8", "Content-Length: 10\r\n", true},
		{"/live.m3u8", "Transfer-Encoding: chunked\r\n", true},
		{"/live/main.m3u8", "Content-Length: 100000000\r\n", true},
		{"/live.m3u8", "", false},
	} {
		c, r := h.dial()
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", tt.path, tt.header); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("GET %s with %q: %v", tt.path, tt.header, err)
		}
		if res.StatusCode != http.StatusOK || res.Close != tt.closes {
			t.Errorf("GET %s with %q: status %d, closes %v, want 200, %v", tt.path, tt.header, res.StatusCode, res.Close, tt.closes)
		}
	}
}

func TestServerRefusesHugeHeaders(t *testing.T) {
	h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{}, muxtest.AV())
	c, r := h.dial()
	go fmt.Fprintf(c, "GET /live.m3u8 HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 1<<20))
	if res, err := http.ReadResponse(r, nil); err != nil || res.StatusCode != 431 {
		t.Errorf("1 MiB of headers: %v, %v", res, err)
	}
}

func TestServerAdd(t *testing.T) {
	tests := []struct {
		name string
		have []string
		add  string
		ok   bool
	}{
		{"another name", []string{"live"}, "radio", true},
		{"below another", []string{"radio"}, "radio/one", true},
		{"the same", []string{"live"}, "live", false},
		{"a rendition of another", []string{"live"}, "live/main", false},
		{"the other way round", []string{"live/audio"}, "live", false},
		{"the ready page of another", []string{"live"}, "live/ready", false},
		{"name that begins alike", []string{"live"}, "livemain", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := origin.NewServer(origin.ServerConfig{})
			add := func(name string) error {
				st, err := origin.NewStream(origin.StreamConfig{Name: name})
				if err != nil {
					t.Fatal(err)
				}
				return server.Add(st)
			}
			for _, name := range tt.have {
				if err := add(name); err != nil {
					t.Fatal(err)
				}
			}
			if err := add(tt.add); (err == nil) != tt.ok {
				t.Errorf("Add(%q) to %q = %v, want ok %v", tt.add, tt.have, err, tt.ok)
			}
		})
	}
}

// A port that fails ends Run with the reason.
func TestServerLosesItsListener(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := origin.NewServer(origin.ServerConfig{Listener: ln})
	ln.Close()
	if err := server.Run(t.Context()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Run = %v, want %v", err, net.ErrClosed)
	}
}

// reusableWriter takes a response without allocating.
type reusableWriter struct {
	header http.Header
	status int
	bytes  int
}

func (w *reusableWriter) Header() http.Header { return w.header }
func (w *reusableWriter) WriteHeader(s int)   { w.status = s }
func (w *reusableWriter) Write(p []byte) (int, error) {
	w.bytes += len(p)
	return len(p), nil
}

func ExampleServer() {
	stream, err := origin.NewStream(origin.StreamConfig{Name: "live", Segmenter: segmenter.Config{TargetDuration: 6 * time.Second}})
	if err != nil {
		fmt.Println(err)
		return
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := origin.NewServer(origin.ServerConfig{Listener: ln})
	if err := server.Add(stream); err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan error)
	go func() { done <- server.Run(ctx) }()
	res, err := http.Get("http://" + ln.Addr().String() + "/live.m3u8")
	if err != nil {
		fmt.Println(err)
		return
	}
	sentence, _ := io.ReadAll(res.Body)
	res.Body.Close()
	fmt.Print(res.StatusCode, " ", string(sentence))
	stop()
	fmt.Println(<-done)
	// Output:
	// 503 no source is connected to stream live
	// <nil>
}
