package codec

import "headwater/mux"

// ADTS is the header of an AAC frame in an audio data transport stream
// (ISO/IEC 13818-7 §6.2, ISO/IEC 14496-3 annex 1.A).
type ADTS struct {
	MPEG2           bool // ID: MPEG-2 AAC, which says nothing about the coding itself
	Profile         int  // MPEG-4 audio object type: 1 Main, 2 LC, 3 SSR, 4 LTP; HE-AAC says 2
	SampleRateIndex int  // 0 to 12
	SampleRate      int  // hertz, of the core coder: half of what HE-AAC plays at
	ChannelConfig   int  // 0 to 7; 0 means that a program_config_element in the frame tells
	Channels        int  // of the core coder; 0 if ChannelConfig is
	Size            int  // bytes of the whole frame, header included
	HeaderSize      int  // bytes before the first raw_data_block: 7, with a check word 9 or more
	Blocks          int  // raw_data_blocks in the frame, 1 to 4
	Samples         int  // per channel at SampleRate: 1024 for each block
	CRC             bool
}

// MaxADTSSize is the largest size that aac_frame_length can say.
const MaxADTSSize = 1<<13 - 1

// Parsing errors are made once: a search for sync meets many.
var (
	errADTSShort  = fault("adts_fixed_header", mux.ErrTruncated)
	errADTSSync   = fault("syncword", mux.ErrInvalid)
	errADTSRate   = fault("sampling_frequency_index", mux.ErrInvalid)
	errADTSLength = fault("aac_frame_length", mux.ErrInvalid)
)

// ParseADTS reads the header in the first 7 bytes of b. It refuses a frame
// that is not longer than its header, and a sampling rate that the header
// cannot tell. The error is a [*mux.ParseError]; nothing is allocated for it.
func ParseADTS(b []byte) (ADTS, error) {
	if len(b) < 7 {
		return ADTS{}, errADTSShort
	}
	if b[0] != 0xff || b[1]&0xf6 != 0xf0 { // syncword, and layer, which is always 0
		return ADTS{}, errADTSSync
	}
	h := ADTS{
		MPEG2:           b[1]&8 != 0,
		Profile:         int(b[2]>>6) + 1,
		SampleRateIndex: int(b[2] >> 2 & 15),
		ChannelConfig:   int(b[2]&1)<<2 | int(b[3]>>6),
		Size:            int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5,
		HeaderSize:      7,
		Blocks:          int(b[6]&3) + 1,
		CRC:             b[1]&1 == 0,
	}
	if h.SampleRateIndex > 12 {
		return ADTS{}, errADTSRate
	}
	h.SampleRate = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}[h.SampleRateIndex]
	h.Channels = h.ChannelConfig
	if h.ChannelConfig == 7 { // 7.1
		h.Channels = 8
	}
	h.Samples = 1024 * h.Blocks
	if h.CRC { // the check word, and the place of each block but the first
		h.HeaderSize += 2 * h.Blocks
	}
	if h.Size <= h.HeaderSize {
		return ADTS{}, errADTSLength
	}
	return h, nil
}

// Same reports whether frames with the headers h and o can follow each other
// in one stream: all that is fixed in adts_fixed_header is equal.
func (h ADTS) Same(o ADTS) bool {
	return h.MPEG2 == o.MPEG2 && h.Profile == o.Profile && h.SampleRateIndex == o.SampleRateIndex &&
		h.ChannelConfig == o.ChannelConfig && h.CRC == o.CRC
}
