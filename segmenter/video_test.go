package segmenter_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// A stream whose keyframes stop is cut without them, so that the target
// duration holds (hls-rules A12, A20).
func TestForcedCuts(t *testing.T) {
	units := muxtest.AV().UnitsFor(120 * mux.ClockRate)
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	for _, u := range units {
		if u.Track == 0 && u.PTS > 40*mux.ClockRate {
			c := *u
			c.Access = mux.AccessNone
			u = &c
		}
		o.pass(noon.Add((u.DTS - 10*mux.ClockRate).Duration()))
		o.Write([]*mux.Unit{u}, o.now)
		o.collect()
	}
	checkRun(t, o)
	st := o.Status()
	if st.Forced < 10 || !strings.Contains(strings.Join(st.Notes, "\n"), "no keyframe came within 6 s") {
		t.Errorf("%d forced cuts, notes %q", st.Forced, st.Notes)
	}
	for _, slot := range o.slots[6:] {
		if seg := slot.Segments[0]; seg.Independent || seg.Gap {
			t.Errorf("segment %d: independent %v, gap %v", seg.Sequence, seg.Independent, seg.Gap)
		}
	}
}

// When keyframes come again, segments begin with them again, in a process that
// saw them stop and in one that joins later (hls-rules A20, H07).
func TestForcedCutsEnd(t *testing.T) {
	for phase := range 8 {
		registry := &segmenter.MemoryRegistry{}
		a := newOrigin(t, segmenter.Config{}, registry, nil)
		b := newOrigin(t, segmenter.Config{}, registry, nil)
		for _, u := range muxtest.AV().UnitsFor(160 * mux.ClockRate) {
			sent := (u.DTS - 10*mux.ClockRate).Duration()
			if u.Track == 0 && sent > 60*time.Second && sent < 75*time.Second {
				c := *u
				c.Access = mux.AccessNone
				u = &c
			}
			at := noon.Add(sent + time.Duration(phase)*250*time.Millisecond)
			a.pass(at)
			a.Write([]*mux.Unit{u}, at)
			a.collect()
			if sent < 70*time.Second {
				b.now = at
				continue
			}
			b.pass(at)
			b.Write([]*mux.Unit{u}, at)
			b.collect()
		}
		checkRun(t, a)
		forced := 0
		for _, seg := range a.rendition(segmenter.RenditionMain) {
			if !seg.Independent {
				forced++
			}
		}
		if forced == 0 || forced > 4 {
			t.Errorf("phase %d: %d segments without a keyframe at their start\n%v", phase, forced, a)
		}
		a.slots = a.slots[len(a.slots)-8:]
		sameSegments(t, a, b, 8)
	}
}

// A stream without any keyframe is not published, and ends nothing.
func TestNoKeyframe(t *testing.T) {
	stream := muxtest.AV()
	stream.NoIDR, stream.GOP = true, -1
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	o.feed(stream, 0, 100*time.Second, nil)
	if notes := strings.Join(o.Status().Notes, "\n"); len(o.slots) != 0 || !strings.Contains(notes, "sends no keyframe") {
		t.Errorf("%d slots, notes %q", len(o.slots), notes)
	}
}

// Open GOPs are cut at recovery points when no IDR comes (hls-rules C11).
func TestOpenGOP(t *testing.T) {
	stream := muxtest.AV()
	stream.OpenGOP, stream.BFrames = true, 1
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	o.feed(stream, 0, 60*time.Second, nil)
	checkRun(t, o)
	if rec := o.Status().Record; !rec.Recovery || rec.TargetDuration != 6 || len(o.slots) < 7 {
		t.Errorf("recovery %v, target duration %d, %d slots", rec.Recovery, rec.TargetDuration, len(o.slots))
	}
}

// MPEG-2 video starts at I pictures: it has no IDR that could be missed (hls-rules C11).
func TestMPEG2Video(t *testing.T) {
	stream := muxtest.AV()
	stream.OpenGOP, stream.BFrames = true, 2
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	units := stream.UnitsFor(60 * mux.ClockRate)
	p := *units[0].Program
	p.Tracks = slices.Clone(p.Tracks)
	p.Tracks[0].Codec = mux.CodecMPEG2Video
	for i, u := range units {
		c := *u
		c.Program = &p
		units[i] = &c
	}
	o.write(units, 0, 0)
	checkRun(t, o)
	notes := strings.Join(o.Status().Notes, "; ")
	if len(o.slots) < 7 || strings.Contains(notes, "IDR") || !strings.Contains(notes, "MPEG-2") {
		t.Errorf("%d slots, notes %q", len(o.slots), notes)
	}
}

// Every unit of the chosen tracks is in exactly one segment, whole and in
// order, however late the audio stands in the file (hls-rules C12-C14).
func TestEveryUnitOnce(t *testing.T) {
	for _, lag := range []time.Duration{0, 200 * time.Millisecond, 450 * time.Millisecond, 1500 * time.Millisecond, -300 * time.Millisecond} {
		t.Run(lag.String(), func(t *testing.T) {
			stream := muxtest.AV()
			stream.AudioLag, stream.FramesPerPES, stream.BFrames = mux.FromDuration(lag), 6, 2
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.feed(stream, 0, 65*time.Second, nil)
			checkRun(t, o)
			var want [2][]byte
			for _, u := range stream.UnitsFor(70 * mux.ClockRate) {
				want[u.Track] = append(want[u.Track], bytes.Join(u.Packets, nil)...)
			}
			var got [2][]byte
			var starts []mux.Ticks
			for _, seg := range o.rendition(segmenter.RenditionMain) {
				b := data(seg)
				for i := 0; i < len(b); i += mux.PacketSize {
					p := b[i : i+mux.PacketSize]
					if p[0] != 0x47 {
						t.Fatalf("segment %d: packet %d has no sync byte", seg.Sequence, i/mux.PacketSize)
					}
					switch pid := mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2]); pid {
					case muxtest.VideoPID:
						got[0] = append(got[0], p...)
					case muxtest.AudioPID:
						got[1] = append(got[1], p...)
					}
				}
				starts = append(starts, seg.Start)
			}
			if !bytes.HasPrefix(want[0], got[0]) || len(got[0]) < len(want[0])*4/5 {
				t.Errorf("video: %d bytes are not the first of %d", len(got[0]), len(want[0]))
			}
			first := bytes.Index(want[1], got[1])
			if first < 0 || first > len(want[1])/50 || len(got[1]) < len(want[1])*4/5 {
				t.Errorf("audio: %d bytes are not a run of %d (at %d)", len(got[1]), len(want[1]), first)
			}
			if st := o.Status(); st.Late+st.Dropped > 0 {
				t.Errorf("%d late, %d dropped", st.Late, st.Dropped)
			}
			if len(starts) < 8 {
				t.Errorf("%d segments", len(starts))
			}
		})
	}
}

// A track that is declared but sends nothing does not hold the stream up.
func TestPhantomTrack(t *testing.T) {
	for track, name := range []string{"video", "audio"} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			for _, u := range muxtest.AV().UnitsFor(60 * mux.ClockRate) {
				if u.Track == track {
					continue
				}
				o.pass(noon.Add((u.DTS - 10*mux.ClockRate).Duration()))
				o.Write([]*mux.Unit{u}, o.now)
				o.collect()
			}
			checkRun(t, o)
			if gaps, disc := o.counts(); len(o.slots) < 8 || gaps+disc > 0 {
				t.Errorf("%d gaps, %d discontinuities\n%v", gaps, disc, o)
			}
		})
	}
}
