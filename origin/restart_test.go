package origin_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	"headwater/segmenter/store"
)

// openStore opens the store of stream "live" in dir.
func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(root, "live")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close(); root.Close() })
	return st
}

// hls-rules A21-A29, H21: players notice nothing of a restart.
func TestStreamRestarts(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
		source := b.play(muxtest.AV())
		source.send(31 * time.Second)
		before, names := b.media("main"), b.body("/live.m3u8", 200)
		segment := b.body("/live/"+before.Segments[0].URI, 200)
		etag := b.get("/live/" + before.Segments[0].URI).Header.Get("Etag")
		b.stop() // all that a kill leaves is on disk before it is published

		time.Sleep(500 * time.Millisecond)
		b = newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
		defer b.stop()
		checkSlides(t, before, b.media("main")) // at once, without a source
		if got := b.body("/live.m3u8", 200); got != names {
			t.Errorf("multivariant playlist is\n%s\nwas\n%s", got, names)
		}
		if got := b.body("/live/"+before.Segments[0].URI, 200); got != segment {
			t.Errorf("segment has %d other bytes", len(got))
		}
		if got := b.get("/live/" + before.Segments[0].URI).Header.Get("Etag"); got != etag {
			t.Errorf("ETag %s, was %s", got, etag)
		}
		source.feed = b.attach()
		source.skipTo(time.Now())
		last := b.media("main")
		for range 40 {
			source.send(500 * time.Millisecond)
			m := b.media("main")
			checkSlides(t, last, m)
			last = m
		}
		if last.Segments[len(last.Segments)-1].Gap || last.Sequence <= before.Sequence {
			t.Errorf("the stream did not go on: %+v", last.Segments[len(last.Segments)-1])
		}
	})
}

// A window that is too old to be true is not shown (hls-rules D22), but goes on.
func TestStreamRestartsLate(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
		source := b.play(muxtest.AV())
		source.send(31 * time.Second)
		before := b.media("main")
		b.stop()
		time.Sleep(time.Minute)
		b = newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
		defer b.stop()
		b.body("/live/main.m3u8", 503)
		source.feed = b.attach()
		source.skipTo(time.Now())
		source.send(20 * time.Second)
		if m := b.media("main"); m.Sequence <= before.Sequence {
			t.Errorf("sequence %d after %d", m.Sequence, before.Sequence)
		}
	})
}

// A file that was lost becomes a gap; its number is not used again (hls-rules A23).
func TestStreamRestartsWithoutAFile(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
		b.play(muxtest.AV()).send(31 * time.Second)
		before := b.media("main")
		b.stop()
		lost := before.Segments[2].URI
		if err := os.Remove(filepath.Join(dir, "live", lost)); err != nil {
			t.Fatal(err)
		}
		b = newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
		defer b.stop()
		after := b.media("main")
		checkSlides(t, before, after)
		for _, s := range after.Segments {
			if s.Gap != (s.URI == lost) {
				t.Errorf("segment %s: gap %v", s.URI, s.Gap)
			}
		}
		b.body("/live/"+lost, 404)
	})
}

// A process that was killed between the two files of a slot had not published
// it: the slot is made again, under the same number.
func TestStreamRestartsAfterHalfASlot(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
		b.play(muxtest.AV()).send(31 * time.Second)
		before := b.media("main")
		b.stop()
		var gen, last uint64
		if _, err := fmt.Sscanf(before.Segments[len(before.Segments)-1].URI, "main/%d/%d.ts", &gen, &last); err != nil {
			t.Fatal(err)
		}
		half := &segmenter.Segment{
			Rendition: segmenter.RenditionMain, Suffix: ".ts", Sequence: last + 1,
			Start: mux.Ticks(last+1) * 2 * mux.ClockRate, End: mux.Ticks(last+2) * 2 * mux.ClockRate, Data: [][]byte{{0x47}}, Size: 1,
		}
		disk := openStore(t, dir)
		if err := disk.Put(gen, half); err != nil {
			t.Fatal(err)
		}
		b = newBed(t, origin.StreamConfig{Store: disk})
		defer b.stop()
		if after := b.media("main"); len(after.Segments) != len(before.Segments) {
			t.Errorf("%d segments listed, want the %d that were", len(after.Segments), len(before.Segments))
		}
		if _, err := os.Stat(filepath.Join(dir, "live", "main", fmt.Sprint(gen), fmt.Sprintf("%d.ts", last+1))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the half slot's file: %v", err)
		}
	})
}

// faultyStore is a store on a disk that is slow or full at times.
type faultyStore struct {
	*store.Store
	mu    sync.Mutex
	delay time.Duration
	err   error
}

func (s *faultyStore) set(delay time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay, s.err = delay, err
}

