package audio

import (
	"fmt"

	"headwater/mux"
)

// SilenceHead is how many bytes of a frame [Silence] looks at.
const SilenceHead = headerSize

// Silence returns a frame without sound that can follow frames like the one
// that head begins: of the same codec, sampling rate and channels, and for MP3
// of the same bit rate. It needs nothing of the frames before it. Of HE-AAC it
// is the core coder's. The error wraps [mux.ErrInvalid] if head begins no frame
// of MP3 or AAC, or one whose channels are told inside it.
func Silence(head []byte) ([]byte, error) {
	h, ok := parseHeader(head, mux.CodecUnknown)
	switch {
	case !ok || len(head) < SilenceHead:
		return nil, fmt.Errorf("make silence: the frame is no MP3 or AAC (ADTS): %w", mux.ErrInvalid)
	case h.codec == mux.CodecMP3:
		return silentMP3(head, h), nil
	case h.adts.ChannelConfig == 0:
		return nil, fmt.Errorf("make silence: the AAC frame tells its channels in a program_config_element: %w", mux.ErrInvalid)
	}
	return silentADTS(head, h), nil
}

// SameFormat reports whether frames that begin with a and b, [SilenceHead] bytes
// of each at least, are of one codec, sampling rate and number of channels, and
// so can follow each other. Bit rates may differ.
func SameFormat(a, b []byte) bool {
	x, okX := parseHeader(a, mux.CodecUnknown)
	y, okY := parseHeader(b, mux.CodecUnknown)
	if x.codec == mux.CodecAAC && y.codec == mux.CodecAAC {
		x.adts.CRC = y.adts.CRC // of each frame by itself
	}
	return okX && okY && x.same(y)
}

// silentMP3 returns a frame whose side information is all zero: no part of the
// bit reservoir, and no bits of main data (ISO/IEC 11172-3 §2.4.1.7). It has
// neither padding nor check word.
func silentMP3(head []byte, h header) []byte {
	const noCRC, padding, extension = 0x01, 0x02, 0x30
	size := h.mpeg.Size
	if h.mpeg.Padding {
		size--
	}
	b := make([]byte, size)
	b[0], b[1], b[2], b[3] = head[0], head[1]|noCRC, head[2]&^padding, head[3]&^extension
	return b
}

// Syntactic elements of AAC (ISO/IEC 14496-3 table 4.85).
const (
	elementSCE = 0 // one channel
	elementCPE = 1 // two
	elementLFE = 3
	elementEND = 7
)

// elements returns those of a channel configuration from 1 to 7 (ISO/IEC
// 14496-3 table 1.19).
func elements(config int) []uint32 {
	return [][]uint32{
		1: {elementSCE},
		2: {elementCPE},
		3: {elementSCE, elementCPE},
		4: {elementSCE, elementCPE, elementSCE},
		5: {elementSCE, elementCPE, elementCPE},
		6: {elementSCE, elementCPE, elementCPE, elementLFE},
		7: {elementSCE, elementCPE, elementCPE, elementCPE, elementLFE},
	}[config]
}

// silentADTS returns a frame of one raw_data_block without scale factor bands
// (ISO/IEC 14496-3 §4.4.2). It has no check word.
func silentADTS(head []byte, h header) []byte {
	const noCRC = 0x01
	b := append(make([]byte, 0, 48), head[:headerSize]...)
	w := bitWriter{b: b}
	tags := [elementEND]uint32{}
	for _, e := range elements(h.adts.ChannelConfig) {
		w.put(3, e)
		w.put(4, tags[e])
		tags[e]++
		if e == elementCPE {
			w.put(1, 0) // common_window
			w.channel()
		}
		w.channel()
	}
	w.put(3, elementEND)
	b = w.b
	b[1] |= noCRC
	b[3] = b[3]&0xf0 | byte(len(b)>>11&3) // the copyright bits are no one's here
	b[4] = byte(len(b) >> 3)
	b[5] = byte(len(b)<<5) | 0x1f // of adts_buffer_fullness: variable rate
	b[6] = 0xfc
	return b
}

// bitWriter appends bits, the highest first.
type bitWriter struct {
	b    []byte
	left int // free bits in the last byte
}

func (w *bitWriter) put(n int, v uint32) {
	for n--; n >= 0; n-- {
		if w.left == 0 {
			w.b, w.left = append(w.b, 0), 8
		}
		w.left--
		w.b[len(w.b)-1] |= byte(v>>n&1) << w.left
	}
}

// channel writes an individual_channel_stream of a long window with no band.
func (w *bitWriter) channel() {
	w.put(8, 0)  // global_gain
	w.put(11, 0) // ics_info: ics_reserved_bit, window_sequence, window_shape, max_sfb, predictor_data_present
	w.put(3, 0)  // pulse_data_present, tns_data_present, gain_control_data_present
}
