package segmenter

import (
	"time"

	"headwater/mux"
)

// settled is how long a segment must be before a point is begun in it only to
// be like others: no segment is next to nothing.
const settled = mux.ClockRate

// Alignment is what streams of one programme must have in common for what is at
// the same time in each to have the same number (hls-rules B18, B19).
type Alignment struct {
	Base int64  // numbers that resets inside a slot have used up, see [Point]
	DSN  uint64 // discontinuity sequence number
	// Offset is that of the newest [Point] of all whose source has timestamps,
	// and Start the epoch time of that; 0 if there is none.
	Offset, Start mux.Ticks
}

// Max returns the greater of each, and the newer clock.
func (a Alignment) Max(b Alignment) Alignment {
	a.Base, a.DSN = max(a.Base, b.Base), max(a.DSN, b.DSN)
	if b.Start > a.Start {
		a.Offset, a.Start = b.Offset, b.Start
	}
	return a
}

// Alignment returns that of the newest point.
func (s *Segmenter) Alignment() Alignment {
	if s.at == nil {
		return Alignment{}
	}
	a := Alignment{Base: s.at.Base, DSN: s.at.DSN}
	if s.layout.program != nil && s.layout.program.Timing == mux.TimingPTS {
		a.Offset, a.Start = s.at.Offset, s.at.Start
	}
	return a
}

// sameClock is how far a unit may lie from its arrival by another stream's clock
// to be taken for one of the same encoder: not farther than it may be late.
const sameClock = mux.ClockRate / 4

// borrow maps the clock at u as that of another stream is, if both seem to be
// one: streams that arrived one after the other are cut at the same pictures
// then (hls-rules B17, H11).
func (s *Segmenter) borrow(u *mux.Unit, at time.Time) bool {
	c := &s.clock
	want := mux.FromTime(at) - c.latency
	e := want.Nearest(u.PTS + s.align.Offset)
	if s.align.Start == 0 || c.follows || abs(e-want) > sameClock || e < c.end {
		return false
	}
	c.mapped, c.shift = true, e-u.PTS
	return true
}

// Align has the stream catch up with others: it begins with to, or goes on with
// as many more points, each with a DISCONTINUITY or at the price of a number.
// It never goes back.
func (s *Segmenter) Align(to Alignment) { s.align = to }

// lags reports whether a point is to begin at epoch time e, where a segment can,
// only to catch up, and whether that is a DISCONTINUITY.
func (s *Segmenter) lags(e mux.Ticks) (lags, discontinuity bool) {
	o := s.slots.current
	if s.at == nil || o == nil || e-o.start < settled {
		return false, false
	}
	if s.at.DSN < s.align.DSN {
		return true, true
	}
	return s.at.Base < s.align.Base && s.grid().slot(e) == o.n, false
}

// catchUp begins the point of a stream that lags at a unit, or returns nil.
func (s *Segmenter) catchUp(a arrival, e mux.Ticks) *Point {
	lags, discontinuity := s.lags(e)
	if !lags {
		return nil
	}
	s.placeUpTo(e - 1)
	return s.begin(a, e, s.at.Offset, discontinuity)
}
