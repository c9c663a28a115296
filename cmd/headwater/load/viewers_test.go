package load_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/cmd/headwater/load"
	"headwater/playlist"
)

func list(first uint64, segments int, end bool) *playlist.Media {
	m := &playlist.Media{TargetDuration: 2, Sequence: first, End: end}
	for i := range segments {
		m.Segments = append(m.Segments, playlist.Segment{URI: fmt.Sprint(first+uint64(i), ".ts"), Duration: 2 * playlist.Second})
	}
	return m
}

func TestFollower(t *testing.T) {
	type step struct {
		list   *playlist.Media
		want   string // segments
		missed uint64
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"begins three target durations before the end", []step{{list(10, 10, false), "17 18 19", 0}}},
		{"begins with all of a short list", []step{{list(0, 2, false), "0 1", 0}, {list(0, 2, false), "", 0}, {list(0, 3, false), "2", 0}}},
		{"waits for the first segment", []step{{list(0, 0, false), "", 0}, {list(0, 1, false), "0", 0}}},
		{"plays a complete list from its start", []step{{list(5, 6, true), "5 6 7 8 9 10", 0}}},
		{"goes on after what it has", []step{{list(10, 5, false), "12 13 14", 0}, {list(12, 5, false), "15 16", 0}}},
		{"has missed some", []step{{list(10, 5, false), "12 13 14", 0}, {list(20, 5, false), "22 23 24", 5}}},
		{"an older list of another server", []step{{list(10, 5, false), "12 13 14", 0}, {list(9, 5, false), "", 0}, {list(11, 5, false), "15", 0}}},
		{"numbers that begin anew", []step{{list(1000, 5, false), "1002 1003 1004", 0}, {list(0, 2, false), "0 1", 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f load.Follower
			for i, s := range tt.steps {
				got, missed := f.Take(s.list)
				var names []string
				for _, g := range got {
					names = append(names, strings.TrimSuffix(g.URI, ".ts"))
				}
				if strings.Join(names, " ") != s.want || missed != s.missed {
					t.Errorf("step %d: %v, %d missed, want %v, %d", i, names, missed, s.want, s.missed)
				}
			}
		})
	}
}

func TestPlayback(t *testing.T) {
	const s = time.Second
	type add struct{ now, length, stall time.Duration }
	tests := []struct {
		name     string
		adds     []add
		at, want time.Duration // standing at the end
	}{
		{"nothing yet", nil, 9 * s, 0},
		{"in time", []add{{1 * s, 6 * s, 0}, {6 * s, 6 * s, 0}}, 13 * s, 0},
		{"a second too late", []add{{1 * s, 6 * s, 0}, {8 * s, 6 * s, 1 * s}, {13 * s, 6 * s, 0}}, 20 * s, 0},
		{"empty at the end", []add{{1 * s, 6 * s, 0}}, 10 * s, 3 * s},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var p load.Playback
			for i, a := range tt.adds {
				if got := p.Add(a.now, a.length); got != a.stall {
					t.Errorf("add %d: stall %v, want %v", i, got, a.stall)
				}
			}
			if got := p.Standing(tt.at); got != tt.want {
				t.Errorf("Standing(%v) = %v, want %v", tt.at, got, tt.want)
			}
		})
	}
}

// RFC 8216 §6.3.4.
func TestReloadAfter(t *testing.T) {
	if changed, same := load.ReloadAfter(list(0, 1, false), true), load.ReloadAfter(list(0, 1, false), false); changed != 2*time.Second || same != time.Second {
		t.Errorf("ReloadAfter = %v, %v, want 2s, 1s", changed, same)
	}
}

// origin serves a stream of segments of a second, with a variant and its sound.
type origin struct {
	began time.Time
	hang  bool // no new segment comes
	mu    sync.Mutex
	asked map[string]int // guarded by mu: how often for each path
	conns map[string]bool
}

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.asked[r.URL.Path]++
	o.conns[r.RemoteAddr] = true
	o.mu.Unlock()
	switch {
	case r.URL.Path == "/live.m3u8":
		fmt.Fprint(w, "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",DEFAULT=YES,URI=\"a/list.m3u8\"\n"+
			"#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"a\"\nv/list.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nother.m3u8\n")
	case strings.HasSuffix(r.URL.Path, ".m3u8"):
		newest := uint64(time.Since(o.began) / time.Second)
		if o.hang {
			newest = 0
		}
		m := list(newest, 6, false)
		m.TargetDuration = 1
		for i := range m.Segments {
			m.Segments[i].Duration = playlist.Second
		}
		text, err := m.Append(nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(text)
		z.Close()
	case r.URL.Path == "/v/4.ts":
		http.Error(w, "gone", http.StatusNotFound)
	default:
		w.Write(make([]byte, 1000))
	}
}

func TestViewers(t *testing.T) {
	t.Parallel()
	o := &origin{began: time.Now(), asked: map[string]int{}, conns: map[string]bool{}}
	server := httptest.NewServer(o)
	defer server.Close()
	rep, err := load.Viewers{URL: server.URL + "/live.m3u8", N: 4, For: 2500 * time.Millisecond, Rate: 1000}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Played != 4 || rep.Zipped < 0.8 || rep.Zipped == 1 || rep.Missed+rep.Gaps != 0 {
		t.Errorf("report: %+v", rep)
	}
	if fmt.Sprint(rep.Errors) != "4 segment: status 404" {
		t.Errorf("errors: %v, want the one segment that each asked for in vain", rep.Errors)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for path, n := range o.asked {
		want := 4
		if strings.HasSuffix(path, "list.m3u8") {
			want = 4 * 3
		}
		if n < want || n > want && !strings.HasSuffix(path, "list.m3u8") || strings.Contains(path, "other") || n > 4*6 {
			t.Errorf("%s was asked for %d times by 4 viewers", path, n)
		}
	}
	if len(o.conns) > 4*2 {
		t.Errorf("%d connections for 4 viewers with picture and sound, want 8 at most", len(o.conns))
	}
}

func TestViewersStall(t *testing.T) {
	t.Parallel()
	o := &origin{hang: true, asked: map[string]int{}, conns: map[string]bool{}}
	server := httptest.NewServer(o)
	defer server.Close()
	rep, err := load.Viewers{URL: server.URL + "/x.m3u8", N: 2, For: 3500 * time.Millisecond}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Stalled != 2 || rep.Stalls.Count != 2 || rep.Stalls.Max > 3000 || rep.Unchanged < 0.5 {
		t.Errorf("report: %+v, want a stall of each viewer at the end", rep)
	}
}

func TestViewersRefuse(t *testing.T) {
	if _, err := (load.Viewers{URL: "x", N: 1}).Run(t.Context()); !errors.Is(err, load.ErrOptions) {
		t.Errorf("Run without a URL = %v, want ErrOptions", err)
	}
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := load.Viewers{URL: server.URL + "/x.m3u8", N: 2, For: 10 * time.Millisecond}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "status 404") {
		t.Errorf("Run of nothing = %v, want the status", err)
	}
}
