package muxtest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
	"headwater/mux/muxtest"
)

// TestStreamDecodes lets ffmpeg decode what is built: it must find every
// picture and frame, and nothing to complain about.
func TestStreamDecodes(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	open := muxtest.AV()
	open.OpenGOP, open.BFrames, open.Width, open.Height, open.VideoBytes = true, 2, 320, 240, 3000
	open.FrameRateNum, open.FrameRateDen, open.Audio, open.SampleRate, open.FramesPerPES = 30000, 1001, mux.CodecMP3, 44100, 3
	bare := muxtest.AV()
	bare.NoAUD, bare.ParameterSetsOnce, bare.VideoLength, bare.BFrames = true, true, true, 1
	low := muxtest.RawAudio(mux.CodecMP3)
	low.SampleRate, low.Channels, low.BitRate = 22050, 1, 32000
	mono := muxtest.RawAudio(mux.CodecAAC)
	mono.SampleRate, mono.Channels, mono.BitRate = 44100, 1, 200_000
	tests := []struct {
		name   string
		stream muxtest.Stream
		format string
	}{
		{"H.264 and AAC", muxtest.AV(), "mpegts"}, {"open GOP and MP3", open, "mpegts"}, {"SPS once, no AUD", bare, "mpegts"},
		{"AAC in TS", muxtest.Audio(mux.CodecAAC), "mpegts"}, {"raw MP3 at 22.05 kHz", low, "mp3"}, {"raw AAC, large frames", mono, "aac"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "in")
			if err := os.WriteFile(file, tt.stream.Bytes(5*mux.ClockRate), 0o600); err != nil {
				t.Fatal(err)
			}
			said, err := exec.Command("ffmpeg", "-v", "warning", "-f", tt.format, "-i", file, "-f", "null", "-").CombinedOutput()
			if text := strings.TrimSpace(string(said)); err != nil || text != "" && !strings.Contains(text, "Estimating duration from bitrate") {
				t.Errorf("ffmpeg: %v\n%s", err, said)
			}
		})
	}
}

// TestUnitsAreParsed: what units claim is what the readers of headers see.
func TestUnitsAreParsed(t *testing.T) {
	s := muxtest.AV()
	s.FrameRateNum, s.FrameRateDen, s.Width = 30000, 1001, 640
	p := muxtest.NewProgram(s)
	pic := codec.ScanPicture(mux.CodecH264, muxtest.ParameterSets(s))
	if got, err := codec.VideoParameters(mux.CodecH264, pic); err != nil || got != p.Tracks[0].Parameters {
		t.Errorf("video parameters %+v, %v, want %+v", p.Tracks[0].Parameters, err, got)
	}
	for _, c := range []mux.Codec{mux.CodecAAC, mux.CodecMP3} {
		for _, rate := range []int{48000, 44100, 22050} {
			s := muxtest.RawAudio(c)
			s.SampleRate, s.BitRate = rate, 64000
			want := s.UnitsFor(2 * mux.ClockRate)
			d := audio.NewDemuxer(mux.CodecUnknown)
			got := append([]*mux.Unit(nil), d.Write(s.Bytes(2*mux.ClockRate))...)
			got = append(got, d.Flush()...)
			if len(got) != len(want) {
				t.Fatalf("%v at %d Hz: %d units, want %d", c, rate, len(got), len(want))
			}
			for i := range got {
				if got[i].PTS != want[i].PTS || !bytes.Equal(got[i].Frames[0].Data, want[i].Frames[0].Data) || got[i].Frames[0].Samples != want[i].Frames[0].Samples {
					t.Fatalf("%v at %d Hz: unit %d at %d, want %d", c, rate, i, got[i].PTS, want[i].PTS)
				}
			}
			if g, w := got[0].Program.Tracks[0], want[0].Program.Tracks[0]; g.Parameters != w.Parameters {
				t.Errorf("%v at %d Hz: parameters %+v, the demuxer says %+v", c, rate, w.Parameters, g.Parameters)
			}
		}
	}
}

// TestChunksAndUnits: the packets of units are those of chunks, but for tables.
func TestChunksAndUnits(t *testing.T) {
	s := muxtest.AV()
	s.BFrames, s.AudioLag = 2, mux.ClockRate/4
	var want []byte
	for p := s.Bytes(3 * mux.ClockRate); len(p) > 0; p = p[mux.PacketSize:] {
		if pid := mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2]); pid != 0 && pid != muxtest.PMTPID {
			want = append(want, p[:mux.PacketSize]...)
		}
	}
	var got []byte
	for _, u := range s.UnitsFor(3 * mux.ClockRate) {
		got = append(got, bytes.Join(u.Packets, nil)...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes in units, %d in chunks, or they differ", len(got), len(want))
	}
}

// TestStreamLose: packets that are lost are missing, no others.
func TestStreamLose(t *testing.T) {
	s := muxtest.AV()
	all := s.Bytes(mux.ClockRate)
	s.Lose = func(n int64) bool { return n%10 == 3 }
	var want []byte
	for i := 0; i < len(all); i += mux.PacketSize {
		if i/mux.PacketSize%10 != 3 {
			want = append(want, all[i:i+mux.PacketSize]...)
		}
	}
	if got := s.Bytes(mux.ClockRate); !bytes.Equal(got, want) {
		t.Errorf("%d bytes are left of %d, want %d", len(got), len(all), len(want))
	}
}
