package segmenter_test

import (
	"fmt"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// Wherever in its slot a keyframe lies, also as the last picture in it, the
// segment is cut there and not before it (hls-rules A20, H15).
func TestKeyframeAnywhereInSlot(t *testing.T) {
	for _, b := range []int{0, 1, 3} {
		for phase := range 100 {
			t.Run(fmt.Sprintf("%d B pictures, %d ms", b, 20*phase), func(t *testing.T) {
				stream := muxtest.AV()
				stream.GOP, stream.BFrames = 50, b
				o := newOrigin(t, segmenter.Config{TargetDuration: 2 * time.Second}, &segmenter.MemoryRegistry{}, nil)
				shift := time.Duration(phase) * 20 * time.Millisecond
				o.feed(stream, 0, 30*time.Second, func() time.Duration { return shift })
				checkRun(t, o)
				if st := o.Status(); st.Forced > 0 || len(o.slots) < 10 {
					t.Errorf("%d forced cuts, %d slots", st.Forced, len(o.slots))
				}
			})
		}
	}
}

// After keyframes were missing, the first one that comes begins a segment, and
// all later ones do (hls-rules A20).
func TestKeyframesComeBack(t *testing.T) {
	for _, gop := range []int{50, 150} {
		for _, b := range []int{0, 3} {
			for phase := range 15 {
				t.Run(fmt.Sprintf("GOP of %d, %d B pictures, %d ms", gop, b, 400*phase), func(t *testing.T) {
					stream := muxtest.AV()
					stream.GOP, stream.BFrames = gop, b
					o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
					for _, u := range stream.UnitsFor(120 * mux.ClockRate) {
						sent := (u.DTS - stream.Start).Duration()
						if sent > 35*time.Second && sent < 47*time.Second {
							c := *u
							c.Access = mux.AccessNone
							u = &c
						}
						o.pass(noon.Add(sent + time.Duration(phase)*400*time.Millisecond))
						o.Write([]*mux.Unit{u}, o.now)
						o.collect()
					}
					checkRun(t, o)
					segs := o.rendition(segmenter.RenditionMain)
					if gaps, _ := o.counts(); gaps > 0 || len(segs) < 12 {
						t.Fatalf("%d segments, %d gaps\n%v", len(segs), gaps, o)
					}
					for _, seg := range segs[len(segs)-8:] {
						if !seg.Independent {
							t.Errorf("segment %d is still not independent", seg.Sequence)
						}
					}
				})
			}
		}
	}
}
