package origin_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// hall is a server that runs, with streams that have some sound.
type hall struct {
	t      *testing.T
	server *origin.Server
	addr   string
	feeds  []mux.Feed
	stop   func() // and wait
	ended  string // the source that was ended last
}

// open runs a server with a stream for each configuration.
func open(t *testing.T, cfg origin.ServerConfig, streams ...origin.StreamConfig) *hall {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = ln
	h := &hall{t: t, server: origin.NewServer(cfg), addr: ln.Addr().String()}
	for _, c := range streams {
		stream, err := origin.NewStream(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.server.Add(stream); err != nil {
			t.Fatal(err)
		}
		feed, err := stream.Attach(mux.SourceInfo{ID: "test-1", Kind: "test"}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		feed.Write(second(), time.Now())
		h.feeds = append(h.feeds, feed)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.server.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

// second returns a second of sound.
func second() []*mux.Unit { return muxtest.Audio(mux.CodecMP3).UnitsFor(mux.ClockRate) }

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// listen asks for a continuous output, and returns its answer. It hangs up when
// the test ends.
func (h *hall) listen(path string, fields ...string) *http.Response {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n", path)
	for _, f := range fields {
		fmt.Fprintf(c, "%s\r\n", f)
	}
	io.WriteString(c, "\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return res
}

// hear waits for sound.
func hear(t *testing.T, res *http.Response) {
	t.Helper()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("status %d, want 200", res.StatusCode)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 417)); err != nil {
		t.Fatal(err)
	}
}

func TestListeners(t *testing.T) {
	h := open(t, origin.ServerConfig{}, origin.StreamConfig{Name: "one"}, origin.StreamConfig{Name: "two"})
	a, b := h.listen("/one.mp3", "User-Agent: mpv 1"), h.listen("/two.ts")
	hear(t, a)
	hear(t, b)
	all := h.server.Listeners("")
	for len(all) == 2 && all[0].Bytes < 417 { // it is counted after it was sent
		all = h.server.Listeners("")
	}
	if len(all) != 2 || all[0].Stream != "one" || all[0].UserAgent != "mpv 1" || all[1].Stream != "two" {
		t.Fatalf("Listeners = %+v, want one of each stream", all)
	}
	if host, _, _ := net.SplitHostPort(all[0].Remote); host != "127.0.0.1" {
		t.Errorf("Remote = %q", all[0].Remote)
	}
	if !h.server.EndListener(all[1].ID) {
		t.Error("EndListener found nobody")
	}
	io.Copy(io.Discard, b.Body) // comes to an end
	if h.server.EndListener(4711) {
		t.Error("EndListener found a listener that there never was")
	}

	if n, err := h.server.MoveListeners("one", "two"); n != 1 || err != nil {
		t.Fatalf("MoveListeners = %d, %v, want 1", n, err)
	}
	h.feeds[1].Write(second(), time.Now())
	hear(t, a)
	if l := h.server.Listeners("two"); len(l) != 1 || l[0].ID != all[0].ID {
		t.Errorf("stream two has %+v, want the listener that was moved", l)
	}
	for _, c := range []struct{ from, to, want string }{
		{"one", "none", "no stream"}, {"none", "one", "no stream"}, {"one", "one", "already"},
	} {
		if _, err := h.server.MoveListeners(c.from, c.to); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("MoveListeners(%s, %s) = %v, want %q", c.from, c.to, err, c.want)
		}
	}
}

func TestListenerLimits(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, c := range []struct {
		name   string
		server origin.ServerConfig
		stream origin.StreamConfig
		fields []string // of each request in turn
		status []int
		want   string // in the last answer
	}{
		{"a stream that is full", origin.ServerConfig{}, origin.StreamConfig{MaxListeners: 1}, []string{"", ""}, []int{200, 503}, "stream s has as many listeners"},
		{"an address that has enough", origin.ServerConfig{ListenersPerAddress: 1}, origin.StreamConfig{}, []string{"", ""}, []int{200, 403}, "your address"},
		{"who forges an address", origin.ServerConfig{ListenersPerAddress: 1}, origin.StreamConfig{},
			[]string{"X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2"}, []int{200, 403}, "your address"},
		{"behind a trusted proxy", origin.ServerConfig{ListenersPerAddress: 1, TrustedProxies: proxies}, origin.StreamConfig{},
			[]string{"X-Forwarded-For: 9.9.9.9, 1.1.1.1", "X-Forwarded-For: 9.9.9.9, ::ffff:2.2.2.2", "X-Forwarded-For: 2.2.2.2, 127.0.0.9"}, []int{200, 200, 403}, "your address"},
		{"of IPv6 with another end", origin.ServerConfig{ListenersPerAddress: 1, TrustedProxies: proxies}, origin.StreamConfig{},
			[]string{"X-Forwarded-For: 2001:db8::1", "X-Forwarded-For: 2001:db8:0:1::1", "X-Forwarded-For: 2001:db8::2"}, []int{200, 200, 403}, "your address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.stream.Name = "s"
			h := open(t, c.server, c.stream)
			for i, field := range c.fields {
				if field == "" {
					field = "DNT: 1"
				}
				res := h.listen("/s.mp3", field)
				if res.StatusCode != c.status[i] {
					t.Fatalf("listener %d got %d, want %d", i, res.StatusCode, c.status[i])
				}
				if res.StatusCode == http.StatusOK {
					hear(t, res)
				} else if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), c.want) {
					t.Errorf("the answer is %q, want %q in it", body, c.want)
				}
			}
			if s := h.server.Stats(); s.Refused != 1 || s.Full+s.Repeated != 1 {
				t.Errorf("Stats counted %d refused, %d of a stream, %d of an address, want 1 of all", s.Refused, s.Full, s.Repeated)
			}
			if n, want := h.server.Stats().Listeners, int64(len(c.fields)-1); n != want {
				t.Errorf("Listeners = %d, want %d", n, want)
			}
		})
	}
}

