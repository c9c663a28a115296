//go:build e2e

package e2e_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/playlist"
)

// TestTwins runs two processes with one record, each with a data folder of its
// own. The second joins three seconds after the record was written, and gets
// the same bytes up to half a second earlier or later. Over a wrap of the
// timestamps and a restart of the source, every segment that both have is the
// same, and so is the text of the playlists at each number (hls-rules H07,
// H11, H26).
func TestTwins(t *testing.T) {
	t.Parallel()
	stream := muxtest.AV()
	stream.BFrames = 2
	stream.Start = mux.Wrap - 45*mux.ClockRate
	stream.Resets = []muxtest.Reset{{At: 61 * mux.ClockRate, To: 900 * mux.ClockRate}}

	folders := [2]string{t.TempDir(), t.TempDir()}
	var twins [2]*server
	var seen [2]map[string]map[uint64]string // by rendition and the number after the newest segment
	var feeding sync.WaitGroup
	began := time.Now()
	for i := range twins {
		if i == 1 {
			pause(t.Context(), 3*time.Second)
			copyRecord(t, folders[0], folders[1])
		}
		twins[i] = serve(t, "--data", folders[i], "--window", "10s")
		seen[i] = map[string]map[uint64]string{"main": {}, "audio": {}}
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", twins[i].port))
		if err != nil {
			t.Fatal(err)
		}
		joined := time.Since(began)
		feeding.Go(func() { send(conn, stream, began, joined, 100*time.Second) })
		if i == 0 {
			twins[0].ready()
		}
	}
	for time.Since(began) < 100*time.Second {
		pause(t.Context(), 150*time.Millisecond)
		for i, s := range twins {
			for name, texts := range seen[i] {
				remember(t, texts, s.url+"/live/"+name+".m3u8")
			}
		}
	}
	feeding.Wait()
	for name := range seen[0] {
		compare(t, twins, name, seen[0][name], seen[1][name])
	}
}

// copyRecord gives the record of stream "live" in one data folder to another.
func copyRecord(t *testing.T, from, to string) {
	t.Helper()
	const name = "live/.record.json"
	b, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(to, "live"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, name), b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// send sends what the stream has from the media time from on, in real time,
// each piece up to half a second late.
func send(conn net.Conn, stream muxtest.Stream, began time.Time, from, until time.Duration) {
	defer conn.Close()
	delay := time.Duration(0)
	for c := range stream.Chunks() {
		at := c.Time.Duration()
		if at > until {
			return
		}
		if at < from {
			continue
		}
		delay = min(max(delay+time.Duration(rand.IntN(41)-20)*time.Millisecond, 0), 500*time.Millisecond)
		time.Sleep(time.Until(began.Add(at + delay))) // a source in real time
		if _, err := conn.Write(c.Data); err != nil {
			return
		}
	}
}

// remember keeps the text of a playlist, by the number after its newest segment.
func remember(t *testing.T, texts map[uint64]string, url string) {
	status, text, err := get(url)
	if err != nil || status != http.StatusOK {
		return
	}
	m, err := playlist.ReadMedia([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Segments) >= 10 { // a full window: a younger list begins later
		texts[m.Sequence+uint64(len(m.Segments))] = text
	}
}

// compare compares what the twins said about a rendition.
func compare(t *testing.T, twins [2]*server, name string, a, b map[uint64]string) {
	t.Helper()
	lists, segments, discontinuities := 0, 0, 0
	compared := map[string]bool{}
	for n, text := range b {
		other, ok := a[n]
		if !ok || strings.Contains(text, "#EXT-X-GAP") { // the slot in which the second one joined
			continue
		}
		lists++
		if text != other {
			t.Errorf("%s playlists up to %d differ:\n%s\n%s", name, n, other, text)
			return
		}
		discontinuities += strings.Count(text, "#EXT-X-DISCONTINUITY\n")
		for line := range strings.Lines(text) {
			uri := strings.TrimSpace(line)
			if strings.HasPrefix(uri, "#") || compared[uri] {
				continue
			}
			compared[uri] = true
			status1, x, err1 := get(twins[0].url + "/live/" + uri)
			status2, y, err2 := get(twins[1].url + "/live/" + uri)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			if status1 != http.StatusOK || status2 != http.StatusOK {
				continue // too old by now
			}
			if sha256.Sum256([]byte(x)) != sha256.Sum256([]byte(y)) {
				t.Errorf("%s: %d and %d bytes that differ", uri, len(x), len(y))
			}
			segments++
		}
	}
	if lists < 15 || segments < 15 || discontinuities == 0 {
		t.Errorf("%s: only %d lists, %d segments, %d discontinuities compared", name, lists, segments, discontinuities)
	}
	t.Logf("%s: %d lists and %d segments are equal", name, lists, segments)
}
