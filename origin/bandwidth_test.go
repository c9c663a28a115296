package origin_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/origin"
	"headwater/segmenter"
)

// What is declared holds over half a target duration to one and a half, with a
// tenth on top (hls-rules B01-B03).
func TestBandwidth(t *testing.T) {
	const target = 6 * time.Second
	segment := func(length time.Duration, size int64) *segmenter.Segment {
		return &segmenter.Segment{End: mux.FromDuration(length), Size: size}
	}
	usual := segment(target, 75_000) // 100 kbit/s
	gap := &segmenter.Segment{End: mux.FromDuration(target), Gap: true}
	for _, c := range []struct {
		name     string
		segments []*segmenter.Segment
		want     segmenter.Bandwidth
	}{
		{"equal segments", []*segmenter.Segment{usual, usual, usual}, segmenter.Bandwidth{Peak: 110_000, Average: 110_000}},
		{"one is larger", []*segmenter.Segment{usual, segment(target, 150_000), usual}, segmenter.Bandwidth{Peak: 220_000, Average: 147_000}},
		{"a tenth of a second alone is no peak", []*segmenter.Segment{segment(target/60, 12_500), usual, usual}, segmenter.Bandwidth{Peak: 127_000, Average: 119_000}},
		{"gaps part what is beside them", []*segmenter.Segment{segment(target/60, 12_500), gap, usual, gap, usual}, segmenter.Bandwidth{Peak: 119_000, Average: 119_000}},
		{"all is too short", []*segmenter.Segment{segment(target/6, 25_000)}, segmenter.Bandwidth{Peak: 220_000, Average: 220_000}},
		{"nothing", []*segmenter.Segment{gap}, segmenter.Bandwidth{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := origin.Bandwidth(c.segments, target); got != c.want {
				t.Errorf("Bandwidth() = %+v, want %+v", got, c.want)
			}
		})
	}
}
