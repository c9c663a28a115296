package segmenter

import (
	"cmp"
	"slices"

	"headwater/mux"
)

// openSlot is a slot that is not handed out yet.
type openSlot struct {
	n           uint64
	start       mux.Ticks // epoch time of its random access point
	end         mux.Ticks // epoch time of the next segment's; valid once cut
	cut         bool      // end is known; only late audio is awaited
	lost        bool      // media before end may be missing
	broken      bool      // another clock or format begins behind it
	gap         bool      // there is no media
	independent bool
	dirty       bool
	layout      layout
	shift       mux.Ticks // epoch time - timestamps on the wire

	units  []*mux.Unit // with TS packets, in the order of arrival
	sorted int         // how many of them are in the order of the input
	bytes  int64
	frames []mux.Frame // of packed audio, with epoch times
	media  mux.Ticks   // epoch end of the reference track's media
}

// add places a unit.
func (o *openSlot) add(u *mux.Unit) {
	o.units = append(o.units, u)
	o.bytes += int64(u.Size)
	o.dirty = o.dirty || u.Damaged
}

// sort puts the units of the connection that is ending into the order of its
// input. The next one counts from the start again.
func (o *openSlot) sort() {
	slices.SortFunc(o.units[o.sorted:], func(x, y *mux.Unit) int { return cmp.Compare(x.Seq, y.Seq) })
	o.sorted = len(o.units)
}

// trim drops what of the other tracks lies behind the end: it belongs to what
// is missing there.
func (o *openSlot) trim() {
	if o.layout.ref == o.layout.audio {
		return
	}
	end := o.end - o.shift
	behind := func(u *mux.Unit) bool { return u.Track != o.layout.ref && end.Nearest(u.PTS) >= end }
	before := slices.DeleteFunc(o.units[:o.sorted:o.sorted], behind)
	o.units = append(before, slices.DeleteFunc(o.units[o.sorted:], behind)...)
	o.sorted = len(before)
	o.frames = slices.DeleteFunc(o.frames, func(f mux.Frame) bool { return f.PTS >= o.end })
}

// worth reports whether the slot is to be published: if media is missing at
// its end, at least half of it must be there (hls-rules H17).
func (o *openSlot) worth() bool {
	return !o.gap && (!o.lost || 2*(o.media-o.start) >= o.end-o.start)
}

// slots are the slots that are not handed out yet, oldest first.
type slots struct {
	open []*openSlot
	// current is the slot that the reference track fills: the last of open, or
	// nil if that slot is not to be published.
	current *openSlot
}

// at returns the slot that epoch time e belongs to: the newest with media that
// starts at or before e, or nil if e lies before them all.
func (s *slots) at(e mux.Ticks) *openSlot {
	for i := len(s.open) - 1; i >= 0; i-- {
		if o := s.open[i]; !o.gap && o.start <= e {
			return o
		}
	}
	return nil
}

// first returns the oldest slot with media, or nil.
func (s *slots) first() *openSlot {
	for _, o := range s.open {
		if !o.gap {
			return o
		}
	}
	return nil
}

// newest returns the start of the newest slot with media.
func (s *slots) newest() (mux.Ticks, bool) {
	for i := len(s.open) - 1; i >= 0; i-- {
		if !s.open[i].gap {
			return s.open[i].start, true
		}
	}
	return 0, false
}
