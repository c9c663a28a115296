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
			if x, y := a.Alignment(), b.Alignment(); x.Base != y.Base || x.DSN != y.DSN {
				t.Errorf("alignments %+v and %+v", x, y)
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

// What one encoder sends as several streams is cut at the same pictures, though
// one arrives later than the other; what another one sends is not taken for it
// (hls-rules B17, H11).
func TestAlignClocks(t *testing.T) {
	for _, tt := range []struct {
		name string
		late time.Duration // the second stream's arrival
		by   mux.Ticks     // its clock
		same bool          // cuts at the same timestamps
	}{
		{"at once", 0, 0, true},
		{"jitter", 170 * time.Millisecond, 0, true},
		{"another encoder that began later", 700 * time.Millisecond, 0, false},
		{"another clock", 10 * time.Millisecond, 1000 * mux.ClockRate, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stream := muxtest.Audio(mux.CodecAAC)
			var origins []*origin
			for range 2 {
				origins = append(origins, newOrigin(t, segmenter.Config{TargetDuration: 4 * time.Second}, &segmenter.MemoryRegistry{}, nil))
			}
			var first mux.Ticks
			units := stream.UnitsFor(60 * mux.ClockRate)
			first = units[0].DTS
			for _, u := range units {
				for i, o := range origins {
					at := noon.Add((u.DTS - first).Duration() + time.Duration(i)*tt.late)
					both := origins[0].Alignment().Max(origins[1].Alignment())
					o.Align(both)
					o.pass(at)
					o.Write([]*mux.Unit{moved(u, mux.Ticks(i)*tt.by)}, o.now)
					o.collect()
				}
			}
			offset := func(o *origin) mux.Ticks { return o.Status().Record.Points[0].Offset }
			if same := offset(origins[0]) == offset(origins[1]); same != tt.same {
				t.Errorf("offsets %d and %d, want the same: %v", offset(origins[0]), offset(origins[1]), tt.same)
			}
			for _, o := range origins {
				checkRun(t, o)
			}
			if x, y := origins[0].slots, origins[1].slots; tt.same && (len(x) < 10 || x[5].Start != y[5].Start || x[5].Sequence != y[5].Sequence) {
				t.Errorf("the fifth segments are\n%v\n%v", origins[0], origins[1])
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
