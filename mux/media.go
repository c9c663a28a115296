// Package mux holds the types that all media share between the wire and the
// segmenter: clocks, programs, tracks, PES units and audio frames. The
// packages below it read and write the wire itself:
//
//   - [headwater/mux/codec] reads codec headers (SPS, ADTS, MPEG audio)
//   - [headwater/mux/audio] frames raw MP3 and ADTS, and writes packed audio
//   - [headwater/mux/ts] reads and writes MPEG transport streams
//   - [headwater/mux/ogg] reads Ogg
//   - [headwater/mux/demux] recognises what a source sends and picks the reader
//
// Everything here is pure: no goroutine, no socket, no wall clock, no log.
package mux

import "time"

// PacketSize is the length of a transport stream packet (ISO/IEC 13818-1 §2.4.3.2).
const PacketSize = 188

// PID is a 13-bit packet identifier (ISO/IEC 13818-1 §2.4.3.3).
type PID uint16

// NullPID marks stuffing packets; as a field value it also means "none".
const NullPID PID = 0x1fff

// Codec says how a track is coded.
type Codec uint8

// The codecs that headwater tells apart. CodecData is anything that it passes
// through without looking inside (DVB subtitles, private data, sections).
const (
	CodecUnknown Codec = iota
	CodecH264
	CodecHEVC
	CodecMPEG2Video
	CodecAAC  // ADTS
	CodecLATM // AAC in LATM/LOAS
	CodecMP3  // MPEG-1/2/2.5 layer III
	CodecMP2  // layers I and II
	CodecAC3
	CodecEAC3
	CodecOpus
	CodecVorbis
	CodecFLAC
	CodecID3
	CodecSCTE35
	CodecData
)

var codecNames = [...]string{"unknown", "H.264", "HEVC", "MPEG-2 video", "AAC", "AAC LATM",
	"MP3", "MP2", "AC-3", "E-AC-3", "Opus", "Vorbis", "FLAC", "timed ID3", "SCTE-35", "data"}

// String returns the name that people use for the codec.
func (c Codec) String() string { return codecNames[c] }

// Video reports whether c codes pictures.
func (c Codec) Video() bool { return c == CodecH264 || c == CodecHEVC || c == CodecMPEG2Video }

// Audio reports whether c codes sound.
func (c Codec) Audio() bool { return c >= CodecAAC && c <= CodecFLAC }

// Framed reports whether units of c carry [Unit.Frames], so that the track can
// also be served as packed audio and as a continuous .mp3 or .aac. Units of Ogg
// carry pages in their place; see [Program.Headers].
func (c Codec) Framed() bool { return c == CodecAAC || c == CodecMP3 }

// Track is one elementary stream of a program.
type Track struct {
	PID        PID
	StreamType uint8 // as in the PMT (ISO/IEC 13818-1 table 2-34); 0 for raw audio
	Codec      Codec
	Language   string // ISO 639-2 code, or empty

	// Parameters holds what the coded bytes say. It is the zero value until
	// the first header of the track was seen.
	Parameters Parameters
}

// Parameters are read from the coded bytes of a track, not from its
// descriptors. Two tracks with equal Parameters can follow each other without
// a DISCONTINUITY (hls-rules A27); the type is comparable for that.
type Parameters struct {
	CodecString string // RFC 6381, e.g. "avc1.64001f" or "mp4a.40.2" (hls-rules B05-B08)

	Width, Height int   // display size after cropping; video only
	FrameRateNum  int64 // frames a second as a fraction, 0/0 if the stream does not say
	FrameRateDen  int64
	SampleRate    int    // hertz, of the decoder's output; audio only
	Channels      int    // of the decoder's output; audio only
	Config        string // opaque: the SPS, or the fixed part of the audio header
}

// Known reports whether a header of the track was seen.
func (p Parameters) Known() bool { return p != Parameters{} }

// Timing says where the timestamps of a program come from.
type Timing uint8

const (
	// TimingPTS means 33-bit timestamps sent by the source.
	TimingPTS Timing = iota
	// TimingSamples means that the source sends none: times are the running
	// sample count from the first frame of the connection, which is at 0.
	TimingSamples
)

