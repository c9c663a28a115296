package segmenter_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// An encoder that starts anew often sends sound from before its first picture.
// It is of the new clock, and has no place in the last segment of the old one.
func TestSoundBeforeFirstPictureOfNewClock(t *testing.T) {
	for _, away := range []time.Duration{100 * time.Millisecond, time.Second} {
		t.Run(away.String(), func(t *testing.T) {
			stream := muxtest.AV()
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.feed(stream, 0, 33*time.Second, nil)
			o.Detach(o.now)
			o.Attach(o.now)
			stream.Start = 3600 * mux.ClockRate
			again := 33*time.Second + away
			for _, u := range stream.UnitsFor(30 * mux.ClockRate) {
				if u.Track == 1 {
					c := *u
					c.PTS, c.DTS = c.PTS-mux.ClockRate/20, c.DTS-mux.ClockRate/20
					c.Frames = nil
					for _, f := range u.Frames {
						f.PTS -= mux.ClockRate / 20
						c.Frames = append(c.Frames, f)
					}
					u = &c
				}
				o.pass(noon.Add(again + (u.DTS - stream.Start).Duration()))
				o.Write([]*mux.Unit{u}, o.now)
				o.collect()
			}
			checkRun(t, o)
			if _, disc := o.counts(); disc != 1 {
				t.Fatalf("%d discontinuities\n%v", disc, o)
			}
			for _, seg := range o.rendition(segmenter.RenditionAudio) {
				if seg.Gap {
					continue
				}
				_, size, err := audio.ParseTimestampTag(data(seg))
				if err != nil {
					t.Fatal(err)
				}
				frames := 0
				for rest := data(seg)[size:]; len(rest) > 0; frames++ {
					h, err := codec.ParseADTS(rest)
					if err != nil {
						t.Fatal(err)
					}
					rest = rest[h.Size:]
				}
				want := mux.FromSamples(int64(frames)*1024, 48000)
				if d := seg.End - seg.Start; d < want-2 || d > want+2 { // hls-rules C23
					t.Errorf("segment %d lasts %d ticks, its %d frames %d", seg.Sequence, d, frames, want)
				}
			}
		})
	}
}
