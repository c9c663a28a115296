package segmenter_test

import (
	"slices"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// Where a source dies, its segment lasts as long as its media, also behind the
// edge of the next slot, and a gap begins where the segment ends, with pictures
// and with sound (hls-rules A12, A45, A50). Two that lose it there agree (H07).
func TestSourceDies(t *testing.T) {
	const frame = 1920 // of sound
	tests := []struct {
		name   string
		change func(*muxtest.Stream)
		detach bool
	}{
		{"connected", func(*muxtest.Stream) {}, false},
		{"disconnected", func(*muxtest.Stream) {}, true},
		{"sound first", func(s *muxtest.Stream) { s.AudioLag = -mux.ClockRate }, true},
		{"sound last", func(s *muxtest.Stream) { s.AudioLag = mux.ClockRate / 2 }, true},
		{"B pictures", func(s *muxtest.Stream) { s.BFrames = 3 }, true},
		{"keyframes each 6 s", func(s *muxtest.Stream) { s.GOP = 150 }, true},
		{"no sound", func(s *muxtest.Stream) { s.Audio = mux.CodecUnknown }, true},
		{"no pictures", func(s *muxtest.Stream) { s.Video = mux.CodecUnknown }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := muxtest.AV()
			tt.change(&stream)
			behind := 0 // segments that run on behind their slot
			for stop := 60 * time.Second; stop < 67*time.Second; stop += 280 * time.Millisecond {
				var twins [2]*origin
				registry := &segmenter.MemoryRegistry{}
				for i := range twins {
					o := newOrigin(t, segmenter.Config{}, registry, nil)
					o.feed(stream, 0, stop, func() time.Duration { return 1700 * time.Millisecond })
					if tt.detach {
						o.Detach(o.now)
					}
					o.pass(o.now.Add(time.Minute))
					checkRun(t, o)
					twins[i] = o
				}
				o := twins[0]
				if stream.Audio != mux.CodecUnknown {
					sameSegments(t, o, twins[1], 5)
				}
				for _, name := range []string{segmenter.RenditionMain, segmenter.RenditionAudio} {
					list := o.rendition(name)
					first := slices.IndexFunc(list, func(s *segmenter.Segment) bool { return s.Gap })
					if first < 0 {
						continue
					}
					a, b := list[first-1], list[first]
					if a.End > b.Start || name == segmenter.RenditionAudio && b.Start-a.End > 6*mux.ClockRate {
						t.Errorf("stopped at %v: %s/%d ends at %d, the gap behind it begins at %d", stop, name, a.Sequence, a.End, b.Start)
					}
					if name != segmenter.RenditionMain {
						continue
					}
					target := o.Status().Record.Target
					edge := mux.Ticks(b.Sequence) * target
					media := mux.FromTime(noon) + mux.FromDuration(stop+1700*time.Millisecond)
					if b.Start > edge+frame {
						behind++
					}
					begun := (b.Start-mux.FromTime(noon)-mux.FromDuration(1700*time.Millisecond))%(2*mux.ClockRate) == 0 || stream.Video == mux.CodecUnknown // by a keyframe; too little of it came
					if off := b.Start - max(edge, media); off < -frame-4*3600 && !(begun && off > -target/2) {
						t.Errorf("stopped at %v: segment %d ends %v before its media", stop, a.Sequence, (-off).Duration())
					}
				}
				if t.Failed() {
					t.Fatalf("stopped at %v\n%v", stop, o)
				}
			}
			if behind == 0 && stream.Video != mux.CodecUnknown {
				t.Error("no segment ran on behind its slot")
			}
		})
	}
}

// A source that was held up, and then sends what it had to, loses nothing of
// what lies behind the segment that the wall clock has closed.
func TestSourceStalls(t *testing.T) {
	stream := muxtest.AV()
	units := stream.UnitsFor(120 * mux.ClockRate)
	resumed := 0
	for stall := 60 * time.Second; stall < 67*time.Second; stall += 440 * time.Millisecond {
		for length := time.Second; length < 9*time.Second; length += 1300 * time.Millisecond {
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			for _, u := range units {
				sent := (u.DTS - units[0].DTS).Duration()
				if sent >= stall {
					sent = max(sent, stall+length)
				}
				o.pass(noon.Add(sent + 1700*time.Millisecond))
				o.Write([]*mux.Unit{u}, o.now)
				o.collect()
			}
			checkRun(t, o)
			if gaps, disc := o.counts(); gaps > 2 || disc > 0 || length < 3*time.Second && gaps > 0 {
				t.Errorf("held up at %v for %v: %d gaps, %d discontinuities", stall, length, gaps, disc)
			}
			for _, seg := range o.rendition(segmenter.RenditionMain) {
				if !seg.Independent {
					resumed++
				}
			}
			if t.Failed() {
				t.Fatalf("held up at %v for %v\n%v", stall, length, o)
			}
		}
	}
	if resumed == 0 {
		t.Error("no segment began where the one before was closed by the clock")
	}
}

// Media that is missing has a number of its own, so that dates and durations
// agree, although the source is back in the very next slot (hls-rules A45, A50).
func TestSourceReturnsInNextSlot(t *testing.T) {
	for stop := 60 * time.Second; stop < 67*time.Second; stop += 700 * time.Millisecond {
		for away := 3 * time.Second; away < 9*time.Second; away += 700 * time.Millisecond {
			stream := muxtest.AV()
			stream.Gaps = []muxtest.Gap{{From: mux.FromDuration(stop), To: mux.FromDuration(stop + away)}}
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.feed(stream, 0, 100*time.Second, func() time.Duration { return 1700 * time.Millisecond })
			checkRun(t, o)
			if gaps, disc := o.counts(); gaps > 2 || disc > 0 {
				t.Errorf("%d gaps, %d discontinuities", gaps, disc)
			}
			if t.Failed() {
				t.Fatalf("away from %v for %v\n%v", stop, away, o)
			}
		}
	}
}
