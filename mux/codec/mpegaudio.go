package codec

import (
	"bytes"
	"fmt"

	"headwater/mux"
)

// MPEGAudio is the header of an MPEG audio frame (ISO/IEC 11172-3 §2.4.2.3,
// ISO/IEC 13818-3 §2.4.2.3, and what is called MPEG-2.5).
type MPEGAudio struct {
	Version    int // 1, 2, or 25 for MPEG-2.5
	Layer      int // 1 to 3
	Bitrate    int // bits a second
	SampleRate int // hertz
	Channels   int // 1 or 2
	Samples    int // per channel in the frame: 384, 576 or 1152
	Size       int // bytes of the whole frame, header and padding included
	Padding    bool
	CRC        bool // a 16-bit check word follows the header
	Mode       int  // 0 stereo, 1 joint stereo, 2 dual channel, 3 single channel
}

// MaxMPEGAudioSize is the size in bytes of the largest frame that
// [ParseMPEGAudio] takes: layer II, 384 kbit/s at 32 kHz, padded.
const MaxMPEGAudioSize = 144*384/32 + 1

// Parsing errors are made once: a search for sync meets many.
var (
	errMPEGAudioShort   = fault("mpeg_audio_header", mux.ErrTruncated)
	errMPEGAudioSync    = fault("syncword", mux.ErrInvalid)
	errMPEGAudioLayer   = fault("layer", mux.ErrInvalid)
	errMPEGAudioBitrate = fault("bitrate_index", mux.ErrInvalid)
	errMPEGAudioRate    = fault("sampling_frequency", mux.ErrInvalid)
	errMPEGAudioAccent  = fault("emphasis", mux.ErrInvalid)
)

// ParseMPEGAudio reads the frame header in the first 4 bytes of b. It refuses
// free format, whose frames have no length in the header, and all reserved
// values. The error is a [*mux.ParseError]; nothing is allocated for it.
func ParseMPEGAudio(b []byte) (MPEGAudio, error) {
	if len(b) < 4 {
		return MPEGAudio{}, errMPEGAudioShort
	}
	version, layer := [4]int{25, 0, 2, 1}[b[1]>>3&3], 4-int(b[1]>>1&3)
	switch {
	case b[0] != 0xff || b[1]&0xe0 != 0xe0 || version == 0:
		return MPEGAudio{}, errMPEGAudioSync
	case layer == 4 || version == 25 && layer != 3: // MPEG-2.5 has layer III only
		return MPEGAudio{}, errMPEGAudioLayer
	case b[2]>>4 == 0 || b[2]>>4 == 15:
		return MPEGAudio{}, errMPEGAudioBitrate
	case b[2]>>2&3 == 3:
		return MPEGAudio{}, errMPEGAudioRate
	case b[3]&3 == 2:
		return MPEGAudio{}, errMPEGAudioAccent
	}
	h := MPEGAudio{
		Version:    version,
		Layer:      layer,
		Bitrate:    mpegAudioBitrate(version, layer, int(b[2]>>4)),
		SampleRate: [3]int{44100, 48000, 32000}[b[2]>>2&3],
		Channels:   2,
		Padding:    b[2]>>1&1 == 1,
		CRC:        b[1]&1 == 0,
		Mode:       int(b[3] >> 6),
	}
	switch version {
	case 2:
		h.SampleRate /= 2
	case 25:
		h.SampleRate /= 4
	}
	if h.Mode == 3 {
		h.Channels = 1
	}
	padding := int(b[2] >> 1 & 1)
	switch {
	case layer == 1: // counts slots of 4 bytes
		h.Samples = 384
		h.Size = (12*h.Bitrate/h.SampleRate + padding) * 4
	case layer == 3 && version != 1:
		h.Samples = 576
		h.Size = 72*h.Bitrate/h.SampleRate + padding
	default:
		h.Samples = 1152
		h.Size = 144*h.Bitrate/h.SampleRate + padding
	}
	return h, nil
}

// mpegAudioBitrate returns bits a second for bitrate_index 1 to 14.
func mpegAudioBitrate(version, layer, index int) int {
	rates := [...][15]uint16{
		{1: 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{1: 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{1: 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
		{1: 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{1: 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
	row := layer - 1
	if version != 1 {
		row = min(layer, 2) + 2
	}
	return int(rates[row][index]) * 1000
}

// Same reports whether frames with the headers h and o can follow each other
// in one stream: version, layer and sampling rate are equal. Bit rate, padding
// and the use of channels may differ.
func (h MPEGAudio) Same(o MPEGAudio) bool {
	return h.Version == o.Version && h.Layer == o.Layer && h.SampleRate == o.SampleRate
}

// Parameters returns what the header tells about the stream. CodecString names
// the MPEG-4 object type of the layer: mp4a.40.34 is layer III (hls-rules B08).
func (h MPEGAudio) Parameters() mux.Parameters {
	return mux.Parameters{
		CodecString: fmt.Sprintf("mp4a.40.%d", 31+h.Layer),
		SampleRate:  h.SampleRate,
		Channels:    h.Channels,
		Config:      fmt.Sprintf("mpeg%d.%d/%d/%d", h.Version, h.Layer, h.SampleRate, h.Channels),
	}
}

// InfoFrame reports whether frame, of which h is the header, is the frame with
// a table of contents that encoders put before the first one: Xing, Info or
// VBRI in place of sound. It decodes to silence and is no audio (hls-rules C26).
func (h MPEGAudio) InfoFrame(frame []byte) bool {
	if h.Layer != 3 {
		return false
	}
	const header, check, vbri = 4, 2, 32
	side := 32 // bytes of side information
	switch {
	case h.Version == 1 && h.Channels == 1, h.Version != 1 && h.Channels == 2:
		side = 17
	case h.Version != 1:
		side = 9
	}
	// Encoders do not agree on whether the check word moves the tag.
	return tagAt(frame, header+side, "Xing", "Info") || h.CRC && tagAt(frame, header+check+side, "Xing", "Info") ||
		tagAt(frame, header+vbri, "VBRI", "VBRI")
}

// tagAt reports whether b has one of the tags at offset.
func tagAt(b []byte, offset int, one, other string) bool {
	return len(b) >= offset && (bytes.HasPrefix(b[offset:], []byte(one)) || bytes.HasPrefix(b[offset:], []byte(other)))
}
