package segmenter_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// Streams of one programme have the same numbers for the same time, also after
// the source of one was replaced, in the middle of a segment or at its edge
// (hls-rules B18, B19).
func TestAlign(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream muxtest.Stream
		// replaced is when the first one's source is, from the start.
		replaced []time.Duration
		later    time.Duration // when the other one begins
	}{
		{"nothing happens", muxtest.RawAudio(mux.CodecMP3), nil, 0},
		{"once, within a segment", muxtest.RawAudio(mux.CodecMP3), []time.Duration{30 * time.Second}, 0},
		{"just before an edge", muxtest.RawAudio(mux.CodecMP3), []time.Duration{27_850 * time.Millisecond}, 0},
		{"at an edge", muxtest.RawAudio(mux.CodecMP3), []time.Duration{27_877 * time.Millisecond}, 0},
		{"often", muxtest.RawAudio(mux.CodecAAC), []time.Duration{30 * time.Second, 31 * time.Second, 33 * time.Second, 36 * time.Second}, 0},
		{"before the other one begins", muxtest.RawAudio(mux.CodecMP3), []time.Duration{30 * time.Second, 50 * time.Second}, 60 * time.Second},
		{"pictures", muxtest.AV(), []time.Duration{46 * time.Second}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := newOrigin(t, segmenter.Config{TargetDuration: 4 * time.Second}, &segmenter.MemoryRegistry{}, nil)
			b := newOrigin(t, segmenter.Config{TargetDuration: 4 * time.Second}, &segmenter.MemoryRegistry{}, nil)
			replaced := tt.replaced
			var shift mux.Ticks // of the source's clock
			first := mux.Ticks(-1)
			for _, u := range tt.stream.UnitsFor(120 * mux.ClockRate) {
				if first < 0 {
					first = u.DTS
				}
				at := (u.DTS - first).Duration()
				if len(replaced) > 0 && at >= replaced[0] {
					a.Follow(a.now)
					replaced, shift = replaced[1:], shift+1000*mux.ClockRate
				}
				both := a.Alignment().Max(b.Alignment())
				a.Align(both)
				b.Align(both)
				for _, o := range []*origin{a, b} {
					v := u
					if o == a && shift > 0 && u.Program.Timing == mux.TimingPTS {
						v = moved(u, shift)
					}
					if o == b && at < tt.later {
						continue
					}
					o.pass(noon.Add(at))
					o.Write([]*mux.Unit{v}, o.now)
					o.collect()
				}
			}
			checkRun(t, a)
			checkRun(t, b)
			if a.Alignment() != b.Alignment() {
				t.Errorf("alignments %+v and %+v", a.Alignment(), b.Alignment())
			}
			compared := 0
			for _, x := range a.slots[len(a.slots)-8:] {
				for _, y := range b.slots {
					if x.Sequence != y.Sequence {
						continue
					}
					compared++
					if d := x.Start - y.Start; d < -2200 || d > 2200 || x.Segments[0].DSN != y.Segments[0].DSN {
						t.Errorf("segment %d is %d ticks apart, DSN %d and %d\n%v\n%v", x.Sequence, d, x.Segments[0].DSN, y.Segments[0].DSN, a, b)
					}
				}
			}
			if compared < 6 {
				t.Errorf("%d segments have a number in both\n%v\n%v", compared, a, b)
			}
		})
	}
}

// moved returns a unit on another clock.
func moved(u *mux.Unit, by mux.Ticks) *mux.Unit {
	v := *u
	v.PTS, v.DTS, v.PCR, v.Frames = u.PTS+by, u.DTS+by, u.PCR+by, nil
	for _, f := range u.Frames {
		f.PTS += by
		v.Frames = append(v.Frames, f)
	}
	return &v
}
