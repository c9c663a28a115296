package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/cmd/headwater/load"
)

// relay is the smallest server there can be: what one source sends to its TCP
// port goes to all listeners at once.
type relay struct {
	source net.Listener
	mu     sync.Mutex
	ears   map[chan []byte]bool // guarded by mu
	on     bool                 // guarded by mu: the source is there
	drop   int                  // of each so many pieces is not passed on; 0: none
	mode   string               // X-Headwater-Mode
}

func newRelay(t *testing.T) (r *relay, url string) {
	r = &relay{ears: map[chan []byte]bool{}}
	var err error
	if r.source, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var receiving sync.WaitGroup
	receiving.Go(r.receive)
	server := httptest.NewServer(r)
	t.Cleanup(func() {
		r.source.Close()
		server.CloseClientConnections()
		server.Close()
		receiving.Wait()
	})
	return r, server.URL + "/live.mp3"
}

func (r *relay) receive() {
	conn, err := r.source.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	b := make([]byte, 418)
	for n := 1; ; n++ {
		k, err := conn.Read(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.on = true
		if r.drop == 0 || n%r.drop > 0 {
			for ear := range r.ears {
				ear <- bytes.Clone(b[:k])
			}
		}
		r.mu.Unlock()
	}
}

func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	ear := make(chan []byte, 1000)
	r.mu.Lock()
	on := r.on
	if on {
		r.ears[ear] = true
	}
	r.mu.Unlock()
	if !on {
		http.Error(w, "no source", http.StatusServiceUnavailable)
		return
	}
	defer func() {
		r.mu.Lock()
		delete(r.ears, ear)
		r.mu.Unlock()
	}()
	w.Header().Set("Content-Type", "audio/mpeg")
	w.Header().Set("X-Headwater-Mode", r.mode)
	w.WriteHeader(http.StatusOK)
	for {
		http.NewResponseController(w).Flush()
		select {
		case b := <-ear:
			if _, err := w.Write(b); err != nil {
				return
			}
		case <-req.Context().Done():
			return
		}
	}
}

func TestListenersFollowTheirSource(t *testing.T) {
	t.Parallel()
	for _, http10 := range []bool{false, true} {
		r, url := newRelay(t)
		r.mode = "live"
		rep, err := load.Listeners{URL: url, N: 20, For: 500 * time.Millisecond, Source: r.source.Addr().String(), HTTP10: http10, Server: load.Process(os.Getpid())}.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		f := rep.Frames
		if rep.Connected != 20 || rep.Refused.Total()+rep.Lost.Total()+rep.Silent > 0 {
			t.Errorf("%d connected, refused %v, lost %v, %d silent, want 20 and nothing else", rep.Connected, rep.Refused, rep.Lost, rep.Silent)
		}
		if f.Missing+f.Torn+f.Disordered+int64(f.Early) != 0 || !f.LowLatency {
			t.Errorf("frames: %+v, want all whole and in order, low latency", *f)
		}
		if rep.Connect.Count != 20 || rep.FirstByte.Count != 20 || rep.FirstFrame.Count != 20 || f.Behind.Count != 20 || rep.Gaps.Count == 0 {
			t.Errorf("not all was measured: %+v", rep)
		}
		if f.Age.Count < 20*5 || f.Age.P50 <= 0 || f.Age.Max > 5000 {
			t.Errorf("ages of frames: %+v", f.Age)
		}
		if rep.Bytes < 20*4000 || rep.Server == nil || rep.Server.RSS == 0 {
			t.Errorf("%d bytes, server %+v", rep.Bytes, rep.Server)
		}
	}
}

func TestListenersFindWhatIsMissing(t *testing.T) {
	t.Parallel()
	r, url := newRelay(t)
	r.drop = 5
	rep, err := load.Listeners{URL: url, N: 3, For: time.Second, Source: r.source.Addr().String()}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f := rep.Frames; f.Missing < 3*4 || f.Torn > 0 || f.LowLatency {
		t.Errorf("frames: %+v, want one of five missing, none torn, no low latency", *f)
	}
}

func TestListenersThrottled(t *testing.T) {
	t.Parallel()
	r, url := newRelay(t)
	rep, err := load.Listeners{
		URL: url, N: 6, Slow: 2, Throttled: 2, Throttle: 32_000, ThrottleFor: 300 * time.Millisecond,
		For: 3400 * time.Millisecond, Source: r.source.Addr().String(),
	}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Slow != 2 || rep.Throttled != 2 || rep.Gaps.Count == 0 {
		t.Errorf("%d slow, %d throttled, want 2 and 2", rep.Slow, rep.Throttled)
	}
	if f := rep.Frames; f.Released.Count != 2 || f.Missing > 0 || f.Behind.Count != 2 {
		t.Errorf("frames: %+v, want 2 released, none missing, 2 measured at the end", *f)
	}
}

