package origin_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// liveBed runs f with a stream of pictures and sound that has been live for a
// while, once from memory and once from a store.
func liveBed(t *testing.T, f func(t *testing.T, b *bed)) {
	for _, from := range []string{"memory", "store"} {
		t.Run(from, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				cfg := origin.StreamConfig{}
				if from == "store" {
					cfg.Store = openStore(t, dir)
				}
				b := newBed(t, cfg)
				defer b.stop()
				b.play(muxtest.AV()).send(40 * time.Second)
				f(t, b)
			})
		})
	}
}

// hls-rules D01, D07, D08, D18, D26: headers of each resource and status.
func TestHeaders(t *testing.T) {
	liveBed(t, func(t *testing.T, b *bed) {
		segment := "/live/" + b.media("main").Segments[2].URI
		packed := "/live/" + b.media("audio").Segments[2].URI
		future := strings.Replace(segment, "/4733424", "/5733424", 1)
		tests := []struct {
			method, path  string
			status        int
			contentType   string
			cacheControl  string
			acceptsRanges string
		}{
			{"GET", "/live.m3u8", 200, "application/vnd.apple.mpegurl", "public, max-age=1", ""},
			{"GET", "/live/main.m3u8", 200, "application/vnd.apple.mpegurl", "public, max-age=1", ""},
			{"GET", segment, 200, "video/mp2t", "public, max-age=18, immutable", "bytes"},
			{"GET", packed, 200, "audio/aac", "public, max-age=17, immutable", "bytes"},
			{"GET", future, 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"GET", "/live/main/1/473342405.ts", 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"GET", strings.Replace(segment, ".ts", ".aac", 1), 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"GET", strings.Replace(segment, "/main/", "/none/", 1), 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"GET", strings.Replace(segment, "/4733424", "/1733424", 1), 410, "text/plain; charset=utf-8", "public, max-age=60", ""},
			{"GET", "/live/none.m3u8", 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"GET", "/nobody.m3u8", 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"GET", "/live.mp3", 404, "text/plain; charset=utf-8", "no-store", ""},
			{"GET", "/live.pls", 200, "audio/x-scpls", "no-store", ""},
			{"GET", "/live.m3u", 200, "audio/x-mpegurl", "no-store", ""},
			{"GET", "/live.xspf", 200, "application/xspf+xml", "no-store", ""},
			{"GET", "/healthz", 200, "text/plain; charset=utf-8", "no-store", ""},
			{"GET", "/live/ready", 200, "text/plain; charset=utf-8", "no-store", ""},
			{"GET", "/api/v1/streams", 200, "application/json", "no-store", ""},
			{"GET", "/api/v1/streams/live", 200, "application/json", "no-store", ""},
			{"GET", "/api/v1/stats", 200, "application/json", "no-store", ""},
			{"GET", "/api/v1/streams/nobody", 404, "text/plain; charset=utf-8", "no-store", ""},
			{"GET", "/api/nothing", 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"GET", "/../../etc/passwd", 404, "text/plain; charset=utf-8", "public, max-age=1", ""},
			{"HEAD", "/live.ts", 200, "video/mp2t", "no-store", "none"},
			{"HEAD", "/live.aac", 200, "audio/aac", "no-store", "none"},
			{"HEAD", "/live", 200, "audio/aac", "no-store", "none"},
			{"HEAD", "/api/v1/streams", 200, "application/json", "no-store", ""},
			{"POST", "/live.m3u8", 405, "text/plain; charset=utf-8", "no-store", ""},
			{"DELETE", segment, 405, "text/plain; charset=utf-8", "no-store", ""},
			{"OPTIONS", segment, 204, "", "no-store", ""},
			{"OPTIONS", "/nobody.m3u8", 204, "", "no-store", ""},
		}
		for _, tt := range tests {
			res := b.request(tt.method, tt.path)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.status {
				t.Errorf("%s %s = %d %q, want %d", tt.method, tt.path, res.StatusCode, body, tt.status)
			}
			for name, want := range map[string]string{
				"Content-Type":                 tt.contentType,
				"Cache-Control":                tt.cacheControl,
				"Accept-Ranges":                tt.acceptsRanges,
				"X-Content-Type-Options":       "nosniff",
				"Access-Control-Allow-Origin":  "*",
				"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
				"Access-Control-Max-Age":       "86400",
				"Timing-Allow-Origin":          "*",
				"Cross-Origin-Resource-Policy": "cross-origin",
				"Set-Cookie":                   "",
				"Location":                     "",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s %s: %s is %q, want %q", tt.method, tt.path, name, got, want)
				}
			}
			if !strings.Contains(res.Header.Get("Access-Control-Expose-Headers"), "Content-Range") {
				t.Errorf("%s %s exposes %q", tt.method, tt.path, res.Header.Get("Access-Control-Expose-Headers"))
			}
			if tt.status >= 400 {
				b.sentence(string(body), "") // D24
			}
			if tt.method == "HEAD" && len(body) > 0 {
				t.Errorf("%s %s has a body", tt.method, tt.path)
			}
		}
	})
}

