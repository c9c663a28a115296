package ts_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"headwater/mux"
	"headwater/mux/codec"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// TestDemuxerInjects: a keyframe without parameter sets gets those seen before
// (hls-rules C10), in as many packets that the continuity_counter of what
// follows is right (hls-rules C05), in the order of hls-rules C09.
func TestDemuxerInjects(t *testing.T) {
	once := muxtest.AV()
	once.ParameterSetsOnce, once.GOP, once.VideoBytes = true, 10, 800
	lengths := once
	lengths.VideoLength = true
	bare := once
	bare.NoAUD = true
	open := once
	open.OpenGOP, open.BFrames = true, 1
	tests := []struct {
		name   string
		stream muxtest.Stream
	}{
		{"no PES_packet_length", once}, {"with PES_packet_length", lengths}, {"no AUD", bare}, {"open GOP", open},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const long = 4 * mux.ClockRate
			sets := muxtest.ParameterSets(tt.stream)
			units := ofTrack(demux(t, ts.NewDemuxer(ts.Options{}), tt.stream.Bytes(long), whole), 0)
			sent := ofTrack(tt.stream.UnitsFor(long), 0)
			checkUnits(t, units)
			cc := uint8(15)
			keys := 0
			for i, u := range units {
				if u.Access != sent[i].Access || u.PTS != sent[i].PTS || u.PCR != sent[i].PCR || u.HasPCR != sent[i].HasPCR {
					t.Errorf("unit %d: access %d, PTS %d, PCR %d, want %d, %d, %d", i, u.Access, u.PTS, u.PCR, sent[i].Access, sent[i].PTS, sent[i].PCR)
				}
				got, was := elementary(t, joined(u), &cc), elementary(t, joined(sent[i]), nil)
				if u.Access == mux.AccessNone || keys == 0 {
					if !bytes.Equal(joined(u), joined(sent[i])) {
						t.Errorf("unit %d was changed", i)
					}
					if u.Access != mux.AccessNone {
						keys++
					}
					continue
				}
				keys++
				at := codec.ScanPicture(mux.CodecH264, was).AfterAUD
				if want := append(append(bytes.Clone(was[:at]), sets...), was[at:]...); !bytes.Equal(got, want) {
					t.Errorf("unit %d begins % x, want % x", i, got[:60], want[:60])
				}
				if first := u.Packets[0]; first[5]&0x40 == 0 {
					t.Errorf("unit %d has no random_access_indicator", i)
				}
				if u.Size != sent[i].Size+16*188 {
					t.Errorf("unit %d grew by %d packets, want 16", i, (u.Size-sent[i].Size)/188)
				}
			}
			if keys < 10 {
				t.Errorf("%d keyframes, want at least 10", keys)
			}
		})
	}
}

// elementary returns the elementary stream of the packets of one unit. It
// checks PES_packet_length and, from the packet before on, the continuity_counter.
func elementary(t *testing.T, b []byte, cc *uint8) []byte {
	t.Helper()
	var pes []byte
	for _, p := range packets(b) {
		if p[3]&0x10 == 0 {
			continue
		}
		if cc != nil {
			if c := ts.Continuity(p); c != (*cc+1)&15 {
				t.Errorf("continuity_counter %d after %d", c, *cc)
			}
			*cc = ts.Continuity(p)
		}
		pes = append(pes, p[4+payloadGap(p):]...)
	}
	if n := int(pes[4])<<8 | int(pes[5]); n != 0 && n != len(pes)-6 {
		t.Errorf("PES_packet_length %d, there are %d bytes", n, len(pes)-6)
	}
	return pes[9+int(pes[8]):]
}

