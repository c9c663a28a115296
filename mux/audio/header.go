package audio

import (
	"headwater/mux"
	"headwater/mux/codec"
)

// header is that of an MPEG audio frame or of an ADTS frame.
type header struct {
	codec mux.Codec
	mpeg  codec.MPEGAudio // unless codec is CodecAAC
	adts  codec.ADTS      // if codec is CodecAAC
}

// headerSize is how many bytes parseHeader wants, tagHead how many tagSize does.
const (
	headerSize = 7
	tagHead    = 16
	maxFrame   = codec.MaxADTSSize
)

// parseHeader reads the header at the start of b, which holds headerSize bytes
// or all that there are. want is CodecUnknown for any codec that is Framed.
func parseHeader(b []byte, want mux.Codec) (header, bool) {
	const layerBits = 0x06 // 0 in ADTS, reserved in MPEG audio: they cannot be mixed up
	if len(b) < 2 || b[0] != 0xff {
		return header{}, false
	}
	if b[1]&layerBits == 0 {
		if want != mux.CodecAAC && want != mux.CodecUnknown {
			return header{}, false
		}
		h, err := codec.ParseADTS(b)
		return header{codec: mux.CodecAAC, adts: h}, err == nil
	}
	h, err := codec.ParseMPEGAudio(b)
	if err != nil {
		return header{}, false
	}
	c := mux.CodecMP3
	if h.Layer != 3 {
		c = mux.CodecMP2
	}
	ok := c == want || c == mux.CodecMP3 && want == mux.CodecUnknown
	return header{codec: c, mpeg: h}, ok
}

// same reports whether h and o are of one stream without a change of format.
func (h header) same(o header) bool {
	if h.codec != o.codec {
		return false
	}
	if h.codec == mux.CodecAAC {
		return h.adts.Same(o.adts)
	}
	return h.mpeg.Same(o.mpeg) && h.mpeg.Channels == o.mpeg.Channels
}

// size returns the bytes of the whole frame.
func (h header) size() int { return h.adts.Size + h.mpeg.Size }

// samples returns how many samples per channel the frame holds, at rate.
func (h header) samples() int { return h.adts.Samples + h.mpeg.Samples }

// rate returns hertz, for AAC of the core coder.
func (h header) rate() int { return h.adts.SampleRate + h.mpeg.SampleRate }

// info reports whether frame holds a table of contents in place of sound.
func (h header) info(frame []byte) bool {
	return h.codec == mux.CodecMP3 && h.mpeg.InfoFrame(frame)
}
