package segmenter_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
	"headwater/segmenter"
)

// oldLimit is how long a segment with pictures may last, in the reading of
// VERSION 5 and below: the target duration, and a keyframe that is a little
// late (hls-rules A14).
func oldLimit(o *origin) mux.Ticks {
	return mux.Ticks(o.Status().Record.TargetDuration)*mux.ClockRate + mux.ClockRate/4
}

// without returns units whose pictures in [from, to) of media time are no keyframes.
func without(units []*mux.Unit, from, to mux.Ticks) []*mux.Unit {
	first := units[0].DTS
	out := make([]*mux.Unit, len(units))
	for i, u := range units {
		if t := u.DTS - first; u.Track == 0 && t >= from && t < to {
			c := *u
			c.Access = mux.AccessNone
			u = &c
		}
		out[i] = u
	}
	return out
}

// write feeds units as they come in real time, those from the media time from on.
func (o *origin) write(units []*mux.Unit, from time.Duration, lag time.Duration) {
	first := units[0].DTS
	for _, u := range units {
		sent := (u.DTS - first).Duration()
		if sent < from {
			continue
		}
		if at := noon.Add(sent + lag); o.slots == nil && o.now == noon {
			o.now = at
		} else {
			o.pass(at)
		}
		o.Write([]*mux.Unit{u}, o.now)
		o.collect()
	}
}

// pictures returns the least and the greatest PTS of the pictures in a segment,
// as sent.
func pictures(t testing.TB, seg *segmenter.Segment) (first, last mux.Ticks) {
	t.Helper()
	found := false
	see := func(units []*mux.Unit) {
		for _, u := range units {
			if !u.Program.Tracks[u.Track].Codec.Video() {
				continue
			}
			if !found {
				first, last, found = u.PTS, u.PTS, true
			}
			first, last = min(first, u.PTS), max(last, u.PTS)
		}
	}
	d := ts.NewDemuxer(ts.Options{})
	for b := bytes.NewReader(data(seg)); b.Len() > 0; {
		n, _ := b.Read(d.Buffer())
		see(d.Advance(n))
	}
	see(d.Flush())
	if !found {
		t.Fatalf("segment %d has no picture", seg.Sequence)
	}
	return first, last
}

// Where keyframes stop, segments are cut where they would have been: no EXTINF
// is longer than the target duration, by either reading, each is that of the
// pictures in it, and a process that joins anywhere cuts alike (hls-rules A12,
// A14, A16, A20, H07).
func TestForcedCutsOnTheGrid(t *testing.T) {
	tests := []struct {
		name   string
		change func(*muxtest.Stream)
	}{
		{"keyframes each 2 s", func(s *muxtest.Stream) {}},
		{"keyframes each 6 s", func(s *muxtest.Stream) { s.GOP = 150 }},
		{"keyframes each 4 s", func(s *muxtest.Stream) { s.GOP = 100 }},
		{"B pictures", func(s *muxtest.Stream) { s.BFrames = 2 }},
		{"many B pictures", func(s *muxtest.Stream) { s.BFrames = 4 }},
		{"NTSC", func(s *muxtest.Stream) { s.GOP, s.FrameRateNum, s.FrameRateDen, s.BFrames = 60, 30000, 1001, 2 }},
		{"a picture a second", func(s *muxtest.Stream) { s.GOP, s.FrameRateNum = 2, 1 }},
		{"a picture each two seconds", func(s *muxtest.Stream) { s.GOP, s.FrameRateNum, s.FrameRateDen = 3, 1, 2 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := muxtest.AV()
			tt.change(&stream)
			units := without(stream.UnitsFor(200*mux.ClockRate), 70*mux.ClockRate, 112*mux.ClockRate)
			for phase := range 4 { // of the keyframes in their slots
				registry := &segmenter.MemoryRegistry{}
				lag := time.Duration(phase) * 1700 * time.Millisecond
				a := newOrigin(t, segmenter.Config{}, registry, nil)
				a.write(units, 0, lag)
				checkRun(t, a)
				if a.Status().Forced == 0 {
					t.Fatalf("phase %d: no forced cut", phase)
				}
				offset := a.Status().Record.Points[0].Offset
				for _, seg := range a.rendition(segmenter.RenditionMain) {
					if seg.End-seg.Start > oldLimit(a) {
						t.Errorf("phase %d: segment %d lasts %v, target duration %d s", phase, seg.Sequence, seg.Duration(), a.Status().Record.TargetDuration)
					}
					first, last := pictures(t, seg)
					if got := (first + offset - seg.Start) & (mux.Wrap - 1); got != 0 {
						t.Errorf("phase %d: segment %d begins %d ticks after its date", phase, seg.Sequence, got)
					}
					if most := oldLimit(a) + mux.ClockRate/4; last-first >= most { // hls-rules A15
						t.Errorf("phase %d: segment %d holds %v of pictures", phase, seg.Sequence, (last - first).Duration())
					}
				}
				for join := 59 * time.Second; join < 119*time.Second; join += 13 * time.Second {
					b := newOrigin(t, segmenter.Config{}, registry, nil)
					b.write(units, join, lag)
					checkRun(t, b)
					sameSegments(t, a, b, 7)
				}
				if t.Failed() {
					t.Fatalf("phase %d\n%v", phase, a)
				}
			}
		})
	}
}

