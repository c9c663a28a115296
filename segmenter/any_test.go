package segmenter_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// Whatever a source does, numbers run on, no segment is too long, and what is
// held back is bounded.
func TestAnySource(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		registry := &segmenter.MemoryRegistry{}
		cfg := segmenter.Config{TargetDuration: time.Duration(rapid.IntRange(1, 8).Draw(t, "target")) * time.Second}
		s, err := segmenter.New(cfg, registry, nil)
		if err != nil {
			t.Fatal(err)
		}
		now := noon
		var last *segmenter.Slot
		take := func() {
			for _, slot := range s.Take().Slots {
				if last != nil && slot.Sequence != last.Sequence+1 {
					t.Fatalf("slot %d follows %d", slot.Sequence, last.Sequence)
				}
				if last != nil && joined(last.Segments[0], slot.Segments[0]) && last.End != slot.Start { // hls-rules A45, A50
					t.Fatalf("slot %d ends at %d, the next starts at %d", last.Sequence, last.End, slot.Start)
				}
				for _, seg := range slot.Segments {
					limit := mux.Ticks(2*s.Status().Record.TargetDuration+1) * mux.ClockRate / 2
					if seg.End <= seg.Start || seg.End-seg.Start >= limit { // hls-rules A12, A19
						t.Fatalf("segment %s/%d lasts %v of at most %v", seg.Rendition, seg.Sequence, seg.Duration(), limit.Duration())
					}
					if last != nil && seg.DSN < last.Segments[0].DSN {
						t.Fatalf("segment %d: DSN falls", seg.Sequence)
					}
				}
				last = slot
			}
		}
		stream := muxtest.AV()
		for range rapid.IntRange(1, 6).Draw(t, "runs") {
			stream.GOP = rapid.SampledFrom([]int{1, 10, 50, 100, 250, -1}).Draw(t, "gop")
			stream.BFrames = rapid.IntRange(0, 2).Draw(t, "b")
			stream.OpenGOP = rapid.Bool().Draw(t, "open")
			stream.Start = mux.Ticks(rapid.Int64Range(0, int64(mux.Wrap)-1).Draw(t, "start"))
			stream.AudioLag = mux.Ticks(rapid.IntRange(-90_000, 300_000).Draw(t, "lag"))
			skip := rapid.SampledFrom([]int{-1, -1, 0, 1}).Draw(t, "skip")
			speed := rapid.SampledFrom([]float64{0.5, 1, 1, 1, 20}).Draw(t, "speed")
			s.Attach(now)
			start := now
			units := stream.UnitsFor(mux.Ticks(rapid.IntRange(0, 60*mux.ClockRate).Draw(t, "length")))
			jumpAt := rapid.IntRange(0, 4000).Draw(t, "jumpAt")
			jump := rapid.SampledFrom([]mux.Ticks{0, 0, -50_000, 100_000, 1_000_000, -1_000_000, 1 << 33}).Draw(t, "jump")
			for i, u := range units {
				if u.Track == skip {
					continue
				}
				if i >= jumpAt {
					c := *u
					c.PTS, c.DTS, c.PCR = c.PTS+jump, c.DTS+jump, c.PCR+jump
					c.Frames = slices.Clone(c.Frames)
					for i := range c.Frames {
						c.Frames[i].PTS += jump
					}
					u = &c
				}
				at := start.Add(time.Duration(float64((u.DTS - units[0].DTS).Duration()) / speed))
				for ; now.Before(at) && at.Sub(now) < time.Hour; now = now.Add(100 * time.Millisecond) {
					s.Advance(now)
					take()
				}
				s.Write([]*mux.Unit{u}, now)
				take()
			}
			s.Detach(now)
			for range rapid.IntRange(0, 600).Draw(t, "silence") {
				now = now.Add(100 * time.Millisecond)
				s.Advance(now)
				take()
			}
			if rapid.Bool().Draw(t, "restart") {
				if s, err = segmenter.New(cfg, registry, last); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// joined reports whether the dates of two segments that follow each other have
// to agree: behind a gap, media begins when it is there again.
func joined(a, b *segmenter.Segment) bool { return !b.Discontinuity && (b.Gap || !a.Gap) }

// ExampleSegmenter cuts half a minute of a stream that has a keyframe each two seconds.
func ExampleSegmenter() {
	s, err := segmenter.New(segmenter.Config{TargetDuration: 6 * time.Second}, &segmenter.MemoryRegistry{}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	connected := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s.Attach(connected)
	for _, u := range muxtest.AV().UnitsFor(30 * mux.ClockRate) {
		s.Write([]*mux.Unit{u}, connected.Add((u.DTS - 10*mux.ClockRate).Duration()))
	}
	for _, slot := range s.Take().Slots {
		m := slot.Segments[0]
		fmt.Println(m.Sequence, m.Start.Time().Format("15:04:05.000"), m.Duration())
	}
	// Output:
	// 299210400 12:00:00.000 6s
	// 299210401 12:00:06.000 6s
	// 299210402 12:00:12.000 6s
	// 299210403 12:00:18.000 6s
}
