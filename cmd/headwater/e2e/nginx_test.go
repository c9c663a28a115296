//go:build e2e

package e2e_test

import (
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/playlist"
)

// nginx starts nginx in front of s with the configuration that headwater comes
// with, and returns its URL.
func nginx(t *testing.T, s *server) string {
	t.Helper()
	shipped, err := os.ReadFile("../packaging/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp(scratch, "nginx")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil { // its workers are another user
		t.Fatal(err)
	}
	port := freePort(t)
	conf := string(shipped)
	for old, own := range map[string]string{
		"127.0.0.1:8080":             strings.TrimPrefix(s.url, "http://"),
		"listen      80;":            fmt.Sprintf("listen 127.0.0.1:%d;", port),
		"/run/nginx.pid":             dir + "/pid",
		"/var/log/nginx/":            dir + "/",
		"/var/cache/nginx/headwater": dir + "/cache",
		"worker_processes auto;":     "worker_processes 1; daemon off;",
	} {
		if !strings.Contains(conf, old) {
			t.Fatalf("nginx.conf has no %q any more", old)
		}
		conf = strings.ReplaceAll(conf, old, own)
	}
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, time.Minute, "nginx", "-q", "-t", "-e", dir+"/error.log", "-c", path).must(t)
	p := start(t, "nginx", "-e", dir+"/error.log", "-c", path)
	front := fmt.Sprintf("http://127.0.0.1:%d", port)
	eventually(t, 20*time.Second, "nginx answers", func() error {
		if p.ended() {
			t.Fatalf("nginx ended: %v", p.err)
		}
		status, _, err := get(front + "/healthz")
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("it answers %d", status)
		}
		return err
	})
	return front
}

// TestNginx serves through the shipped caching configuration.
func TestNginx(t *testing.T) {
	t.Parallel()
	s := serve(t)
	film.send(t, s.port)
	front := nginx(t, s)
	s.ready()

	t.Run("cache", func(t *testing.T) {
		enter(t)
		cacheHolds(t, front+"/live/main.m3u8")
	})
	t.Run("ffmpeg, every packet", func(t *testing.T) { enter(t); ffmpegExact(t, front+"/live/main.m3u8", film) })
	t.Run("ffprobe, continuous", func(t *testing.T) { enter(t); ffprobeFinds(t, front+"/live.ts", film.tracks) })
	t.Run("Chromium", func(t *testing.T) { enter(t); chromiumPlays(t, front+"/live", true) })
	t.Run("headwater check", func(t *testing.T) {
		enter(t)
		// A copy is kept for 1 s, by a clock of whole seconds: with segments of
		// 2 s that alone may make a new one appear 4 s after the one before.
		checkFinds(t, front+"/live.m3u8", "A32")
	})
	t.Run("no old playlist", func(t *testing.T) {
		// What nginx gave before must not be given when headwater says 503 or
		// nothing at all.
		s.process.kill()
		eventually(t, 20*time.Second, "nginx says that headwater is gone", func() error {
			status, _, err := get(front + "/live/main.m3u8")
			if err == nil && status != http.StatusBadGateway {
				err = fmt.Errorf("it answers %d", status)
			}
			return err
		})
	})
}

// Viewers of the cache test.
const (
	viewers  = 20
	segments = 8 // that each of them watches
)

// tally counts answers by URL and by what nginx says of its cache.
type tally struct {
	mu      sync.Mutex
	answers map[string]int            // by X-Cache; guarded by mu
	missed  map[string]map[string]int // by URL, then by X-Cache; guarded by mu
}

func (c *tally) add(u, cache string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[cache]++
	if c.missed[u] == nil {
		c.missed[u] = map[string]int{}
	}
	c.missed[u][cache]++
}

// cacheHolds lets 20 viewers watch and counts what nginx had to fetch. Of each
// segment that is one request in twenty, so 95 % is what a cache without fault
// reaches for them; of the playlists it keeps more.
func cacheHolds(t *testing.T, playlistURL string) {
	t.Helper()
	count := &tally{answers: map[string]int{}, missed: map[string]map[string]int{}}
	first, err := edge(playlistURL)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range viewers {
		all.Go(func() {
			pause(t.Context(), rand.N(2*time.Second))
			if err := view(t, playlistURL, first, count); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	requests := 0
	for n := range maps.Values(count.answers) {
		requests += n
	}
	// REVALIDATED is an answer from the cache too: headwater said 304.
	kept := count.answers["HIT"] + count.answers["REVALIDATED"]
	t.Logf("%d requests: %v", requests, count.answers)
	if 100*kept < 95*requests {
		t.Errorf("%d of %d requests were answered by the cache, %v; want 95 %%", kept, requests, count.answers)
	}
	for u, caches := range count.missed {
		if strings.HasSuffix(u, ".ts") && caches["HIT"] != viewers-1 {
			t.Errorf("%s was fetched more than once: %v", u, caches)
		}
	}
}

// edge returns the number of the third segment from the end, where players start.
func edge(playlistURL string) (uint64, error) {
	_, text, err := get(playlistURL)
	if err != nil {
		return 0, err
	}
	list, err := playlist.ReadMedia([]byte(text))
	if err != nil {
		return 0, err
	}
	return list.Sequence + uint64(len(list.Segments)) - 3, nil
}

// view watches from segment next on as a player does: it fetches what is new in
// the list, and reloads that as often as RFC 8216 §6.3.4 lets it, each half
// target duration.
func view(t *testing.T, playlistURL string, next uint64, count *tally) error {
	client := http.Client{Timeout: 20 * time.Second}
	fetch := func(u string) (string, error) {
		res, err := client.Get(u)
		if err != nil {
			return "", err
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err == nil && res.StatusCode != http.StatusOK {
			err = fmt.Errorf("GET %s = %d", u, res.StatusCode)
		}
		count.add(u, res.Header.Get("X-Cache"))
		return string(b), err
	}
	base, err := url.Parse(playlistURL)
	if err != nil {
		return err
	}
	for watched := 0; t.Context().Err() == nil; {
		text, err := fetch(playlistURL)
		if err != nil {
			return err
		}
		list, err := playlist.ReadMedia([]byte(text))
		if err != nil {
			return err
		}
		for i, s := range list.Segments {
			if list.Sequence+uint64(i) < next || watched == segments {
				continue
			}
			u, err := base.Parse(s.URI)
			if err != nil {
				return err
			}
			if _, err := fetch(u.String()); err != nil {
				return err
			}
			watched++
			next = list.Sequence + uint64(i) + 1
		}
		if watched == segments {
			return nil
		}
		pause(t.Context(), time.Duration(list.TargetDuration)*time.Second/2)
	}
	return t.Context().Err()
}
