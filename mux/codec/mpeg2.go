package codec

import (
	"fmt"

	"headwater/mux"
)

// Start codes of MPEG-2 video (ISO/IEC 13818-2 table 6-1).
const (
	mpeg2Picture   = 0x00
	mpeg2LastSlice = 0xaf
	mpeg2UserData  = 0xb2
	mpeg2Sequence  = 0xb3
	mpeg2Extension = 0xb5
	mpeg2Group     = 0xb8
)

// MPEG2Parameters reads a sequence header with its extensions, from
// sequence_header_code's last byte (0xB3) on. Start codes further on stand in
// seq as they were sent. MPEG-1 video, which has no extension, is taken too.
//
// CodecString is "mp4v." and the object type of the profile, as RFC 6381 §3.3
// has it for what ISO/IEC 14496-1 lists and no specification names otherwise:
// mp4v.61 is Main Profile. No player of HLS needs it; those that know nothing
// of MPEG-2 learn from it that they do not.
//
// The error is a [*mux.ParseError]. ISO/IEC 13818-2 §6.2.2.1, §6.2.2.3.
func MPEG2Parameters(seq []byte) (mux.Parameters, error) {
	const fixed = 8 // bytes before the quantiser matrices, and the flag of the first
	switch {
	case len(seq) < 1+fixed:
		return mux.Parameters{}, fault("sequence_header", mux.ErrTruncated)
	case seq[0] != mpeg2Sequence:
		return mux.Parameters{}, fault("sequence_header_code", mux.ErrInvalid)
	}
	r := bitReader{b: seq[1:]}
	width, height := r.read(12), r.read(12)
	r.read(4) // aspect_ratio_information
	num, den := mpeg2FrameRate(r.read(4))
	object := byte(0x6a) // Visual ISO/IEC 11172-2
	// The matrices may change within a sequence, so they are not in Config.
	config := append(make([]byte, 0, 32), seq[1:fixed]...)
	if e := mpeg2SequenceExtension(seq); e != nil {
		x := bitReader{b: e}
		x.read(4) // extension_start_code_identifier
		object = mpeg2Object(x.read(8))
		x.read(1) // progressive_sequence
		x.read(2) // chroma_format
		width |= x.read(2) << 12
		height |= x.read(2) << 12
		x.read(12 + 1 + 8 + 1) // bit_rate_extension, marker, vbv_buffer_size_extension, low_delay
		num *= uint64(x.read(2)) + 1
		den *= uint64(x.read(5)) + 1
		config = append(config, e...)
	}
	if width == 0 || height == 0 {
		return mux.Parameters{}, fault("horizontal_size_value", mux.ErrInvalid)
	}
	p := mux.Parameters{
		CodecString: fmt.Sprintf("mp4v.%02X", object),
		Width:       int(width),
		Height:      int(height),
		Config:      string(config),
	}
	p.FrameRateNum, p.FrameRateDen = frameRate(num, den)
	return p, nil
}

// mpeg2FrameRate returns the rate that frame_rate_code stands for, 0/1 if it
// is reserved (ISO/IEC 13818-2 table 6-4).
func mpeg2FrameRate(code uint32) (num, den uint64) {
	rates := [...][2]uint64{{0, 1}, {24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {50, 1}, {60000, 1001}, {60, 1}}
	if code >= uint32(len(rates)) {
		code = 0
	}
	return rates[code][0], rates[code][1]
}

// mpeg2Object maps profile_and_level_indication to the object type indication
// of ISO/IEC 14496-1 table 5.
func mpeg2Object(profileLevel uint32) byte {
	switch profile := profileLevel >> 4; profile {
	case 5:
		return 0x60 // Simple
	case 3:
		return 0x62 // SNR scalable
	case 2:
		return 0x63 // spatially scalable
	case 1:
		return 0x64 // High
	case 8:
		return 0x65 // 4:2:2
	}
	return 0x61 // Main
}

// mpeg2SequenceExtension returns the body of the sequence_extension in seq,
// six bytes, or nil.
func mpeg2SequenceExtension(seq []byte) []byte {
	const (
		identifier = 1
		size       = 6
	)
	for b := seq; ; {
		i := nextStartCode(b)
		if i < 0 {
			return nil
		}
		b = b[i+3:]
		if len(b) >= 1+size && b[0] == mpeg2Extension && b[1]>>4 == identifier {
			return b[1 : 1+size]
		}
	}
}