// Keyframes that have moved for good are reached again, over segments that are
// a little longer (hls-rules A14, A20).
func TestKeyframesMove(t *testing.T) {
	stream := muxtest.AV()
	units := without(stream.UnitsFor(300*mux.ClockRate), 60*mux.ClockRate, 400*mux.ClockRate)
	for i, u := range units { // each 50th picture from the 1540th on, not the 1550th
		if n := int((u.DTS - units[0].DTS) / 3600); u.Track == 0 && n > 1500 && n%50 == 40 {
			c := *u
			c.Access = mux.AccessRandom
			units[i] = &c
		}
	}
	for phase := range 8 {
		o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
		o.write(units, 0, time.Duration(phase)*250*time.Millisecond)
		checkRun(t, o)
		main := o.rendition(segmenter.RenditionMain)
		for _, seg := range main {
			if seg.End-seg.Start > oldLimit(o) {
				t.Errorf("phase %d: segment %d lasts %v", phase, seg.Sequence, seg.Duration())
			}
		}
		for _, seg := range main[20:] {
			if !seg.Independent || seg.Gap {
				t.Errorf("phase %d: segment %d, long after keyframes have moved: independent %v, gap %v", phase, seg.Sequence, seg.Independent, seg.Gap)
			}
		}
		if t.Failed() {
			t.Fatalf("%v", o)
		}
	}
}

// Whatever a source's pictures and wherever its keyframes stop and come back, a
// process that joins makes equal segments, none too long (hls-rules A12, A14, H07).
func TestAnyTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := muxtest.AV()
		stream.GOP = rapid.SampledFrom([]int{10, 25, 37, 50, 90, 150, 200}).Draw(t, "gop")
		stream.BFrames = rapid.IntRange(0, 5).Draw(t, "b")
		stream.OpenGOP = rapid.Bool().Draw(t, "open")
		stream.Start = mux.Ticks(rapid.Int64Range(0, int64(mux.Wrap)-1).Draw(t, "start"))
		stream.FramesPerPES = rapid.IntRange(1, 6).Draw(t, "frames")
		target := time.Duration(rapid.IntRange(2, 8).Draw(t, "target")) * time.Second
		from := rapid.IntRange(0, 60).Draw(t, "from")
		units := without(stream.UnitsFor(160*mux.ClockRate), mux.Ticks(60+from)*mux.ClockRate,
			mux.Ticks(60+from+rapid.IntRange(0, 40).Draw(t, "away"))*mux.ClockRate)
		lag := time.Duration(rapid.IntRange(0, 10_000).Draw(t, "lag")) * time.Millisecond
		join := time.Duration(rapid.IntRange(40_000, 120_000).Draw(t, "join")) * time.Millisecond

		registry := &segmenter.MemoryRegistry{}
		var both [2]*origin
		for i, begin := range []time.Duration{0, join} {
			s, err := segmenter.New(segmenter.Config{TargetDuration: target}, registry, nil)
			if err != nil {
				t.Fatal(err)
			}
			both[i] = &origin{Segmenter: s, registry: registry, now: noon}
			both[i].write(units, begin, lag)
		}
		a, b := both[0], both[1]
		of := map[uint64]*segmenter.Segment{}
		for _, seg := range a.rendition(segmenter.RenditionMain) {
			of[seg.Sequence] = seg
			if seg.End-seg.Start > oldLimit(a) {
				t.Errorf("segment %d lasts %v, target duration %d s", seg.Sequence, seg.Duration(), a.Status().Record.TargetDuration)
			}
		}
		for _, y := range b.rendition(segmenter.RenditionMain) {
			if x := of[y.Sequence]; x != nil && !x.Gap && !y.Gap && (x.Start != y.Start || x.End != y.End || x.Sum != y.Sum) {
				t.Errorf("segment %d: %v + %v, and %v + %v", y.Sequence, x.Start, x.End-x.Start, y.Start, y.End-y.Start)
			}
		}
		if t.Failed() {
			t.Fatalf("a:\n%v\nb:\n%v", a, b)
		}
	})
}
