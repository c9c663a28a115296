package ts_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	mpeg2 "github.com/yapingcat/gomedia/go-mpeg2"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// rawTrack returns the frames of n units of raw audio, and their program.
func rawTrack(s muxtest.Stream, n int) (frames []mux.Frame, p *mux.Program) {
	for u := range s.Units() {
		frames, p = append(frames, u.Frames...), u.Program
		if n--; n == 0 {
			break
		}
	}
	return frames, p
}

func TestAudioMuxer(t *testing.T) {
	aac, mp3, low, cd := muxtest.RawAudio(mux.CodecAAC), muxtest.RawAudio(mux.CodecMP3), muxtest.RawAudio(mux.CodecMP3), muxtest.RawAudio(mux.CodecMP3)
	low.SampleRate, low.Channels, low.BitRate = 22050, 1, 32000
	cd.SampleRate, cd.BitRate = 44100, 320000
	tiny := muxtest.RawAudio(mux.CodecAAC)
	tiny.BitRate = 1000 // less than a packet for a PES packet
	huge := muxtest.RawAudio(mux.CodecAAC)
	huge.BitRate = 280_000 // beyond the 2048 bytes at which gomedia's own ADTS headers go wrong
	huge.SampleRate = 16000
	tests := []struct {
		name   string
		stream muxtest.Stream
		perPES int
	}{
		{"AAC", aac, 1}, {"AAC, 5 frames a PES", aac, 5}, {"MP3", mp3, 3}, {"MP3 at 22.05 kHz", low, 8}, {"MP3 at 44.1 kHz", cd, 2},
		{"tiny frames", tiny, 1}, {"frames of 2240 bytes", huge, 8},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frames, p := rawTrack(tt.stream, 40*tt.perPES)
			p.Tracks[0].PID = 0x1abc
			const start = mux.Wrap - 5000 // hls-rules C15
			for i := range frames {
				frames[i].PTS += start
			}
			out := muxAudio(t, p, frames, tt.perPES)
			checkContinuity(t, out)
			checkAudio(t, out, frames, tt.perPES)
			decode(t, out)
		})
	}
}

// muxAudio returns a transport stream with the frames.
func muxAudio(t *testing.T, p *mux.Program, frames []mux.Frame, perPES int) []byte {
	t.Helper()
	m, err := ts.NewAudioMuxer(p.Tracks[0])
	if err != nil {
		t.Fatal(err)
	}
	out := ts.AppendPAT(nil, p.Number, p.PMTPID, 0)
	out = ts.AppendSection(out, p.PMTPID, 0, ts.BuildPMT(p, []int{0}, p.Tracks[0].PID))
	var kept, copies [][]byte
	for i := 0; i < len(frames); i += perPES {
		packets, err := m.Write(frames[i : i+perPES])
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, packets...)
		copies = append(copies, bytes.Clone(packets[0]))
	}
	for i := range kept {
		if !bytes.Equal(kept[i], copies[i]) {
			t.Fatalf("packets of PES %d changed after Write", i)
		}
		out = append(out, kept[i]...)
	}
	return out
}

func checkContinuity(t *testing.T, b []byte) {
	t.Helper()
	last := map[mux.PID]uint8{}
	for i, p := range packets(b) {
		if cc, ok := last[pidOf(p)]; ok && ts.Continuity(p) != (cc+1)&15 {
			t.Fatalf("packet %d: continuity_counter %d after %d", i, ts.Continuity(p), cc)
		}
		last[pidOf(p)] = ts.Continuity(p)
	}
}

// checkAudio demuxes out and compares it with what was put in, to the tick.
func checkAudio(t *testing.T, out []byte, frames []mux.Frame, perPES int) {
	t.Helper()
	units := demux(t, ts.NewDemuxer(ts.Options{}), out, whole)
	checkUnits(t, units)
	var got []mux.Frame
	for i, u := range units {
		if want := frames[i*perPES].PTS; u.PTS != want || u.DTS != want || !u.HasPCR || u.PCR != want-9000 {
			t.Fatalf("unit %d: PTS %d, DTS %d, PCR %d, want PTS %d and a PCR 9000 before", i, u.PTS, u.DTS, u.PCR, want)
		}
		if first := u.Packets[0]; first[5]&0x40 == 0 || first[4+payloadGap(first)+6]&0x04 == 0 {
			t.Errorf("unit %d lacks random_access_indicator or data_alignment_indicator", i)
		}
		got = append(got, u.Frames...)
	}
	if len(got) != len(frames) {
		t.Fatalf("%d frames, want %d", len(got), len(frames))
	}
	for i := range got {
		if !bytes.Equal(got[i].Data, frames[i].Data) {
			t.Fatalf("frame %d differs from what was put in", i)
		}
		if apart(got[i].PTS, frames[i].PTS) > 1 { // counted from the PES packet's PTS, which is rounded
			t.Fatalf("frame %d at %d, want %d", i, got[i].PTS, frames[i].PTS)
		}
	}
}

