//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
)

// TestMaxMemory has twelve video streams whose windows would come to more than
// a gigabyte, in a process that may have half of that. It stays below, one who
// watches a stream keeps the whole window of it, and the others keep what
// players need.
func TestMaxMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of a process is read from /proc")
	}
	t.Parallel()
	const (
		streams = 12
		limit   = 448 << 20
		length  = 50 * time.Second
	)
	args := []string{"--data", "", "--target-duration", "1s", "--window", "10s", "--max-memory", fmt.Sprint(limit>>20) + "MiB"}
	var ports []int
	for i := range streams {
		ports = append(ports, freePort(t))
		args = append(args, "--tcp", fmt.Sprintf("s%d=127.0.0.1:%d", i, ports[i]))
	}
	s := &server{t: t}
	s.launch(args...)
	feed := newCrowdFeed(t, ports)

	// One stream is watched by somebody who can rewind as far as it goes.
	began, most := time.Now(), 0
	tick := time.NewTicker(feedInterval)
	defer tick.Stop()
	for n := 0; time.Since(began) < length; n++ {
		<-tick.C
		feed.send(time.Since(began))
		most = max(most, resident(t, s.process.cmd.Process.Pid))
		if n%10 == 0 && n > 100 {
			whole(t, s, "s0")
		}
	}
	if most > limit {
		t.Errorf("%d MiB were resident, want at most %d", most>>20, limit>>20)
	}
	var full, shorter int64
	for i := range streams {
		_, body, err := get(s.url + "/api/v1/streams/s" + fmt.Sprint(i))
		var state origin.StreamState
		if err != nil || json.Unmarshal([]byte(body), &state) != nil || state.Memory == nil {
			t.Fatalf("%v: %s", err, body)
		}
		full += state.Memory.Full
		if state.Memory.Bound != 0 {
			shorter++
		}
		if i > 0 {
			if m := whole(t, s, state.Name); len(m.Segments) < 6 || len(m.Segments) >= 10 { // hls-rules A34
				t.Errorf("stream %s, which nobody watches, lists %d segments, want at least 6, and fewer than 10", state.Name, len(m.Segments))
			}
		}
	}
	if shorter != streams-1 {
		t.Errorf("%d streams are shorter than configured, want all but the one that is watched", shorter)
	}
	if m := whole(t, s, "s0"); len(m.Segments) < 10 {
		t.Errorf("the stream that is watched lists %d segments, want 10 as configured", len(m.Segments))
	}
	t.Logf("%d MiB were resident of %d; the windows of all streams would come to %d", most>>20, limit>>20, full>>20)
	if full < 2*limit {
		t.Errorf("the windows of all streams would come to %d MiB, which proves nothing", full>>20)
	}
	if log := s.process.output.String(); !strings.Contains(log, "memory is short") {
		t.Error("the log does not say that memory is short")
	}
}

// feedInterval is how often a crowd of sources sends.
const feedInterval = 100 * time.Millisecond

// crowdFeed is the same media for several streams.
type crowdFeed struct {
	t     *testing.T
	conns []net.Conn
	next  func() (muxtest.Chunk, bool)
	ahead *muxtest.Chunk
}

// newCrowdFeed connects sources of 16 Mbit/s to ports.
func newCrowdFeed(t *testing.T, ports []int) *crowdFeed {
	f := &crowdFeed{t: t}
	for _, port := range ports {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		f.conns = append(f.conns, c)
	}
	stream := muxtest.AV()
	stream.GOP, stream.VideoBytes = 25, 72_000
	next, stop := iter.Pull(stream.Chunks())
	t.Cleanup(stop)
	f.next = next
	return f
}

// send sends what is due.
func (f *crowdFeed) send(until time.Duration) {
	var due []byte
	for ; ; f.ahead = nil {
		if f.ahead == nil {
			c, _ := f.next()
			f.ahead = &c
		}
		if f.ahead.Time.Duration() >= until {
			break
		}
		due = append(due, f.ahead.Data...)
	}
	for _, c := range f.conns {
		if _, err := c.Write(due); err != nil {
			f.t.Fatal(err)
		}
	}
}

// whole returns the playlist of a stream, after it has fetched all that it lists
// but gaps, which a busy machine may make.
func whole(t *testing.T, s *server, name string) *playlist.Media {
	t.Helper()
	status, body, err := get(s.url + "/" + name + "/main.m3u8")
	if err != nil || status != http.StatusOK {
		t.Fatalf("GET the playlist of %s = %d %v", name, status, err)
	}
	m, err := playlist.ReadMedia([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, seg := range m.Segments {
		if seg.Gap {
			continue
		}
		if status, _, err := get(s.url + "/" + name + "/" + seg.URI); err != nil || status != http.StatusOK {
			t.Fatalf("GET segment %s of %s = %d %v, want 200: it is listed", seg.URI, name, status, err)
		}
	}
	return m
}

// resident returns how many bytes of memory a process has.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