// hls-rules D03, D13, D17
func TestPlaylistForms(t *testing.T) {
	liveBed(t, func(t *testing.T, b *bed) {
		for _, path := range []string{"/live.m3u8", "/live/main.m3u8"} {
			plain := b.body(path, 200)
			tag := b.get(path).Header.Get("Etag")
			zipped := b.get(path, "Accept-Encoding", "gzip")
			if zipped.Header.Get("Content-Encoding") != "gzip" || zipped.Header.Get("Etag") != strings.TrimSuffix(tag, `"`)+`-gz"` {
				t.Errorf("%s: gzip form has headers %v", path, zipped.Header)
			}
			z, err := gzip.NewReader(zipped.Body)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || string(got) != plain {
				t.Errorf("%s: gzip form is %q, %v", path, got, err)
			}
			for _, headers := range [][]string{nil, {"Accept-Encoding", "gzip"}, {"Accept-Encoding", "gzip;q=0"}} {
				get, head := b.get(path, headers...), b.request("HEAD", path, headers...)
				for _, name := range []string{"Etag", "Content-Length", "Content-Type", "Content-Encoding", "Last-Modified", "Vary", "Cache-Control"} {
					if get.Header.Get(name) != head.Header.Get(name) {
						t.Errorf("%s %v: HEAD has %s %q, GET %q", path, headers, name, head.Header.Get(name), get.Header.Get(name))
					}
				}
				if get.Header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%s %v: Vary is %q", path, headers, get.Header.Get("Vary"))
				}
				again := b.get(path, append(headers, "If-None-Match", get.Header.Get("Etag"))...)
				if again.StatusCode != 304 || again.Header.Get("Etag") != get.Header.Get("Etag") ||
					again.Header.Get("Cache-Control") != get.Header.Get("Cache-Control") || again.Header.Get("Vary") != "Accept-Encoding" ||
					again.Header.Get("Access-Control-Allow-Origin") != "*" {
					t.Errorf("%s %v: conditional GET = %d %v", path, headers, again.StatusCode, again.Header)
				}
				since := b.get(path, append(headers, "If-Modified-Since", get.Header.Get("Last-Modified"))...)
				if since.StatusCode != 304 {
					t.Errorf("%s %v: If-Modified-Since = %d", path, headers, since.StatusCode)
				}
			}
			if got := b.get(path, "Range", "bytes=0-1").StatusCode; got != 200 { // D14: never a part of a playlist
				t.Errorf("%s with a Range = %d", path, got)
			}
		}
	})
}

