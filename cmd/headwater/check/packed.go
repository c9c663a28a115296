package check

import (
	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
)

// examinePacked reads a packed audio segment (RFC 8216 §3.4): a tag with the
// time of its first sample, then whole frames (hls-rules C21, C23).
func examinePacked(s *segment, b []byte) {
	start, size, err := audio.ParseTimestampTag(b)
	if err != nil {
		s.find("C21", "it does not start with an ID3 tag that holds its timestamp: %v", err)
		if n, ok := tagSize(b); ok && string(b[:3]) == "ID3" {
			size = n
		}
	} else {
		s.start, s.timed = start, true
	}
	kind := mux.CodecAAC
	if s.container == containerMP3 {
		kind = mux.CodecMP3
	}
	w := walk(b[size:], kind)
	if w.junk > 0 {
		s.find("C23", "it is not whole frames to the last byte: %d bytes belong to none", w.junk)
	}
	s.samples, s.rate = w.samples, w.rate
	if w.rate > 0 {
		s.frame = mux.FromSamples(w.samples/max(int64(w.frames), 1), w.rate)
		s.last = s.start + mux.FromSamples(w.samples, w.rate) - s.frame
	}
	s.tracks = []mux.Track{{Codec: kind, Parameters: w.parameters}}
}

// walked is what a walk over audio frames met.
type walked struct {
	frames     int
	samples    int64
	rate       int // of the first frame
	junk       int // bytes outside frames and tags
	parameters mux.Parameters
}

// walk goes over b frame by frame; ID3 tags may stand between frames.
func walk(b []byte, kind mux.Codec) walked {
	var w walked
	var probe codec.AACProbe
	for len(b) > 0 {
		if len(b) >= 10 && string(b[:3]) == "ID3" {
			if n, ok := tagSize(b); ok && n <= len(b) {
				b = b[n:]
				continue
			}
		}
		size, samples, rate := frame(b, kind)
		if size == 0 || size > len(b) {
			w.junk++
			b = b[1:]
			continue
		}
		if w.frames == 0 {
			w.rate = rate
		}
		if kind == mux.CodecMP3 {
			if h, err := codec.ParseMPEGAudio(b); err == nil && w.frames == 0 {
				w.parameters = h.Parameters()
			}
		} else {
			probe.Add(b[:size])
			w.parameters = probe.Parameters()
		}
		w.frames++
		w.samples += int64(samples)
		b = b[size:]
	}
	return w
}

// frame returns the length of the frame that b starts with, 0 if there is none.
func frame(b []byte, kind mux.Codec) (size, samples, rate int) {
	if kind == mux.CodecMP3 {
		h, err := codec.ParseMPEGAudio(b)
		if err != nil {
			return 0, 0, 0
		}
		return h.Size, h.Samples, h.SampleRate
	}
	h, err := codec.ParseADTS(b)
	if err != nil {
		return 0, 0, 0
	}
	return h.Size, h.Samples, h.SampleRate
}