// decode lets ffmpeg decode b: it must not complain.
func decode(t *testing.T, b []byte) {
	t.Helper()
	need(t, "ffmpeg")
	file := filepath.Join(t.TempDir(), "audio.ts")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("ffmpeg", "-v", "warning", "-i", file, "-f", "null", "-").CombinedOutput(); err != nil || len(said) > 0 {
		t.Errorf("ffmpeg: %v\n%s", err, said)
	}
}

// TestAudioMuxerRefuses: what gomedia must not see costs the frames, not the muxer.
func TestAudioMuxerRefuses(t *testing.T) {
	frames, p := rawTrack(muxtest.RawAudio(mux.CodecAAC), 2)
	m, err := ts.NewAudioMuxer(p.Tracks[0])
	if err != nil {
		t.Fatal(err)
	}
	good := frames[0].Data
	long := bytes.Clone(good)
	long[4] = 0xff
	mp3, _ := rawTrack(muxtest.RawAudio(mux.CodecMP3), 1)
	zero := bytes.Clone(good)
	zero[3], zero[4], zero[5] = zero[3]&^3, 0, zero[5]&0x1f
	many := make([]mux.Frame, 200)
	for i := range many {
		many[i].Data = good
	}
	tests := []struct {
		name   string
		frames []mux.Frame
		want   error
	}{
		{"empty frame", []mux.Frame{{}}, mux.ErrTruncated},
		{"length of zero", []mux.Frame{{Data: zero}}, mux.ErrInvalid},
		{"longer than its bytes", []mux.Frame{{Data: long}}, mux.ErrInvalid},
		{"cut", []mux.Frame{{Data: good[:len(good)-1]}}, mux.ErrInvalid},
		{"another codec", mp3, mux.ErrInvalid},
		{"too many for a PES packet", append(many, many...), mux.ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if packets, err := m.Write(tt.frames); !errors.Is(err, tt.want) || packets != nil {
				t.Errorf("Write() = %d slices, error %v, want %v", len(packets), err, tt.want)
			}
		})
	}
	if packets, err := m.Write(frames); err != nil || ts.Continuity(packets[0]) != 0 {
		t.Errorf("after refusals Write() = %v, error %v, want the first packets", packets, err)
	}
	if packets, err := m.Write(nil); packets != nil || err != nil {
		t.Errorf("Write(nil) = %v, %v", packets, err)
	}
	for _, track := range []mux.Track{
		{PID: 0x100, Codec: mux.CodecH264, StreamType: 0x1b}, {PID: 0x100, Codec: mux.CodecAAC, StreamType: 3},
		{PID: 0x1fff, Codec: mux.CodecAAC, StreamType: 0x0f}, {PID: 0, Codec: mux.CodecMP3, StreamType: 3},
	} {
		if _, err := ts.NewAudioMuxer(track); !errors.Is(err, mux.ErrInvalid) {
			t.Errorf("NewAudioMuxer(%+v) error %v, want ErrInvalid", track, err)
		}
	}
}

// TestAudioMuxerSurvivesPanic: a panic inside gomedia costs one PES packet.
func TestAudioMuxerSurvivesPanic(t *testing.T) {
	frames, p := rawTrack(muxtest.RawAudio(mux.CodecMP3), 3)
	m, err := ts.NewAudioMuxer(p.Tracks[0])
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for i := range frames {
		if i == 1 {
			m.Break()
		}
		packets, err := m.Write(frames[i : i+1])
		if (err != nil) != (i == 1) {
			t.Fatalf("Write() of frame %d: error %v", i, err)
		}
		out = append(out, bytes.Join(packets, nil)...)
	}
	checkContinuity(t, out)
	if n := len(out) / mux.PacketSize; n != 6 {
		t.Errorf("%d packets, want those of 2 frames", n)
	}
}

// TestGomediaReadsUnits: gomedia's demuxer, another reader of the same
// stream, finds as many pictures and audio frames.
func TestGomediaReadsUnits(t *testing.T) {
	s := small()
	s.BFrames = 2
	b := s.Bytes(smallTime)
	want := map[mpeg2.TS_STREAM_TYPE]int{}
	for _, u := range demux(t, ts.NewDemuxer(ts.Options{}), b, whole) {
		want[mpeg2.TS_STREAM_TYPE(u.Program.Tracks[u.Track].StreamType)]++
	}
	got := map[mpeg2.TS_STREAM_TYPE]int{}
	d := mpeg2.NewTSDemuxer()
	d.OnFrame = func(c mpeg2.TS_STREAM_TYPE, _ []byte, _, _ uint64) { got[c]++ }
	if err := d.Input(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("units by stream type %v, gomedia has %v", want, got)
	}
}

func BenchmarkAudioMuxer(b *testing.B) {
	frames, p := rawTrack(muxtest.RawAudio(mux.CodecMP3), 5)
	m, err := ts.NewAudioMuxer(p.Tracks[0])
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(5 * len(frames[0].Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Write(frames); err != nil {
			b.Fatal(err)
		}
	}
}
