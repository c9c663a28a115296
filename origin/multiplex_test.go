package origin_test

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// http2 returns a client of HTTP/2 by prior knowledge, and how many
// connections it has opened. It has room for 16 KiB of an answer that nobody
// reads.
func (h *host) http2() (*http.Client, *atomic.Int32) {
	dials := new(atomic.Int32)
	tr := &http.Transport{
		Protocols: new(http.Protocols),
		HTTP2:     &http.HTTP2Config{MaxReceiveBufferPerStream: 16 << 10, StrictMaxConcurrentRequests: true},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	tr.Protocols.SetUnencryptedHTTP2(true)
	h.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}, dials
}

// fetchOver returns the body of path, whose status must be want.
func (h *host) fetchOver(c *http.Client, path string, want int) ([]byte, error) {
	res, err := c.Get("http://" + h.addr + path)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = fmt.Errorf("GET %s = %d %.80q, want %d", path, res.StatusCode, body, want)
	}
	return body, err
}

// One connection of HTTP/2 carries 1,000 listeners and 1,000 requests at a
// time. An answer that nobody reads holds up none of them, and all count
// within the limits of the server (hls-rules D19, D20).
func TestServerCarriesThousandsOverOneConnection(t *testing.T) {
	const many = 1000
	media := muxtest.AV()
	media.VideoBytes = 1000
	// How long it takes to send so many away depends on how busy the machine is.
	h := newHost(t, origin.ServerConfig{MaxListeners: many, MaxRequests: many + 1, Drain: time.Minute}, origin.StreamConfig{}, media)
	client, dials := h.http2()
	segments := h.media("main").Segments
	paths := []string{"/live/" + segments[0].URI, "/live/" + segments[1].URI, "/live/main.m3u8", "/live.m3u8"}
	want := map[string][]byte{}
	for _, path := range paths[:2] { // over HTTP/1.1
		body, err := h.fetchOver(http.DefaultClient, path, 200)
		if err != nil {
			t.Fatal(err)
		}
		want[path] = body
	}
	before := heap()

	stuck, err := client.Get("http://" + h.addr + paths[0])
	if err != nil {
		t.Fatal(err)
	}
	listeners := make([]*http.Response, many)
	for i := range listeners {
		if listeners[i], err = client.Get("http://" + h.addr + "/live.ts"); err != nil {
			t.Fatalf("listener %d: %v", i, err)
		}
	}
	if n := h.server.Stats().Listeners; n != many {
		t.Errorf("%d listeners, want %d", n, many)
	}
	if body, err := h.fetchOver(client, "/live.ts", 503); err != nil || !strings.Contains(string(body), "as many listeners") {
		t.Errorf("one listener more: %q, %v", body, err)
	}

	var asking sync.WaitGroup
	for i := range many {
		asking.Go(func() {
			path := paths[i%len(paths)]
			body, err := h.fetchOver(client, path, 200)
			switch {
			case err != nil:
				t.Error(err)
			case want[path] != nil && !bytes.Equal(body, want[path]):
				t.Errorf("GET %s: %d bytes, want %d, or others", path, len(body), len(want[path]))
			case want[path] == nil && !bytes.HasPrefix(body, []byte("#EXTM3U\n")):
				t.Errorf("GET %s = %.80q", path, body)
			}
		})
	}
	asking.Wait()

	h.hears(listeners, media)
	const most = 64 << 10 // of a stream, at both ends, of which what it was sent is a part
	if grew := heap() - before; grew > 2*many*most {
		t.Errorf("%d streams take %d KiB each, want at most %d", 2*many, grew/(2*many)>>10, most>>10)
	}
	if body, err := io.ReadAll(stuck.Body); err != nil || !bytes.Equal(body, want[paths[0]]) {
		t.Errorf("the answer that was left lying: %d of %d bytes, %v", len(body), len(want[paths[0]]), err)
	}
	if n := dials.Load(); n != 1 {
		t.Errorf("%d connections, want 1", n)
	}
	go h.stop()
	var leaving sync.WaitGroup
	for i, l := range listeners {
		leaving.Go(func() {
			if _, err := io.Copy(io.Discard, l.Body); err != nil {
				t.Errorf("listener %d is not sent away in order: %v", i, err)
			}
		})
	}
	leaving.Wait()
}

// hears sends on, and holds all listeners to the same bytes.
func (h *host) hears(listeners []*http.Response, media muxtest.Stream) {
	h.t.Helper()
	const each = 80_000 // more than a burst
	var first atomic.Uint32
	var hearing sync.WaitGroup
	for i, l := range listeners {
		hearing.Go(func() {
			sum := crc32.NewIEEE()
			if n, err := io.CopyN(sum, l.Body, each); err != nil {
				h.t.Errorf("listener %d ends after %d bytes: %v", i, n, err)
				return
			}
			first.CompareAndSwap(0, sum.Sum32())
			if first.Load() != sum.Sum32() {
				h.t.Errorf("listener %d heard something else", i)
			}
		})
	}
	sent := len(media.UnitsFor(20 * mux.ClockRate))
	h.feed.Write(media.UnitsFor(24 * mux.ClockRate)[sent:], time.Now())
	hearing.Wait()
}

// heap returns how many bytes are live.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Requests that share a connection count as others do.
func TestServerLimitsRequestsOverOneConnection(t *testing.T) {
	const most = 10
	h := newHost(t, origin.ServerConfig{MaxRequests: most}, origin.StreamConfig{}, big())
	client, _ := h.http2()
	url := "http://" + h.addr + "/live/" + h.media("main").Segments[0].URI
	var stuck []*http.Response
	for range most {
		res, err := client.Get(url)
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("%v, %v", res, err)
		}
		stuck = append(stuck, res)
	}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	sentence, _ := io.ReadAll(res.Body)
	if res.StatusCode != 503 || res.Header.Get("Retry-After") == "" || !strings.Contains(string(sentence), "as many requests") {
		t.Errorf("one request more = %d %q", res.StatusCode, sentence)
	}
	for _, s := range stuck {
		s.Body.Close()
	}
	for status := 503; status == 503; {
		res, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if status = res.StatusCode; status != 503 && status != 200 {
			t.Errorf("a request after others were given up = %d", status)
		}
	}
}
