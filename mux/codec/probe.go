package codec

import (
	"fmt"

	"headwater/mux"
)

// MPEG-4 audio object types (ISO/IEC 14496-3 table 1.17).
const (
	objectLC  = 2
	objectSBR = 5
	objectPS  = 29
)

const (
	// probeFrames is how many frames an AACProbe looks at: the high band may
	// be absent from some.
	probeFrames = 8
	// probePatience is how many it looks at where one channel has a high band,
	// but no header of it came yet, without which parametric stereo cannot be
	// told. Encoders repeat it about twice a second.
	probePatience = 40
)

// AACProbe reads the first frames of an AAC stream to find out what they are.
// The header calls HE-AAC plain LC; spectral band replication (HE-AAC) and
// parametric stereo (HE-AAC v2) stand in extension payloads of the raw data,
// behind Huffman coded coefficients, which the probe therefore walks over
// (hls-rules B07). Frames that cannot be walked over, and coding other than
// LC, are what their header says. The zero value is ready to use.
type AACProbe struct {
	header   ADTS
	frames   int  // taken so far
	done     bool // the answer is final
	channels int  // of the core coder
	sbr, ps  bool
	mono     sbrReader
	settled  int // frames of which it is known whether they hold parametric stereo
}

// Add looks at the next frame, an ADTS header with its raw data, and returns
// whether [AACProbe.Parameters] is final: it is after 8 frames at most, or 40
// where HE-AAC of one channel begins without its own header. Frames after
// that, and what is no frame, change nothing.
func (p *AACProbe) Add(frame []byte) bool {
	if p.done {
		return true
	}
	h, err := ParseADTS(frame)
	if err != nil {
		return false
	}
	if p.frames == 0 {
		p.header, p.channels = h, h.Channels
		p.mono.rate = 2 * h.SampleRate
	}
	p.frames++
	if h.Profile == objectLC && h.Same(p.header) {
		p.walk(h, frame)
	}
	switch {
	case p.ps, h.Profile != objectLC, p.sbr && p.channels != 1:
		p.done = true
	case p.sbr && p.settled == 0:
		p.done = p.frames >= probePatience
	default:
		p.done = p.frames >= probeFrames
	}
	return p.done
}

// walk looks into the first raw_data_block of frame.
func (p *AACProbe) walk(h ADTS, frame []byte) {
	end := min(h.Size, len(frame))
	if h.HeaderSize >= end {
		return
	}
	a := aacBlock{bitReader: bitReader{b: frame[h.HeaderSize:end]}, rate: h.SampleRateIndex}
	err := a.walk()
	if p.channels == 0 {
		p.channels = a.channels
	}
	// A walk that came to grief may have taken anything for the high band.
	if err != nil || !a.sbr {
		return
	}
	p.sbr = true
	if p.channels == 1 {
		stereo, ok := p.mono.frame(&a.sbrAt, a.sbrEnd)
		p.ps = p.ps || stereo
		if ok {
			p.settled++
		}
	}
}

// Parameters returns what is known so far; the zero value before the first
// frame. SampleRate and Channels are of a decoder's output: twice the core's
// rate with spectral band replication, two channels with parametric stereo.
// Config is an AudioSpecificConfig of the core coder (ISO/IEC 14496-3 §1.6.2.1).
func (p *AACProbe) Parameters() mux.Parameters {
	if p.frames == 0 {
		return mux.Parameters{}
	}
	h := p.header
	q := mux.Parameters{SampleRate: h.SampleRate, Channels: p.channels}
	object := h.Profile
	if p.sbr {
		object = objectSBR
		q.SampleRate *= 2
	}
	if p.ps {
		object = objectPS
		q.Channels = 2
	}
	q.CodecString = fmt.Sprintf("mp4a.40.%d", object)
	config := h.Profile<<11 | h.SampleRateIndex<<7 | h.ChannelConfig<<3
	q.Config = string([]byte{byte(config >> 8), byte(config)})
	return q
}

// AACParameters returns what one ADTS frame tells about its stream. Where the
// frame is not the first, and HE-AAC has one channel, it may lack the header
// that tells of parametric stereo; [AACProbe] knows more then.
// The error is a [*mux.ParseError].
func AACParameters(frame []byte) (mux.Parameters, error) {
	if _, err := ParseADTS(frame); err != nil {
		return mux.Parameters{}, err
	}
	var p AACProbe
	p.Add(frame)
	return p.Parameters(), nil
}
