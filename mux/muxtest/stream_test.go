package muxtest_test

import (
	"fmt"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
)

func TestStreamSamples(t *testing.T) {
	bframes := muxtest.AV()
	bframes.GOP, bframes.BFrames = 6, 2
	open := bframes
	open.OpenGOP = true
	never := muxtest.AV()
	never.NoIDR = true
	tests := []struct {
		name   string
		stream muxtest.Stream
		want   string // kind and output place of the first pictures
	}{
		{"closed GOP ends with a P picture", bframes, "I0 P3 B1 B2 P5 B4 I6 P9 B7 B8"},
		{"open GOP starts with leading pictures", open, "I0 P3 B1 B2 R6 B4 B5 P9 B7 B8"},
		{"no keyframe ever", never, "P0 P1 P2 P3 P4 P5 P6 P7 P8 P9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, n := "", 0
			for x := range tt.stream.Samples() {
				if x.Kind == muxtest.KindAudio {
					continue
				}
				if x.DTS > x.PTS {
					t.Errorf("picture %d: DTS %d after PTS %d", x.Number, x.DTS, x.PTS)
				}
				got += fmt.Sprintf(" %c%d", "AIRPB"[x.Kind], (x.PTS-10*mux.ClockRate)/3600)
				if n++; n == 10 {
					break
				}
			}
			if got != " "+tt.want {
				t.Errorf("pictures =%s, want %s", got, tt.want)
			}
		})
	}
}

func TestStreamReset(t *testing.T) {
	s := muxtest.AV()
	s.Resets = []muxtest.Reset{{At: 3 * mux.ClockRate, To: 50 * mux.ClockRate}}
	s.Gaps = []muxtest.Gap{{From: 5 * mux.ClockRate, To: 6 * mux.ClockRate}}
	var last, time mux.Ticks
	for x := range s.Samples() {
		if x.Kind == muxtest.KindAudio {
			continue
		}
		if x.Run == 1 && last != 0 {
			if x.PTS != 50*mux.ClockRate || x.Kind != muxtest.KindIDR || x.Time != 4*mux.ClockRate {
				t.Errorf("first after reset = %+v, want an IDR at 50 s, sent at 4 s", x)
			}
			last = 0
		}
		if x.Run == 0 {
			last = x.PTS
		}
		if gap := x.Time - time; gap > 3600 && (time >= 5*mux.ClockRate || gap != mux.ClockRate+3600) {
			t.Errorf("gap of %d after %d", gap, time)
		}
		if time = x.Time; time > 8*mux.ClockRate {
			break
		}
	}
}

func BenchmarkUnits(b *testing.B) {
	n := 0
	for b.Loop() {
		for u := range muxtest.AV().Units() {
			if n++; u.PTS > 70*mux.ClockRate {
				break
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed())/float64(n), "ns/unit")
}
