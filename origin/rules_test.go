package origin_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
	"headwater/segmenter"
)

// observation is one answer for a media playlist, with status 200.
type observation struct {
	path   string
	at     time.Time
	header http.Header
	text   string
	*playlist.Media
}

// eventful is a source to whom everything happens: its clock starts anew, some
// of its media is not sent, and its keyframes lie off the grid.
func eventful(s muxtest.Stream) muxtest.Stream {
	s.Resets = []muxtest.Reset{{At: 31 * mux.ClockRate, To: 500 * mux.ClockRate}, {At: 90 * mux.ClockRate, To: mux.ClockRate}}
	s.Gaps = []muxtest.Gap{{From: 60 * mux.ClockRate, To: 61 * mux.ClockRate}}
	return s
}

// What is served of a stream keeps the rules from its first answer on: while
// all sorts of things happen to its source, while that is cut off, and when it
// comes back.
func TestPlaylistRules(t *testing.T) {
	off := muxtest.AV()
	off.GOP = 35
	late := origin.StreamConfig{Segmenter: segmenter.Config{TargetDuration: 2 * time.Second, Latency: 5 * time.Minute}}
	tight := origin.StreamConfig{Window: segmenter.WindowConfig{Duration: time.Minute, MaxBytes: 1000}}
	for _, tt := range []struct {
		name string
		s    muxtest.Stream
		cfg  origin.StreamConfig
	}{
		{"video", muxtest.AV(), origin.StreamConfig{}},
		{"keyframes off the grid", off, origin.StreamConfig{}},
		{"keyframes off the grid, few bytes", off, tight},
		{"media that is minutes old", muxtest.AV(), late},
		{"radio", muxtest.RawAudio(mux.CodecMP3), origin.StreamConfig{}},
		{"sound in TS", muxtest.Audio(mux.CodecAAC), origin.StreamConfig{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []observation
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, tt.cfg)
				defer b.stop()
				all = b.watch(eventful(tt.s))
			})
			if len(all) < 600 {
				t.Fatalf("only %d playlists were served", len(all))
			}
			t.Run("head", func(t *testing.T) { checkHead(t, all) })
			t.Run("dates", func(t *testing.T) { checkDates(t, all, !tt.s.Raw) })
			t.Run("growth", func(t *testing.T) { checkGrowth(t, all) })
			t.Run("age", func(t *testing.T) { checkAge(t, all) })
		})
	}
}

// watch observes the media playlists four times a second, for two minutes.
func (b *bed) watch(s muxtest.Stream) []observation {
	const step = 250 * time.Millisecond
	source := b.play(s)
	var all []observation
	for at := time.Duration(0); at < 2*time.Minute; at += step {
		switch at {
		case 100 * time.Second:
			source.feed.Close(io.EOF, time.Now())
		case 105 * time.Second:
			source.feed = b.attach()
			source.skipTo(time.Now())
		}
		if at >= 100*time.Second && at < 105*time.Second {
			time.Sleep(step)
			synctest.Wait()
		} else {
			source.send(step)
		}
		for _, rendition := range []string{"main", "audio"} {
			all = append(all, b.look("/live/"+rendition+".m3u8")...)
		}
	}
	return all
}

// look returns what there is at a path, if there is something.
func (b *bed) look(path string) []observation {
	b.t.Helper()
	res := b.get(path)
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		return nil
	}
	m, err := playlist.ReadMedia(text)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", path, err, text)
	}
	return []observation{{path, time.Now(), res.Header, string(text), m}}
}

// hls-rules A22, A25, A41: numbers are told from the first answer on, in a
// range that 32-bit players have, and no list is of a type that may not slide.
func checkHead(t *testing.T, all []observation) {
	t.Helper()
	for _, o := range all {
		for _, tag := range []string{"#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-DISCONTINUITY-SEQUENCE:"} {
			if n := strings.Count(o.text, tag); n != 1 {
				t.Fatalf("%s has %s %d times, want once:\n%s", o.path, tag, n, o.text)
			}
		}
		if o.Sequence < 1 || o.Sequence >= 1<<31 {
			t.Fatalf("%s begins with number %d, want from 1 to 2^31-1", o.path, o.Sequence)
		}
		if strings.Contains(o.text, "PLAYLIST-TYPE") {
			t.Fatalf("%s has a type:\n%s", o.path, o.text)
		}
	}
}