// raw serves bytes as they are: to the first listener the first answer, and so on.
func raw(t *testing.T, answers ...string) (url string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(serving.Wait)
	t.Cleanup(func() { ln.Close() })
	serving.Go(func() {
		for _, answer := range answers {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			stay := strings.HasSuffix(answer, "…")
			io.ReadAtLeast(conn, make([]byte, 4096), 1)
			io.WriteString(conn, strings.TrimSuffix(answer, "…"))
			if !stay {
				conn.Close()
			}
		}
		ln.Accept() // stay until the end
	})
	return fmt.Sprintf("http://%s/x", ln.Addr())
}

func TestListenersCountFailures(t *testing.T) {
	const head = "HTTP/1.0 200 OK\r\nContent-Type: application/ogg\r\n"
	url := raw(t,
		"ICY 200 OK\r\nicy-metaint:4\r\n\r\nabcd\x00…",
		head+"\r\nx…",
		head+"\r\nx",
		head+"Transfer-Encoding: chunked\r\n\r\nzz\r\n…",
		"HTTP/1.1 503 Service Unavailable\r\n\r\n",
		"SSH-2.0-x\r\n\r\n",
		"",
	)
	rep, err := load.Listeners{URL: url, N: 7, AtOnce: 1, For: 50 * time.Millisecond}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	refused := load.Failures{"status 503": 1, "the answer is not HTTP/1": 1, "closed by the server": 1}
	lost := load.Failures{"closed by the server": 1, "chunked coding broken": 1}
	if rep.Connected != 4 || fmt.Sprint(rep.Refused) != fmt.Sprint(refused) || fmt.Sprint(rep.Lost) != fmt.Sprint(lost) {
		t.Errorf("%d connected, refused %v, lost %v, want 4, %v, %v", rep.Connected, rep.Refused, rep.Lost, refused, lost)
	}
	if rep.FirstFrame.Count != 3 {
		t.Errorf("%d first frames, want 3", rep.FirstFrame.Count)
	}
}

func TestListenersRefuse(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	tests := []struct {
		name  string
		o     load.Listeners
		usage bool
		want  string
	}{
		{"no URL", load.Listeners{URL: "localhost:8000", N: 1}, true, "is no URL"},
		{"nobody", load.Listeners{URL: "http://127.0.0.1/"}, true, "at least one"},
		{"more slow than there are", load.Listeners{URL: "http://127.0.0.1/", N: 2, Slow: 3}, true, "more than 2"},
		{"throttled to nothing", load.Listeners{URL: "http://127.0.0.1/", N: 2, Throttled: 1}, true, "bit rate"},
		{"too short to throttle", load.Listeners{URL: "http://127.0.0.1/", N: 2, Throttled: 1, Throttle: 1, ThrottleFor: time.Minute}, true, "too short"},
		{"no server", load.Listeners{URL: "http://" + gone.Addr().String(), N: 2}, false, "2 refused"},
		{"no such process", load.Listeners{URL: "http://" + gone.Addr().String(), N: 2, Server: 1 << 30}, false, "watch process"},
		{"nobody takes the source", load.Listeners{URL: "http://" + gone.Addr().String(), N: 2, Source: gone.Addr().String()}, false, "connect the source"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.o.Run(t.Context())
			if err == nil || errors.Is(err, load.ErrOptions) != tt.usage || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run = %v, want something with %q", err, tt.want)
			}
		})
	}
}

// Who is stopped early reports what there was.
func TestListenersStopEarly(t *testing.T) {
	url := raw(t, "HTTP/1.0 200 OK\r\n\r\nx…")
	ctx, stop := context.WithCancel(t.Context())
	var lines int
	rep, err := load.Listeners{URL: url, N: 1, For: time.Hour, Progress: func(string) { lines++; stop() }}.Run(ctx)
	if err != nil || rep.Connected != 1 || lines == 0 {
		t.Fatalf("Run = %+v, %v after %d lines of progress", rep, err, lines)
	}
	var text, object bytes.Buffer
	if err := errors.Join(load.WriteTable(&text, rep), load.WriteJSON(&object, rep)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "1 of 1") || !json.Valid(object.Bytes()) {
		t.Errorf("table:\n%s\nJSON:\n%s", &text, &object)
	}
}

// There are as many of each kind as were asked for.
func TestListenersKindsAreSpread(t *testing.T) {
	for _, tt := range []struct{ n, slow, throttled int }{{8000, 4000, 0}, {10, 3, 2}, {7, 7, 0}, {5, 0, 5}, {1000, 999, 1}} {
		usual, slow, throttled := load.CountKinds(tt.n, tt.slow, tt.throttled)
		if slow != tt.slow || throttled != tt.throttled || usual != tt.n-tt.slow-tt.throttled {
			t.Errorf("of %+v: %d usual, %d slow, %d throttled", tt, usual, slow, throttled)
		}
	}
}

func TestListenersAllocateNothing(t *testing.T) {
	if n := load.AllocsPerRead(frames(1, 2, 3)[:1100]); n != 0 {
		t.Errorf("a read allocates %v times", n)
	}
}
