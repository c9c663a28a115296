package segmenter

import "time"

// Follow tells that another source takes the place of the one before, which
// need not have gone: what it brings from now on goes on where that has ended,
// at the next random access point, and is told from it by one DISCONTINUITY,
// whatever its format (hls-rules A27). If nothing came for longer than two
// seconds in between, it goes on at its arrival, as after [Segmenter.Attach].
func (s *Segmenter) Follow(at time.Time) {
	s.Detach(at)
	s.Attach(at)
	s.clock.follows, s.tracks.declare = true, true
}