// hls-rules A43, A44, A47, A49: each segment has a date in the one form that
// all players read, also where a discontinuity stands before it, and both
// renditions have one date for one number, to within two audio frames.
func checkDates(t *testing.T, all []observation, breaking bool) {
	t.Helper()
	form := regexp.MustCompile(`^#EXT-X-PROGRAM-DATE-TIME:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)
	breaks := 0
	dates := map[uint64]time.Time{} // of main
	for _, o := range all {
		dated := false
		for _, line := range strings.Split(strings.TrimSuffix(o.text, "\n"), "\n") {
			switch {
			case strings.HasPrefix(line, "#EXT-X-PROGRAM-DATE-TIME"):
				if dated = true; !form.MatchString(line) {
					t.Fatalf("%s has the date %s", o.path, line)
				}
			case line == "#EXT-X-DISCONTINUITY":
				breaks++
			case !strings.HasPrefix(line, "#"):
				if !dated {
					t.Fatalf("%s has no date for %s:\n%s", o.path, line, o.text)
				}
				dated = false
			}
		}
		for i, s := range o.Segments {
			n := o.Sequence + uint64(i)
			if strings.Contains(o.path, "main") {
				dates[n] = s.Time
			} else if off := s.Time.Sub(dates[n]); off.Abs() > 50*time.Millisecond {
				t.Fatalf("segment %d of %s begins %v from that of main", n, o.path, off)
			}
		}
	}
	if breaks == 0 && breaking {
		t.Error("there was no discontinuity")
	}
}

// hls-rules A32: the next segment is listed within 1.5 target durations, also
// if it is a gap; and A33: what is removed leaves three target durations.
func checkGrowth(t *testing.T, all []observation) {
	t.Helper()
	last := map[string]observation{} // the newest one that differs
	slid := false
	for _, o := range all {
		was, ok := last[o.path]
		if ok && was.text == o.text {
			continue
		}
		last[o.path] = o
		if !ok {
			continue
		}
		target := time.Duration(o.TargetDuration) * time.Second
		if waited := o.at.Sub(was.at); waited > target*3/2 {
			t.Errorf("%s: %d is listed %v after the one before, want at most 1.5 x %v", o.path, o.Sequence+uint64(len(o.Segments))-1, waited, target)
		}
		if o.Sequence == was.Sequence {
			continue
		}
		slid = true
		var length time.Duration
		for _, s := range o.Segments {
			length += s.Duration.Std()
		}
		if length < 3*target {
			t.Fatalf("%s is %v long after a removal, want 3 x %v:\n%s", o.path, length, target, o.text)
		}
	}
	if !slid {
		t.Error("nothing was removed")
	}
}

// hls-rules A42: a list is never told to be older than three target durations,
// however old its media is, nor to come from the future.
func checkAge(t *testing.T, all []observation) {
	t.Helper()
	for _, o := range all {
		modified, err := http.ParseTime(o.header.Get("Last-Modified"))
		if err != nil {
			t.Fatal(err)
		}
		if age := o.at.Sub(modified); age < 0 || age > 3*time.Duration(o.TargetDuration)*time.Second {
			t.Fatalf("%s was modified %v ago, with a target duration of %d s", o.path, age, o.TargetDuration)
		}
	}
}

// hls-rules A42, too, when a source sends faster than real time.
func TestPlaylistIsNotFromTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		b.attach().Write(muxtest.AV().UnitsFor(60*mux.ClockRate), time.Now())
		time.Sleep(time.Second)
		all := b.look("/live/main.m3u8")
		if len(all) == 0 {
			t.Fatal("no playlist")
		}
		checkAge(t, all)
	})
}

// hls-rules A30: 1,000 requests a second, while the playlists change, all get
// one whole playlist: its bytes, its length, its tag and its coding belong
// together, and nobody sees a number go back.
func TestPlaylistsChangeAtOnce(t *testing.T) {
	span := 60 * time.Second
	if raceEnabled {
		span = 20 * time.Second
	}
	const askers = 50 // each 20 times a second
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		source := b.play(muxtest.AV())
		source.send(20 * time.Second)
		var asking sync.WaitGroup
		var asked atomic.Int64
		changes := map[string]bool{}
		for i := range askers {
			asking.Go(func() {
				a := asker{bed: b, path: []string{"/live/main.m3u8", "/live/audio.m3u8", "/live.m3u8"}[i%3], zipped: i%2 == 0, texts: map[string]bool{}}
				for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
					if fault := a.ask(); fault != "" {
						t.Errorf("%s: %s", a.path, fault)
						return
					}
					asked.Add(1)
				}
				if i == 0 {
					changes = a.texts
				}
			})
		}
		source.send(span)
		asking.Wait()
		if n := asked.Load(); n < int64(span.Seconds())*1000 {
			t.Errorf("%d requests in %v", n, span)
		}
		if len(changes) < int(span.Seconds())/2 {
			t.Errorf("a playlist had %d texts in %v", len(changes), span)
		}
	})
}

// asker asks for one playlist again and again.
type asker struct {
	bed    *bed
	path   string
	zipped bool
	newest uint64
	texts  map[string]bool
}

// ask says what is wrong with an answer.
func (a *asker) ask() (fault string) {
	r := httptest.NewRequest(http.MethodGet, a.path, nil)
	if a.zipped {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	w := httptest.NewRecorder()
	a.bed.server.ServeHTTP(w, r)
	text, h := w.Body.Bytes(), w.Header()
	if w.Code != http.StatusOK || h.Get("Content-Length") != strconv.Itoa(len(text)) || (h.Get("Content-Encoding") == "gzip") != a.zipped {
		return "an answer of " + strconv.Itoa(len(text)) + " bytes with other headers"
	}
	suffix := `"`
	if a.zipped {
		suffix = `-gz"`
		z, err := gzip.NewReader(bytes.NewReader(text))
		if err != nil {
			return err.Error()
		}
		if text, err = io.ReadAll(z); err != nil {
			return err.Error()
		}
	}
	sum := sha256.Sum256(text)
	if want := `"` + hex.EncodeToString(sum[:16]) + suffix; h.Get("Etag") != want {
		return "the tag is of another text"
	}
	a.texts[string(text)] = true
	if a.path == "/live.m3u8" {
		_, err := playlist.ReadMultivariant(text)
		if err != nil {
			return err.Error()
		}
		return ""
	}
	m, err := playlist.ReadMedia(text)
	if err != nil {
		return err.Error()
	}
	newest := m.Sequence + uint64(len(m.Segments))
	if newest < a.newest {
		return "it goes back"
	}
	a.newest = newest
	return ""
}