// TestInjectedStreamDecodes lets ffmpeg decode from a keyframe that came without parameter sets.
func TestInjectedStreamDecodes(t *testing.T) {
	need(t, "ffmpeg")
	once := muxtest.AV()
	once.ParameterSetsOnce, once.GOP, once.VideoBytes, once.Audio = true, 10, 800, mux.CodecUnknown
	units := demux(t, ts.NewDemuxer(ts.Options{}), once.Bytes(4*mux.ClockRate), whole)
	p := units[0].Program
	out := ts.AppendSection(ts.AppendPAT(nil, 1, p.PMTPID, 0), p.PMTPID, 0, p.PMT)
	for _, u := range units[10:] {
		out = append(out, joined(u)...)
	}
	file := filepath.Join(t.TempDir(), "cut.ts")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command("ffmpeg", "-v", "warning", "-i", file, "-f", "null", "-").CombinedOutput()
	if err != nil || len(said) > 0 {
		t.Errorf("ffmpeg: %v\n%s", err, said)
	}
	if n := len(probe(t, file, muxtest.VideoPID)); n != 90 {
		t.Errorf("ffprobe sees %d pictures, want 90", n)
	}
}

// TestDemuxerAccess: a keyframe whose parameter sets are not known is none.
func TestDemuxerAccess(t *testing.T) {
	s := muxtest.AV()
	s.ParameterSetsOnce, s.GOP = true, 10
	late := edit(s.Bytes(2*mux.ClockRate), func(p []byte, pid mux.PID, n int) []byte {
		return unless(p, pid == muxtest.VideoPID && n < 8)
	})
	for _, u := range ofTrack(demux(t, ts.NewDemuxer(ts.Options{}), late, whole), 0) {
		if u.Access != mux.AccessNone {
			t.Errorf("access %d at %d, want none", u.Access, u.PTS)
		}
	}
	never := muxtest.AV()
	never.NoIDR = true
	for _, u := range ofTrack(demux(t, ts.NewDemuxer(ts.Options{}), never.Bytes(2*mux.ClockRate), whole), 0) {
		if u.Access != mux.AccessNone {
			t.Errorf("no IDR: access %d at %d, want none", u.Access, u.PTS)
		}
	}
}

// TestDemuxerMarksRandomAccess sets a random_access_indicator that is missing,
// in a copy (hls-rules C09).
func TestDemuxerMarksRandomAccess(t *testing.T) {
	clean := muxtest.AV().Bytes(6 * mux.ClockRate)
	without := edit(clean, func(p []byte, pid mux.PID, n int) []byte {
		if p[3]&0x20 != 0 && p[4] > 0 {
			p[5] &^= 0x40
		}
		return p
	})
	before := bytes.Clone(without)
	want := demux(t, ts.NewDemuxer(ts.Options{}), clean, whole)
	got := demux(t, ts.NewDemuxer(ts.Options{}), without, whole)
	compareUnits(t, ofTrack(got, 0), ofTrack(want, 0))
	if !bytes.Equal(without, before) {
		t.Error("the input was changed")
	}
}

// TestDemuxerParameters: a change of the SPS makes a new program at the unit
// that brings it, a repetition does not.
func TestDemuxerParameters(t *testing.T) {
	a, b := muxtest.AV(), muxtest.AV()
	b.Width, b.Start = 128, 20*mux.ClockRate
	b.SampleRate = 44100
	in := append(a.Bytes(4*mux.ClockRate), b.Bytes(4*mux.ClockRate)...)
	units := demux(t, ts.NewDemuxer(ts.Options{}), in, whole)
	programs := map[*mux.Program]bool{}
	for _, u := range units {
		programs[u.Program] = true
		track := u.Program.Tracks[u.Track]
		if u.Track == 1 {
			continue
		}
		want := 64
		if u.PTS >= 20*mux.ClockRate {
			want = 128
		}
		if track.Parameters.Width != want || track.Parameters.CodecString != "avc1.4d001e" {
			t.Errorf("picture at %d: %+v, want width %d", u.PTS, track.Parameters, want)
		}
		if !bytes.Equal(u.Program.PMT, units[0].Program.PMT) {
			t.Errorf("picture at %d: another PMT", u.PTS)
		}
	}
	last := units[len(units)-1].Program.Tracks[1].Parameters
	if last.SampleRate != 44100 || last.CodecString != "mp4a.40.2" {
		t.Errorf("audio at the end: %+v", last)
	}
	if n := len(programs); n < 3 || n > 8 {
		t.Errorf("%d programs, want few", n)
	}
}
