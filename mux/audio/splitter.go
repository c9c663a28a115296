package audio

import (
	"headwater/mux"
	"headwater/mux/id3"
)

// Splitter finds the frames in a stream of bytes that is MP3 or ADTS AAC. It
// passes over junk, ID3v1, ID3v2 and APE tags, and the Xing, Info and VBRI
// frames of files. Free format MP3 is taken for junk.
//
// The title in an ID3v2 tag begins with the frame behind it; see Title. Those
// of ID3v1 and APE tags, which stand at the end of files, name what is over.
//
// To find sync it wants three headers in a row that agree, at the end of the
// input two; so it does to believe in a change of format (hls-rules C27, C28).
// A frame is emitted when the header after it has come, one frame late; see Peek.
//
// A Splitter is not safe for concurrent use. It keeps at most three frames of
// the largest size and the text of a title between calls.
type Splitter struct {
	framer
	tag    int // bytes of a tag still to come
	reader id3.Reader
	title  *mux.Title // in the tags since the last frame, nil if there is none
	tags   uint64     // bytes of tags and of frames without sound: skipped, and no fault
	search bool       // pos is not where a frame is expected
	synced bool       // the last frame was emitted just before pos, but for tags
	tried  int        // bytes behind pos known not to begin a frame; see doubt
}

// Emit takes one frame: its bytes with header, and how many samples per
// channel it holds at rate hertz (for AAC, those of the core coder).
// The bytes are immutable and may be kept.
type Emit func(frame []byte, samples, rate int)

// NewSplitter returns a Splitter for c: CodecAAC, CodecMP3, CodecMP2 (layers I
// and II), or CodecUnknown for whichever of the first two comes, also in turns.
func NewSplitter(c mux.Codec) *Splitter { return &Splitter{framer: framer{want: c}} }

// Write takes the next bytes of the stream and calls emit for each frame that
// became complete. p must not be changed any more: frames alias it, except
// those that began in an earlier call.
func (s *Splitter) Write(p []byte, emit Emit) {
	s.buf.new = p
	for s.step(emit) {
	}
	s.keep()
}

// Peek returns the frame at the end of what was written, if all of it is there
// and only the header behind it is wanting; nil if not. Write and Flush emit it,
// unless it proves to be none: it is for who cannot wait. The rest is as for [Emit].
func (s *Splitter) Peek() (frame []byte, samples, rate int) {
	if !s.synced || s.search || s.tag > 0 {
		return nil, 0, 0
	}
	rest := s.buf.old
	h, ok := parseHeader(rest, s.want)
	if !ok || !h.same(s.cur) || h.size() > len(rest) {
		return nil, 0, 0
	}
	frame = rest[:h.size():h.size()]
	if h.info(frame) {
		return nil, 0, 0
	}
	return frame, h.samples(), h.rate()
}

// Flush tells that the stream has ended, and calls emit for what is left of
// it. The Splitter can be used for another stream of the same kind then.
func (s *Splitter) Flush(emit Emit) {
	s.final = true
	for s.step(emit) {
	}
	s.drop(s.buf.len() - s.pos)
	s.keep()
	s.sure = s.known
	s.final, s.search, s.synced, s.tag, s.tried = false, false, false, 0, 0
	s.reader, s.title = id3.Reader{}, nil
}

// Codec returns the codec of the last frame; until then the one asked for,
// which may be CodecUnknown.
func (s *Splitter) Codec() mux.Codec { return s.found() }

// Parameters returns what is known of the stream for certain: the zero value
// before the first frame, for AAC before as many frames as [codec.AACProbe]
// wants, and again after a change of format until the new one is known.
func (s *Splitter) Parameters() mux.Parameters { return s.certain() }

// Title returns the title that begins with the frame that is being emitted, or
// that Peek returned: that of the ID3v2 tag before it. It is nil if there is
// none, and immutable.
func (s *Splitter) Title() *mux.Title { return s.title }

// Stats returns how many bytes were in no frame that was emitted, how many
// frames were, and how often sync was lost.
func (s *Splitter) Stats() (skipped, frames, losses uint64) {
	return s.skipped, s.frames, s.losses
}

// step deals with some bytes. It returns false if it wants more of them.
func (s *Splitter) step(emit Emit) bool {
	rest := s.buf.len() - s.pos
	switch {
	case rest == 0:
		return false
	case s.tag > 0:
		s.readTag(min(rest, s.tag))
		return true
	case s.search:
		return s.find()
	}
	return s.next(emit)
}

// readTag takes the next n bytes of a tag.
func (s *Splitter) readTag(n int) {
	first, second := s.buf.pieces(s.pos, s.pos+n)
	s.reader.Write(first)
	s.reader.Write(second)
	s.drop(n)
	s.tag -= n
	s.tags += uint64(n)
	if s.tag > 0 {
		return
	}
	if t, ok := s.reader.Title(); ok {
		s.title = &t
	}
	s.reader = id3.Reader{}
}

// next deals with a tag or a frame at pos.
func (s *Splitter) next(emit Emit) bool {
	var scratch [tagHead]byte
	b := s.buf.head(s.pos, &scratch)
	if len(b) < tagHead && !s.final {
		return false
	}
	if s.tag = tagSize(b); s.tag > 0 {
		return true
	}
	h, ok := parseHeader(b, s.want)
	if !ok || !s.synced || !h.same(s.cur) {
		s.search = true
		return true
	}
	if s.final && s.pos+h.size() > s.buf.len() {
		return false // the last frame is cut short
	}
	switch s.goesOn(s.pos+h.size(), h) {
	case wait:
		return false
	case no:
		switch s.doubt(h) {
		case wait:
			return false
		case yes:
			return true
		}
	}
	s.tried = 0
	if frame := s.take(h); h.info(frame) {
		s.skipped += uint64(len(frame))
		s.tags += uint64(len(frame))
	} else {
		s.frames++
		emit(frame, h.samples(), h.rate())
		s.title = nil
	}
	return true
}

// doubt decides whether the frame h at pos, behind which no other follows, is
// longer than it was: whether a row of frames begins inside it. If so it is
// dropped. Otherwise it is as good as any, with junk behind it.
func (s *Splitter) doubt(h header) verdict {
	for i := s.buf.index(s.pos+1+s.tried, 0xff); i < s.pos+h.size(); i = s.buf.index(i+1, 0xff) {
		inner, v := s.header(i)
		if v == yes {
			if v = no; inner.same(h) {
				v = s.confirmed(i, inner)
			}
		}
		switch v {
		case wait:
			s.tried = i - s.pos - 1
			return wait
		case yes:
			s.tried = 0
			s.losses++
			s.drop(i - s.pos)
			return yes
		}
	}
	return no
}

// find looks for sync from pos on.
func (s *Splitter) find() bool {
	for i := s.pos; ; i++ {
		i = s.buf.index(i, 0xff)
		if i > s.pos {
			if s.synced {
				s.losses++
				s.synced = false
			}
			s.drop(i - s.pos)
		}
		if i == s.buf.len() {
			return false
		}
		h, v := s.header(i)
		if v == yes {
			v = s.confirmed(i, h)
		}
		switch v {
		case wait:
			return false
		case yes:
			s.agree(h)
			s.search, s.synced = false, true
			return true
		}
	}
}