// Who has listened as long as it may is sent away, and leaves room.
func TestListenerTime(t *testing.T) {
	h := open(t, origin.ServerConfig{}, origin.StreamConfig{Name: "s", MaxListeners: 1, MaxListenerTime: time.Millisecond})
	res := h.listen("/s.mp3")
	hear(t, res)
	h.server.Measure(time.Now().Add(-time.Minute))
	if n := h.server.Stats().Expired; n != 0 {
		t.Fatalf("%d expired before their time", n)
	}
	h.server.Measure(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Error(err)
	}
	if n := h.server.Stats().Expired; n != 1 {
		t.Errorf("%d expired, want 1", n)
	}
	hear(t, h.listen("/s.mp3"))
	if state := h.server.Streams()[0].State(time.Now()); state.Listeners != 1 || state.Peak != 1 {
		t.Errorf("the stream has %d listeners, %d at most, want 1 and 1", state.Listeners, state.Peak)
	}
}

// Who goes while it is moved is counted once.
func TestListenersThatHaveGoneAreNotMoved(t *testing.T) {
	h := open(t, origin.ServerConfig{}, origin.StreamConfig{Name: "one"}, origin.StreamConfig{Name: "two"})
	res := h.listen("/one.mp3")
	hear(t, res)
	streams := h.server.Streams()
	move := origin.Mover(h.server, streams[0], streams[1])
	h.server.EndListener(h.server.Listeners("one")[0].ID)
	io.Copy(io.Discard, res.Body) // it is counted as gone before that ends
	if move() {
		t.Error("a listener that has gone was moved")
	}
	for _, st := range streams {
		if n := st.State(time.Now()).Listeners; n != 0 {
			t.Errorf("stream %s has %d listeners, want 0", st.Name(), n)
		}
	}
}
