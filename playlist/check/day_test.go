package check_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"headwater/playlist"
	"headwater/playlist/check"
)

// station makes a list as an origin does: a window of 10 segments over a
// stream with gaps and breaks.
type station struct {
	media playlist.Media
	at    time.Time // end of the newest segment
	rand  *rand.Rand
}

func newStation() *station {
	return &station{
		media: playlist.Media{TargetDuration: 7, Sequence: 296_000_000, DiscontinuitySequence: 4},
		at:    epoch,
		rand:  rand.New(rand.NewPCG(1, 2)),
	}
}

// next adds a segment and removes what has left the window.
func (s *station) next() {
	n := len(s.media.Segments)
	seg := playlist.Segment{URI: fmt.Sprintf("main/1/%d.ts", s.media.Sequence+uint64(n)), Gap: s.rand.IntN(50) == 0}
	if n > 0 && s.rand.IntN(20) == 0 {
		seg.Discontinuity = true
		s.at = s.at.Add(time.Duration(s.rand.IntN(3_000)) * time.Millisecond)
	}
	seg.Duration = playlist.Duration(560_000 + s.rand.IntN(90_000))
	seg.Time = s.at.Round(time.Millisecond)
	s.at = s.at.Add(seg.Duration.Std())
	s.media.Segments = append(s.media.Segments, seg)
	if n == 10 {
		if s.media.Segments[0].Discontinuity {
			s.media.DiscontinuitySequence++
		}
		s.media.Segments = s.media.Segments[1:]
		s.media.Sequence++
	}
}

// A day of a stream that keeps all rules gives no finding, and what the checker
// remembers of it is bounded.
func TestDay(t *testing.T) {
	s := newStation()
	c := check.New(check.Options{House: true})
	var text []byte
	for range 3 {
		s.next()
	}
	for end := s.at.Add(24 * time.Hour); s.at.Before(end); s.next() {
		var err error
		if text, err = s.media.Append(text[:0]); err != nil {
			t.Fatal(err)
		}
		c.Observe(answer(mainURL, string(text), s.at.Sub(epoch).Seconds()))
	}
	for _, f := range c.Findings() {
		t.Errorf("%v %s: %s", f.At, f.Rule, f.Text)
	}
}

func BenchmarkObserve(b *testing.B) {
	s := newStation()
	for range 60 {
		s.next()
	}
	text, err := s.media.Append(nil)
	if err != nil {
		b.Fatal(err)
	}
	c := check.New(check.Options{House: true})
	r := answer(mainURL, string(text), 0)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		c.Observe(r)
	}
}

// FuzzObserve: any answer after any other is taken without harm, and the same
// answer again has nothing new to find.
//
// Seeds: lists that keep the rules, and those of the rule tests that break
// numbers, dates and attribute lists. Of found ones, last-number and
// numbers-that-wrap guard against sums that wrap, uri-twice against a segment
// that is taken for another of its name, inserted-before against telling a
// change again at each answer.
func FuzzObserve(f *testing.F) {
	if seeds, err := filepath.Glob("testdata/fuzz/FuzzObserve/*"); err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		c := check.New(check.Options{})
		c.Observe(answer(mainURL, first, 0))
		c.Observe(answer(audioURL, second, 1))
		c.Observe(answer(mainURL, second, 2))
		n := len(c.Findings())
		c.Observe(answer(mainURL, second, 2))
		if got := c.Findings(); len(got) != n {
			t.Fatalf("the same answer again gives %+v", got[n:])
		}
		for _, f := range c.Findings() {
			if f.Rule == "" || f.Text == "" || f.Subject == "" {
				t.Fatalf("incomplete finding %+v", f)
			}
		}
	})
}

func Example() {
	c := check.New(check.Options{})
	c.Observe(check.Response{
		URL:    "https://example.com/live/main.m3u8",
		At:     time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC),
		Status: 200,
		Header: map[string][]string{"Content-Type": {"application/x-mpegURL"}, "Cache-Control": {"max-age=3"}},
		Body: []byte("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:9\n" +
			"#EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:00:00.000Z\n#EXTINF:7.5,\n9.ts\n"),
	})
	for _, f := range c.Findings() {
		if f.Level == check.Must {
			fmt.Println(f.Rule, f.Text)
		}
	}
	// Output:
	// A09 VERSION is 1, but must be at least 3: EXTINF has decimals
	// A12 segment 9 lasts 7.50000 s, more than the target duration of 6 s
	// D01 Content-Type is "application/x-mpegURL", not application/vnd.apple.mpegurl
}
