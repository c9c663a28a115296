//go:build e2e

package e2e_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headwater/playlist"
	"headwater/playlist/check"
)

// moments is how often the server is killed.
const moments = 20

// TestKill kills headwater at random moments and starts it again, while its
// source connects anew. One who recorded all playlists sees the rules of
// numbering and of allowed changes kept (hls-rules A13, A21-A29, A36), and a
// browser plays on without being reloaded.
func TestKill(t *testing.T) {
	t.Parallel()
	s := serve(t, "--window", "30s")
	start(t, headwater, "push", "--test", fmt.Sprintf("tcp://127.0.0.1:%d", s.port)).live()
	s.ready()
	page := browser(t, s.url+"/live")
	before := plays(t, page, limit, 3*time.Second, true)

	rec := newRecorder(s.url)
	var recording sync.WaitGroup
	stop := make(chan struct{})
	recording.Go(func() { rec.run(stop) })
	t.Cleanup(func() {
		close(stop)
		recording.Wait()
	})

	for i := range moments {
		pause(t.Context(), rand.N(2500*time.Millisecond))
		known := rec.newest()
		s.process.kill()
		s.start()
		eventually(t, 60*time.Second, fmt.Sprintf("media after kill %d", i+1), func() error {
			if s.process.ended() {
				t.Fatalf("headwater ended by itself: %v", s.process.err)
			}
			if now := rec.newest(); now <= known {
				return fmt.Errorf("the newest segment is number %d, and was %d before", now, known)
			}
			return nil
		})
	}
	after := plays(t, page, limit, 5*time.Second, true)
	if after.Page != before.Page {
		t.Errorf("the page was reloaded")
	}
	for _, f := range rec.findings() {
		t.Errorf("%s: %s (%s)", f.Rule, f.Text, f.Subject)
	}
	rec.retrievable(t)
	t.Logf("%d playlists recorded, %d segments, %d of them gaps", rec.answers, len(rec.segments), rec.gaps())
}

// recorder polls the playlists of a stream and holds them to the rules.
type recorder struct {
	base     string
	client   http.Client
	mu       sync.Mutex
	checker  *check.Checker    // guarded by mu
	answers  int               // guarded by mu
	segments map[string]listed // by URL; guarded by mu
	last     uint64            // newest number with media in main; guarded by mu
}

// listed is what the recorder knows of a segment.
type listed struct {
	gap      bool
	seen     time.Time // when it was last in the list
	duration time.Duration
}

func newRecorder(base string) *recorder {
	return &recorder{base: base, client: http.Client{Timeout: 5 * time.Second}, checker: check.New(check.Options{House: true}), segments: map[string]listed{}}
}

// run polls until stop is closed. A server that is down is no answer.
func (r *recorder) run(stop <-chan struct{}) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, path := range []string{"/live.m3u8", "/live/main.m3u8", "/live/audio.m3u8"} {
			r.poll(r.base + path)
		}
		select {
		case <-tick.C:
		case <-stop:
			return
		}
	}
}

func (r *recorder) poll(u string) {
	asked := time.Now()
	res, err := r.client.Get(u)
	if err != nil {
		return
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers++
	r.checker.Observe(check.Response{URL: u, At: asked, Status: res.StatusCode, Header: res.Header, Body: body})
	list, err := playlist.ReadMedia(body)
	if err != nil {
		return // the multivariant playlist, or the checker tells
	}
	base, _ := url.Parse(u)
	for i, s := range list.Segments {
		if ref, err := base.Parse(s.URI); err == nil {
			r.segments[ref.String()] = listed{gap: s.Gap, seen: asked, duration: s.Duration.Std()}
		}
		if n := list.Sequence + uint64(i); !s.Gap && strings.HasSuffix(u, "/main.m3u8") {
			r.last = max(r.last, n)
		}
	}
}

func (r *recorder) newest() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *recorder) gaps() int {
	n := 0
	for _, s := range r.segments {
		if s.gap {
			n++
		}
	}
	return n
}

// findings returns the broken rules that a restart must not break. Rules that
// compare two playlists of one moment are not among them: the server may be
// killed between the two.
func (r *recorder) findings() []check.Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(r.checker.Findings(), func(f check.Finding) bool {
		switch f.Rule {
		case "A13", "A21", "A22", "A23", "A24", "A25", "A26", "A27", "A28", "A29", "B03", "B18", "B19", "B21":
			return false
		}
		return true
	})
}

// retrievable fails if a segment that is listed, or was until a moment ago, is gone.
func (r *recorder) retrievable(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for u, s := range r.segments {
		if s.gap || time.Since(s.seen) > 30*time.Second {
			continue
		}
		if status, _, err := get(u); err != nil || status != http.StatusOK {
			t.Errorf("GET %s = %d, %v, %.0f s after it was listed", u, status, err, time.Since(s.seen).Seconds())
		}
	}
}

// TestStop ends headwater as an operator does: at once, with status 0.
func TestStop(t *testing.T) {
	t.Parallel()
	s := serve(t)
	film.send(t, s.port)
	s.ready()
	s.process.signal(syscall.SIGTERM)
	if err := s.process.wait(20 * time.Second); err != nil {
		t.Errorf("headwater ended with %v, want status 0", err)
	}
}
