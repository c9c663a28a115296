package segmenter_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// As many titles as come in a segment are told, and the counters are right.
func TestTitleStorm(t *testing.T) {
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	for i := range 300 {
		o.cues = append(o.cues, cue{20*time.Second + time.Duration(i)*25*time.Millisecond, mux.Title{Name: fmt.Sprint(i)}})
	}
	o.feed(muxtest.RawAudio(mux.CodecMP3), 0, 60*time.Second, nil)
	checkRun(t, o)
	cc := map[mux.PID]uint8{}
	heard := map[string]bool{}
	for _, slot := range o.slots {
		for _, x := range titlesTS(t, data(slot.Segments[0]), cc) {
			heard[x.title.Name] = true
		}
		titlesPacked(t, data(slot.Segments[1]))
	}
	if len(heard) != 300 {
		t.Errorf("%d titles were told, want 300", len(heard))
	}
}

// The continuous output of raw audio tells each title where it begins, and
// again within a segment's time.
func TestTitlesInContinuousOutput(t *testing.T) {
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	o.cues = someCues
	o.feed(muxtest.RawAudio(mux.CodecMP3), 0, 100*time.Second, nil)
	cc := map[mux.PID]uint8{}
	var all []told
	for _, u := range o.units {
		got := titlesTS(t, bytes.Join(u.Packets, nil), cc)
		for _, x := range got {
			if u.Program.Tracks[u.Track].Codec != mux.CodecID3 || x.at != u.PTS&(mux.Wrap-1) {
				t.Errorf("a title at %d in a unit of %v at %d", x.at, u.Program.Tracks[u.Track].Codec, u.PTS)
			}
		}
		all = append(all, got...)
	}
	for _, c := range someCues {
		at := (mux.FromTime(noon) + mux.FromDuration(c.at)) & (mux.Wrap - 1)
		if !slices.ContainsFunc(all, func(x told) bool { return x.title == c.title && x.at-at <= 2160 && at-x.at <= 2 }) {
			t.Errorf("%v is not told at %d: %v", c.title, at, all)
		}
	}
	if len(all) < 15 || len(all) > 25 {
		t.Errorf("%d titles were told", len(all))
	}
}
