package origin_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
	"headwater/playlist/check"
	"headwater/segmenter"
)

// town is a server with several streams whose sources all send, in a bubble
// of synctest, and a governor. Its process uses no memory but for media, and
// used bytes for something else.
type town struct {
	*bed
	beds    map[string]*bed
	sources []*live
	used    atomic.Int64
	began   time.Time
}

const townLimit = 1 << 40

func newTown(t *testing.T, cfg origin.StreamConfig, names ...string) *town {
	r := &town{beds: map[string]*bed{}, began: time.Now()}
	for _, name := range names {
		cfg.Name = name
		b := newBed(t, cfg)
		if r.bed == nil {
			r.bed = b
		} else if b.server = r.server; b.server.Add(b.stream) != nil {
			t.Fatalf("stream %s cannot be added", name)
		}
		r.beds[name] = b
		r.sources = append(r.sources, b.play(muxtest.AV()))
	}
	g := origin.NewGovernor(origin.GovernorConfig{Server: r.server, Limit: townLimit, Memory: func() origin.Memory {
		return origin.Memory{Beside: r.used.Load()}
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { g.Run(ctx) })
	stop := r.bed.stop
	r.bed.stop = func() {
		cancel()
		running.Wait()
		for _, b := range r.beds {
			if b != r.bed {
				b.stop()
			}
		}
		stop()
	}
	return r
}

// leave has so many bytes left for media.
func (r *town) leave(bytes int64) {
	r.used.Store(townLimit - 16<<20 - bytes*115/100 - 1)
}

// pass has all sources send for d, and does something after each second.
func (r *town) pass(d time.Duration, do func()) {
	for range d / time.Second {
		time.Sleep(time.Second)
		for _, l := range r.sources {
			var units []*mux.Unit
			for end := time.Since(r.began); ; l.ahead = nil {
				if l.ahead == nil {
					x, _ := l.next()
					l.ahead = &x
				}
				if l.ahead.Time.Duration() >= end {
					break
				}
				u, _ := l.units()
				units = append(units, u)
			}
			l.feed.Write(units, time.Now())
		}
		synctest.Wait()
		do()
	}
}

// ask is a request of a player.
func (r *town) ask(stream string) {
	r.body("/"+stream+"/main.m3u8", http.StatusOK)
}

// memory returns what a stream says about its memory.
func (r *town) memory(stream string) origin.StreamMemory {
	if m := r.beds[stream].stream.State(time.Now()).Memory; m != nil {
		return *m
	}
	return origin.StreamMemory{}
}

// list returns the length of a stream's playlist in segments, and fails the
// test unless all of it can be fetched.
func (r *town) list(stream, rendition string) int {
	r.t.Helper()
	m, err := playlist.ReadMedia([]byte(r.body("/"+stream+"/"+rendition+".m3u8", http.StatusOK)))
	if err != nil {
		r.t.Fatal(err)
	}
	for _, seg := range m.Segments {
		r.body("/"+stream+"/"+seg.URI, http.StatusOK) // hls-rules A31, A36
	}
	return len(m.Segments)
}

// Where memory is short, windows are taken from those whom nobody watches, then
// from those who are watched less, and get long again when there is room; and
// whatever happens players see playlists that keep the rules (hls-rules A21,
// A29, A33, A34, A36).
func TestGovernor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTown(t, origin.StreamConfig{Window: segmenter.WindowConfig{Duration: 40 * time.Second, MinSegments: 6, Grace: 4 * time.Second}},
			"popular", "known", "lonely")
		defer r.stop()
		r.leave(1 << 38)
		c := check.New(check.Options{})
		step := 0
		watch := func() {
			for range 100 {
				r.ask("popular")
			}
			if step++; step%2 == 0 {
				r.observe(c, "/known/main.m3u8")
				r.observe(c, "/known/audio.m3u8")
			}
		}
		r.pass(20*time.Second, func() {})
		r.pass(160*time.Second, watch)
		full := r.memory("popular").Held
		for name := range r.beds {
			if m := r.memory(name); m.Bound != 0 || m.Held < m.Full*8/10 || m.Held > m.Full {
				t.Errorf("with enough memory stream %s has %+v, want all that it wants and is told to", name, m)
			}
		}

		// Nobody watches the third: it alone has to give.
		r.leave(2*full + full/2)
		r.pass(10*time.Second, watch)
		if m := r.memory("lonely"); m.Bound == 0 || m.Held > full*6/10 {
			t.Errorf("the lonely stream has %+v, want half of %d", m, full)
		}
		for _, name := range []string{"popular", "known"} {
			if m := r.memory(name); m.Bound != 0 {
				t.Errorf("stream %s has %+v, want no bound", name, m)
			}
		}

		// Now the second has to give too, and the third all that it can.
		r.leave(full + full*3/4)
		r.pass(90*time.Second, watch)
		if held := r.memory("popular").Held + r.memory("known").Held + r.memory("lonely").Held; held > full+full*3/4 {
			t.Errorf("%d bytes are held, want at most %d", held, full+full*3/4)
		}
		for _, rendition := range []string{"main", "audio"} {
			if n := r.list("popular", rendition); n < 20 {
				t.Errorf("the popular stream lists %d segments, want 20 as configured", n)
			}
			if n := r.list("known", rendition); n < 7 || n > 20 {
				t.Errorf("the known stream lists %d segments, want more than the least and less than all", n)
			}
			if n := r.list("lonely", rendition); n < 6 || n > 8 { // the least, and room for what is still fetched
				t.Errorf("the lonely stream lists %d segments, want 6 to 8: it has %+v", n, r.memory("lonely"))
			}
		}
		if m := r.server.Stats().Memory; m == nil || m.Shorter != 2 || m.Short || m.Limit != townLimit {
			t.Errorf("the server says %+v, want two shorter streams", m)
		}

		// There is room again.
		r.leave(1 << 38)
		r.pass(60*time.Second, watch)
		for name := range r.beds {
			if n := r.list(name, "main"); n < 20 {
				t.Errorf("stream %s lists %d segments after there is room again, want 20", name, n)
			}
		}
		for _, f := range c.Findings() {
			if f.Level == check.Must {
				t.Errorf("%s %s: %s", f.Rule, f.Subject, f.Text)
			}
		}
	})
}

