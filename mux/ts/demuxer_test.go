package ts_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// demux returns all units of b, which the demuxer gets in reads of the sizes
// that next tells.
func demux(t testing.TB, d *ts.Demuxer, b []byte, next func() int) []*mux.Unit {
	t.Helper()
	var units []*mux.Unit
	for len(b) > 0 {
		room := d.Buffer()
		if len(room) == 0 {
			t.Fatal("Buffer() is empty")
		}
		n := copy(room[:min(len(room), max(next(), 1))], b)
		b = b[n:]
		units = append(units, d.Advance(n)...)
	}
	return append(units, d.Flush()...)
}

// whole reads as much as fits.
func whole() int { return 1 << 30 }

// describe writes units down, one a line, for comparison.
func describe(units []*mux.Unit) []string {
	lines := make([]string, len(units))
	for i, u := range units {
		lines[i] = fmt.Sprintf("track %d pts %d dts %d access %d damaged %t untimed %t pcr %t %d size %d frames %d",
			u.Track, u.PTS, u.DTS, u.Access, u.Damaged, u.Untimed, u.HasPCR, u.PCR, u.Size, len(u.Frames))
	}
	return lines
}

// joined returns the packets of a unit in one piece.
func joined(u *mux.Unit) []byte { return bytes.Join(u.Packets, nil) }

// ofTrack returns the units of one track.
func ofTrack(units []*mux.Unit, track int) []*mux.Unit {
	var of []*mux.Unit
	for _, u := range units {
		if u.Track == track {
			of = append(of, u)
		}
	}
	return of
}

func TestDemuxer(t *testing.T) {
	bframes := muxtest.AV()
	bframes.BFrames, bframes.VideoBytes = 2, 3000
	open := bframes
	open.OpenGOP = true
	mp3 := muxtest.AV()
	mp3.Audio, mp3.SampleRate, mp3.FramesPerPES, mp3.VideoLength = mux.CodecMP3, 44100, 3, true
	mp3.FrameRateNum, mp3.FrameRateDen = 30000, 1001
	wrap := bframes
	wrap.Start = mux.Wrap - 3*mux.ClockRate // hls-rules C15
	zero := bframes
	zero.Start = 1 // the first DTS is before the wrap, its PTS after
	reset := muxtest.AV()
	reset.Resets = []muxtest.Reset{{At: mux.ClockRate, To: 77}, {At: 3 * mux.ClockRate, To: 1 << 32}}
	lag := muxtest.AV()
	lag.AudioLag = mux.ClockRate / 2
	tests := []struct {
		name   string
		stream muxtest.Stream
	}{
		{"H.264 and AAC", muxtest.AV()},
		{"B-frames", bframes},
		{"open GOP", open},
		{"MP3, three frames a PES, lengths for video", mp3},
		{"33-bit wrap", wrap},
		{"wrap between DTS and PTS", zero},
		{"source resets", reset},
		{"late audio", lag},
		{"AAC only", muxtest.Audio(mux.CodecAAC)},
		{"MP3 only", muxtest.Audio(mux.CodecMP3)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const long = 6 * mux.ClockRate
			want := tt.stream.UnitsFor(long)
			got := demux(t, ts.NewDemuxer(ts.Options{}), tt.stream.Bytes(long), whole)
			if len(got) != len(want) {
				t.Fatalf("%d units, want %d", len(got), len(want))
			}
			for track := range got[0].Program.Tracks {
				compareUnits(t, ofTrack(got, track), ofTrack(want, track))
			}
		})
	}
}

func compareUnits(t *testing.T, got, want []*mux.Unit) {
	t.Helper()
	if g, w := describe(got), describe(want); !reflect.DeepEqual(g, w) {
		for i := range g {
			if i >= len(w) || g[i] != w[i] {
				t.Fatalf("unit %d = %s\nwant %s", i, g[i], w[i])
			}
		}
		t.Fatalf("%d units, want %d", len(g), len(w))
	}
	for i := range got {
		if !bytes.Equal(joined(got[i]), joined(want[i])) {
			t.Fatalf("packets of unit %d differ from what was sent", i)
		}
		if !reflect.DeepEqual(got[i].Frames, want[i].Frames) {
			t.Fatalf("frames of unit %d = %v, want %v", i, got[i].Frames, want[i].Frames)
		}
	}
}
