package segmenter

import (
	"fmt"

	"headwater/mux"
)

// stretch is what a segment may last beyond the target duration to be ended by
// a keyframe that comes a little late. A shorter one would leave segments
// without keyframes at their start for good once the source's keyframes have
// moved; a longer one would round to more than the target (hls-rules A12, A14).
const stretch = mux.ClockRate / 4

// keys is what is known of the reference track's keyframes and of the places
// between pictures where a cut would part none from what it is shown before.
// All of it comes from the newest keyframe on: two processes that have seen
// that one agree, whenever they joined.
type keys struct {
	newest mux.Ticks // epoch time of the newest unit where a decoder can start
	delay  mux.Ticks // PTS - DTS of that unit
	seam   mux.Ticks // epoch time of the newest place
	apart  mux.Ticks // longest distance of two places
}

// saw notes a unit where a decoder can start, at epoch time e.
func (k *keys) saw(u *mux.Unit, e mux.Ticks) {
	*k = keys{newest: e, delay: max(0, min(u.PTS-u.DTS, mux.ClockRate)), seam: e}
}

// pass notes that a cut could be made at epoch time e.
func (k *keys) pass(e mux.Ticks) {
	k.apart = max(k.apart, min(e-k.seam, mux.ClockRate))
	k.seam = e
}

// force cuts without a keyframe if none came in time, so that no segment is
// longer than the target duration allows and no slot is left out (hls-rules A12,
// A14, A20). It cuts where the keyframe was expected, so that those that come
// back find their slots free, and others that join cut there too.
func (s *Segmenter) force(u *mux.Unit) {
	g, o := s.grid(), s.slots.current
	length := s.length(u)
	// What a keyframe here would have for PTS: unlike those of B pictures it rises evenly.
	e := s.clock.epoch(u.DTS) + s.keys.delay
	seam := s.clock.epoch(u.PTS) >= s.clock.end-length/2
	if seam {
		s.keys.pass(e)
	}
	n := g.slot(e)
	switch {
	case o == nil && (s.joining || n <= s.joined || s.resumes(u, e, n)):
		return
	case o == nil:
		if seam && s.expired(e, n, s.latest(n)) { // those who have the slot before begin this one here
			s.joined = n
		}
		return
	case n <= o.n:
		return
	case n > o.n+1, e-o.start >= s.record.limit(): // too much is missing: wait for a keyframe
		s.cut(s.lostEnd(o), true)
		return
	}
	next := e + max(length, min(u.DTS-s.clock.newest, mux.ClockRate))
	last := next-o.start >= s.record.limit() || g.slot(next) > n // not even the next unit could begin the slot
	if !last && !(seam && s.expired(e, n, o.start+s.record.target()+stretch)) {
		return
	}
	s.stats.forced++
	s.note(fmt.Sprintf("no keyframe came within %d s; segments without one at their start are published, and players that join there wait for the next", s.record.TargetDuration))
	s.cut(e, false)
	s.open(n, e, false)
}

// latest returns the epoch time up to which slot n may begin whenever the slot
// before it began.
func (s *Segmenter) latest(n uint64) mux.Ticks {
	if s.record.GOP == 0 { // pictures have come to a stream that had none: nothing is known
		return s.grid().edge(n + 1)
	}
	if spare := s.record.spare(); spare >= s.record.GOP {
		return s.grid().edge(n) + spare
	}
	return s.expects(n) + stretch
}

// expired reports whether slot n has to begin at epoch time e, a seam, since the
// next one would be too late for it. reach is how far the slot before can last.
func (s *Segmenter) expired(e mux.Ticks, n uint64, reach mux.Ticks) bool {
	next := e + max(s.keys.apart, s.record.Frame)
	if next <= min(s.latest(n), reach) {
		return false
	}
	if s.record.GOP == 0 || s.record.spare() >= s.record.GOP {
		return true
	}
	due := s.expects(n)
	return e >= due-s.grid().slack || due > reach // the keyframes have moved, to where this slot cannot get at once
}

// expects returns the epoch time of the first keyframe in slot n, if they come
// at the distance that was measured.
func (s *Segmenter) expects(n uint64) mux.Ticks {
	g := s.grid()
	edge, gop := g.edge(n)-g.slack, s.record.GOP
	if steps := floorDiv(int64(edge-s.keys.newest+gop-1), int64(gop)); steps > 0 {
		return s.keys.newest + mux.Ticks(steps)*gop
	}
	return s.keys.newest
}

// lostEnd returns the epoch time at which the current slot ends if what follows
// it is missing: at the edge of the next one, or where its media ends if that
// runs on behind the edge, for what is missing begins there (hls-rules A45, A50).
func (s *Segmenter) lostEnd(o *openSlot) mux.Ticks {
	g, end := s.grid(), o.media
	if s.layout.ref != s.layout.audio { // the last picture may be there before those that are shown before it
		end = min(end, s.clock.epoch(s.clock.newest)+s.keys.delay+s.record.Frame)
	}
	end = max(end, g.edge(o.n+1))
	return min(end, o.start+s.record.limit()-1, g.edge(o.n+2)-max(s.record.Frame, 1))
}

// resumes reports whether a reference unit at epoch time e of slot n goes on,
// with nothing missing, where the wall clock has closed the slot before: a
// source that was held up. The slot begins there, with a keyframe or not.
func (s *Segmenter) resumes(u *mux.Unit, e mux.Ticks, n uint64) bool {
	if !s.whole || s.stalled != n || s.next != n || e < s.ended-s.grid().slack {
		return false
	}
	s.open(n, s.ended, s.canStart(u))
	return true
}