func (s *faultyStore) Put(gen uint64, seg *segmenter.Segment) error {
	s.mu.Lock()
	delay, err := s.delay, s.err
	s.mu.Unlock()
	time.Sleep(delay)
	if err != nil {
		return err
	}
	return s.Store.Put(gen, seg)
}

// A slow or full disk never stops serving, and is told once.
func TestStreamOnBadDisk(t *testing.T) {
	tests := []struct {
		name  string
		delay time.Duration
		err   error
		log   string
	}{
		{"full", 0, errors.New("no space left on device"), "store does not take segments"},
		{"slow", 7 * time.Second, nil, "store is slow"},
		{"hanging", 70 * time.Second, nil, "store is slow"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				disk := &faultyStore{Store: openStore(t, dir)}
				log, lines := newLog()
				b := newBed(t, origin.StreamConfig{Store: disk, Log: log})
				defer b.stop()
				source := b.play(muxtest.AV())
				source.send(21 * time.Second)
				disk.set(tt.delay, tt.err)
				last := b.media("main")
				for range 100 {
					source.send(500 * time.Millisecond)
					m := b.media("main")
					checkSlides(t, last, m)
					newest := m.Segments[len(m.Segments)-1]
					if age := time.Since(newest.Time); age > 7*time.Second {
						t.Fatalf("newest segment begins %v ago", age)
					}
					for _, s := range m.Segments {
						b.body("/live/"+s.URI, 200)
					}
					last = m
				}
				if n := strings.Count(lines(), tt.log); n != 1 {
					t.Errorf("%q logged %d times in\n%s", tt.log, n, lines())
				}
				disk.set(0, nil)
				source.send(180 * time.Second)
				if tt.err != nil && !strings.Contains(lines(), "store takes segments again") {
					t.Errorf("recovery not logged in\n%s", lines())
				}
				m := b.media("main")
				newest := m.Segments[len(m.Segments)-1].URI
				if _, err := os.Stat(filepath.Join(dir, "live", newest)); err != nil {
					t.Errorf("after recovery: %v", err)
				}
			})
		})
	}
}

// The files of expired segments are deleted, and only those.
func TestStreamCleansItsFolder(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		st := openStore(t, dir)
		b := newBed(t, origin.StreamConfig{Store: st})
		defer b.stop()
		source := b.play(muxtest.AV())
		source.send(200 * time.Second)
		files, err := filepath.Glob(filepath.Join(dir, "live", "main", "*", "*.ts"))
		if err != nil {
			t.Fatal(err)
		}
		if held := b.stream.State(time.Now()).Renditions[0].Held; len(files) < 6 || len(files) > held+1 {
			t.Errorf("%d files for %d segments held", len(files), held)
		}
	})
}

// A playlist never goes back, whatever the window is at the next start, and the
// one after that (hls-rules A21, A29).
func TestStreamRestartsWithAnotherWindow(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var last *playlist.Media
		var source *live
		for i, window := range []time.Duration{12 * time.Second, time.Minute, time.Minute, 16 * time.Second, 40 * time.Second} {
			b := newBed(t, origin.StreamConfig{
				Store:  openStore(t, dir),
				Window: segmenter.WindowConfig{Duration: window, MinSegments: 6, Grace: time.Minute},
			})
			if last != nil {
				checkSlides(t, last, b.media("main"))
			}
			if source == nil {
				source = b.play(muxtest.AV())
				source.send(61 * time.Second)
			} else {
				source.feed = b.attach()
				source.skipTo(time.Now())
				source.send(9 * time.Second)
			}
			m := b.media("main")
			if last != nil {
				checkSlides(t, last, m)
			}
			if audio := b.media("audio"); audio.Sequence != m.Sequence {
				t.Errorf("start %d: audio begins at %d, main at %d", i, audio.Sequence, m.Sequence)
			}
			last = m
			b.stop()
			time.Sleep(300 * time.Millisecond)
		}
	})
}

// After an absence longer than the window there is no playlist until there is
// media in it: players choke on one of gaps alone (hls-rules A35, D22).
func TestNoPlaylistOfGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		source := b.play(muxtest.AV())
		source.send(31 * time.Second)
		before := b.media("main")
		source.feed.Close(nil, time.Now())
		time.Sleep(90 * time.Second)
		b.body("/live/main.m3u8", 503)
		source.feed = b.attach()
		source.skipTo(time.Now())
		for range 60 {
			source.send(100 * time.Millisecond)
			res := b.get("/live/main.m3u8")
			if res.StatusCode == 503 {
				if res.Header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				continue
			}
			m := b.media("main")
			if m.Segments[len(m.Segments)-1].Gap || m.Sequence <= before.Sequence {
				t.Fatalf("the first playlist after the absence ends in a gap: %+v", m.Segments)
			}
			return
		}
		t.Error("no playlist 6 s after the source was back")
	})
}
