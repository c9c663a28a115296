package segmenter_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// Dates and durations are those of the media, of pictures in one rendition and
// of sound in the other, whenever it arrives: what the network does, and what
// is done to the wall clock, moves none (hls-rules A17, A45, A46, A48).
func TestDatesAreOfTheMedia(t *testing.T) {
	stream := muxtest.AV()
	stream.BFrames = 2
	for _, tt := range []struct {
		name  string
		delay func(n int) time.Duration // of the nth unit
	}{
		{"at once", func(int) time.Duration { return 0 }},
		{"with jitter", func() func(int) time.Duration {
			random := rand.New(rand.NewPCG(1, 2))
			return func(int) time.Duration { return time.Duration(random.IntN(900)) * time.Millisecond }
		}()},
		{"the wall clock is set forward", func(n int) time.Duration {
			if n > 3000 {
				return 1900 * time.Millisecond
			}
			return 0
		}},
		{"the wall clock is set back", func(n int) time.Duration {
			if n > 3000 {
				return 0
			}
			return 1900 * time.Millisecond
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			units := stream.UnitsFor(120 * mux.ClockRate)
			for n, u := range units {
				at := noon.Add((u.DTS - units[0].DTS).Duration() + tt.delay(n))
				o.pass(at)
				o.Write([]*mux.Unit{u}, at)
				o.collect()
			}
			checkRun(t, o)
			offset := o.Status().Record.Points[0].Offset
			if n := len(o.Status().Record.Points); n != 1 {
				t.Fatalf("%d points of the time line, want 1", n)
			}
			main, audio := o.rendition(segmenter.RenditionMain), o.rendition(segmenter.RenditionAudio)
			if len(main) < 17 || len(audio) != len(main) {
				t.Fatalf("%d segments of main, %d of audio", len(main), len(audio))
			}
			for i, seg := range main {
				first, _ := pictures(t, seg)
				if off := (first + offset - seg.Start) & (mux.Wrap - 1); off != 0 {
					t.Errorf("segment %d begins %d ticks from its first picture", seg.Sequence, off)
				}
				const frame = 1920 // of sound, in ticks
				length := audio[i].End - audio[i].Start
				if off := audio[i].Start - seg.Start; off < 0 || off >= frame || length%frame != 0 {
					t.Errorf("audio/%d begins %d ticks behind the pictures and lasts %d", seg.Sequence, off, length)
				}
			}
		})
	}
}
