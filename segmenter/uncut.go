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

// uncutSentence says why a program is in no segments, "" if it may be.
func uncutSentence(p *mux.Program) string {
	if p == nil || len(p.Tracks) == 0 {
		return ""
	}
	return "Ogg " + p.Tracks[0].Codec.String() + " cannot be in HLS: send MP3 or AAC for that"
}