// Even where nothing fits, playlists stay such that players can use them, and
// no further stream is taken on.
func TestGovernorWithoutMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTown(t, origin.StreamConfig{}, "one", "two")
		defer r.stop()
		extra, err := origin.NewStream(origin.StreamConfig{Name: "three"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.server.Add(extra); err != nil {
			t.Fatal(err)
		}
		r.leave(1 << 38)
		r.pass(60*time.Second, func() {})
		if n := r.list("one", "main"); n < 6 {
			t.Errorf("%d segments are listed, want at least 6", n)
		}
		r.leave(0)
		r.pass(30*time.Second, func() { r.ask("one") })
		for name := range r.beds {
			for _, rendition := range []string{"main", "audio"} {
				if n := r.list(name, rendition); n != 4 { // hls-rules A33: 8 s are more than three target durations of 2 s
					t.Errorf("%s of stream %s lists %d segments, want 4", rendition, name, n)
				}
			}
		}
		if m := r.server.Stats().Memory; m == nil || !m.Short {
			t.Errorf("the server says %+v, want that memory is short", m)
		}
		if _, err := extra.Attach(mux.SourceInfo{ID: "extra"}, time.Now()); err == nil {
			t.Error("another stream is taken on, want an error")
		} else {
			b := r.bed
			b.sentence(fmt.Sprintln(err), "max_memory")
		}
		// A source that comes back is not another stream.
		one := r.sources[0]
		one.feed.Close(nil, time.Now())
		if one.feed, err = r.beds["one"].stream.Attach(mux.SourceInfo{ID: "again"}, time.Now()); err != nil {
			t.Errorf("a source that came back was refused: %v", err)
		}
	})
}

// Where there is a store, playlists keep their length: what only lies in memory
// in case the store cannot be read goes.
func TestGovernorLeavesMediaToTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newTown(t, origin.StreamConfig{
			Window: segmenter.WindowConfig{Duration: 40 * time.Second, MinSegments: 6, Grace: 4 * time.Second},
			Store:  openStore(t, t.TempDir()),
		}, "live")
		defer r.stop()
		r.leave(1 << 38)
		r.pass(90*time.Second, func() {})
		if m := r.memory("live"); m.Bound != 0 || m.Held < m.Full*8/10 {
			t.Errorf("with enough memory there is %+v, want what it wants", m)
		}
		full := r.memory("live").Full
		for _, tt := range []struct {
			name string
			left int64
		}{
			{"half of it", full / 2},
			{"nothing", 0},
		} {
			r.leave(tt.left)
			r.pass(20*time.Second, func() {})
			if m := r.memory("live"); m.Bound == 0 && tt.left > 0 || m.Held > max(tt.left, full/3) {
				t.Errorf("%s: there is %+v of %d, want no more than fits", tt.name, m, full)
			}
			for _, rendition := range []string{"main", "audio"} {
				if n := r.list("live", rendition); n < 20 {
					t.Errorf("%s: %s lists %d segments, want 20 as configured: the store has them", tt.name, rendition, n)
				}
			}
		}
	})
}
