package segmenter_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// A source that takes the place of another one goes on where that has ended,
// behind one DISCONTINUITY: no media is marked as missing (hls-rules A27, C30).
func TestFollow(t *testing.T) {
	mp3, aac, av := muxtest.RawAudio(mux.CodecMP3), muxtest.RawAudio(mux.CodecAAC), muxtest.AV()
	late := av
	late.Start = 7200 * mux.ClockRate
	for _, tt := range []struct {
		name    string
		sources [3]muxtest.Stream
		silent  time.Duration // between two of them
		missing time.Duration // at most, of what is not in a segment
	}{
		{"the same format, at once", [3]muxtest.Stream{mp3, mp3, mp3}, 0, 0},
		{"the same format, after less than two seconds", [3]muxtest.Stream{mp3, mp3, mp3}, 1500 * time.Millisecond, 0},
		{"the same format, after four", [3]muxtest.Stream{mp3, mp3, mp3}, 4 * time.Second, 9 * time.Second},
		{"other codecs", [3]muxtest.Stream{mp3, aac, mp3}, 100 * time.Millisecond, 0},
		{"pictures with another clock", [3]muxtest.Stream{av, late, av}, 100 * time.Millisecond, 0},
		{"sound for pictures", [3]muxtest.Stream{av, aac, late}, 100 * time.Millisecond, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t, segmenter.Config{TargetDuration: 4 * time.Second}, &segmenter.MemoryRegistry{}, nil)
			at := noon
			for i, source := range tt.sources {
				if i > 0 {
					o.Follow(o.now)
				}
				for x, u := range source.UnitsFor(21 * mux.ClockRate) {
					if x == 0 {
						at = at.Add(-(u.DTS).Duration())
					}
					o.pass(at.Add(u.DTS.Duration()))
					o.Write([]*mux.Unit{u}, o.now)
					o.collect()
				}
				at = o.now.Add(tt.silent)
			}
			o.pass(o.now.Add(10 * time.Second))
			checkRun(t, o)
			if _, disc := o.counts(); disc != 2 {
				t.Errorf("%d discontinuities, want 2\n%v", disc, o)
			}
			var missing mux.Ticks
			for i, slot := range o.slots[1:] {
				if a, b := o.slots[i].Segments[0], slot.Segments[0]; slot.Segments[0].Gap && i < len(o.slots)-5 {
					missing += b.End - b.Start
				} else {
					missing += b.Start - a.End
				}
			}
			if missing.Duration() > tt.missing || (missing > 0) != (tt.missing > 0) {
				t.Errorf("%v are missing, want at most %v\n%v", missing.Duration(), tt.missing, o)
			}
		})
	}
}
