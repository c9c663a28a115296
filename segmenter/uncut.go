package segmenter

import "headwater/mux"

// passes reports whether a unit is left out of the segments, as all of its
// program is: Ogg has no place in HLS. Then nothing is cut, and no gap is made,
// until a source brings something else.
func (s *Segmenter) passes(u *mux.Unit) bool {
	if u.Program.Headers == nil {
		s.uncut = nil
		return false
	}
	s.uncut = u.Program
	return true
}

// Uncut returns why nothing that the source sends goes into the segments, in a
// sentence; empty if that may yet be.
func (s *Segmenter) Uncut() string {
	if s.uncut == nil {
		return ""
	}
	return "Ogg " + s.uncut.Tracks[0].Codec.String() + " cannot be in HLS: send MP3 or AAC for that"
}
