package segmenter_test

import (
	"bytes"
	"fmt"
	"iter"
	"math"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// origin is a segmenter fed in simulated time.
type origin struct {
	*segmenter.Segmenter
	registry segmenter.Registry
	slots    []*segmenter.Slot
	units    []*mux.Unit // for the continuous outputs
	now      time.Time
	cues     []cue // titles that feed puts on units of audio
}

// cue is a title that is played from a time of the media on.
type cue struct {
	at    time.Duration
	title mux.Title
}

// stamp returns u, which lies at t of the media, with the newest of cues that is
// due, if that has changed.
func stamp(cues []cue, u *mux.Unit, t, before mux.Ticks) *mux.Unit {
	if !u.Program.Tracks[u.Track].Codec.Audio() {
		return u
	}
	for i := len(cues) - 1; i >= 0; i-- {
		if at := mux.FromDuration(cues[i].at); at <= t && at > before {
			with := *u
			with.Title = &cues[i].title
			return &with
		}
	}
	return u
}

// noon is when simulated streams begin.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 123_000_000, time.UTC)

func newOrigin(t testing.TB, cfg segmenter.Config, r segmenter.Registry, last *segmenter.Slot) *origin {
	t.Helper()
	s, err := segmenter.New(cfg, r, last)
	if err != nil {
		t.Fatal(err)
	}
	return &origin{Segmenter: s, registry: r, now: noon}
}

// feed writes the units of s whose time lies in [from, to), as they arrive:
// delay after the instant at which they are sent. Time passes in between.
func (o *origin) feed(s muxtest.Stream, from, to time.Duration, delay func() time.Duration) {
	lo, hi := mux.FromDuration(from), mux.FromDuration(to)
	units, stop := iter.Pull(s.Units())
	defer stop()
	heard := mux.Ticks(-1) // time of the last audio
	for x := range s.Samples() {
		if x.Time >= hi {
			break
		}
		u, _ := units()
		if u.Program.Tracks[u.Track].Codec.Audio() {
			t := x.Time - s.AudioLag
			u = stamp(o.cues, u, t, heard)
			heard = t
		}
		if x.Time < lo {
			continue
		}
		at := noon.Add(x.Time.Duration())
		if delay != nil {
			at = at.Add(delay())
		}
		o.pass(at)
		o.Write([]*mux.Unit{u}, o.now)
		o.collect()
	}
}

// pass lets time pass until t.
func (o *origin) pass(t time.Time) {
	for {
		next := o.now.Truncate(100 * time.Millisecond).Add(100 * time.Millisecond)
		if next.After(t) {
			break
		}
		o.now = next
		o.Advance(next)
		o.collect()
	}
	if t.After(o.now) {
		o.now = t
	}
}

func (o *origin) collect() {
	out := o.Take()
	o.slots = append(o.slots, out.Slots...)
	o.units = append(o.units, out.Units...)
	if len(o.units) > 10_000 {
		o.units = nil
	}
}

// last returns the newest slot, as a process that restarts finds it in the store.
func (o *origin) last() *segmenter.Slot {
	if len(o.slots) == 0 {
		return nil
	}
	return o.slots[len(o.slots)-1]
}

// main returns the segments of the main rendition.
func (o *origin) rendition(name string) []*segmenter.Segment {
	var list []*segmenter.Segment
	for _, slot := range o.slots {
		for _, seg := range slot.Segments {
			if seg.Rendition == name {
				list = append(list, seg)
			}
		}
	}
	return list
}

// data returns the bytes of a segment.
func data(seg *segmenter.Segment) []byte { return bytes.Join(seg.Data, nil) }

// checkRun checks what holds for any run of slots: the rules of section A that
// concern the segments themselves.
func checkRun(t testing.TB, o *origin) {
	t.Helper()
	rec := o.Status().Record
	for i, slot := range o.slots {
		for _, seg := range slot.Segments {
			if seg.Sequence != slot.Sequence {
				t.Fatalf("slot %d holds segment %d", slot.Sequence, seg.Sequence)
			}
			extinf := seg.Duration().Seconds()
			if seg.End <= seg.Start { // hls-rules A19
				t.Errorf("segment %s/%d has no length", seg.Rendition, seg.Sequence)
			}
			if int(math.Floor(extinf+0.5)) > rec.TargetDuration { // hls-rules A12
				t.Errorf("segment %s/%d lasts %.3f s, target duration %d", seg.Rendition, seg.Sequence, extinf, rec.TargetDuration)
			}
			if seg.Gap != (seg.Data == nil) || seg.Size != int64(len(data(seg))) {
				t.Errorf("segment %s/%d: gap %v, %d bytes, size %d", seg.Rendition, seg.Sequence, seg.Gap, len(data(seg)), seg.Size)
			}
		}
		if i == 0 {
			if slot.Segments[0].Discontinuity { // hls-rules G07
				t.Error("the first segment has a discontinuity")
			}
			continue
		}
		before := o.slots[i-1]
		a, b := before.Segments[0], slot.Segments[0]
		if slot.Sequence != before.Sequence+1 { // hls-rules A21
			t.Fatalf("slot %d follows %d", slot.Sequence, before.Sequence)
		}
		want := a.DSN
		if b.Discontinuity {
			want++
		}
		if b.DSN != want { // hls-rules A26
			t.Errorf("slot %d: DSN %d after %d, discontinuity %v", b.Sequence, b.DSN, a.DSN, b.Discontinuity)
		}
		if b.Start < a.Start {
			t.Errorf("slot %d starts before its predecessor", b.Sequence)
		}
		if joined(a, b) && a.End != b.Start { // hls-rules A16, A45, A50
			t.Errorf("slot %d ends at %d, the next starts at %d", a.Sequence, a.End, b.Start)
		}
	}
}

// gaps returns how many slots are gaps, and how many have a discontinuity.
func (o *origin) counts() (gaps, discontinuities int) {
	for _, slot := range o.slots {
		if slot.Segments[0].Gap {
			gaps++
		}
		if slot.Segments[0].Discontinuity {
			discontinuities++
		}
	}
	return gaps, discontinuities
}

func (o *origin) String() string {
	s := ""
	for _, slot := range o.slots {
		m := slot.Segments[0]
		s += fmt.Sprintf("%d %.3f+%.3f gap=%v disc=%v dsn=%d size=%d\n", m.Sequence, m.Start.Time().Sub(noon).Seconds(), m.Duration().Seconds(), m.Gap, m.Discontinuity, m.DSN, m.Size)
	}
	return s
}
