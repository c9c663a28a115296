package segmenter

import "headwater/mux"

// settled is how long a segment must be before a point is begun in it only to
// be like others: no segment is next to nothing.
const settled = mux.ClockRate

// Alignment is what streams of one programme must have in common for what is at
// the same time in each to have the same number (hls-rules B18, B19).
type Alignment struct {
	Base int64  // numbers that resets inside a slot have used up, see [Point]
	DSN  uint64 // discontinuity sequence number
}

// Max returns the greater of each.
func (a Alignment) Max(b Alignment) Alignment {
	return Alignment{max(a.Base, b.Base), max(a.DSN, b.DSN)}
}

// Alignment returns that of the newest point.
func (s *Segmenter) Alignment() Alignment {
	if s.at == nil {
		return Alignment{}
	}
	return Alignment{s.at.Base, s.at.DSN}
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
