// Package segmenter decides when to cut. It takes PES units, puts each into a
// slot of the grid by its timestamp, and yields closed slots: the segments of
// every rendition, a pure function of the media, the configuration and the
// stream's record. Nothing here reads a clock, opens a socket or starts a
// goroutine; time is a parameter.
//
// hls-rules H07-H30, A12-A51; RFC 8216 §3, §4.3.
package segmenter

import (
	"time"

	"headwater/mux"
)

// Names of the renditions that a stream can have.
const (
	RenditionMain  = "main"  // MPEG-TS: video as sent and the first audio track
	RenditionAudio = "audio" // packed audio: the frames of the first audio track
)

// Segment is one Media Segment of one rendition. It is immutable.
type Segment struct {
	Rendition string // RenditionMain or RenditionAudio
	Suffix    string // ".ts", ".aac" or ".mp3": the container
	Sequence  uint64 // media sequence number: the slot of the grid, never reused

	// Start and End are the epoch times of the first sample of this segment
	// and of the next: EXTINF is End-Start, PROGRAM-DATE-TIME is Start.
	Start, End mux.Ticks

	DSN           uint64 // discontinuity sequence number of the segment itself (hls-rules A26)
	Discontinuity bool   // an EXT-X-DISCONTINUITY stands before it
	Gap           bool   // EXT-X-GAP: there is no media, its URI answers 404
	Independent   bool   // starts with an IDR, or is audio
	Dirty         bool   // holds damaged units (hls-rules C20)

	// Data is the segment's bytes, in order: slices of the blocks that the
	// source was read into. It is nil for a gap, and for a segment whose bytes
	// are only in the store any more.
	Data [][]byte
	Size int64 // bytes; valid also when Data is nil
	// Sum is a checksum of the bytes (CRC-32C, then CRC-32), zero for a gap. It
	// tells two contents of one name apart: the strong ETag.
	Sum [8]byte
}

// Duration returns End-Start.
func (s *Segment) Duration() time.Duration { return (s.End - s.Start).Duration() }

// Slot is one closed slot of the grid.
type Slot struct {
	Sequence uint64
	Start    mux.Ticks // epoch
	End      mux.Ticks
	Segments []*Segment // one per rendition, RenditionMain first; all with the same Sequence and DSN
}

// Output is what the segmenter has made ready.
type Output struct {
	Slots []*Slot
	// Units go to the continuous outputs: every unit with TS packets, in the
	// order in which they may be sent. For raw audio these are made here, cut
	// at segment edges; Frames of the same units feed the .mp3 and .aac outputs.
	Units []*mux.Unit
}