// Program is what one source sends: the chosen program of a transport stream,
// or the one track of raw audio or Ogg. It is immutable: a change makes a new one.
type Program struct {
	Number uint16 // program_number; 1 for raw audio
	PMTPID PID
	PCRPID PID
	Timing Timing
	Tracks []Track
	PMT    []byte   // the TS_program_map_section as sent, with CRC; nil for raw audio
	Notes  []string // plain sentences on what else the source holds, for the log

	// Headers is what a decoder needs before any unit: the header pages of an
	// Ogg stream, as sent. It is nil for all other formats. Such a program has
	// one track, whose units carry whole pages as Frames: it can be sent on as
	// it is, but not be cut.
	Headers []byte
}

// Reference returns the index of the track that decides where segments are
// cut: the first video track, else the first audio track, else -1.
func (p *Program) Reference() int {
	audio := -1
	for i := range p.Tracks {
		switch c := p.Tracks[i].Codec; {
		case c.Video():
			return i
		case c.Audio() && audio < 0:
			audio = i
		}
	}
	return audio
}

// Access says whether a decoder can start at a unit.
type Access uint8

const (
	// AccessNone: not a place to start.
	AccessNone Access = iota
	// AccessRecovery: an I picture of an open GOP or a recovery point; pictures
	// before it in output order may be missing (hls-rules C11). Or an Ogg page in
	// which a packet begins, behind the rest of another.
	AccessRecovery
	// AccessRandom: an IDR with its parameter sets in band, any audio frame, or
	// an Ogg page that begins with a packet.
	AccessRandom
)

// Frame is one audio frame: an MPEG audio frame, or an ADTS header with its
// raw_data_block. Of Ogg it is one page: whole packets, or parts of them.
type Frame struct {
	PTS     Ticks  // of its first sample, on the same clock as the unit's PTS
	Data    []byte // the whole frame; immutable, as is what its capacity reaches into
	Samples int    // per channel, at Rate
	Rate    int    // hertz: the rate that Samples counts at (the core rate for HE-AAC)
}

// Unit is one whole PES packet of one track, or one frame of raw audio, or one
// page of Ogg, or a run of packets of a track that carries no PES. Once returned by a demuxer it
// and all that it points to are immutable, and may be kept as long as wanted.
type Unit struct {
	Program *Program // the same pointer until the program changes
	Track   int      // index in Program.Tracks

	// Seq orders units by the place of their first byte in the input. Units
	// are delivered when complete, so a later one may have a smaller Seq.
	Seq uint64

	// PTS and DTS are on the source's clock, unwrapped over the connection:
	// the first timestamp of a connection has its raw 33-bit value. DTS equals
	// PTS where the source sends none. Both are 0 if Untimed.
	PTS, DTS Ticks
	Untimed  bool // sections and PES without PTS that could not be given one

	Access  Access
	Damaged bool // packets of it were lost, scrambled or marked in error

	// Title is what is played from the first frame of the unit on; nil if that
	// does not change here.
	Title *Title

	PCR    Ticks // first PCR of the unit's packets, base only, unwrapped like DTS
	HasPCR bool

	Packets [][]byte // whole TS packets in order, each slice a multiple of 188 bytes; nil for raw audio and Ogg
	Size    int      // total bytes in Packets
	Frames  []Frame  // for tracks whose Codec is Framed, and for Ogg
}

// Stats counts what a demuxer met since it was made.
type Stats struct {
	Bytes        uint64 // taken in
	Packets      uint64 // TS packets in sync
	Units        uint64 // delivered
	Frames       uint64 // audio frames split out
	Skipped      uint64 // bytes passed over to find sync; not those of tags in raw audio
	SyncLosses   uint64
	Continuity   uint64 // continuity_counter gaps
	Duplicates   uint64 // repeated packets
	Transport    uint64 // packets with transport_error_indicator
	Scrambled    uint64 // packets with transport_scrambling_control
	Null         uint64 // stuffing packets
	Unreferenced uint64 // packets of PIDs outside the program
	BadPSI       uint64 // sections with a wrong CRC or lying lengths
	BadPES       uint64 // PES packets or frames that were dropped
	LastError    error  // the newest fault, or nil

	// Lead is how far the media is ahead of the clock, by its samples, since the
	// first of it came; negative if it is behind. It is 0 for media with
	// timestamps of its own, and until the source reports it.
	Lead time.Duration
}
