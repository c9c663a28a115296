package origin_test

import (
	"io"
	"net/http"
	"strings"
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

// A day of a stream: at every step of the playlists all rules of section A and
// B hold that the checker knows, and the printed durations add up to the media
// to within a frame (hls-rules A16, A18, A45). The timestamps wrap on the way.
func TestDay(t *testing.T) {
	day := 24 * time.Hour
	if testing.Short() || raceEnabled {
		day = 90 * time.Minute
	}
	video := muxtest.AV()
	video.FrameRateNum, video.FrameRateDen, video.GOP = 5, 1, 15
	video.FramesPerPES = 8
	video.Start = mux.Wrap - 1800*mux.ClockRate
	ntsc := video
	ntsc.FrameRateNum, ntsc.FrameRateDen = 30000, 7007 // 4.28 pictures a second: no frame lies on the grid
	ntsc.GOP = 10
	radio := muxtest.Audio(mux.CodecMP3)
	radio.SampleRate, radio.FramesPerPES = 44100, 4
	radio.Start = video.Start
	tests := []struct {
		name  string
		s     muxtest.Stream
		frame time.Duration
	}{
		{"video", video, 200 * time.Millisecond},
		{"video off the grid", ntsc, 234 * time.Millisecond},
		{"radio", radio, 105 * time.Millisecond}, // a PES packet is whole
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{
					Segmenter: segmenter.Config{TargetDuration: 6 * time.Second},
					Window:    segmenter.WindowConfig{Duration: time.Minute},
				})
				defer b.stop()
				source := b.play(tt.s)
				c := check.New(check.Options{House: true})
				sums := map[string]*sum{"main": {}, "audio": {}}
				for at := time.Duration(0); at < day; at += 3 * time.Second {
					source.send(3 * time.Second)
					if at < time.Minute {
						continue
					}
					b.observe(c, "/live.m3u8")
					for name, s := range sums {
						s.add(t, b.observe(c, "/live/"+name+".m3u8"), tt.frame)
					}
				}
				for i, f := range c.Findings() {
					if i == 10 {
						t.Fatal("and more")
					}
					t.Errorf("%s %s: %s", f.Rule, f.Subject, f.Text)
				}
				if want := int(day/(6*time.Second)) - 20; sums["main"].segments < want {
					t.Errorf("%d segments, want %d", sums["main"].segments, want)
				}
			})
		})
	}
}

// observe has the checker look at a playlist and returns its text.
func (b *bed) observe(c *check.Checker, path string) []byte {
	b.t.Helper()
	res := b.get(path)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	res.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	c.Observe(check.Response{URL: "http://origin" + path, At: time.Now(), Status: res.StatusCode, Header: res.Header, Body: body})
	return body
}

// sum adds up the printed durations of a rendition.
type sum struct {
	segments int
	next     uint64
	first    time.Time
	total    time.Duration
}

// add takes the segments that are new in a playlist.
func (s *sum) add(t *testing.T, text []byte, frame time.Duration) {
	t.Helper()
	m, err := playlist.ReadMedia(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, seg := range m.Segments {
		n := m.Sequence + uint64(i)
		if s.next == 0 {
			s.next, s.first = n, seg.Time
		}
		if n != s.next {
			continue
		}
		if seg.Gap || seg.Discontinuity || !strings.Contains(seg.URI, "/") {
			t.Fatalf("segment %d: %+v", n, seg)
		}
		if off := seg.Time.Sub(s.first) - s.total; off > frame || off < -frame || off.Abs() > 2*time.Millisecond {
			t.Fatalf("segment %d: its date is %v away from the sum of the durations before it", n, off)
		}
		s.total += seg.Duration.Std()
		s.next++
		s.segments++
	}
}
