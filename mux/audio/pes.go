package audio

import "headwater/mux"

// PESSplitter finds the frames in the PES packets of one MP3 or ADTS track of
// a transport stream. Frames may lie across PES packets.
//
// Where a PES packet starts with a header that agrees with the format in
// force, that is enough for sync. A change of format is believed only when
// three headers in a row agree on it (hls-rules C28): until the ones after it
// have come, a frame with a header of another format is held back.
//
// The zero value splits whichever of the two codecs comes. A PESSplitter is
// not safe for concurrent use. It keeps at most three frames of the largest
// size between calls.
type PESSplitter struct {
	framer
	inStep  bool   // pos is just behind a frame
	marks   []mark // PES packets in buf, oldest first
	base    mux.Ticks
	elapsed clock // from base to the frame at pos
	timed   bool  // base is valid
}

// mark is where a PES packet starts.
type mark struct {
	at   int // in buf; negative if it began before what is left
	pts  mux.Ticks
	used bool // a frame was found to start in it
}

// NewPESSplitter returns a PESSplitter for c: CodecAAC, CodecMP3, CodecMP2, or
// CodecUnknown for the first two.
func NewPESSplitter(c mux.Codec) *PESSplitter {
	return &PESSplitter{framer: framer{want: c}}
}

// Split appends to dst the frames that became complete with payload, that of
// one whole PES packet, and returns the extended slice. The first frame that
// starts in the payload has time pts, the ones after it are counted on from
// there. What is left at the end is kept for the next call, so the first frame
// returned may belong to an earlier PES packet.
//
// discontinuity says that packets were lost before this one: what was kept is
// dropped. payload must not be changed any more: the frames alias it.
func (s *PESSplitter) Split(dst []mux.Frame, payload []byte, pts mux.Ticks, discontinuity bool) []mux.Frame {
	if discontinuity {
		s.drop(len(s.buf.old))
		s.keep()
		s.inStep, s.marks = false, s.marks[:0]
	}
	at := len(s.buf.old)
	if n := len(s.marks); n > 0 && s.marks[n-1].at == at { // nothing came with the last one
		s.marks = s.marks[:n-1]
	}
	s.marks = append(s.marks, mark{at: at, pts: pts})
	s.buf.new = payload
	return s.split(dst)
}

// Flush tells that the track has ended. It appends to dst the frames that were
// held back, and returns the extended slice.
func (s *PESSplitter) Flush(dst []mux.Frame) []mux.Frame {
	s.final = true
	dst = s.split(dst)
	s.final, s.inStep, s.sure = false, false, s.known
	return dst
}

// Codec returns the codec of the last frame; until then the one asked for,
// which may be CodecUnknown.
func (s *PESSplitter) Codec() mux.Codec { return s.found() }

// Parameters returns what is known of the stream for certain: the zero value
// before the first frame, for AAC before as many frames as [codec.AACProbe]
// wants, and again after a change of format until the new one is known.
func (s *PESSplitter) Parameters() mux.Parameters { return s.certain() }

// Stats returns how many bytes were in no frame that was returned, how many
// frames were, and how often sync was lost.
func (s *PESSplitter) Stats() (skipped, frames, losses uint64) {
	return s.skipped, s.frames, s.losses
}

// split deals with as much of buf as can be decided upon.
func (s *PESSplitter) split(dst []mux.Frame) []mux.Frame {
	for s.pos < s.buf.len() {
		h, v := s.header(s.pos)
		if v == yes {
			v = s.trusted(h)
		}
		if v == wait && !s.final {
			break
		}
		if v == yes {
			dst = s.frame(dst, h)
			continue
		}
		if s.inStep {
			s.losses++
			s.inStep = false
		}
		s.drop(s.buf.index(s.pos+1, 0xff) - s.pos)
	}
	pos := s.pos
	s.keep()
	s.moveMarks(pos)
	return dst
}

// trusted decides whether h is the header of a whole frame at pos.
func (s *PESSplitter) trusted(h header) verdict {
	end := s.pos + h.size()
	aligned := s.mark(s.pos).at == s.pos // at the start of a PES packet
	v := no
	switch {
	case s.known && h.same(s.cur):
		if v = yes; !aligned && !s.inStep && end != s.buf.len() {
			v = s.goesOn(end, h)
		}
		if s.overrun(end) {
			return no
		}
	case s.known || !aligned:
		v = s.confirmed(s.pos, h)
	default:
		if v = yes; end != s.buf.len() {
			v = s.goesOn(end, h)
		}
	}
	if v == yes && end > s.buf.len() {
		return wait
	}
	return v
}

// overrun reports whether a PES packet starts before end with a frame of the
// format in force, while none goes on at end: the frame at pos lost its tail.
func (s *PESSplitter) overrun(end int) bool {
	for _, m := range s.marks {
		if m.at <= s.pos || m.at >= end {
			continue
		}
		if h, v := s.header(m.at); v == yes && h.same(s.cur) && s.goesOn(end, s.cur) != yes {
			return true
		}
	}
	return false
}

// frame takes the frame h at pos.
func (s *PESSplitter) frame(dst []mux.Frame, h header) []mux.Frame {
	s.agree(h)
	s.inStep = true
	if m := s.mark(s.pos); !m.used {
		s.base, s.elapsed, s.timed, m.used = m.pts, 0, true, true
	}
	pts := s.base + s.elapsed.ticks()
	frame := s.take(h)
	s.elapsed = s.elapsed.after(h.samples(), h.rate())
	if h.info(frame) {
		s.skipped += uint64(len(frame))
		return dst
	}
	s.frames++
	return append(dst, mux.Frame{PTS: pts, Data: frame, Samples: h.samples(), Rate: h.rate()})
}

// Next returns the time of the frame after the last one returned, which is
// what a PES packet without PTS continues at. It is not ok before the first.
func (s *PESSplitter) Next() (pts mux.Ticks, ok bool) {
	return s.base + s.elapsed.ticks(), s.timed
}

// mark returns the PES packet that the byte at i belongs to.
func (s *PESSplitter) mark(i int) *mark {
	n := len(s.marks) - 1
	for n > 0 && s.marks[n].at > i {
		n--
	}
	return &s.marks[n]
}

// moveMarks tells the marks that the first n bytes of buf are gone, and forgets
// those that no byte of the rest belongs to.
func (s *PESSplitter) moveMarks(n int) {
	if len(s.buf.old) == 0 {
		s.marks = s.marks[:0]
		return
	}
	first := 0
	for i := range s.marks {
		s.marks[i].at -= n
		if s.marks[i].at <= 0 {
			first = i
		}
	}
	s.marks = append(s.marks[:0], s.marks[first:]...)
}
