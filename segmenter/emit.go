package segmenter

import (
	"cmp"
	"fmt"
	"slices"

	"headwater/mux"
)

// finish hands out the slots whose media is complete, in order. If force is
// set it does not wait for late audio.
func (s *Segmenter) finish(force bool) {
	open := s.slots.open
	n := 0
	for n < len(open) && open[n].cut && (force || s.complete(open[n])) {
		n++
	}
	if n == 0 {
		return
	}
	for i := range n {
		s.emit(open[i], open[i+1:])
	}
	rest := copy(open, open[n:])
	clear(open[rest:])
	s.slots.open = open[:rest]
}

// complete reports whether no more media of the slot can come: audio has got
// past its end, or is later than it may be (hls-rules C14).
func (s *Segmenter) complete(o *openSlot) bool {
	if o.gap || o.layout.audio < 0 || o.layout.audio == o.layout.ref {
		return true
	}
	return s.ahead.seen >= o.end || s.clock.epoch(s.clock.newest) >= o.end+s.record.Skew
}

// emit turns an open slot into segments. later are the slots after it.
func (s *Segmenter) emit(o *openSlot, later []*openSlot) {
	slot := &Slot{Sequence: o.n, Start: o.start, End: o.end}
	dsn, tag := s.record.mark(o.n)
	segment := func(rendition string) *Segment {
		return &Segment{
			Rendition: rendition, Suffix: s.suffix[rendition], Sequence: o.n,
			Start: o.start, End: o.end, DSN: dsn, Discontinuity: tag,
			Gap: true, Independent: true,
		}
	}
	main := segment(RenditionMain)
	slot.Segments = append(slot.Segments, main)
	published := o.worth() && len(o.units) > 0
	if !published {
		main.Start = s.begins(main, s.shown)
		slot.Start = main.Start
	} else {
		main.Gap, main.Independent, main.Dirty = false, o.independent, o.dirty
		buildTS(main, o, s.tags(main, o))
		if suffix, ok := o.layout.packed(); ok && len(o.frames) > 0 { // without frames the codec may be a guess from the PMT
			s.suffix[RenditionAudio] = suffix
		}
	}
	if _, ok := s.suffix[RenditionAudio]; ok {
		audio := segment(RenditionAudio)
		audio.Start = s.begins(audio, s.sounded)
		slot.Segments = append(slot.Segments, audio)
		if published && len(o.frames) > 0 {
			audio.Gap, audio.Dirty = false, o.dirty
			s.arrangeFrames(o)
			audio.Start, audio.End = s.audioSpan(o, later)
			buildPacked(audio, o, s.titles.between(audio.Start, o.end))
		} else if published && o.layout.framed() {
			s.note(fmt.Sprintf("the %s track stopped; segments have no sound until it is back", o.layout.program.Tracks[o.layout.audio].Codec))
		}
		s.sounded = audio.End
	}
	s.shown = main.End
	s.titles.forget(o.end)
	s.out.Slots = append(s.out.Slots, slot)
}

// begins returns where a gap begins: where the segment before it has ended, for
// gaps add up to what is missing, unless that would make it too long (hls-rules
// A12, A45, A50).
func (s *Segmenter) begins(gap *Segment, before mux.Ticks) mux.Ticks {
	if !gap.Discontinuity && before < gap.End && gap.End-before < s.record.limit() {
		return before
	}
	return gap.Start
}

// arrangeFrames puts the slot's frames into the order of their times, for some
// may have come late, and drops those for which the segment has no room: it
// may not be longer than others (hls-rules A12).
func (s *Segmenter) arrangeFrames(o *openSlot) {
	byTime := func(a, b mux.Frame) int { return cmp.Compare(a.PTS, b.PTS) }
	if !slices.IsSortedFunc(o.frames, byTime) {
		slices.SortStableFunc(o.frames, byTime)
	}
	last := o.frames[len(o.frames)-1]
	end := last.PTS + 2*mux.FromSamples(int64(last.Samples), last.Rate)
	for end-o.frames[0].PTS > s.record.limit() && len(o.frames) > 1 {
		o.frames = o.frames[1:]
		s.stats.dropped++
	}
}

// audioSpan returns the time of the slot's first audio frame and of the frame
// that follows its last one (hls-rules A17, C23).
func (s *Segmenter) audioSpan(o *openSlot, later []*openSlot) (start, end mux.Ticks) {
	last := o.frames[len(o.frames)-1]
	length := mux.FromSamples(int64(last.Samples), last.Rate)
	end = last.PTS + length
	next := s.ahead.frames
	if len(later) > 0 && len(later[0].frames) > 0 {
		next = later[0].frames
	}
	if !o.broken && len(next) > 0 && next[0].PTS >= o.end && abs(next[0].PTS-end) < length { // the source's own rounding
		end = next[0].PTS
	}
	return o.frames[0].PTS, end
}

// mark returns the discontinuity sequence number of slot n, and whether an
// EXT-X-DISCONTINUITY stands before it (hls-rules A25-A28).
func (r *Record) mark(n uint64) (dsn uint64, tag bool) {
	for i := len(r.Points) - 1; i >= 0; i-- {
		if p := &r.Points[i]; p.First <= n {
			return p.DSN, p.First == n && i > 0 && r.Points[i-1].DSN != p.DSN
		}
	}
	return 0, false
}
