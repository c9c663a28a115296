package segmenter_test

import (
	"testing"

	"headwater/mux"
	"headwater/mux/demux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// The bytes of a segment are few slices: what follows each other in the input
// is sent with one write.
func TestSegmentsAreFewSlices(t *testing.T) {
	stream := muxtest.AV()
	stream.VideoBytes = 10_000
	input := stream.Bytes(40 * mux.ClockRate)
	d := demux.New(demux.Options{})
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	for len(input) > 0 {
		n := copy(d.Buffer(), input)
		input = input[n:]
		o.Write(d.Advance(n), noon)
		o.collect()
	}
	checkRun(t, o)
	if len(o.slots) < 5 {
		t.Fatalf("%d slots", len(o.slots))
	}
	for _, seg := range o.rendition(segmenter.RenditionMain) {
		if mean := seg.Size / int64(len(seg.Data)); mean < 16_000 {
			t.Errorf("segment %d: %d slices of %d bytes", seg.Sequence, len(seg.Data), mean)
		}
	}
}
