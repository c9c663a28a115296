package segmenter_test

import (
	"testing"

	"headwater/mux"
	"headwater/mux/demux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// The bytes of a segment are few slices: what follows each other in the input
// is sent with one write. That holds however little a read brings.
func TestSegmentsAreFewSlices(t *testing.T) {
	video := muxtest.AV()
	video.VideoBytes = 10_000
	tests := []struct {
		name   string
		stream muxtest.Stream
		read   int
		main   int64 // least mean length
		audio  int64
	}{
		{"video and audio", video, 1 << 20, 16_000, 3000},
		{"raw MP3", muxtest.RawAudio(mux.CodecMP3), 1600, 7000, 7000},
		{"raw AAC", muxtest.RawAudio(mux.CodecAAC), 1600, 7000, 7000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			input := tt.stream.Bytes(40 * mux.ClockRate)
			d := demux.New(demux.Options{})
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			for len(input) > 0 {
				n := copy(d.Buffer(), input[:min(len(input), tt.read)])
				input = input[n:]
				o.Write(d.Advance(n), noon)
				o.collect()
			}
			checkRun(t, o)
			if len(o.slots) < 5 {
				t.Fatalf("%d slots", len(o.slots))
			}
			for rendition, want := range map[string]int64{segmenter.RenditionMain: tt.main, segmenter.RenditionAudio: tt.audio} {
				for _, seg := range o.rendition(rendition)[1:] { // memory is given out in small lots at first
					if mean := seg.Size / int64(len(seg.Data)); mean < want {
						t.Errorf("%s segment %d: %d slices of %d bytes", rendition, seg.Sequence, len(seg.Data), mean)
					}
				}
			}
		})
	}
}