// hls-rules D13, D14, D17, D19, D28
func TestSegmentForms(t *testing.T) {
	liveBed(t, func(t *testing.T, b *bed) {
		path := "/live/" + b.media("main").Segments[1].URI
		whole := b.body(path, 200)
		h := b.get(path).Header
		etag, size := h.Get("Etag"), len(whole)
		if len(whole)%188 != 0 || h.Get("Content-Encoding") != "" || len(etag) < 10 || strings.HasPrefix(etag, "W/") {
			t.Errorf("segment of %d bytes, headers %v", size, h)
		}
		tests := []struct {
			name    string
			headers []string
			status  int
			body    string
			span    string // Content-Range
		}{
			{"all", nil, 200, whole, ""},
			{"gzip is not for segments", []string{"Accept-Encoding", "gzip"}, 200, whole, ""},
			{"first two bytes", []string{"Range", "bytes=0-1"}, 206, whole[:2], "bytes 0-1/SIZE"},
			{"middle", []string{"Range", "bytes=188-100000"}, 206, whole[188:min(size, 100001)], ""},
			{"suffix", []string{"Range", "bytes=-188"}, 206, whole[size-188:], ""},
			{"outside", []string{"Range", "bytes=99999999-"}, 416, "the range lies outside of the segment\n", "bytes */SIZE"},
			{"several", []string{"Range", "bytes=0-1,3-4"}, 200, whole, ""},
			{"of this segment", []string{"Range", "bytes=0-1", "If-Range", etag}, 206, whole[:2], ""},
			{"of another segment", []string{"Range", "bytes=0-1", "If-Range", `"x"`}, 200, whole, ""},
			{"weak tags do not do for ranges", []string{"Range", "bytes=0-1", "If-Range", "W/" + etag}, 200, whole, ""},
			{"by date", []string{"Range", "bytes=0-1", "If-Range", h.Get("Last-Modified")}, 206, whole[:2], ""},
			{"known", []string{"If-None-Match", etag}, 304, "", ""},
			{"known, in part", []string{"If-None-Match", etag, "Range", "bytes=0-1"}, 304, "", ""},
			{"not the one", []string{"If-Match", `"x"`}, 412, "the segment is another one\n", ""},
		}
		for _, tt := range tests {
			res := b.get(path, tt.headers...)
			body, _ := io.ReadAll(res.Body)
			if res.StatusCode != tt.status || string(body) != tt.body {
				t.Errorf("%s: %d with %d bytes, want %d with %d", tt.name, res.StatusCode, len(body), tt.status, len(tt.body))
			}
			if tt.status >= 400 && res.Header.Get("Etag")+res.Header.Get("Last-Modified") != "" {
				t.Errorf("%s: the sentence has the validators of the segment: %v", tt.name, res.Header)
			}
			span := strings.Replace(tt.span, "SIZE", h.Get("Content-Length"), 1)
			if got := res.Header.Get("Content-Range"); span != "" && got != span {
				t.Errorf("%s: Content-Range %q, want %q", tt.name, got, span)
			}
		}
		if head := b.request("HEAD", path); head.Header.Get("Content-Length") != h.Get("Content-Length") || head.Header.Get("Etag") != etag {
			t.Errorf("HEAD has %v, GET %v", head.Header, h)
		}
		if res := b.request("HEAD", path, "Range", "bytes=0-1"); res.StatusCode != 200 {
			t.Errorf("HEAD with a Range = %d", res.StatusCode) // RFC 9110 §14.2: only GET has ranges
		}
	})
}

// hls-rules D28: no cache keeps a segment longer than it lives.
func TestSegmentCachingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		source := b.play(muxtest.AV())
		source.send(30 * time.Second)
		path := "/live/" + b.media("main").Segments[0].URI
		var until time.Time // the latest moment up to which a cache may answer
		for {
			res := b.get(path)
			if res.StatusCode != http.StatusOK {
				break
			}
			var age int
			for _, c := range strings.TrimPrefix(strings.Split(res.Header.Get("Cache-Control"), ",")[1], " max-age=") {
				age = age*10 + int(c-'0')
			}
			until = time.Now().Add(time.Duration(age) * time.Second)
			source.send(time.Second)
		}
		if late := time.Until(until); late > 0 {
			t.Errorf("caches keep the segment for %v after it has gone", late)
		}
	})
}

// A browser gets the page of a stream, everybody else its sound.
func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "page of "+r.URL.Path) })
		b.server = origin.NewServer(origin.ServerConfig{Pages: pages})
		if err := b.server.Add(b.stream); err != nil {
			t.Fatal(err)
		}
		b.play(muxtest.Audio(mux.CodecMP3)).send(5 * time.Second)
		const browser = "text/html,application/xhtml+xml,*/*;q=0.8"
		for _, path := range []string{"/live", "/", "/web/x.js"} {
			if got := b.body(path, 200, "Accept", browser); got != "page of "+path {
				t.Errorf("GET %s = %q", path, got)
			}
		}
		if got := b.get("/nobody", "Accept", browser).StatusCode; got != 404 {
			t.Errorf("GET /nobody = %d", got)
		}
		res := b.request("HEAD", "/live", "Accept", "*/*")
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "audio/mpeg" || res.Header.Get("Vary") != "Accept" {
			t.Errorf("HEAD /live = %d %v", res.StatusCode, res.Header)
		}
		if got := b.body("/live.aac", 404); got != "the audio of stream live is MP3: ask for /live.mp3\n" {
			t.Errorf("GET /live.aac = %q", got)
		}
	})
}

// An unknown method, path or stream costs no lasting memory, and the answer
// says nothing that the client wrote but as a quoted string.
func TestUnknownPaths(t *testing.T) {
	b := &bed{t: t, server: origin.NewServer(origin.ServerConfig{})}
	for _, path := range []string{"/%3Cscript%3E", "/a%0Ab.m3u8", "/x/main/1/2.ts", "//", "/..%2f..%2fetc", "/" + strings.Repeat("a/", 300)} {
		res := b.get(path)
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 404 || len(body) > 300 || strings.Count(string(body), "\n") != 1 {
			t.Errorf("GET %s = %d %q", path, res.StatusCode, body)
		}
	}
}
