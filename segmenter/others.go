package segmenter

import (
	"fmt"
	"math"
	"slices"

	"headwater/mux"
)

// Bounds of what is held for the reference track to catch up.
const (
	maxHeld    = 1024
	maxWaiting = 4096
)

// waiting holds units and frames of the other tracks until it is certain that
// no cut lies before them: until the reference track has got as far.
type waiting struct {
	held   []arrival   // whose clock does not fit the reference track's, yet
	units  []*mux.Unit // not placed
	frames []mux.Frame // not placed, with epoch times
	seen   mux.Ticks   // newest epoch time of audio
	expect mux.Ticks   // epoch time of the audio that comes next, 0 if not known
}

func (w *waiting) clear() { *w = waiting{} }

// other takes a unit of a track that follows the reference track.
func (s *Segmenter) other(a arrival) {
	u := a.unit
	e := s.clock.epoch(u.PTS)
	if !s.clock.mapped || s.clock.fresh || abs(e-s.clock.epoch(s.clock.newest)) > jumpAhead {
		s.hold(a)
		return
	}
	s.titles.saw(u, s.clock.shift)
	w := &s.ahead
	w.units = append(w.units, u)
	if u.Track == s.layout.audio {
		w.seen = max(w.seen, e)
		if o := s.slots.current; o != nil && w.expect > 0 && e-w.expect > mux.ClockRate/20 {
			o.dirty = true // frames are missing
		}
		w.expect = e + s.length(u)
		w.frames = appendFrames(w.frames, u.Frames, s.clock.shift)
	}
	if len(w.units) > maxWaiting {
		s.stats.dropped++
		w.units = w.units[1:]
	}
	if len(w.frames) > maxWaiting {
		w.frames = w.frames[1:]
	}
	s.release(s.clock.epoch(s.clock.newest))
}

// hold keeps a unit whose clock does not fit until the reference track's jumps
// too. Notes about it are the same each time: there is no bound to their number.
func (s *Segmenter) hold(a arrival) {
	p := a.unit.Program
	codec := p.Tracks[a.unit.Track].Codec
	lost := s.clock.mapped && !s.clock.fresh && a.at.Sub(s.clock.arrived) > mux.Ticks(measureSilent).Duration()
	if lost {
		s.note(fmt.Sprintf("the %s track stopped while the %s track went on; nothing is published until it is back", p.Tracks[s.layout.ref].Codec, codec))
	}
	s.ahead.held = append(s.ahead.held, a)
	if len(s.ahead.held) <= maxHeld {
		return
	}
	s.ahead.held = s.ahead.held[1:]
	s.stats.dropped++
	if s.clock.mapped && !lost {
		s.note(fmt.Sprintf("the %s track's timestamps are more than %d s away from the video's; it is left out", codec, jumpAhead/mux.ClockRate))
	}
}

// replay takes what was held, now that the clock is mapped anew.
func (s *Segmenter) replay() {
	held := s.ahead.held
	s.ahead.held = nil
	for _, a := range held {
		s.other(a)
	}
}

// release places what waits up to epoch time d: every later cut lies after it.
func (s *Segmenter) release(d mux.Ticks) {
	if start, ok := s.slots.newest(); ok {
		d = max(d, start-1)
	}
	if !s.changed { // a new format begins at the next keyframe, not here
		s.placeUpTo(d)
	}
}

// releaseAll places all that waits: the clock that it is on has ended.
func (s *Segmenter) releaseAll() { s.placeUpTo(math.MaxInt64) }

func (s *Segmenter) placeUpTo(d mux.Ticks) {
	w := &s.ahead
	kept := w.units[:0]
	for _, u := range w.units {
		if e := s.clock.epoch(u.PTS); e > d {
			kept = append(kept, u)
		} else if o := s.slotFor(e); o != nil {
			o.add(u)
		}
	}
	clear(w.units[len(kept):])
	w.units = kept
	n := 0
	for n < len(w.frames) && w.frames[n].PTS <= d {
		s.placeFrame(w.frames[n])
		n++
	}
	w.frames = w.frames[:copy(w.frames, w.frames[n:])]
}

// dropBefore drops what waits for a time before epoch time e: a format begins
// there, and what belongs to it cannot stand in a segment of the old one.
func (s *Segmenter) dropBefore(e mux.Ticks) {
	w := &s.ahead
	before := len(w.units)
	w.units = slices.DeleteFunc(w.units, func(u *mux.Unit) bool { return s.clock.epoch(u.PTS) < e })
	w.frames = slices.DeleteFunc(w.frames, func(f mux.Frame) bool { return f.PTS < e })
	s.stats.dropped += uint64(before - len(w.units))
}

// slotFor returns the slot for a unit of epoch time e, or nil if it lies in a
// hole between slots. What comes too late for its slot goes into the oldest
// that is still open, unless it lies before the start of all that is published.
func (s *Segmenter) slotFor(e mux.Ticks) *openSlot {
	if o := s.slots.at(e); o != nil {
		hole := o.cut && e >= o.end                                        // its time is that of a hole
		if hole || (o.shift-s.clock.shift)&(mux.Wrap-1) != 0 && o.broken { // or of the clock before its own
			s.stats.dropped++
			return nil
		}
		return o
	}
	o := s.slots.first()
	if o == nil || o.n == s.run {
		return nil
	}
	s.stats.late++
	return o
}

// placeFrame puts one audio frame, which has an epoch time, into its slot.
func (s *Segmenter) placeFrame(f mux.Frame) {
	if o := s.slotFor(f.PTS); o != nil {
		o.frames = append(o.frames, f)
	}
}

// appendFrames appends frames with shift added to their times.
func appendFrames(dst, frames []mux.Frame, shift mux.Ticks) []mux.Frame {
	for _, f := range frames {
		f.PTS += shift
		dst = append(dst, f)
	}
	return dst
}
