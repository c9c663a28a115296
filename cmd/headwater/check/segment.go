package check

import (
	"bytes"
	"fmt"

	"headwater/mux"
)

// container is how a Media Segment is packed.
type container uint8

const (
	containerUnknown container = iota
	containerTS
	containerAAC // packed audio: ADTS
	containerMP3 // packed audio: MPEG audio
	containerMP4 // fragmented MP4, which is not looked into
)

// String returns the name for people.
func (c container) String() string {
	return [...]string{"unknown", "MPEG-TS", "packed AAC", "packed MP3", "fragmented MP4"}[c]
}

// suffix returns how the path of such a segment ends (hls-rules D02).
func (c container) suffix() string { return [...]string{"", ".ts", ".aac", ".mp3", ".m4s"}[c] }

// mediaType returns the Content-Type of such a segment (hls-rules D01).
func (c container) mediaType() string {
	return [...]string{"", "video/mp2t", "audio/aac", "audio/mpeg", "video/iso.segment"}[c]
}

// problem is a rule that a segment breaks.
type problem struct{ rule, text string }

// segment is what the bytes of one Media Segment say.
type segment struct {
	container container
	tracks    []mux.Track // with their parameters

	// start is the presentation time of the first access unit of the track
	// that EXTINF is about (hls-rules A17): raw 33 bits. last is that of its
	// latest one, frame the distance of two.
	start, last, frame mux.Ticks
	timed              bool

	samples int64 // of packed audio
	rate    int   // hertz, that samples count at

	problems []problem
}

// find notes a broken rule.
func (s *segment) find(rule, format string, args ...any) {
	s.problems = append(s.problems, problem{rule, fmt.Sprintf(format, args...)})
}

// edge is what one segment leaves for the next of its rendition to go on from.
type edge struct {
	continuity map[mux.PID]counter
	pcr        mux.Ticks // the last one, raw
	hasPCR     bool
}

// counter is the continuity_counter of the last packet of a PID.
type counter struct {
	value      uint8
	duplicates int
}

// newEdge returns an edge from which anything may follow.
func newEdge() *edge { return &edge{continuity: map[mux.PID]counter{}} }

// examine reads a segment. It goes on from e, and leaves in it what the next one goes on from.
func examine(b []byte, e *edge) *segment {
	s := &segment{container: recognise(b)}
	switch s.container {
	case containerTS:
		examineTS(s, b, e)
	case containerAAC, containerMP3:
		examinePacked(s, b)
	case containerUnknown:
		s.find("C01", "the segment is neither MPEG-TS nor packed audio nor fragmented MP4")
	}
	return s
}

// recognise tells the container by the first bytes.
func recognise(b []byte) container {
	switch {
	case len(b) >= 8 && (string(b[4:8]) == "ftyp" || string(b[4:8]) == "styp" || string(b[4:8]) == "moof" || string(b[4:8]) == "sidx"):
		return containerMP4
	case len(b) > 0 && b[0] == 0x47 && (len(b) <= mux.PacketSize || b[mux.PacketSize] == 0x47):
		return containerTS
	case bytes.HasPrefix(b, []byte("ID3")):
		if size, ok := tagSize(b); ok && len(b) > size+1 {
			return recogniseFrame(b[size:])
		}
		return containerUnknown
	}
	return recogniseFrame(b)
}

// recogniseFrame tells ADTS from MPEG audio: both begin with a sync word, and
// ADTS has the layer that MPEG audio reserves.
func recogniseFrame(b []byte) container {
	switch {
	case len(b) < 2 || b[0] != 0xff || b[1]&0xe0 != 0xe0:
		return containerUnknown
	case b[1]&0xf6 == 0xf0:
		return containerAAC
	}
	return containerMP3
}

// tagSize returns the length of the ID3v2 tag that b starts with, header included.
func tagSize(b []byte) (int, bool) {
	if len(b) < 10 || b[6]|b[7]|b[8]|b[9] >= 0x80 {
		return 0, false
	}
	return 10 + int(b[6])<<21 + int(b[7])<<14 + int(b[8])<<7 + int(b[9]), true
}
