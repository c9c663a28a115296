package origin_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"headwater/mux/muxtest"
	"headwater/origin"
)

func BenchmarkPlaylist(b *testing.B) {
	h := newHost(b, origin.ServerConfig{}, origin.StreamConfig{}, muxtest.AV())
	b.Run("handler", func(b *testing.B) {
		r, _ := http.NewRequest(http.MethodGet, "/live/main.m3u8", nil)
		w := &reusableWriter{header: http.Header{}}
		b.ReportAllocs()
		for b.Loop() {
			h.server.ServeHTTP(w, r)
		}
	})
	b.Run("loopback", func(b *testing.B) { h.fetch(b, "/live/main.m3u8") })
}

func BenchmarkSegment(b *testing.B) {
	for _, from := range []string{"memory", "store"} {
		b.Run(from, func(b *testing.B) {
			cfg := origin.StreamConfig{}
			if from == "store" {
				cfg.Store = openStore(b, b.TempDir())
			}
			h := newHost(b, origin.ServerConfig{}, cfg, big())
			h.fetch(b, "/live/"+h.media("main").Segments[1].URI)
		})
	}
}

// fetch asks for a path over one connection of its own.
func (h *host) fetch(b *testing.B, path string) {
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReaderSize(c, 256<<10)
	request := []byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
	var size int64
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			b.Fatal(err)
		}
		size, err = io.Copy(io.Discard, res.Body)
		if err != nil || res.StatusCode != 200 {
			b.Fatal(res.StatusCode, err)
		}
	}
	b.SetBytes(size)
}

// hls-rules D25: a playlist request allocates nothing in our own code.
func TestPlaylistAllocations(t *testing.T) {
	h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{}, muxtest.AV())
	for name, headers := range map[string]http.Header{
		"plain":       {},
		"gzip":        {"Accept-Encoding": {"gzip, deflate, br"}},
		"conditional": {"If-None-Match": {`"x", W/"y"`}, "Accept-Encoding": {"identity;q=1, *;q=0"}},
	} {
		for _, path := range []string{"/live.m3u8", "/live/main.m3u8", "/live/audio.m3u8"} {
			r, err := http.NewRequest(http.MethodGet, path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = headers
			w := &reusableWriter{header: http.Header{}}
			n := testing.AllocsPerRun(100, func() { h.server.ServeHTTP(w, r) })
			if n != 0 || w.status != 200 || w.bytes == 0 {
				t.Errorf("%s %s: %v allocations, status %d, %d bytes", name, path, n, w.status, w.bytes)
			}
		}
	}
}
