package segmenter_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// PCRs rise, never by more than 100 ms, also from one segment to the next
// (ISO/IEC 13818-1 §2.7.2, hls-rules C07).
func TestPCRDistance(t *testing.T) {
	tests := []struct {
		name   string
		stream func() muxtest.Stream
	}{
		{"pictures and sound", muxtest.AV},
		{"pictures with few PCRs", func() muxtest.Stream {
			s := muxtest.AV()
			s.BFrames, s.PCREvery = 2, mux.ClockRate/2
			return s
		}},
		{"sound in long PES packets", func() muxtest.Stream {
			s := muxtest.Audio(mux.CodecAAC)
			s.FramesPerPES = 15
			return s
		}},
		{"raw AAC", func() muxtest.Stream {
			s := muxtest.RawAudio(mux.CodecAAC)
			s.SampleRate = 44100
			return s
		}},
		{"raw AAC of few samples", func() muxtest.Stream {
			s := muxtest.RawAudio(mux.CodecAAC)
			s.SampleRate = 22050
			return s
		}},
		{"raw MP3", func() muxtest.Stream { return muxtest.RawAudio(mux.CodecMP3) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.feed(tt.stream(), 0, 40*time.Second, nil)
			checkRun(t, o)
			last, n := mux.Ticks(-1), 0
			for _, seg := range o.rendition(segmenter.RenditionMain) {
				for p := data(seg); len(p) > 0; p = p[mux.PacketSize:] {
					pcr, ok := programClock(p)
					if !ok {
						continue
					}
					n++
					if step := pcr - last; last >= 0 && (step <= 0 || step > mux.ClockRate/10) {
						t.Fatalf("segment %d: a PCR is %v after the last", seg.Sequence, step.Duration())
					}
					last = pcr
				}
			}
			if n < 300 {
				t.Errorf("%d PCRs", n)
			}
		})
	}
}

// programClock returns the PCR base of packet p, if it has one (ISO/IEC 13818-1 §2.4.3.4).
func programClock(p []byte) (mux.Ticks, bool) {
	if p[3]&0x20 == 0 || p[4] < 7 || p[5]&0x10 == 0 {
		return 0, false
	}
	return mux.Ticks(p[6])<<25 | mux.Ticks(p[7])<<17 | mux.Ticks(p[8])<<9 | mux.Ticks(p[9])<<1 | mux.Ticks(p[10]>>7), true
}
