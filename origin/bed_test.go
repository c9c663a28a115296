package origin_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
	"headwater/segmenter"
)

// bed is a server with one running stream in a bubble of synctest.
type bed struct {
	t      *testing.T
	server *origin.Server
	stream *origin.Stream
	stop   func() // ends the stream and waits
}

// newBed runs stream "live" with slots of 2 s. It must be stopped.
func newBed(t *testing.T, cfg origin.StreamConfig) *bed {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "live"
	}
	if cfg.Segmenter.TargetDuration == 0 {
		cfg.Segmenter.TargetDuration = 2 * time.Second
	}
	if cfg.Window.Duration == 0 {
		cfg.Window = segmenter.WindowConfig{Duration: 12 * time.Second, MinSegments: 6, Grace: 4 * time.Second}
	}
	stream, err := origin.NewStream(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{t: t, server: origin.NewServer(origin.ServerConfig{}), stream: stream}
	if err := b.server.Add(stream); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { stream.Run(ctx) })
	b.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	return b
}

// attach connects a source.
func (b *bed) attach() mux.Feed {
	b.t.Helper()
	feed, err := b.stream.Attach(mux.SourceInfo{ID: "test-1", Kind: "test", Since: time.Now()}, time.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	return feed
}

// live is a source in the middle of sending.
type live struct {
	next  func() (muxtest.Sample, bool)
	units func() (*mux.Unit, bool)
	feed  mux.Feed
	began time.Time
	ahead *muxtest.Sample
}

// play connects a source that sends s in real time; see send.
func (b *bed) play(s muxtest.Stream) *live {
	l := &live{feed: b.attach(), began: time.Now()}
	var stop1, stop2 func()
	l.next, stop1 = iter.Pull(s.Samples())
	l.units, stop2 = iter.Pull(s.Units())
	b.t.Cleanup(stop1)
	b.t.Cleanup(stop2)
	return l
}

// send sends for d, and returns when all that follows from it has been done.
func (l *live) send(d time.Duration) {
	end := time.Now().Add(d)
	for {
		if l.ahead == nil {
			x, _ := l.next()
			l.ahead = &x
		}
		at := l.began.Add(l.ahead.Time.Duration())
		if !at.Before(end) {
			break
		}
		time.Sleep(time.Until(at))
		l.ahead = nil
		u, _ := l.units()
		l.feed.Write([]*mux.Unit{u}, time.Now())
	}
	time.Sleep(time.Until(end))
	synctest.Wait()
}

// get answers a request; headers are pairs.
func (b *bed) get(path string, headers ...string) *http.Response {
	return b.request(http.MethodGet, path, headers...)
}

func (b *bed) request(method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.server.ServeHTTP(w, r)
	return w.Result()
}

// body returns the body of an answer that must have the status.
func (b *bed) body(path string, status int, headers ...string) string {
	b.t.Helper()
	res := b.get(path, headers...)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != status {
		b.t.Fatalf("GET %s = %d %q, want %d", path, res.StatusCode, body, status)
	}
	return string(body)
}

// media reads a media playlist of the stream.
func (b *bed) media(rendition string) *playlist.Media {
	b.t.Helper()
	m, err := playlist.ReadMedia([]byte(b.body("/live/"+rendition+".m3u8", http.StatusOK)))
	if err != nil {
		b.t.Fatal(err)
	}
	return m
}

// sentence fails the test unless body is one plain sentence that holds part.
func (b *bed) sentence(body, part string) {
	b.t.Helper()
	if !strings.Contains(body, part) || strings.Count(body, "\n") != 1 || !strings.HasSuffix(body, "\n") || strings.Contains(body, "<") {
		b.t.Errorf("answer %q is not a plain sentence with %q", body, part)
	}
}
