package segmenter

import (
	"time"

	"headwater/mux"
)

// maxFill bounds how many gap slots are made for one absence. After a longer
// one the window begins anew: its playlist would show nothing else.
const maxFill = 20_000

// randomAccess decides at a reference unit where a decoder can start, epoch
// time e, whether it begins a segment. It is the algorithm of hls-rules H.4.
func (s *Segmenter) randomAccess(a arrival, e mux.Ticks) {
	g := s.grid()
	n := g.slot(e)
	o := s.slots.current
	switch {
	case o != nil && n <= o.n: // a later keyframe of the same slot
		return
	case o == nil && s.joining: // the head of this slot was missed
		s.joining, s.joined = false, n
		return
	case o == nil && n < s.next:
		s.late(a, e)
		return
	case o == nil && n <= s.joined:
		return
	case o == nil && s.resumes(a.unit, e, n): // after a stall; nothing is missing
		return
	case o == nil && s.stalled == n && n == s.next && e > s.ended: // what is missing here needs a number to be shown under (hls-rules A45, A50)
		s.joined = n
		return
	}
	// A hole may have swallowed the slot's true first keyframe; and where it
	// makes the segment before too long for its target, the hole has to be shown.
	long := o != nil && n == o.n+1 && e-o.start >= s.record.limit()
	headless := long || s.holed && e-g.edge(n) >= max(s.record.GOP, s.length(a.unit))
	if o != nil {
		if n == o.n+1 && !headless {
			s.cut(e, s.holed)
		} else {
			s.cut(s.lostEnd(o), true)
		}
	}
	s.fill(n)
	if headless {
		s.joined = n
		return
	}
	s.open(n, max(e, s.ended), true) // the edge itself, if half a picture before it
}

// breakAt begins a segment at epoch time e because a clock or a format begins
// there: the newest point of the record. old is the grid that was in force.
func (s *Segmenter) breakAt(p *Point, e mux.Ticks, old grid) {
	s.joining = false
	s.run = p.First
	if o := s.slots.current; o != nil {
		end, hole := max(e, o.media), e-o.media > 2*max(s.record.Frame, mux.ClockRate/10)
		if hole || end-o.start >= s.record.limit() {
			end = min(end, max(old.edge(o.n+1), o.media), o.start+s.record.limit()-1)
		}
		s.cut(end, hole)
		o.broken = true
	}
	s.fill(p.First)
	s.open(p.First, e, true)
}

// cut ends the current slot at epoch time end.
func (s *Segmenter) cut(end mux.Ticks, lost bool) {
	s.flushWrapper()
	o := s.slots.current
	o.end, o.cut, o.lost = end, true, lost
	s.ended, s.stalled, s.whole = end, 0, false
	if lost {
		o.trim()
		s.stalled = o.n + 1
	}
	s.slots.current = nil
}

// open begins slot n at epoch time e.
func (s *Segmenter) open(n uint64, e mux.Ticks, independent bool) {
	o := &openSlot{n: n, start: e, media: e, independent: independent, layout: s.layout}
	if s.layout.program.Timing == mux.TimingPTS {
		o.shift = s.clock.shift
	}
	if k := len(s.slots.open); k == 0 && s.media+1 != n || k > 0 && s.slots.open[k-1].gap {
		s.run = n
	}
	s.media = n
	s.slots.open = append(s.slots.open, o)
	s.slots.current = o
	s.next, s.holed = n+1, false
	s.behind = lateness{}
}

// fill makes gaps of the slots before n that were never used.
func (s *Segmenter) fill(n uint64) {
	if s.next == 0 {
		return
	}
	if n > s.next+maxFill {
		s.next = n - maxFill
	}
	for s.next < n {
		s.gap()
	}
}

// gap makes a gap of the next slot, which lasts as long as the grid says, or up
// to the point that begins behind it (hls-rules A50, H17).
func (s *Segmenter) gap() {
	g := s.grid()
	var end mux.Ticks
	for _, p := range s.record.Points { // after a restart the number may be of an earlier point than the last
		if p.First <= s.next {
			g.base = p.Base
		} else if p.First == s.next+1 {
			end = p.Start
		}
	}
	o := &openSlot{n: s.next, start: g.edge(s.next), end: g.edge(s.next + 1), cut: true, gap: true}
	if end > o.start && end-o.start < s.record.limit() {
		o.end = end
	}
	s.ended = o.end
	s.slots.open = append(s.slots.open, o)
	s.next++
}

// lateness watches a source whose media comes after its slots were given up.
type lateness struct {
	since time.Time
	first mux.Ticks // epoch time of the keyframe at since
}

// late handles a keyframe whose slot was already published as a gap. A source
// that catches up was held up on the way: what is late is lost. One that goes
// on at its pace has paused: its clock is set anew, so that nothing more is lost.
func (s *Segmenter) late(a arrival, e mux.Ticks) {
	s.stats.late++
	if s.behind.since.IsZero() {
		s.behind = lateness{since: a.at, first: e}
		return
	}
	waited := mux.FromDuration(a.at.Sub(s.behind.since))
	if waited < 2*mux.ClockRate || e-s.behind.first > 3*waited/2 {
		return
	}
	s.behind = lateness{}
	s.clock.mapped = false // the next keyframe is located anew, after all that was published
	s.clock.end = max(s.clock.end, s.grid().edge(s.next))
}

// Advance lets time pass: it closes what a dead source left open and fills its
// absence with gaps (hls-rules H17). Call it every 100 ms or so.
func (s *Segmenter) Advance(at time.Time) {
	s.now = at
	if s.unstored {
		s.propose(s.record)
	}
	if s.measure != nil || s.next == 0 || s.dead {
		return
	}
	silent := at.Sub(s.clock.arrived)
	quiet := silent > max(time.Second, s.record.Skew.Duration()) // nothing late will come
	if quiet {
		s.flushWrapper()
	}
	g := s.grid()
	t := s.clock.now(at)
	dying := silent >= time.Duration(s.record.TargetDuration)*time.Second/2
	if !s.clock.known && g.slot(t) > s.next+uint64(s.cfg.GapMax) { // away for longer than gaps may last
		s.dead = true
	}
	for !s.dead {
		n := s.next
		if o := s.slots.current; o != nil {
			n = o.n
		}
		if t < g.edge(n+1) || !dying && (s.slots.current != nil || n > s.joined) {
			break
		}
		if s.slots.current != nil {
			s.cut(s.lostEnd(s.slots.current), true)
			s.whole, s.holed = true, true
		} else if s.uncut != nil { // there is a source, and it brings no segments
			s.dead = true
		} else {
			s.gap()
			s.gaps++
		}
		s.dead = s.dead || s.gaps >= s.cfg.GapMax
	}
	s.finish(quiet)
}
